/** Puts the job module for Python where jobs find it. */

import { join } from "node:path";
import { removeTree, writeFileAtomic } from "../../host/files.ts";
import { PRIVATE } from "../root.ts";
import module from "./lmake.py" with { type: "text" };

/** Folder of a repo that is on `PYTHONPATH` of its jobs. */
export function pythonFolder(root: string): string {
  return join(root, PRIVATE, "lib");
}

/**
 * Writes `lmake.py` unless it is there.
 *
 * Python keeps what it compiles of it beside it, which is private to clibs and
 * no job's target. It takes that for good as long as size and date, in whole
 * seconds, are the same: after a change it must not be found.
 */
export function placePython(root: string): void {
  const folder = pythonFolder(root);
  const path = join(folder, "lmake.py");
  if (textOf(path) === module) return;
  Deno.mkdirSync(folder, { recursive: true });
  removeTree(join(folder, "__pycache__"));
  writeFileAtomic(path, module);
}

/**
 * `PYTHONPATH` of a job.
 *
 * @param given What the rule says; its folders come first.
 */
export function pythonPath(root: string, given: string | undefined): string {
  return given ? `${given}:${pythonFolder(root)}` : pythonFolder(root);
}

function textOf(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return undefined;
  }
}
