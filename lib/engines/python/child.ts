/** The process of a Python host: its start, its end and what it left unsaid. */

import { startFailure } from "../../toolchain/python.ts";
import source from "./host.py" with { type: "text" };

/**
 * How long the rest of what a dead Python wrote is waited for, in milliseconds.
 * A process that a module has forked may hold the pipes open much longer.
 */
export const REST_MS = 500;

/**
 * Starts the Python side.
 *
 * @throws {ClibsError} `CLIBS_PYTHON_MISSING` or `CLIBS_PYTHON_BROKEN`.
 */
export function spawnPython(python: string): Deno.ChildProcess {
  try {
    return new Deno.Command(python, {
      // Unbuffered, C's stdout too: lines come when they are printed.
      args: ["-u", "-c", source],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  } catch (error) {
    throw startFailure(python, error);
  }
}

/** Ends a process; one that has ended already is fine. */
export function killChild(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch {
    // It has ended already.
  }
}

/**
 * What faulthandler, the interpreter and the module wrote at the end, without
 * what is of no use.
 */
export async function lastWords(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
): Promise<string> {
  const reader = stream.getReader();
  const timer = setTimeout(() => reader.cancel().catch(() => {}), REST_MS);
  const decoder = new TextDecoder();
  let text = "";
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      text += decoder.decode(value, { stream: true });
    }
  } catch {
    // What came is all there is.
  } finally {
    clearTimeout(timer);
    reader.releaseLock();
  }
  return text.split("\n").filter((line) => !line.includes('"<string>"'))
    .slice(-20).join("\n").trim();
}
