/**
 * Layout of a dir table:
 *
 * - `tab/CONTEXT/CODE.decode`: link to the value in the store; a regular file
 *   with the value if a user made it;
 * - `tab/CONTEXT/SUM.encode`: link to `CODE.decode`; SUM is the checksum of
 *   the value;
 * - `store/SS/SSSSSSSSSSSSSS`: a value, by its checksum.
 *
 * Every entry is made in one step that fails if there is one already, which
 * holds between hosts as well: whoever comes second reads what the first made.
 */

import { join } from "node:path";

/** Folder of the contexts. */
export const TAB = "tab";
/** Folder of the values. */
export const STORE = "store";
/** End of the name that leads from a code to its value. */
export const DECODE = ".decode";
/** End of the name that leads from a value's checksum to its code. */
export const ENCODE = ".encode";

/** Whether it is a relative path in its shortest form, as a context must be. */
export function isContext(context: string): boolean {
  return context !== "" && !context.includes("\0") &&
    context.isWellFormed() &&
    context.split("/").every((part) =>
      part !== "" && part !== "." && part !== ".." &&
      part.length <= 200 &&
      !part.endsWith(DECODE) && !part.endsWith(ENCODE)
    );
}

/** Whether a code can be the name of an entry; others have no value. */
export function isEntryCode(code: string): boolean {
  return code !== "" && code.length <= 200 && code.isWellFormed() &&
    !/[/\0]/.test(code);
}

/** Folder of a context. */
export function contextDir(root: string, context: string): string {
  return join(root, TAB, context);
}

/** Where a value is stored. */
export function storePath(root: string, sum: string): string {
  return join(root, STORE, sum.slice(0, 2), sum.slice(2));
}

/** Text of the link from a code of a context to a value. */
export function storeLink(context: string, sum: string): string {
  const up = "../".repeat(context.split("/").length + 1);
  return `${up}${STORE}/${sum.slice(0, 2)}/${sum.slice(2)}`;
}

/** Checksum that a link from a code leads to; undefined if it is none of ours. */
export function sumOfLink(context: string, text: string): string | undefined {
  const match = /([0-9a-f]{2})\/([0-9a-f]{14})$/.exec(text);
  if (!match) return undefined;
  const sum = match[1]! + match[2]!;
  return text === storeLink(context, sum) ? sum : undefined;
}
