/** What is kept of a script's output. */

/** Limit of each stream, in bytes of UTF-8. */
const MAX_BYTES = 1 << 20;

/** Length at which a job cuts a line. */
const CUT_LINE_LENGTH = 64 * 1024;

/** Collects the lines of both streams, up to a limit. */
export class ScriptOutput {
  readonly #texts = { stdout: "", stderr: "" };
  readonly #bytes = { stdout: 0, stderr: 0 };
  readonly #isFull = { stdout: false, stderr: false };
  #truncated = false;

  /** Takes one line, without its end. */
  add(line: string, stream: "stdout" | "stderr"): void {
    const text = `${line}\n`;
    const bytes = new TextEncoder().encode(text).length;
    // Nothing after what was left out: the output ends, it has no holes.
    this.#isFull[stream] ||= this.#bytes[stream] + bytes > MAX_BYTES;
    if (this.#isFull[stream]) this.#truncated = true;
    else {
      this.#texts[stream] += text;
      this.#bytes[stream] += bytes;
    }
    if (line.length === CUT_LINE_LENGTH) this.#truncated = true;
  }

  /** What was kept, and whether something was left out. */
  kept(): { stdout: string; stderr: string; truncated: boolean } {
    return { ...this.#texts, truncated: this.#truncated };
  }
}
