/** Names of files in a sub-repo: from its own root, and from the outermost one. */

import { posix } from "node:path";
import type { DepFlag } from "./model.ts";

/** A name from the root of the repo, as a rule of a sub-repo sees it. */
export function nameInside(sub: string | undefined, file: string): string {
  if (sub === undefined || file.startsWith("/")) return file;
  return posix.relative(sub, file) || ".";
}

/** A name from the root of a sub-repo, or with `top` of the repo, as the repo sees it. */
export function nameOutside(
  sub: string | undefined,
  name: string,
  flags: readonly (DepFlag | string)[] = [],
): string {
  if (sub === undefined || name.startsWith("/") || flags.includes("top")) {
    return name;
  }
  return posix.join(sub, name);
}

/** The same for a pattern. */
export function patternOutside(
  sub: string | undefined,
  pattern: string,
  flags: readonly (DepFlag | string)[] = [],
): string {
  if (sub === undefined || pattern.startsWith("/") || flags.includes("top")) {
    return pattern;
  }
  return `${sub.replace(/[{}]/g, "$&$&")}/${pattern}`;
}
