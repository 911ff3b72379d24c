/** Names of files that an entry of a cache may have: others are refused. */

import { PRIVATE } from "../root.ts";

/** Longest name of a file. */
const MAX_NAME = 4096;
/** Longest part of a name between slashes. */
const MAX_PART = 255;
/** Longest text of a link. */
export const MAX_LINK = 4095;

/**
 * Whether a name may be that of a target: below the root of the repo, in its
 * one way of writing, and not private to clibs.
 */
export function isTargetName(value: unknown): value is string {
  return typeof value === "string" && isCanonical(value) &&
    value !== PRIVATE && !value.startsWith(`${PRIVATE}/`);
}

/**
 * Whether a name may be that of a dep: as a target's, or in a source dir,
 * which may be absolute or begin with `..`.
 */
export function isDepName(value: unknown): value is string {
  return typeof value === "string" &&
    isCanonical(value.replace(/^(?:\/|(?:\.\.\/)+)/, ""));
}

function isCanonical(name: string): boolean {
  if (name === "" || name.length > MAX_NAME || name.includes("\0")) {
    return false;
  }
  return name.split("/").every((part) =>
    part !== "" && part !== "." && part !== ".." && part.length <= MAX_PART
  );
}
