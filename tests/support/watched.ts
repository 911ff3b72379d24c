/** Folders on file systems that can be watched, wherever the tests run. */

import { unwatchable } from "../../lib/rules/watch/place.ts";
import type { LmakeRepo } from "./lmake.ts";
import { TempDir } from "./temp.ts";

/** A temporary folder that can be watched. */
export function watchableDir(): TempDir {
  return inWatchable(() => new TempDir());
}

/**
 * Does something whose temporary folders can be watched: a container's root
 * cannot be, but shared memory can.
 */
export function inWatchable<T>(work: () => T): T {
  const usual = Deno.env.get("TMPDIR") ?? "/tmp";
  return inFolder(unwatchable(usual) === undefined ? usual : "/dev/shm", work);
}

/** Does something whose temporary folders are made in another. */
export function inFolder<T>(folder: string, work: () => T): T {
  const before = Deno.env.get("TMPDIR");
  const restore = () => {
    if (before === undefined) Deno.env.delete("TMPDIR");
    else Deno.env.set("TMPDIR", before);
  };
  Deno.env.set("TMPDIR", folder);
  let isGoingOn = false;
  try {
    const done = work();
    if (!(done instanceof Promise)) return done;
    isGoingOn = true;
    return done.finally(restore) as T;
  } finally {
    if (!isGoingOn) restore();
  }
}

/** How many watches the server of a repo has; 0 if there is none. */
export function watchesOf(repo: LmakeRepo): number {
  const pid = serverPid(repo);
  if (pid === undefined) return 0;
  let count = 0;
  try {
    for (const { name } of Deno.readDirSync(`/proc/${pid}/fdinfo`)) {
      const text = Deno.readTextFileSync(`/proc/${pid}/fdinfo/${name}`);
      count += text.split("\n").filter((line) => line.startsWith("inotify "))
        .length;
    }
  } catch {
    // It closed one, or ended.
  }
  return count;
}

/** Pid of who holds the repo's lock; undefined if nobody does. */
export function serverPid(repo: LmakeRepo): number | undefined {
  const owner = repo.has("LMAKE/lock") ? repo.content("LMAKE/lock") : "";
  const pid = Number(/^pid (\d+) /.exec(owner)?.[1]);
  return pid > 0 ? pid : undefined;
}
