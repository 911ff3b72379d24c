/** Whether a package has a usable build, and why not. */

import { artifactOf, type KeyContext, outOfDateReason } from "./build_key.ts";
import { type BuiltTree, builtTrees } from "./layout.ts";
import type { Package } from "./package.ts";

/** Answer of {@linkcode findUpToDate}. */
export type UpToDate =
  | { tree: BuiltTree; artifact: string; reason?: undefined }
  | { tree?: undefined; reason: string };

/**
 * Finds the built tree to use: `_prebuilt` first, then `_build`.
 *
 * Nothing is written, so that a tree on a read-only disk is fine.
 */
export function findUpToDate(
  pkg: Package,
  target: string,
  context: KeyContext,
): UpToDate {
  let reason = "never built";
  for (const tree of builtTrees(pkg.layout.dir, target)) {
    const why = outOfDateReason(tree, pkg.layout, pkg.hash, context);
    if (why === undefined) return { tree, artifact: artifactOf(tree) };
    reason = why;
  }
  return { reason };
}
