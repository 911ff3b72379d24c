/** Bytes that arrive in chunks and are taken in other sizes. */

/** Bytes read or decompressed at a time. */
export const CHUNK_BYTES = 256 * 1024;

/**
 * A queue of chunks for parsers written as generators.
 *
 * A parser yields when it needs more; its driver pushes the next chunk and
 * resumes it. So parsing stays synchronous: no promise for each entry.
 * Chunks are not copied; whoever pushes one must not reuse it.
 */
export class ByteQueue {
  #chunks: Uint8Array[] = [];
  #available = 0;
  #ended = false;

  /** Adds bytes that came in. */
  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#available += chunk.length;
  }

  /** Says that nothing more will come. */
  end(): void {
    this.#ended = true;
  }

  /** Takes exactly `size` bytes; undefined if the input ends before. */
  *take(size: number): Generator<void, Uint8Array | undefined> {
    while (this.#available < size) {
      if (this.#ended) return undefined;
      yield;
    }
    const head = this.#chunks[0];
    if (head !== undefined && head.length >= size) return this.#cut(size);
    const whole = new Uint8Array(size);
    for (let filled = 0; filled < size;) {
      const part = this.#cut(size - filled);
      whole.set(part, filled);
      filled += part.length;
    }
    return whole;
  }

  /** Takes between 1 and `most` bytes; undefined at the end of the input. */
  *takeSome(most: number): Generator<void, Uint8Array | undefined> {
    while (this.#available === 0) {
      if (this.#ended) return undefined;
      yield;
    }
    return this.#cut(most);
  }

  #cut(most: number): Uint8Array {
    const head = this.#chunks[0] as Uint8Array;
    if (head.length <= most) {
      this.#chunks.shift();
      this.#available -= head.length;
      return head;
    }
    this.#chunks[0] = head.subarray(most);
    this.#available -= most;
    return head.subarray(0, most);
  }
}
