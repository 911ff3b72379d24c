/** Reads what a loader would read of an ELF file, without loading it. */

import { inflateSync } from "node:zlib";

/** A version of symbols that a library needs of another. */
export interface VersionNeed {
  /** The other library: `libc.so.6`. */
  file: string;
  /** The version: `GLIBC_2.34`. */
  version: string;
}

/** An ELF file. */
export interface ElfFile {
  /** Processor: `x86_64`, `aarch64`; `machine N` if not known. */
  machine: string;
  /** Width of addresses. */
  bits: 32 | 64;
  /** Byte order. */
  littleEndian: boolean;
  /** What the file is. */
  type: "executable" | "shared" | "object" | "other";
  /** The loader that it names. */
  interpreter?: string;
  /** Libraries that it needs, by their names. */
  needed: string[];
  /** Its own name as a library. */
  soname?: string;
  /** Folders in which its libraries are looked for first. */
  runpath: string[];
  /** Versions of symbols that it needs. */
  versionNeeds: VersionNeed[];
  /** Versions of symbols that it has. */
  versionDefinitions: string[];
  /** Symbols that it gives to others. */
  exports: string[];
  /** Symbols that it takes from others. */
  imports: string[];
  /** Content of a section, inflated; undefined if there is none of that name. */
  section(name: string): Uint8Array | undefined;
}

const MACHINES: Record<number, string> = {
  3: "i386",
  8: "mips",
  20: "ppc",
  21: "ppc64",
  22: "s390x",
  40: "arm",
  62: "x86_64",
  183: "aarch64",
  243: "riscv",
  258: "loongarch",
};

const TYPES: Record<number, ElfFile["type"]> = {
  1: "object",
  2: "executable",
  3: "shared",
};

/** Most records of versions that are read: more are not meant to be read. */
const MAX_RECORDS = 100_000;
/** Largest section that is inflated. */
const MAX_SECTION = 1 << 30;

/**
 * Reads an ELF file.
 *
 * The dynamic part is found as the loader finds it, through the program
 * headers, so a file without section headers is read too.
 *
 * @throws {SyntaxError} If the bytes are not ELF, or are cut off.
 */
export function readElf(bytes: Uint8Array): ElfFile {
  return new Reader(bytes).file();
}

interface Segment {
  type: number;
  offset: number;
  address: number;
  size: number;
}

interface Section {
  name: number;
  type: number;
  flags: number;
  offset: number;
  size: number;
}

