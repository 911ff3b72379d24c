/** Frames between Deno and Python: a length, JSON, and attached bytes. */

/** The JSON of a frame. */
export type Header = Record<string, unknown> & { sizes: number[] };

/** A frame that came in. */
export interface Frame {
  /** Its JSON. */
  header: Header;
  /** Its attached bytes. */
  parts: Uint8Array<ArrayBuffer>[];
}

/** Puts a frame together. */
export function encodeFrame(
  header: Record<string, unknown>,
  parts: readonly Uint8Array[],
): Uint8Array<ArrayBuffer> {
  const sizes = parts.map((part) => part.length);
  const text = encoder.encode(JSON.stringify({ ...header, sizes }));
  const total = sizes.reduce((sum, size) => sum + size, 4 + text.length);
  const frame = new Uint8Array(total);
  new DataView(frame.buffer).setUint32(0, text.length, true);
  frame.set(text, 4);
  let at = 4 + text.length;
  for (const part of parts) {
    frame.set(part, at);
    at += part.length;
  }
  return frame;
}

/** Takes frames out of a stream; it reads only when it is asked for one. */
export class FrameReader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>;
  #rest = new Uint8Array();
  #hasBegun = false;

  /**
   * Makes a reader.
   *
   * @param stream Where frames come from.
   */
  constructor(stream: ReadableStream<Uint8Array<ArrayBuffer>>) {
    this.#reader = stream.getReader();
  }

  /** The next frame; undefined at the end, also in the middle of one. */
  async next(): Promise<Frame | undefined> {
    this.#hasBegun ||= await this.#skip();
    if (!this.#hasBegun) return undefined;
    const length = await this.#take(4);
    if (!length) return undefined;
    const size = new DataView(length.buffer, length.byteOffset).getUint32(
      0,
      true,
    );
    const text = await this.#take(size);
    if (!text) return undefined;
    const header: Header = JSON.parse(decoder.decode(text));
    const parts: Uint8Array<ArrayBuffer>[] = [];
    for (const partSize of header.sizes) {
      const part = await this.#take(partSize);
      if (!part) return undefined;
      parts.push(part);
    }
    return { header, parts };
  }

  /** Gives the stream up. */
  async cancel(): Promise<void> {
    await this.#reader.cancel().catch(() => {});
  }

  /** Drops what was printed before the first frame; false if none comes. */
  async #skip(): Promise<boolean> {
    for (;;) {
      const at = indexOf(this.#rest, MARK);
      if (at >= 0) {
        this.#rest = this.#rest.subarray(at + MARK.length);
        return true;
      }
      const { value, done } = await this.#reader.read();
      if (done || this.#rest.length > MAX_SKIPPED) return false;
      this.#rest = joined(
        [this.#rest, value],
        this.#rest.length + value.length,
      );
    }
  }

  async #take(size: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const chunks = [this.#rest];
    let present = this.#rest.length;
    while (present < size) {
      const { value, done } = await this.#reader.read();
      if (done) return undefined;
      chunks.push(value);
      present += value.length;
    }
    const whole = chunks.length === 1 ? this.#rest : joined(chunks, present);
    this.#rest = whole.subarray(size);
    return whole.subarray(0, size);
  }
}

/** What comes before the first frame; the same bytes are in host.py. */
const MARK = new TextEncoder().encode("\0clibs\n");

/** More is printed by no shim, but by a program that is no Python. */
const MAX_SKIPPED = 1 << 20;

function indexOf(bytes: Uint8Array, mark: Uint8Array): number {
  for (let at = 0; at + mark.length <= bytes.length; at++) {
    if (mark.every((byte, index) => bytes[at + index] === byte)) return at;
  }
  return -1;
}

function joined(
  chunks: readonly Uint8Array[],
  size: number,
): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();
