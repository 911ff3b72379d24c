/**
 * Reads functions and types out of debug information: DWARF 4 and 5, as gcc and
 * clang write it into a linked library.
 */

import { Cursor } from "./cursor.ts";
import { type Abbreviation, Abbreviations, Values } from "./dwarf_forms.ts";

/** An entry of the debug information, with what is of use here. */
export interface Die {
  /** What it is: {@linkcode Tag}. */
  tag: number;
  /** Entry that it is inside of; undefined at the top, and inside of code. */
  parent?: Die;
  /** Entries inside of it that are of use; of a function, its parameters. */
  children: Die[];
  /** Its name. */
  name?: string;
  /** Name for the linker, if it is another. */
  linkageName?: string;
  /** Offset of the entry of its type; in no map if the type is unknown. */
  type?: number;
  /** Offset of the entry that it completes. */
  origin?: number;
  /** Bytes that it takes. */
  size?: number;
  /** How a base type is coded. */
  encoding?: number;
  /** Offset of a member. */
  location?: number;
  /** Number of elements of an array, in one dimension. */
  count?: number;
  /** Whether other files see it. */
  external?: boolean;
  /** Whether it is only declared here. */
  declaration?: boolean;
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
  memberPointer: 0x1f,
  subrange: 0x21,
  base: 0x24,
  const: 0x26,
  function: 0x2e,
  volatile: 0x35,
  restrict: 0x37,
  namespace: 0x39,
  unspecified: 0x3b,
  partial: 0x3c,
  rvalueReference: 0x42,
  alias: 0x43,
  atomic: 0x47,
} as const;

const USEFUL: ReadonlySet<number> = new Set(Object.values(Tag));

const At = {
  name: 0x03,
  size: 0x0b,
  bitSize: 0x0d,
  upperBound: 0x2f,
  origin: 0x31,
  count: 0x37,
  location: 0x38,
  declaration: 0x3c,
  encoding: 0x3e,
  external: 0x3f,
  specification: 0x47,
  type: 0x49,
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
  readonly #abbreviations: Abbreviations;
  readonly #values: Values;

  constructor({ section, littleEndian }: DebugSections) {
    const info = section(".debug_info");
    if (!info) throw new SyntaxError("there is no debug information");
    const bytes = (name: string) => section(name) ?? new Uint8Array();
    this.#info = new Cursor(info, littleEndian);
    this.#size = info.length;
    this.#abbreviations = new Abbreviations(
      bytes(".debug_abbrev"),
      littleEndian,
    );
    this.#values = new Values(this.#info, littleEndian, {
      plain: bytes(".debug_str"),
      line: bytes(".debug_line_str"),
      offsets: bytes(".debug_str_offsets"),
    });
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
    const stringsBase = offsetSize === 8 ? 16 : 8;
    this.#values.unit = { start, offsetSize, addressSize, stringsBase };
    const root = this.#readEntries(this.#abbreviations.at(table), end);
    info.at = end;
    return root;
  }

  #readEntries(
    table: ReadonlyMap<number, Abbreviation>,
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
        const parent = open.at(-1);
        if (parent) {
          die.parent = parent;
          if (belongsTo(die, parent)) parent.children.push(die);
        }
      }
      if (abbreviation.hasChildren) open.push(useful ? die : undefined);
      else if (open.length === 0) break;
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
        const text = this.#values.text(form);
        if (attribute === At.name) die.name = text;
        else if (text !== undefined) die.linkageName = text;
        continue;
      }
      const value = this.#values.number(form, constant);
      // Texts come before this in the entry of a unit, but none is of use.
      if (attribute === At.stringsBase) {
        this.#values.unit.stringsBase = value ?? 8;
      }
      if (keep) setAttribute(die, attribute, value);
    }
  }
}

/** Whether an entry is of use as a child: types inside of code are not. */
function belongsTo({ tag }: Die, parent: Die): boolean {
  return parent.tag !== Tag.function || tag === Tag.parameter ||
    tag === Tag.variadic;
}

function isText(attribute: number): boolean {
  return attribute === At.name || attribute === At.linkageName ||
    attribute === At.mipsLinkageName;
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
    case At.upperBound:
      // 32 or 64 ones stand for -1: an array without a length.
      die.count = value === undefined || value >= 0xffffffff ? 0 : value + 1;
      break;
    case At.count:
      die.count = value;
      break;
    case At.external:
      die.external = value !== 0;
      break;
    case At.declaration:
      die.declaration = value !== 0;
      break;
    case At.bitSize:
      die.bits = true;
      break;
  }
}
