/** The folder in which a build command runs. */

import { join } from "node:path";
import { ClibsError } from "../errors.ts";
import { removeFile, removeTree } from "../host/files.ts";
import { runProcess } from "../host/process.ts";
import { DOWNLOAD_STATE } from "./state.ts";

/**
 * Makes a pristine copy of the sources: a build in `_download` itself would
 * leave its `CMakeCache.txt` to the next target or the next edit.
 *
 * @param sources Folder to copy; undefined for an empty working copy.
 */
export async function makeWorkCopy(
  sources: string | undefined,
  work: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  removeTree(work);
  Deno.mkdirSync(work, { recursive: true });
  if (sources === undefined) return;
  // cp keeps dates, modes and hard links, and clones blocks where it can.
  const linux = Deno.build.os === "linux";
  const result = await runProcess({
    command: "cp",
    args: ["-a", ...(linux ? ["--reflink=auto"] : []), `${sources}/.`, work],
    env: { LC_ALL: "C" },
    signal,
  });
  if (!result.ok) {
    const full = /No space left|Disk quota/.test(result.stderr);
    throw new ClibsError(
      full ? "CLIBS_DISK_FULL" : "CLIBS_WORK_COPY",
      "Cannot copy the sources to build them",
      {
        facts: {
          from: sources,
          to: work,
          cp: result.stderr.trim().split("\n").slice(0, 3).join("\n"),
        },
        hint: full
          ? "free some space (`clibs clean --dry-run` shows what clibs can free) and run the command again"
          : "check the permissions of both folders",
      },
    );
  }
  for (const name of DOWNLOAD_STATE) removeFile(join(work, name));
}
