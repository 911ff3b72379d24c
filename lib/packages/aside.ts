/**
 * The previous build while a new one runs.
 *
 * The command installs at the final path, because absolute links, `.pc` files
 * and RPATHs would break on a rename. The previous result waits aside
 * meanwhile, and `_build_hash` is written last:
 *
 * - no `.running.json`: the normal state; nothing is aside.
 * - `.running.json`: a build is running, or was killed; whoever holds the lock
 *   next puts what is aside back, or removes it if `_build_hash` is there, since
 *   then the build was killed after its success.
 */

import { dirname, join } from "node:path";
import {
  lstatIfExists,
  readJsonIfExists,
  removeFile,
  removeTemporary,
  removeTree,
  writeFileAtomic,
} from "../host/files.ts";
import { endStaleGroup } from "../jobs/group.ts";
import type { TargetLayout } from "./layout.ts";
import { BUILD_HASH, readState } from "./state.ts";

/** Content of the file that says that a build is running, or was killed. */
interface Running {
  /** Random id in the environment of the command. */
  jobId: string;
  /** Process group of the command, once there is one. */
  pgid?: number;
}

/** Says that a build is running. */
export function writeRunning(layout: TargetLayout, running: Running): void {
  writeFileAtomic(layout.running, JSON.stringify(running));
}

/** Puts right what a killed build left; the lock must be held. */
export async function recover(layout: TargetLayout): Promise<void> {
  removeTemporary(layout.running);
  removeTemporary(layout.rerun);
  if (lstatIfExists(layout.running)) {
    const running = readJsonIfExists(layout.running) as Partial<Running>;
    if (running?.pgid && running.jobId) {
      await endStaleGroup(running.pgid, running.jobId);
    }
    removeWork(layout);
  }
  const isComplete = readState(join(layout.build, BUILD_HASH)) !== undefined;
  // Without one aside it was a first build: half a tree is as good as none.
  if (!isComplete) putBack(layout);
  else removeTree(layout.aside);
  removeFile(layout.running);
}

/** Sets the previous result aside, if there is one. */
export function setAside(layout: TargetLayout): void {
  if (lstatIfExists(layout.build)) {
    Deno.renameSync(layout.build, layout.aside);
  }
}

/** Removes what a build left half done, and puts the previous result back. */
export function putBack(layout: TargetLayout): void {
  removeTree(layout.build);
  if (lstatIfExists(layout.aside)) {
    Deno.renameSync(layout.aside, layout.build);
  }
}

/** Removes the working copy and what belongs to it. */
export function removeWork(layout: TargetLayout): void {
  removeTree(layout.work);
  removeTree(layout.toolchain);
  removeFile(layout.rerun);
  try {
    Deno.removeSync(dirname(layout.work));
  } catch {
    // Another target's working copy is there.
  }
}
