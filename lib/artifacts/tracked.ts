/** Which files git tracks, in whichever work trees they are. */

import { dirname, join } from "node:path";
import { ClibsError } from "../errors.ts";
import { lstatIfExists } from "../host/files.ts";
import { runProcess } from "../host/process.ts";

/** The tracked files of one work tree, or why git does not tell. */
type Tracked = { files: string[] } | { failure: string };

/** Tells what git would miss; each work tree is read once. */
export class TrackedFiles {
  readonly #root: string;
  readonly #trees = new Map<string, Promise<Tracked>>();

  /** @param root Root of the project, without links; nothing outside is asked for. */
  constructor(root: string) {
    this.#root = root;
  }

  /**
   * Why a path must stay; undefined if git would not miss it.
   *
   * When git does not tell, the path stays: it may be refusing a checkout that
   * belongs to another user, as in containers.
   */
  async reason(path: string): Promise<string | undefined> {
    const tree = workTreeOf(dirname(path));
    if (tree === undefined) return undefined;
    // A tree that is larger than the project is asked about the project only.
    const top = this.#root.startsWith(`${tree}/`) ? this.#root : tree;
    let tracked = this.#trees.get(top);
    if (!tracked) this.#trees.set(top, tracked = trackedFiles(top));
    const known = await tracked;
    if ("failure" in known) return `git cannot tell: ${known.failure}`;
    const isTracked = known.files.some((file) =>
      file === path || file.startsWith(`${path}/`)
    );
    return isTracked ? "tracked by git" : undefined;
  }
}

/** The nearest folder with a `.git`: submodules and nested clones have their own. */
function workTreeOf(folder: string): string | undefined {
  for (let dir = folder;; dir = dirname(dir)) {
    if (lstatIfExists(join(dir, ".git"))) return dir;
    if (dirname(dir) === dir) return undefined;
  }
}

async function trackedFiles(top: string): Promise<Tracked> {
  // In a hook, variables such as GIT_INDEX_FILE point to something else.
  const env = Object.fromEntries(
    Object.entries(Deno.env.toObject())
      .filter(([name]) => !/^GIT_(?!CONFIG_)/.test(name)),
  );
  try {
    const { ok, stdout, stderr } = await runProcess({
      command: "git",
      args: ["-c", "core.fsmonitor=", "-C", top, "ls-files", "-z"],
      env: { ...env, LC_ALL: "C" },
      clearEnv: true,
    });
    if (!ok) return { failure: stderr.trim().split("\n")[0] ?? "" };
    const names = stdout.split("\0").filter((name) => name !== "");
    return { files: names.map((name) => join(top, name)) };
  } catch (error) {
    if (error instanceof ClibsError) return { failure: error.message };
    throw error;
  }
}
