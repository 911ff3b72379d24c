/** Rules as the library offers them; the engine is loaded at the first call. */

import { join } from "node:path";
import { ClibsError } from "../errors.ts";
import { lstatIfExists } from "../host/files.ts";
import type { AskedServer, MakeOptions, MakeReport } from "./make_types.ts";
import { findRoot } from "./root.ts";
import type { Asked } from "./server/quick.ts";

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
export async function make(
  options: MakeOptions & {
    /**
     * Command line of a server of a repo, which is started if there is none.
     * Default: files are made in this process, unless there is a server.
     */
    serverCommand?: (root: string) => string[];
    /** A server that was asked for this already. Default: none. */
    asked?: AskedServer | undefined;
    /** Waits until the server has ended, which it does as soon as it can. */
    sync?: boolean;
  } = {},
): Promise<MakeReport> {
  const { serverCommand, asked, sync = false, ...rest } = options;
  const { makeByServer, releaseServer } = await import("./server/client.ts");
  const root = findRoot(options.cwd ?? ".");
  if (Deno.env.get("CLIBS_MAKE_SERVER") === "0") await releaseServer(root);
  else {
    const report = await makeByServer(
      root,
      rest,
      serverCommand,
      asked as Asked | undefined,
    );
    if (report && sync) await releaseServer(root);
    if (report) return report;
  }
  return await (await import("./make.ts")).make(rest);
}

/** First word of a command line that serves the repo named by the second. */
export const SERVER_WORD = "--serve-make";

/** Serves a repo until nobody needs it. Returns the exit code of the process. */
export async function serveRepo(root: string): Promise<number> {
  return await (await import("./server/serve.ts")).serve(root);
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