class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #wide: boolean;
  readonly #little: boolean;
  readonly #segments: Segment[];
  readonly #dynamic = new Map<number, number[]>();
  #strings = 0;
  #visited = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const isElf = bytes[0] === 0x7f && bytes[1] === 0x45 &&
      bytes[2] === 0x4c && bytes[3] === 0x46;
    if (!isElf) throw new SyntaxError("not an ELF file");
    this.#wide = bytes[4] === 2;
    this.#little = bytes[5] === 1;
    if (bytes[4] !== 1 && bytes[4] !== 2 || bytes[5] !== 1 && bytes[5] !== 2) {
      throw new SyntaxError("an ELF file of an unknown class");
    }
    this.#segments = this.#readSegments();
    this.#readDynamic();
  }

  file(): ElfFile {
    const machine = this.#u16(18);
    const interpreter = this.#segments.find(({ type }) => type === 3);
    const soname = this.#dynamic.get(14)?.[0];
    const { exports, imports } = this.#symbols();
    return {
      machine: MACHINES[machine] ?? `machine ${machine}`,
      bits: this.#wide ? 64 : 32,
      littleEndian: this.#little,
      type: TYPES[this.#u16(16)] ?? "other",
      ...(interpreter ? { interpreter: this.#text(interpreter.offset) } : {}),
      needed: this.#names(1),
      ...(soname === undefined ? {} : { soname: this.#string(soname) }),
      runpath: [...this.#names(15), ...this.#names(29)]
        .flatMap((path) => path.split(":")).filter((path) => path !== ""),
      versionNeeds: this.#versionNeeds(),
      versionDefinitions: this.#versionDefinitions(),
      exports,
      imports,
      section: (name) => this.#section(name),
    };
  }

  #readSegments(): Segment[] {
    const start = this.#word(this.#wide ? 32 : 28);
    const size = this.#u16(this.#wide ? 54 : 42);
    const count = this.#u16(this.#wide ? 56 : 44);
    if (count > 0 && size < (this.#wide ? 56 : 32)) {
      throw new SyntaxError("its program headers are too small");
    }
    return Array.from({ length: count }, (_, index) => {
      const at = start + index * size;
      return this.#wide
        ? {
          type: this.#u32(at),
          offset: this.#word(at + 8),
          address: this.#word(at + 16),
          size: this.#word(at + 32),
        }
        : {
          type: this.#u32(at),
          offset: this.#u32(at + 4),
          address: this.#u32(at + 8),
          size: this.#u32(at + 16),
        };
    });
  }

  #readDynamic(): void {
    const segment = this.#segments.find(({ type }) => type === 2);
    if (!segment) return;
    this.#check(segment.offset, segment.size, "the dynamic section");
    const step = this.#wide ? 16 : 8;
    for (let at = 0; at + step <= segment.size; at += step) {
      const tag = this.#word(segment.offset + at);
      if (tag === 0) break;
      const values = this.#dynamic.get(tag) ?? [];
      values.push(this.#word(segment.offset + at + step / 2));
      this.#dynamic.set(tag, values);
    }
    const strings = this.#dynamic.get(5)?.[0];
    if (strings !== undefined) this.#strings = this.#offsetOf(strings);
  }

  #names(tag: number): string[] {
    return (this.#dynamic.get(tag) ?? []).map((at) => this.#string(at));
  }

  #versionNeeds(): VersionNeed[] {
    const needs: VersionNeed[] = [];
    const count = this.#dynamic.get(0x6fffffff)?.[0] ?? 0;
    this.#chain(this.#address(0x6ffffffe), count, 12, (at) => {
      const file = this.#string(this.#u32(at + 4));
      const members = this.#u16(at + 2);
      this.#chain(at + this.#u32(at + 8), members, 12, (aux) => {
        needs.push({ file, version: this.#string(this.#u32(aux + 8)) });
      });
    });
    return needs;
  }

  #versionDefinitions(): string[] {
    const names: string[] = [];
    const count = this.#dynamic.get(0x6ffffffd)?.[0] ?? 0;
    this.#chain(this.#address(0x6ffffffc), count, 16, (at) => {
      // The first one names the file itself.
      if (this.#u16(at + 2) & 1) return;
      names.push(this.#string(this.#u32(at + this.#u32(at + 12))));
    });
    return names;
  }

  /** Visits records that each tell, at `next`, how far the next one is. */
  #chain(
    start: number | undefined,
    count: number,
    next: number,
    visit: (at: number) => void,
  ): void {
    if (start === undefined) return;
    let at = start;
    for (let index = 0; index < count; index++) {
      if (++this.#visited > MAX_RECORDS) {
        throw new SyntaxError("it has too many versions of symbols");
      }
      visit(at);
      const step = this.#u32(at + next);
      if (step === 0) return;
      at += step;
    }
  }

  #symbols(): { exports: string[]; imports: string[] } {
    const exports: string[] = [];
    const imports: string[] = [];
    const table = this.#address(6);
    const size = this.#wide ? 24 : 16;
    const count = table === undefined ? 0 : this.#symbolCount();
    if (table !== undefined) {
      this.#check(table, count * size, "the symbol table");
    }
    for (let index = 1; table !== undefined && index < count; index++) {
      const at = table + index * size;
      const info = this.#u8(at + (this.#wide ? 4 : 12));
      const other = this.#u8(at + (this.#wide ? 5 : 13));
      const section = this.#u16(at + (this.#wide ? 6 : 14));
      const binding = info >> 4;
      if (binding !== 1 && binding !== 2 && binding !== 10) continue;
      const name = this.#string(this.#u32(at));
      if (section === 0) imports.push(name);
      else if ((other & 3) === 0 || (other & 3) === 3) exports.push(name);
    }
    return { exports, imports };
  }

  /** Only the hash tables tell how many symbols there are. */
  #symbolCount(): number {
    const plain = this.#address(4);
    if (plain !== undefined) return this.#u32(plain + 4);
    const gnu = this.#address(0x6ffffef5);
    if (gnu === undefined) return 0;
    const buckets = this.#u32(gnu);
    const first = this.#u32(gnu + 4);
    const filter = this.#u32(gnu + 8) * (this.#wide ? 8 : 4);
    const table = gnu + 16 + filter;
    this.#check(table, buckets * 4, "the hash table");
    let last = 0;
    for (let index = 0; index < buckets; index++) {
      last = Math.max(last, this.#u32(table + index * 4));
    }
    if (last < first) return first;
    const chain = table + buckets * 4;
    while ((this.#u32(chain + (last - first) * 4) & 1) === 0) last++;
    return last + 1;
  }

  #section(name: string): Uint8Array | undefined {
    const start = this.#word(this.#wide ? 40 : 32);
    const size = this.#u16(this.#wide ? 58 : 46);
    const count = this.#u16(this.#wide ? 60 : 48);
    const names = this.#u16(this.#wide ? 62 : 50);
    if (start === 0 || names >= count) return undefined;
    const strings = this.#sectionAt(start + names * size);
    for (let index = 0; index < count; index++) {
      const section = this.#sectionAt(start + index * size);
      if (this.#text(strings.offset + section.name) !== name) continue;
      return this.#content(section, name);
    }
    return undefined;
  }

  #sectionAt(at: number): Section {
    return {
      name: this.#u32(at),
      type: this.#u32(at + 4),
      flags: this.#word(at + 8),
      offset: this.#word(at + (this.#wide ? 24 : 16)),
      size: this.#word(at + (this.#wide ? 32 : 20)),
    };
  }

  #content(section: Section, name: string): Uint8Array {
    // Takes no room in the file.
    if (section.type === 8) return new Uint8Array();
    this.#check(section.offset, section.size, `the section ${name}`);
    const end = section.offset + section.size;
    if (!(section.flags & 0x800)) {
      return this.#bytes.subarray(section.offset, end);
    }
    const header = this.#wide ? 24 : 12;
    if (this.#u32(section.offset) !== 1) {
      throw new SyntaxError(`the section ${name} is packed in an unknown way`);
    }
    try {
      return inflateSync(this.#bytes.subarray(section.offset + header, end), {
        maxOutputLength: MAX_SECTION,
      });
    } catch (cause) {
      throw new SyntaxError(`the section ${name} cannot be inflated`, {
        cause,
      });
    }
  }

  /** Offset in the file of a table that the dynamic section names. */
  #address(tag: number): number | undefined {
    const address = this.#dynamic.get(tag)?.[0];
    return address === undefined ? undefined : this.#offsetOf(address);
  }

  #offsetOf(address: number): number {
    const segment = this.#segments.find(({ type, address: start, size }) =>
      type === 1 && address >= start && address < start + size
    );
    if (!segment) throw new SyntaxError("an address lies outside its segments");
    return segment.offset + (address - segment.address);
  }

  #string(at: number): string {
    return this.#text(this.#strings + at);
  }

  #text(at: number): string {
    this.#check(at, 1, "a name");
    const end = this.#bytes.indexOf(0, at);
    if (end < 0) throw new SyntaxError("cut off: a name has no end");
    return decoder.decode(this.#bytes.subarray(at, end));
  }

  #check(at: number, size: number, what: string): void {
    if (at < 0 || size < 0 || at + size > this.#bytes.length) {
      throw new SyntaxError(`cut off: ${what} lies outside the file`);
    }
  }

  #u8(at: number): number {
    this.#check(at, 1, "a number");
    return this.#view.getUint8(at);
  }

  #u16(at: number): number {
    this.#check(at, 2, "a number");
    return this.#view.getUint16(at, this.#little);
  }

  #u32(at: number): number {
    this.#check(at, 4, "a number");
    return this.#view.getUint32(at, this.#little);
  }

  /** A number as wide as addresses. */
  #word(at: number): number {
    if (!this.#wide) return this.#u32(at);
    this.#check(at, 8, "a number");
    return Number(this.#view.getBigUint64(at, this.#little));
  }
}

const decoder = new TextDecoder();
