/** What a commit holds, and whether it may be written to disk. */

import { type Subject, unsafe } from "./failures.ts";

/** One entry of a commit's tree that is not a folder. */
export interface TreeEntry {
  /** Path with slashes. */
  path: string;
  /** Mode in octal: 100644, 100755, 120000 (link) or 160000 (submodule). */
  mode: string;
  /** Id of the blob, or of the submodule's commit. */
  id: string;
  /** Size in bytes; 0 for a submodule. */
  size: number;
}

/** Reads the output of `git ls-tree -r -z --long`. */
export function parseTree(text: string): TreeEntry[] {
  const entries: TreeEntry[] = [];
  for (const record of text.split("\0")) {
    const match = /^(\d+) \w+ ([0-9a-f]+) +(\d+|-)\t([^]+)$/.exec(record);
    if (!match) continue;
    const [, mode = "", id = "", size = "", path = ""] = match;
    entries.push({ path, mode, id, size: Number(size) || 0 });
  }
  return entries;
}

/**
 * Refuses names that are not below the work tree, or are git's own.
 *
 * git refuses the same when it writes; this names the entry and does not depend
 * on git's version.
 *
 * @param foldsCase Whether the disk takes `A` and `a` for one name.
 */
export function checkPaths(
  subject: Subject,
  entries: readonly TreeEntry[],
  foldsCase: boolean = Deno.build.os !== "linux",
): void {
  const seen = new Map<string, string>();
  for (const { path } of entries) {
    for (const part of path.split("/")) {
      if (part === "" || part === "." || part === ".." || isGitName(part)) {
        throw unsafe(
          subject,
          "the repository has an entry with a forbidden name",
          {
            entry: path,
          },
        );
      }
    }
    if (!foldsCase) continue;
    const parts = path.split("/");
    for (let i = 1; i <= parts.length; i++) {
      const prefix = parts.slice(0, i).join("/");
      const folded = prefix.normalize("NFC").toLowerCase();
      const other = seen.get(folded) ?? prefix;
      seen.set(folded, other);
      if (other !== prefix) {
        throw unsafe(subject, "two entries differ only in case", {
          entry: path,
          other,
        });
      }
    }
  }
}

/** `.git` as any file system may read it. */
function isGitName(part: string): boolean {
  // HFS+ drops these characters; NTFS drops trailing dots and spaces, knows
  // short names, and takes what follows a colon for a stream.
  const plain = part
    .replace(/[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g, "")
    .toLowerCase();
  return /^(\.git|git~1)[. ]*(:.*)?$/.test(plain);
}

/** Refuses symbolic links which, followed step by step, leave the tree. */
export function checkLinks(
  subject: Subject,
  links: ReadonlyMap<string, string>,
): void {
  for (const [path, target] of links) {
    if (!staysInside(path, links)) {
      throw unsafe(subject, "a symbolic link leads out of the source tree", {
        entry: path,
        target,
      });
    }
  }
}

function staysInside(
  path: string,
  links: ReadonlyMap<string, string>,
): boolean {
  const todo = path.split("/");
  let at: string[] = [];
  let hops = 0;
  for (let part = todo.shift(); part !== undefined; part = todo.shift()) {
    if (part === "" || part === ".") continue;
    if (part === "..") {
      if (at.length === 0) return false;
      at = at.slice(0, -1);
      continue;
    }
    at = [...at, part];
    const target = links.get(at.join("/"));
    if (target === undefined) continue;
    if (target.startsWith("/") || /^[A-Za-z]:[\\/]|^\\/.test(target)) {
      return false;
    }
    // A loop leads nowhere, and so not outside.
    if (++hops > 40) return true;
    at = at.slice(0, -1);
    todo.unshift(...target.split("/"));
  }
  return true;
}
