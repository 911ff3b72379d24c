/** Names of branches, tags and commits. */

import { ClibsError } from "../../errors.ts";
import { hasControlCharacters, printable } from "./text.ts";

/** Whether a text is a whole commit id (SHA-1 or SHA-256), in any case. */
export function isFullCommitId(text: string): boolean {
  return /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/i.test(text);
}

/** Whether a text could be a commit id, whole or abbreviated. */
export function isCommitIdLike(text: string): boolean {
  return /^[0-9a-f]{4,64}$/i.test(text);
}

/**
 * Checks that a ref is a plain name: no option, no range, no expression.
 *
 * @param ref Branch, tag, commit id, `HEAD`, or a full name as `refs/pull/1/head`.
 * @throws {ClibsError} `CLIBS_GIT_REF_NAME` otherwise.
 */
export function checkGitRef(ref: string): void {
  const why = fault(ref);
  if (why === undefined) return;
  throw new ClibsError(
    "CLIBS_GIT_REF_NAME",
    `Cannot use git ref "${printable(ref)}": ${why}`,
    { hint: "set `ref:` to a branch, a tag or a commit id" },
  );
}

function fault(ref: string): string | undefined {
  if (ref === "") return "it is empty";
  if (ref.length > 1000) return "it is longer than 1000 characters";
  if (hasControlCharacters(ref)) return "it has a control character";
  if (ref.startsWith("-")) return "it begins with `-`";
  if (ref === "@" || ref.includes("@{")) return "it has `@{`, or is `@`";
  if (ref.includes("..")) return "it has `..`";
  const character = /[ ~^:?*[\\]/.exec(ref)?.[0];
  if (character) return `it has \`${character}\``;
  for (const part of ref.split("/")) {
    if (part === "") return "it has an empty part";
    if (part.startsWith(".")) return "a part of it begins with a dot";
    if (part.endsWith(".lock")) return "a part of it ends with `.lock`";
  }
  return ref.endsWith(".") ? "it ends with a dot" : undefined;
}
