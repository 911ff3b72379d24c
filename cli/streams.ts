/** Standard output and standard error, whole and in order. */

import { systemErrorCode } from "../mod.ts";

/** Something that text can be written to. */
export interface TextStream {
  /** Whether it is a terminal. */
  readonly isTerminal: boolean;
  /** Writes all of the text, or nothing once the reader has gone. */
  write(text: string): void;
}

/**
 * A stream that goes quiet when its reader goes away (`clibs list | head -1`):
 * the work goes on and decides the exit code.
 */
export function textStream(
  stream: typeof Deno.stdout | typeof Deno.stderr,
): TextStream {
  const encoder = new TextEncoder();
  let closed = false;
  return {
    isTerminal: stream.isTerminal(),
    write(text) {
      let rest = encoder.encode(text);
      while (!closed && rest.length > 0) {
        try {
          rest = rest.subarray(stream.writeSync(rest));
        } catch (error) {
          const code = systemErrorCode(error);
          // The reader made the pipe non-blocking, and it is full.
          if (code === "EAGAIN" || code === "EWOULDBLOCK") sleep(5);
          else if (
            code === "EPIPE" || code === "EIO" ||
            error instanceof Deno.errors.BrokenPipe
          ) closed = true;
          else throw error;
        }
      }
    },
  };
}

function sleep(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/** Size of the terminal; 80 columns and 24 rows if there is none. */
export function terminalSize(): { columns: number; rows: number } {
  try {
    const { columns, rows } = Deno.consoleSize();
    return { columns: columns || 80, rows: rows || 24 };
  } catch {
    return { columns: 80, rows: 24 };
  }
}
