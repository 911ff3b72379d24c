/** Numbers and names in the bytes of an ELF file, never read past its end. */

/**
 * Names may be this many times as long as the file altogether. Linkers share
 * the ends of names, but not like files made to exhaust memory: a million
 * symbols that all name one text of megabytes.
 */
const MAX_NAMES = 4;

/** The bytes of an ELF file, with its width of addresses and byte order. */
export class ElfBytes {
  /** All of the file. */
  readonly bytes: Uint8Array;
  /** Whether addresses have 64 bits. */
  readonly wide: boolean;
  /** Byte order. */
  readonly littleEndian: boolean;
  readonly #view: DataView;
  #namesLeft: number;

  /**
   * Takes the bytes of a file, or of its beginning.
   *
   * @throws {SyntaxError} If they are not ELF.
   */
  constructor(bytes: Uint8Array) {
    const isElf = bytes[0] === 0x7f && bytes[1] === 0x45 &&
      bytes[2] === 0x4c && bytes[3] === 0x46;
    if (!isElf) throw new SyntaxError("not an ELF file");
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#namesLeft = bytes.length * MAX_NAMES;
    const [width, order] = [this.u8(4), this.u8(5)];
    if (width !== 1 && width !== 2 || order !== 1 && order !== 2) {
      throw new SyntaxError("an ELF file of an unknown class");
    }
    this.wide = width === 2;
    this.littleEndian = order === 1;
  }

  /** A byte. */
  u8(at: number): number {
    this.check(at, 1, "a number");
    return this.#view.getUint8(at);
  }

  /** A number of two bytes. */
  u16(at: number): number {
    this.check(at, 2, "a number");
    return this.#view.getUint16(at, this.littleEndian);
  }

  /** A number of four bytes. */
  u32(at: number): number {
    this.check(at, 4, "a number");
    return this.#view.getUint32(at, this.littleEndian);
  }

  /** A number as wide as addresses. */
  word(at: number): number {
    if (!this.wide) return this.u32(at);
    this.check(at, 8, "a number");
    return Number(this.#view.getBigUint64(at, this.littleEndian));
  }

  /** A text that ends with a zero byte. */
  text(at: number): string {
    this.check(at, 1, "a name");
    const end = this.bytes.indexOf(0, at);
    if (end < 0) throw new SyntaxError("cut off: a name has no end");
    this.#namesLeft -= end - at;
    if (this.#namesLeft < 0) throw new SyntaxError("its names are too long");
    return decoder.decode(this.bytes.subarray(at, end));
  }

  /** Whether a text is at a place; costs no more than the text is long. */
  hasText(at: number, text: string): boolean {
    const wanted = new TextEncoder().encode(text + "\0");
    return at + wanted.length <= this.bytes.length &&
      wanted.every((byte, index) => this.bytes[at + index] === byte);
  }

  /**
   * Makes sure that a part lies inside the file.
   *
   * @param what Names the part in the error.
   * @throws {SyntaxError} If it does not.
   */
  check(at: number, size: number, what: string): void {
    if (at < 0 || size < 0 || at + size > this.bytes.length) {
      throw new SyntaxError(`cut off: ${what} lies outside the file`);
    }
  }
}

const decoder = new TextDecoder();
