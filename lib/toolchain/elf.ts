/** Reads what a loader would read of an ELF file, without loading it. */

import { inflateSync } from "node:zlib";
import { ElfBytes } from "./elf_bytes.ts";

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
  243: "riscv64",
  258: "loongarch64",
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

/** What the first 20 bytes of an ELF file tell. */
export type ElfHeader = Pick<ElfFile, "machine" | "bits" | "littleEndian">;

/**
 * Reads which processor an ELF file is for.
 *
 * @param bytes The file, or at least its first 20 bytes.
 * @throws {SyntaxError} If the bytes are not ELF, or are cut off.
 */
export function readElfHeader(bytes: Uint8Array): ElfHeader {
  return headerOf(new ElfBytes(bytes));
}

function headerOf(file: ElfBytes): ElfHeader {
  const machine = file.u16(18);
  const bits = file.wide ? 64 : 32;
  const name = MACHINES[machine] ?? `machine ${machine}`;
  return {
    // Two processors have one number in either width.
    machine: bits === 32
      ? name.replace(/(?<=^(riscv|loongarch))64$/, "32")
      : name,
    bits,
    littleEndian: file.littleEndian,
  };
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
  readonly #file: ElfBytes;
  readonly #segments: Segment[];
  readonly #dynamic = new Map<number, number[]>();
  #strings: number | undefined;
  #visited = 0;

  constructor(bytes: Uint8Array) {
    this.#file = new ElfBytes(bytes);
    this.#segments = this.#readSegments();
    this.#readDynamic();
  }

  file(): ElfFile {
    const interpreter = this.#segments.find(({ type }) => type === 3);
    const soname = this.#dynamic.get(14)?.[0];
    const { exports, imports } = this.#symbols();
    return {
      ...headerOf(this.#file),
      type: TYPES[this.#file.u16(16)] ?? "other",
      ...(interpreter
        ? { interpreter: this.#file.text(interpreter.offset) }
        : {}),
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
    const start = this.#file.word(this.#file.wide ? 32 : 28);
    const size = this.#file.u16(this.#file.wide ? 54 : 42);
    const count = this.#file.u16(this.#file.wide ? 56 : 44);
    if (count > 0 && size < (this.#file.wide ? 56 : 32)) {
      throw new SyntaxError("its program headers are too small");
    }
    return Array.from({ length: count }, (_, index) => {
      const at = start + index * size;
      return this.#file.wide
        ? {
          type: this.#file.u32(at),
          offset: this.#file.word(at + 8),
          address: this.#file.word(at + 16),
          size: this.#file.word(at + 32),
        }
        : {
          type: this.#file.u32(at),
          offset: this.#file.u32(at + 4),
          address: this.#file.u32(at + 8),
          size: this.#file.u32(at + 16),
        };
    });
  }

  #readDynamic(): void {
    const segment = this.#segments.find(({ type }) => type === 2);
    if (!segment) return;
    this.#file.check(segment.offset, segment.size, "the dynamic section");
    const step = this.#file.wide ? 16 : 8;
    for (let at = 0; at + step <= segment.size; at += step) {
      const tag = this.#file.word(segment.offset + at);
      if (tag === 0) break;
      const values = this.#dynamic.get(tag) ?? [];
      values.push(this.#file.word(segment.offset + at + step / 2));
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
      const file = this.#string(this.#file.u32(at + 4));
      const members = this.#file.u16(at + 2);
      this.#chain(at + this.#file.u32(at + 8), members, 12, (aux) => {
        needs.push({ file, version: this.#string(this.#file.u32(aux + 8)) });
      });
    });
    return needs;
  }

  #versionDefinitions(): string[] {
    const names: string[] = [];
    const count = this.#dynamic.get(0x6ffffffd)?.[0] ?? 0;
    this.#chain(this.#address(0x6ffffffc), count, 16, (at) => {
      // The first one names the file itself.
      if (this.#file.u16(at + 2) & 1) return;
      names.push(this.#string(this.#file.u32(at + this.#file.u32(at + 12))));
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
      const step = this.#file.u32(at + next);
      if (step === 0) return;
      at += step;
    }
  }

  #symbols(): { exports: string[]; imports: string[] } {
    const exports: string[] = [];
    const imports: string[] = [];
    const table = this.#address(6);
    const size = this.#file.wide ? 24 : 16;
    const count = table === undefined ? 0 : this.#symbolCount();
    if (table !== undefined) {
      this.#file.check(table, count * size, "the symbol table");
    }
    for (let index = 1; table !== undefined && index < count; index++) {
      const at = table + index * size;
      const info = this.#file.u8(at + (this.#file.wide ? 4 : 12));
      const other = this.#file.u8(at + (this.#file.wide ? 5 : 13));
      const section = this.#file.u16(at + (this.#file.wide ? 6 : 14));
      const binding = info >> 4;
      if (binding !== 1 && binding !== 2 && binding !== 10) continue;
      const name = this.#string(this.#file.u32(at));
      if (section === 0) imports.push(name);
      else if ((other & 3) === 0 || (other & 3) === 3) exports.push(name);
    }
    return { exports, imports };
  }

  /** Only the hash tables tell how many symbols there are. */
  #symbolCount(): number {
    const plain = this.#address(4);
    if (plain !== undefined) return this.#file.u32(plain + 4);
    const gnu = this.#address(0x6ffffef5);
    if (gnu === undefined) return 0;
    const buckets = this.#file.u32(gnu);
    const first = this.#file.u32(gnu + 4);
    const filter = this.#file.u32(gnu + 8) * (this.#file.wide ? 8 : 4);
    const table = gnu + 16 + filter;
    this.#file.check(table, buckets * 4, "the hash table");
    let last = 0;
    for (let index = 0; index < buckets; index++) {
      last = Math.max(last, this.#file.u32(table + index * 4));
    }
    // GNU ld writes an empty table as if there were no imports either.
    if (last < first) return Math.max(first, this.#relocatedSymbols());
    const chain = table + buckets * 4;
    while ((this.#file.u32(chain + (last - first) * 4) & 1) === 0) last++;
    return last + 1;
  }

  /** How many symbols there are at least, by those that relocations use. */
  #relocatedSymbols(): number {
    const [RELA, REL] = [7, 17];
    const plt = this.#dynamic.get(20)?.[0] ?? RELA;
    let count = 0;
    for (const [kind, tag] of [[RELA, RELA], [REL, REL], [plt, 23]] as const) {
      const table = this.#address(tag);
      if (table === undefined) continue;
      const size = this.#dynamic.get(tag === 23 ? 2 : tag + 1)?.[0] ?? 0;
      this.#file.check(table, size, "the table of relocations");
      const step = (this.#file.wide ? 8 : 4) * (kind === RELA ? 3 : 2);
      for (let at = table; at + step <= table + size; at += step) {
        count = Math.max(count, this.#symbolOf(at) + 1);
      }
    }
    return count;
  }

  /** The symbol of a relocation: the upper part of its second number. */
  #symbolOf(at: number): number {
    if (!this.#file.wide) return this.#file.u32(at + 4) >>> 8;
    return this.#file.u32(at + (this.#file.littleEndian ? 12 : 8));
  }

  #section(name: string): Uint8Array | undefined {
    const start = this.#file.word(this.#file.wide ? 40 : 32);
    const size = this.#file.u16(this.#file.wide ? 58 : 46);
    const count = this.#file.u16(this.#file.wide ? 60 : 48);
    const names = this.#file.u16(this.#file.wide ? 62 : 50);
    if (start === 0 || names >= count) return undefined;
    const strings = this.#sectionAt(start + names * size);
    for (let index = 0; index < count; index++) {
      const section = this.#sectionAt(start + index * size);
      if (!this.#file.hasText(strings.offset + section.name, name)) continue;
      return this.#content(section, name);
    }
    return undefined;
  }

  #sectionAt(at: number): Section {
    return {
      name: this.#file.u32(at),
      type: this.#file.u32(at + 4),
      flags: this.#file.word(at + 8),
      offset: this.#file.word(at + (this.#file.wide ? 24 : 16)),
      size: this.#file.word(at + (this.#file.wide ? 32 : 20)),
    };
  }

  #content(section: Section, name: string): Uint8Array {
    // Takes no room in the file.
    if (section.type === 8) return new Uint8Array();
    this.#file.check(section.offset, section.size, `the section ${name}`);
    const end = section.offset + section.size;
    if (!(section.flags & 0x800)) {
      return this.#file.bytes.subarray(section.offset, end);
    }
    const header = this.#file.wide ? 24 : 12;
    if (this.#file.u32(section.offset) !== 1) {
      throw new SyntaxError(`the section ${name} is packed in an unknown way`);
    }
    try {
      return inflateSync(
        this.#file.bytes.subarray(section.offset + header, end),
        {
          maxOutputLength: MAX_SECTION,
        },
      );
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
    if (this.#strings === undefined) {
      throw new SyntaxError("its dynamic section names no table of names");
    }
    return this.#file.text(this.#strings + at);
  }
}
