/** File systems of a test's own. */

import { TempDir } from "./temp.ts";

/** A mounted file system; `using` takes it away. */
export interface Mount extends Disposable {
  /** Where it is mounted. */
  readonly path: string;
}

/** Mounts a file system in memory; undefined where that is not allowed. */
export function mountTmpfs(options: string): Mount | undefined {
  const dir = new TempDir();
  const run = (command: string, ...args: string[]) =>
    new Deno.Command(command, { args, stderr: "null" }).outputSync().success;
  if (!run("mount", "-t", "tmpfs", "-o", options, "tmpfs", dir.path)) {
    dir[Symbol.dispose]();
    return undefined;
  }
  return {
    path: dir.path,
    [Symbol.dispose]() {
      run("umount", dir.path);
      dir[Symbol.dispose]();
    },
  };
}
