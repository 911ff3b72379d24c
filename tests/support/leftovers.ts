/** What a finished build should not leave in a package's folder. */

import type { TempDir } from "./temp.ts";

/** Names in the folder of the package and in its `_build` that are too many. */
export function leftovers(dir: TempDir, pkg: string): string[] {
  const expected =
    /^(pkg\.yaml|src|pkg\.lock\.json|_build|_download|x86_64-linux-gnu(\.log)?|\..*\.lock)$/;
  return [pkg, `${pkg}/_build`].flatMap((folder) =>
    [...Deno.readDirSync(dir.join(folder))].map((entry) => entry.name)
  ).filter((name) => !expected.test(name));
}
