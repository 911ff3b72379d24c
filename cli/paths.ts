/** Paths as people read them. */

import { relative } from "node:path";
import { escapeControls } from "../mod.ts";

/** The path relative to the current folder, if that is shorter to read. */
export function shortest(path: string): string {
  const below = relative(Deno.cwd(), path);
  return below.startsWith("..") ? path : below;
}

/** The path relative to a folder if it is below it, safe to print. */
export function shortPath(path: string, folder: string = Deno.cwd()): string {
  const isBelow = folder !== "" && path.startsWith(`${folder}/`);
  return escapeControls(isBelow ? path.slice(folder.length + 1) : path);
}
