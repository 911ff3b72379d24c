/** Rules as the library offers them; the engine is loaded at the first call. */

import { join } from "node:path";
import { ClibsError } from "../errors.ts";
import { lstatIfExists } from "../host/files.ts";
import type { MakeOptions, MakeReport } from "./make.ts";

/**
 * Makes files by the rules of `Lmakefile.ts`: runs the jobs that they need and
 * that are not up to date. Linux only.
 *
 * @throws {ClibsError} `CLIBS_LMAKE_REPO` if there are no rules,
 *   `CLIBS_LMAKE_…` if they cannot be read. What goes wrong with jobs is told
 *   in the report.
 * @throws {CancelledError} If `signal` fires; all jobs are ended by then.
 *
 * @example Usage
 * ```ts ignore
 * import { make } from "@clibs/cli";
 *
 * const { ok, targets } = await make({ targets: ["hello"] });
 * ```
 */
export async function make(options: MakeOptions = {}): Promise<MakeReport> {
  return await (await import("./make.ts")).make(options);
}

/**
 * Writes a first `Lmakefile.ts`, and the configuration by which editors find
 * its types. A configuration that is there already stays.
 *
 * @param folder The repo to be.
 * @returns Names of the files that were written.
 * @throws {ClibsError} `CLIBS_LMAKE_EXISTS` if there is an `Lmakefile.ts`.
 */
export async function writeFirstLmakefile(folder: string): Promise<string[]> {
  const { initialLmakefile } = await import("./load/init.ts");
  const written: string[] = [];
  for (const [name, text] of Object.entries(initialLmakefile())) {
    const path = join(folder, name);
    if (lstatIfExists(path)) {
      if (name !== "Lmakefile.ts") continue;
      throw new ClibsError(
        "CLIBS_LMAKE_EXISTS",
        "Cannot write a first Lmakefile.ts: there is one already",
        { facts: { file: path } },
      );
    }
    Deno.writeTextFileSync(path, text);
    written.push(name);
  }
  return written;
}
