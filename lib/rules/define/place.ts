/** Where in the user's files something was said. */

import { fileURLToPath } from "node:url";

/** Folder of this subsystem: what is in it is not the user's. */
const OURS = new URL("..", import.meta.url).href;

/** A place in a file. */
export interface Place {
  /** Absolute name of the file. */
  file: string;
  /** 1-based. */
  line: number;
  /** 1-based. */
  column: number;
}

/** The innermost place of a stack trace that is in a file of the user. */
export function placeOfStack(stack: string | undefined): Place | undefined {
  for (const line of (stack ?? "").split("\n")) {
    const place = placeIn(line);
    if (place) return place;
  }
  return undefined;
}

/** The place that a line of text names as a URL; undefined if it is ours. */
export function placeIn(text: string): Place | undefined {
  const found = /(file:\/\/[^\s"]+?):(\d+):(\d+)/.exec(text);
  if (!found || found[1]!.startsWith(OURS)) return undefined;
  return {
    file: fileURLToPath(found[1]!),
    line: Number(found[2]),
    column: Number(found[3]),
  };
}

/** Where the caller's caller is in the user's files. */
export function callerPlace(): Place | undefined {
  const limit = Error.stackTraceLimit;
  // Helpers of the user may lie below many of ours, or of a test.
  Error.stackTraceLimit = 50;
  const { stack } = new Error();
  Error.stackTraceLimit = limit;
  return placeOfStack(stack);
}

/** A place as messages show it: relative to the root if it is below it. */
export function showPlace(place: Place, root: string): string {
  return `${relativeTo(root, place.file)}:${place.line}`;
}

/** A file's name relative to the root if it is below it. */
export function relativeTo(root: string, file: string): string {
  return root !== "" && file.startsWith(`${root}/`)
    ? file.slice(root.length + 1)
    : file;
}
