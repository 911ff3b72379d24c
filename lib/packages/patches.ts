/** Applies the patches of a package to its sources. */

import { dirname, join } from "node:path";
import { ClibsError } from "../errors.ts";
import { lstatIfExists } from "../host/files.ts";
import { runProcess } from "../host/process.ts";
import { placeOf } from "./fetch_git.ts";
import type { FetchContext } from "./options.ts";
import type { PackageSpec } from "./spec.ts";

/**
 * Applies each patch with one leading folder stripped.
 *
 * `git apply` rather than `patch`: git is there anyway, it changes nothing when
 * a part does not fit, and it refuses names that leave the tree.
 */
export async function applyPatches(
  spec: PackageSpec,
  tree: string,
  context: FetchContext,
): Promise<void> {
  for (const [index, patch] of spec.patches.entries()) {
    const path = join(spec.dir, patch);
    if (!lstatIfExists(path)) {
      throw failure(spec, index, patch, "there is no such file");
    }
    const env = Object.fromEntries(
      Object.entries(Deno.env.toObject()).filter(([name]) =>
        !name.startsWith("GIT_")
      ),
    );
    const result = await runProcess({
      command: "git",
      args: ["apply", "-p1", "--whitespace=nowarn", "--", path],
      cwd: tree,
      clearEnv: true,
      // Inside somebody's repository git would take the tree for a part of it
      // and skip, without a word, what the index does not know.
      env: { ...env, GIT_CEILING_DIRECTORIES: dirname(tree) },
      signal: context.signal,
    });
    if (!result.ok) {
      const said = result.stderr.trim().split("\n").slice(0, 5).join("\n");
      throw failure(spec, index, patch, "it does not apply", said);
    }
  }
}

function failure(
  spec: PackageSpec,
  index: number,
  patch: string,
  why: string,
  said?: string,
): ClibsError {
  return new ClibsError(
    "CLIBS_PATCH",
    `Cannot patch ${spec.name} with ${patch}: ${why}`,
    {
      facts: {
        asked: placeOf(spec, `patches.${index}`),
        ...(said ? { "git apply": said } : {}),
      },
      hint: "check the patch with `git apply --check -p1` in _download",
    },
  );
}
