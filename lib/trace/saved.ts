/** Reads saved traces. */

import { ClibsError } from "../errors.ts";
import { type Trace, TRACE_FORMAT } from "./trace.ts";

/**
 * Reads a saved trace.
 *
 * @param path Where the text is from, for messages.
 * @throws {ClibsError} `CLIBS_TRACE_FILE` if it is none, or of another version.
 */
export function parseTrace(text: string, path: string): Trace {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw refused(path, (cause as Error).message, cause);
  }
  const trace = isObject(value) && "trace" in value ? value.trace : value;
  const problem = problemOf(trace);
  if (problem !== undefined) throw refused(path, problem);
  return trace as Trace;
}

const isText = (value: unknown): boolean => typeof value === "string";

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isFact(value: unknown): boolean {
  return isObject(value) && isText(value.path) && isText(value.digest) &&
    (value.stamp === undefined || isText(value.stamp));
}

/** What checking needs, and of what each list is made. */
const LISTS: Record<string, (item: unknown) => boolean> = {
  deps: isFact,
  absent: isText,
  targets: isFact,
  removed: isText,
  folders: isText,
  listed: isFact,
  unstable: isText,
};

function problemOf(trace: unknown): string | undefined {
  if (!isObject(trace)) return "it is not an object";
  if (trace.format !== TRACE_FORMAT) {
    const format = JSON.stringify(trace.format) ?? "missing";
    return `its format is ${format}, and this clibs reads ${TRACE_FORMAT}`;
  }
  for (const [name, isItem] of Object.entries(LISTS)) {
    const list = trace[name];
    if (!Array.isArray(list)) return `"${name}" is not a list`;
    const wrong = list.findIndex((item) => !isItem(item));
    if (wrong >= 0) return `"${name}" has no fact in place ${wrong + 1}`;
  }
  const isEnv = isObject(trace.env) &&
    Object.values(trace.env).every((digest) =>
      digest === null || isText(digest)
    );
  return isEnv ? undefined : '"env" is not an object of digests';
}

function refused(path: string, problem: string, cause?: unknown): ClibsError {
  return new ClibsError(
    "CLIBS_TRACE_FILE",
    "Cannot check a trace: the file is not one that clibs can read",
    {
      facts: { file: path, problem },
      hint: "make it anew with: clibs trace --save FILE -- COMMAND",
      cause,
    },
  );
}
