/** Lines of JSON over a socket. Imports nothing that takes time to load. */

/** How long lines may wait for others. */
const SOON_MS = 10;

/** Sends values as lines; in order, and without anybody waiting. */
export class LineWriter {
  readonly #to: { write(bytes: Uint8Array): Promise<number> };
  /** Lines that nobody is sending yet; what comes meanwhile goes as one. */
  #waiting = "";
  #sending: Promise<void> = Promise.resolve();
  #isSending = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param to Where the lines go. */
  constructor(to: { write(bytes: Uint8Array): Promise<number> }) {
    this.#to = to;
  }

  /** Sends a value; a peer that is gone gets nothing. */
  send(value: unknown): void {
    this.#waiting += `${JSON.stringify(value)}\n`;
    if (!this.#isSending) this.#sending = this.#send();
  }

  /** Sends a value soon, together with others: each one wakes the peer. */
  sendSoon(value: unknown): void {
    this.#waiting += `${JSON.stringify(value)}\n`;
    if (this.#isSending) return;
    this.#timer ??= setTimeout(() => {
      if (!this.#isSending) this.#sending = this.#send();
    }, SOON_MS);
  }

  /** Settled once everything was sent. */
  flushed(): Promise<void> {
    return this.#sending;
  }

  async #send(): Promise<void> {
    this.#isSending = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    try {
      while (this.#waiting !== "") {
        const bytes = new TextEncoder().encode(this.#waiting);
        this.#waiting = "";
        for (let at = 0; at < bytes.length;) {
          at += await this.#to.write(bytes.subarray(at));
        }
      }
    } catch {
      this.#waiting = "";
    } finally {
      this.#isSending = false;
    }
  }
}

/** Reads lines of JSON until the peer is gone. */
export async function* readLines<T>(
  from: { read(to: Uint8Array): Promise<number | null> },
): AsyncGenerator<T> {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(65536);
  let rest = "";
  for (;;) {
    let n: number | null;
    try {
      n = await from.read(buffer);
    } catch {
      return;
    }
    if (n === null) return;
    rest += decoder.decode(buffer.subarray(0, n), { stream: true });
    for (let end; (end = rest.indexOf("\n")) >= 0;) {
      yield JSON.parse(rest.slice(0, end)) as T;
      rest = rest.slice(end + 1);
    }
  }
}
