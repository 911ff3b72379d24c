/** Puts the job module for Python where jobs find it. */

import { join } from "node:path";
import {
  readTextIfExists,
  removeTree,
  writeFileAtomic,
} from "../../host/files.ts";
import { PRIVATE } from "../root.ts";
import cc from "./_lmake_cc.py" with { type: "text" };
import channel from "./_lmake_channel.py" with { type: "text" };
import imports from "./_lmake_imports.py" with { type: "text" };
import trees from "./_lmake_trees.py" with { type: "text" };
import lmake from "./lmake.py" with { type: "text" };

/** The module, and what it loads when it is asked for. */
const MODULES: Readonly<Record<string, string>> = {
  "_lmake_cc.py": cc,
  "_lmake_channel.py": channel,
  "_lmake_imports.py": imports,
  "_lmake_trees.py": trees,
  "lmake.py": lmake,
};

/** Folder of a repo that is on `PYTHONPATH` of its jobs. */
export function pythonFolder(root: string): string {
  return join(root, PRIVATE, "lib");
}

/**
 * Writes `lmake.py`, and what belongs to it, unless it is there.
 *
 * Python keeps what it compiles of it beside it, which is private to clibs and
 * no job's target. It takes that for good as long as size and date, in whole
 * seconds, are the same: after a change it must not be found.
 */
export function placePython(root: string): void {
  const folder = pythonFolder(root);
  for (const [name, text] of Object.entries(MODULES)) {
    const path = join(folder, name);
    if (readTextIfExists(path) === text) continue;
    Deno.mkdirSync(folder, { recursive: true });
    removeTree(join(folder, "__pycache__"));
    writeFileAtomic(path, text);
  }
}

/**
 * `PYTHONPATH` of a job.
 *
 * @param given What the rule says; its folders come first.
 */
export function pythonPath(root: string, given: string | undefined): string {
  return given ? `${given}:${pythonFolder(root)}` : pythonFolder(root);
}
