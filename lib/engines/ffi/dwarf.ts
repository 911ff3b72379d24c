/**
 * Reads functions and types out of debug information: DWARF 4 and 5, as gcc and
 * clang write it into a linked library.
 */

import { Cursor } from "./cursor.ts";

/** An entry of the debug information, with what is of use here. */
export interface Die {
  /** What it is: {@linkcode Tag}. */
  tag: number;
  /** Entries inside of it that are of use. */
  children: Die[];
  name?: string;
  /** Name for the linker, if it is another. */
  linkageName?: string;
  /** Offset of the entry of its type. */
  type?: number;
  /** Offset of the entry that it completes. */
  origin?: number;
  /** Bytes that it takes. */
  size?: number;
  /** How a base type is coded. */
  encoding?: number;
  /** Offset of a member. */
  location?: number;
  /** Whether other files see it. */
  external?: boolean;
  /** Whether it is only declared here. */
  declaration?: boolean;
  /** Whether it has code here. */
  hasCode?: boolean;
  /** Whether it takes only some bits. */
  bits?: boolean;
}

/** Tags that are of use, by name. */
export const Tag = {
  array: 0x01,
  class: 0x02,
  enumeration: 0x04,
  parameter: 0x05,
  member: 0x0d,
  pointer: 0x0f,
  reference: 0x10,
  unit: 0x11,
  struct: 0x13,
  functionType: 0x15,
  typedef: 0x16,
  union: 0x17,
  variadic: 0x18,
  inheritance: 0x1c,
  base: 0x24,
  const: 0x26,
  function: 0x2e,
  volatile: 0x35,
  restrict: 0x37,
  namespace: 0x39,
  unspecified: 0x3b,
  partial: 0x3c,
  rvalueReference: 0x42,
  atomic: 0x47,
} as const;

const USEFUL: ReadonlySet<number> = new Set(Object.values(Tag));

const At = {
  name: 0x03,
  size: 0x0b,
  bitSize: 0x0d,
  lowPc: 0x11,
  origin: 0x31,
  location: 0x38,
  declaration: 0x3c,
  encoding: 0x3e,
  external: 0x3f,
  specification: 0x47,
  type: 0x49,
  ranges: 0x55,
  linkageName: 0x6e,
  stringsBase: 0x72,
  mipsLinkageName: 0x2007,
} as const;

/** What a library's debug information is in. */
export interface DebugSections {
  /** Byte order. */
  littleEndian: boolean;
  /** Content of a section; undefined if there is none. */
  section(name: string): Uint8Array | undefined;
}

/** All entries by their offsets, and the outermost ones. */
export interface Dwarf {
  /** Entries by offset. */
  dies: ReadonlyMap<number, Die>;
  /** The entries of each compiled file. */
  units: Die[];
}

/** How deep entries may be inside of each other. */
const MAX_DEPTH = 200;

interface Abbreviation {
  tag: number;
  hasChildren: boolean;
  /** Attribute, form and constant of each, one after the other. */
  attributes: number[];
}

/** How the numbers of one unit are written. */
interface Unit {
  start: number;
  version: number;
  offsetSize: number;
  addressSize: number;
  stringsBase: number;
}

/**
 * Reads the debug information of a library.
 *
 * @throws {SyntaxError} If there is none, or it cannot be understood.
 */
export function readDwarf(sections: DebugSections): Dwarf {
  return new Reader(sections).read();
}

