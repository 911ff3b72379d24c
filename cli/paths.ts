/** Paths as people read them. */

import { relative } from "node:path";
import { escapeControls } from "../mod.ts";

/** The path relative to the current folder, if that is shorter to read. */
export function shortest(path: string): string {
  const below = relative(Deno.cwd(), path);
  return below.startsWith("..") ? path : below;
}

/** The path relative to a folder if it is below it, safe to print. */
export function shortPath(path: string, folder: string = ownFolder()): string {
  if (path === folder) return ".";
  const isBelow = folder !== "" && path.startsWith(`${folder}/`);
  return safeText(isBelow ? path.slice(folder.length + 1) : path);
}

/** The current folder; empty if it has no name that Deno knows. */
function ownFolder(): string {
  try {
    return Deno.cwd();
  } catch {
    return "";
  }
}

/**
 * Text of the file system, safe to print: one line, without control characters,
 * bytes that are not UTF-8 as `\xff`.
 */
export function safeText(text: string): string {
  const escaped = escapeControls(text);
  if (escaped.isWellFormed()) return escaped;
  return escaped.replace(
    LONE,
    (surrogate) => `\\x${(surrogate.charCodeAt(0) & 0xff).toString(16)}`,
  ).toWellFormed();
}

/** What bytes_path.ts makes of a byte. */
const LONE = /[\udc80-\udcff]/gu;
