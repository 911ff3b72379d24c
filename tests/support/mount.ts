/** File systems of a test's own. */

import { TempDir } from "./temp.ts";

/** A mounted file system; `using` takes it away. */
export interface Mount extends Disposable {
  /** Where it is mounted. */
  readonly path: string;
}

/** Mounts a file system in memory; undefined where that is not allowed. */
export function mountTmpfs(options: string): Mount | undefined {
  return mount("tmpfs", options);
}

/** Mounts one of a kind whose changes clibs does not trust to be told of. */
export function mountRamfs(): Mount | undefined {
  return mount("ramfs", "mode=0755");
}

function mount(type: string, options: string): Mount | undefined {
  const dir = new TempDir();
  const run = (command: string, ...args: string[]) =>
    new Deno.Command(command, { args, stderr: "null" }).outputSync().success;
  if (!run("mount", "-t", type, "-o", options, type, dir.path)) {
    dir[Symbol.dispose]();
    return undefined;
  }
  return {
    path: dir.path,
    [Symbol.dispose]() {
      // Processes that end may hold on to it for a moment.
      for (let left = 100; left > 0 && !run("umount", dir.path); left--) {
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
      }
      dir[Symbol.dispose]();
    },
  };
}
