/** How the values of debug information are written: DWARF's forms. */

import { Cursor } from "./cursor.ts";

/** What the entries of one kind have. */
export interface Abbreviation {
  /** What such an entry is. */
  tag: number;
  /** Whether entries inside of it follow. */
  hasChildren: boolean;
  /** Attribute, form and constant of each, one after the other. */
  attributes: number[];
}

/** Most attributes of one kind: each entry may cost that much in one byte. */
const MAX_ATTRIBUTES = 200;

/** The tables of a library's kinds of entries. */
export class Abbreviations {
  readonly #cursor: Cursor;
  readonly #tables = new Map<number, Map<number, Abbreviation>>();
  #left: number;

  /** @param bytes Content of `.debug_abbrev`. */
  constructor(bytes: Uint8Array, littleEndian: boolean) {
    this.#cursor = new Cursor(bytes, littleEndian);
    this.#left = bytes.length;
  }

  /** The table at an offset. */
  at(offset: number): ReadonlyMap<number, Abbreviation> {
    const known = this.#tables.get(offset);
    if (known) return known;
    const table = new Map<number, Abbreviation>();
    const cursor = this.#cursor;
    cursor.at = offset;
    for (let code; (code = cursor.uleb()) !== 0;) {
      const tag = cursor.uleb();
      const hasChildren = cursor.uint(1) === 1;
      table.set(code, { tag, hasChildren, attributes: this.#attributes() });
    }
    // Tables never overlap. If they could, a unit of a few bytes each would
    // read all of them anew.
    this.#left -= cursor.at - offset;
    if (this.#left < 0) throw new SyntaxError("tables of entries overlap");
    this.#tables.set(offset, table);
    return table;
  }

  #attributes(): number[] {
    const attributes: number[] = [];
    while (true) {
      const attribute = this.#cursor.uleb();
      const form = this.#cursor.uleb();
      const constant = form === 0x21 ? this.#cursor.sleb() : 0;
      if (attribute === 0 && form === 0) return attributes;
      attributes.push(attribute, form, constant);
      if (attributes.length > 3 * MAX_ATTRIBUTES) {
        throw new SyntaxError("an entry has too many attributes");
      }
    }
  }
}

/** How the numbers of one unit are written. */
export interface UnitForm {
  /** Offset of the unit. */
  start: number;
  /** Bytes of an offset. */
  offsetSize: number;
  /** Bytes of an address. */
  addressSize: number;
  /** Where the offsets of its texts start. */
  stringsBase: number;
}

/** Contents of the sections of texts. */
export interface TextSections {
  /** `.debug_str` */
  plain: Uint8Array;
  /** `.debug_line_str` */
  line: Uint8Array;
  /** `.debug_str_offsets` */
  offsets: Uint8Array;
}

/** Stands for a reference that leads out of what is read. */
const ELSEWHERE = -1;

/** Reads values, one after the other. */
export class Values {
  /** The unit that is being read. */
  unit: UnitForm = { start: 0, offsetSize: 4, addressSize: 8, stringsBase: 8 };
  readonly #info: Cursor;
  readonly #offsets: Cursor;
  readonly #plain: Texts;
  readonly #line: Texts;

  /** @param info Content of `.debug_info`, where the next value is. */
  constructor(info: Cursor, littleEndian: boolean, sections: TextSections) {
    this.#info = info;
    this.#offsets = new Cursor(sections.offsets, littleEndian);
    this.#plain = new Texts(sections.plain, littleEndian);
    this.#line = new Texts(sections.line, littleEndian);
  }

  /** The next value as a text; undefined if it is in another file. */
  text(form: number): string | undefined {
    const info = this.#info;
    const { offsetSize } = this.unit;
    switch (form) {
      case 0x08:
        return info.text();
      case 0x0e:
        return this.#plain.at(info.uint(offsetSize));
      case 0x1f:
        return this.#line.at(info.uint(offsetSize));
      case 0x1a:
      case 0x1f02:
        return this.#indexed(info.uleb());
      case 0x25:
      case 0x26:
      case 0x27:
      case 0x28:
        return this.#indexed(info.uint(form - 0x24));
      default:
        this.number(form, 0);
        return undefined;
    }
  }

  #indexed(index: number): string {
    const { offsetSize, stringsBase } = this.unit;
    this.#offsets.at = stringsBase + index * offsetSize;
    return this.#plain.at(this.#offsets.uint(offsetSize));
  }

  /**
   * The next value as a number; undefined if it is none. References become
   * offsets in `.debug_info`.
   */
  number(form: number, constant: number, isIndirect = false):
    | number
    | undefined {
    const info = this.#info;
    const { start, offsetSize, addressSize } = this.unit;
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
        return info.uint(4);
      case 0x07:
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
      case 0x1c:
        info.skip(4);
        return ELSEWHERE;
      case 0x20:
      case 0x24:
        info.skip(8);
        return ELSEWHERE;
      case 0x1f20:
        info.skip(offsetSize);
        return ELSEWHERE;
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
      case 0x16:
        if (isIndirect) break;
        return this.number(info.uleb(), constant, true);
    }
    throw new SyntaxError(`a value of an unknown form: 0x${form.toString(16)}`);
  }
}

/** How often each byte of a section may be read as part of a text. */
const MAX_OVERLAP = 64;

/** A section of texts. */
class Texts {
  readonly #cursor: Cursor;
  readonly #known = new Map<number, string>();
  #left: number;

  constructor(bytes: Uint8Array, littleEndian: boolean) {
    this.#cursor = new Cursor(bytes, littleEndian);
    this.#left = bytes.length * MAX_OVERLAP;
  }

  at(offset: number): string {
    const known = this.#known.get(offset);
    if (known !== undefined) return known;
    this.#cursor.at = offset;
    const text = this.#cursor.text();
    // Linkers share the ends of texts, so some overlap is usual.
    this.#left -= this.#cursor.at - offset;
    if (this.#left < 0) throw new SyntaxError("too many texts overlap");
    this.#known.set(offset, text);
    return text;
  }
}
