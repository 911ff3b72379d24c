/** Frames of the request channel: a length, then so many bytes. */

/** Variable with the path of the socket, in the environment of jobs. */
export const SOCKET_VARIABLE = "CLIBS_JOB_SOCKET";

/** Variable with the secret id of the job; the one of `lib/jobs/group.ts`. */
export const JOB_ID_VARIABLE = "CLIBS_JOB_ID";

/** Longest payload that the runner takes, in bytes. */
export const MAX_FRAME = 64 << 20;

/** What a frame is read from, or written to. */
interface Stream {
  read(buffer: Uint8Array): Promise<number | null>;
  write(bytes: Uint8Array): Promise<number>;
}

/** The bytes of a frame. */
export function toFrame(payload: string | Uint8Array): Uint8Array {
  const bytes = typeof payload === "string"
    ? new TextEncoder().encode(payload)
    : payload;
  const frame = new Uint8Array(4 + bytes.length);
  new DataView(frame.buffer).setUint32(0, bytes.length, true);
  frame.set(bytes, 4);
  return frame;
}

/** Writes all of some bytes. */
export async function writeAll(
  stream: Pick<Stream, "write">,
  bytes: Uint8Array,
): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    at += await stream.write(bytes.subarray(at));
  }
}

/** Reads frames one after the other. */
export class FrameReader {
  readonly #stream: Pick<Stream, "read">;
  readonly #limit: number;
  #buffer = new Uint8Array(4096);
  #start = 0;
  #end = 0;

  /**
   * Makes a reader.
   *
   * @param limit Longest payload that is taken.
   */
  constructor(stream: Pick<Stream, "read">, limit: number = MAX_FRAME) {
    this.#stream = stream;
    this.#limit = limit;
  }

  /**
   * The payload of the next frame; null at the end. It is the caller's.
   *
   * @throws {RangeError} If the frame is too long, or cut off.
   */
  async next(): Promise<Uint8Array | null> {
    if (!await this.#fill(4)) {
      if (this.#end > this.#start) throw new RangeError("frame was cut off");
      return null;
    }
    const length = new DataView(this.#buffer.buffer)
      .getUint32(this.#start, true);
    if (length > this.#limit) {
      throw new RangeError(`frame of ${length} bytes is too long`);
    }
    if (!await this.#fill(4 + length)) {
      throw new RangeError("frame was cut off");
    }
    const from = this.#start + 4;
    this.#start = from + length;
    return this.#buffer.slice(from, this.#start);
  }

  /** Has so many bytes in the buffer; false if the stream ends before. */
  async #fill(count: number): Promise<boolean> {
    while (this.#end - this.#start < count) {
      if (this.#end === this.#buffer.length) this.#makeRoom();
      const read = await this.#stream.read(this.#buffer.subarray(this.#end));
      if (read === null) return false;
      this.#end += read;
    }
    return true;
  }

  /** Doubles only what is full: a length that was made up reserves nothing. */
  #makeRoom(): void {
    const used = this.#end - this.#start;
    const size = this.#buffer.length;
    const next = used * 2 > size ? new Uint8Array(size * 2) : this.#buffer;
    next.set(this.#buffer.subarray(this.#start, this.#end));
    this.#buffer = next;
    this.#start = 0;
    this.#end = used;
  }
}
