/** Sources from git. */

import { relative, resolve } from "node:path";
import type { Fetched, LockFile } from "./lock_file.ts";
import type { FetchContext } from "./options.ts";
import type { GitSource, PackageSpec } from "./spec.ts";

/** Where a value stands in pkg.yaml, as messages show it: `zlib/pkg.yaml:6`. */
export function placeOf(spec: PackageSpec, key: string): string {
  const line = spec.positions[key]?.line;
  const shown = relative(resolve(spec.dir, ".."), spec.path);
  return line === undefined ? shown : `${shown}:${line}`;
}

/** Checks out the commit that the lock names, or that the ref stands for. */
export async function fetchGit(
  spec: PackageSpec,
  git: GitSource,
  into: string,
  context: FetchContext,
  lock: LockFile | undefined,
): Promise<Fetched> {
  const { checkoutGit } = await import("../host/git/mod.ts");
  const { commit } = await checkoutGit({
    what: spec.name,
    asked: placeOf(spec, "git.ref"),
    repo: isPath(git.repo) ? resolve(spec.dir, git.repo) : git.repo,
    ref: git.ref,
    commit: lock?.git?.commit,
    submodules: git.submodules,
    into,
    cache: context.cache,
    offline: context.offline,
    stallMs: context.stallMs,
    signal: context.signal,
    feedback: context.feedback,
  });
  return { git: { repo: git.repo, ref: git.ref, commit } };
}

/** A path, and neither a URL nor an scp-like `host:path`. */
function isPath(repo: string): boolean {
  return /^\.{0,2}\//.test(repo) || !repo.includes(":");
}
