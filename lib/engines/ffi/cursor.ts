/** Reads numbers and texts of debug information, one after the other. */

/** A place in some bytes; every read beyond their end is a SyntaxError. */
export class Cursor {
  /** Offset of the next read. */
  at: number;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #little: boolean;

  constructor(bytes: Uint8Array, little: boolean, at = 0) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#little = little;
    this.at = at;
  }

  /** Passes over some bytes. */
  skip(count: number): void {
    if (count < 0 || this.at + count > this.#bytes.length) throw cutOff();
    this.at += count;
  }

  /** An unsigned number of 1 to 8 bytes. */
  uint(size: number): number {
    const at = this.at;
    this.skip(size);
    switch (size) {
      case 1:
        return this.#view.getUint8(at);
      case 2:
        return this.#view.getUint16(at, this.#little);
      case 4:
        return this.#view.getUint32(at, this.#little);
      case 8:
        return Number(this.#view.getBigUint64(at, this.#little));
      default: {
        const bytes = this.#bytes.slice(at, at + size);
        if (this.#little) bytes.reverse();
        return bytes.reduce((sum, byte) => sum * 256 + byte, 0);
      }
    }
  }

  /** A number of as many bytes as it takes, unsigned. */
  uleb(): number {
    let value = 0;
    for (let factor = 1;; factor *= 128) {
      const byte = this.uint(1);
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
      if (factor > 2 ** 64) throw new SyntaxError("a number has no end");
    }
  }

  /** The same, signed. */
  sleb(): number {
    let value = 0;
    for (let factor = 1;; factor *= 128) {
      const byte = this.uint(1);
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return byte & 0x40 ? value - factor * 128 : value;
      if (factor > 2 ** 64) throw new SyntaxError("a number has no end");
    }
  }

  /** A text up to a NUL. */
  text(): string {
    const end = this.#bytes.indexOf(0, this.at);
    if (end < 0) throw cutOff();
    const text = decoder.decode(this.#bytes.subarray(this.at, end));
    this.at = end + 1;
    return text;
  }

  /** Passes over a text. */
  skipText(): void {
    const end = this.#bytes.indexOf(0, this.at);
    if (end < 0) throw cutOff();
    this.at = end + 1;
  }
}

const decoder = new TextDecoder();

function cutOff(): SyntaxError {
  return new SyntaxError("cut off: the debug information has no end");
}