class Reader {
  readonly #dies = new Map<number, Die>();
  readonly #info: Cursor;
  readonly #size: number;
  readonly #abbrev: Cursor;
  readonly #strings: Record<"plain" | "line" | "offsets", Cursor>;
  readonly #tables = new Map<number, Map<number, Abbreviation>>();
  #unit: Unit = {
    start: 0,
    version: 5,
    offsetSize: 4,
    addressSize: 8,
    stringsBase: 8,
  };

  constructor({ section, littleEndian }: DebugSections) {
    const cursor = (name: string) =>
      new Cursor(section(name) ?? new Uint8Array(), littleEndian);
    const info = section(".debug_info");
    if (!info) throw new SyntaxError("there is no debug information");
    this.#info = new Cursor(info, littleEndian);
    this.#size = info.length;
    this.#abbrev = cursor(".debug_abbrev");
    this.#strings = {
      plain: cursor(".debug_str"),
      line: cursor(".debug_line_str"),
      offsets: cursor(".debug_str_offsets"),
    };
  }

  read(): Dwarf {
    const units: Die[] = [];
    while (this.#info.at < this.#size) {
      const unit = this.#readUnit();
      if (unit) units.push(unit);
    }
    return { dies: this.#dies, units };
  }

  #readUnit(): Die | undefined {
    const info = this.#info;
    const start = info.at;
    let length = info.uint(4);
    const offsetSize = length === 0xffffffff ? 8 : 4;
    if (offsetSize === 8) length = info.uint(8);
    const end = info.at + length;
    if (end > this.#size) throw new SyntaxError("cut off: a unit has no end");
    const version = info.uint(2);
    if (version < 2 || version > 5) {
      throw new SyntaxError(`debug information of an unknown form: ${version}`);
    }
    const kind = version >= 5 ? info.uint(1) : 1;
    let addressSize = version >= 5 ? info.uint(1) : 0;
    const table = info.uint(offsetSize);
    if (version < 5) addressSize = info.uint(1);
    // Units of single types have nothing that is looked for.
    if (kind === 2 || kind === 6) {
      info.at = end;
      return undefined;
    }
    if (kind === 4 || kind === 5) info.skip(8);
    this.#unit = { start, version, offsetSize, addressSize, stringsBase: 0 };
    this.#unit.stringsBase = offsetSize === 8 ? 16 : 8;
    const root = this.#readEntries(this.#tableAt(table), end);
    info.at = end;
    return root;
  }

  #readEntries(
    table: Map<number, Abbreviation>,
    end: number,
  ): Die | undefined {
    const info = this.#info;
    const open: (Die | undefined)[] = [];
    let root: Die | undefined;
    while (info.at < end) {
      const offset = info.at;
      const code = info.uleb();
      if (code === 0) {
        open.pop();
        if (open.length === 0) break;
        continue;
      }
      const abbreviation = table.get(code);
      if (!abbreviation) throw new SyntaxError(`an entry of no kind: ${code}`);
      const useful = USEFUL.has(abbreviation.tag);
      const die: Die = { tag: abbreviation.tag, children: [] };
      this.#readAttributes(abbreviation, die, useful && root !== undefined);
      root ??= die;
      if (useful) {
        this.#dies.set(offset, die);
        open.at(-1)?.children.push(die);
      }
      if (abbreviation.hasChildren) {
        open.push(useful ? die : undefined);
        if (open.length > MAX_DEPTH) {
          throw new SyntaxError("entries are too deep inside of each other");
        }
      } else if (open.length === 0) break;
    }
    return root;
  }

  #readAttributes(
    { attributes }: Abbreviation,
    die: Die,
    keep: boolean,
  ): void {
    for (let index = 0; index < attributes.length; index += 3) {
      const attribute = attributes[index]!;
      const form = attributes[index + 1]!;
      const constant = attributes[index + 2]!;
      if (keep && isText(attribute)) {
        const text = this.#text(form);
        if (attribute === At.name) die.name = text;
        else if (text !== undefined) die.linkageName = text;
        continue;
      }
      const value = this.#value(form, constant);
      // Texts come before this in the entry of a unit, but none is of use.
      if (attribute === At.stringsBase) this.#unit.stringsBase = value ?? 8;
      if (keep) setAttribute(die, attribute, value);
    }
  }

  #text(form: number): string | undefined {
    const info = this.#info;
    const { offsetSize } = this.#unit;
    switch (form) {
      case 0x08:
        return info.text();
      case 0x0e:
        return textAt(this.#strings.plain, info.uint(offsetSize));
      case 0x1f:
        return textAt(this.#strings.line, info.uint(offsetSize));
      case 0x1a:
      case 0x1f02:
        return this.#indexed(info.uleb());
      case 0x25:
      case 0x26:
      case 0x27:
      case 0x28:
        return this.#indexed(info.uint(form - 0x24));
      default:
        this.#value(form, 0);
        return undefined;
    }
  }

  #indexed(index: number): string {
    const { offsetSize, stringsBase } = this.#unit;
    this.#strings.offsets.at = stringsBase + index * offsetSize;
    return textAt(
      this.#strings.plain,
      this.#strings.offsets.uint(offsetSize),
    );
  }

  /** A value as a number; references become offsets in the section. */
  #value(form: number, constant: number, depth = 0): number | undefined {
    const info = this.#info;
    const { start, offsetSize, addressSize } = this.#unit;
    switch (form) {
      case 0x01:
        return info.uint(addressSize);
      case 0x0b:
      case 0x0c:
      case 0x25:
      case 0x29:
        return info.uint(1);
      case 0x05:
      case 0x26:
      case 0x2a:
        return info.uint(2);
      case 0x27:
      case 0x2b:
        return info.uint(3);
      case 0x06:
      case 0x28:
      case 0x2c:
      case 0x1c:
        return info.uint(4);
      case 0x07:
      case 0x24:
        return info.uint(8);
      case 0x0d:
        return info.sleb();
      case 0x0f:
      case 0x1a:
      case 0x1b:
      case 0x22:
      case 0x23:
      case 0x1f01:
      case 0x1f02:
        return info.uleb();
      case 0x0e:
      case 0x10:
      case 0x17:
      case 0x1d:
      case 0x1f:
      case 0x1f20:
      case 0x1f21:
        return info.uint(offsetSize);
      case 0x11:
      case 0x12:
      case 0x13:
      case 0x14:
        return start + info.uint(1 << (form - 0x11));
      case 0x15:
        return start + info.uleb();
      case 0x19:
        return 1;
      case 0x21:
        return constant;
      case 0x08:
        info.skipText();
        return undefined;
      case 0x03:
        info.skip(info.uint(2));
        return undefined;
      case 0x04:
        info.skip(info.uint(4));
        return undefined;
      case 0x09:
      case 0x18:
        info.skip(info.uleb());
        return undefined;
      case 0x0a:
        info.skip(info.uint(1));
        return undefined;
      case 0x1e:
        info.skip(16);
        return undefined;
      case 0x20:
        info.skip(8);
        return undefined;
      case 0x16:
        if (depth > 0) break;
        return this.#value(info.uleb(), constant, 1);
    }
    throw new SyntaxError(`a value of an unknown form: 0x${form.toString(16)}`);
  }

  #tableAt(offset: number): Map<number, Abbreviation> {
    const known = this.#tables.get(offset);
    if (known) return known;
    const table = new Map<number, Abbreviation>();
    const cursor = this.#abbrev;
    cursor.at = offset;
    for (let code; (code = cursor.uleb()) !== 0;) {
      const tag = cursor.uleb();
      const hasChildren = cursor.uint(1) === 1;
      const attributes: number[] = [];
      while (true) {
        const attribute = cursor.uleb();
        const form = cursor.uleb();
        const constant = form === 0x21 ? cursor.sleb() : 0;
        if (attribute === 0 && form === 0) break;
        attributes.push(attribute, form, constant);
      }
      table.set(code, { tag, hasChildren, attributes });
    }
    this.#tables.set(offset, table);
    return table;
  }
}

function isText(attribute: number): boolean {
  return attribute === At.name || attribute === At.linkageName ||
    attribute === At.mipsLinkageName;
}

function textAt(cursor: Cursor, offset: number): string {
  cursor.at = offset;
  return cursor.text();
}

function setAttribute(
  die: Die,
  attribute: number,
  value: number | undefined,
): void {
  switch (attribute) {
    case At.type:
      die.type = value;
      break;
    case At.origin:
    case At.specification:
      die.origin = value;
      break;
    case At.size:
      die.size = value;
      break;
    case At.encoding:
      die.encoding = value;
      break;
    case At.location:
      die.location = value;
      break;
    case At.external:
      die.external = value !== 0;
      break;
    case At.declaration:
      die.declaration = value !== 0;
      break;
    case At.lowPc:
    case At.ranges:
      die.hasCode = true;
      break;
    case At.bitSize:
      die.bits = true;
      break;
  }
}
