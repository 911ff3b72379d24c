/** Makes the memory of a repo anew from the records of its jobs. */

import { join } from "node:path";
import { loadChecksums, NO_FILE } from "../../host/checksum.ts";
import { removeFile } from "../../host/files.ts";
import { Files } from "../engine/files.ts";
import { findRoot } from "../root.ts";
import { Store } from "../state/store.ts";
import { PRIVATE } from "../root.ts";
import { alone, folderOf } from "./repo.ts";
import type { RepairReport, RulesOptions } from "./types.ts";

/**
 * Makes the memory anew, and looks at every target.
 *
 * Rules are not read: that they cannot be is no reason not to repair.
 */
export async function repairState(
  options: RulesOptions,
): Promise<RepairReport> {
  const root = findRoot(folderOf(options));
  return await alone(root, "repair the repo", () => repair(root));
}

async function repair(root: string): Promise<RepairReport> {
  const folder = join(root, PRIVATE);
  const marks = await marksOf(root);
  for (const suffix of ["", "-wal", "-shm"]) {
    removeFile(join(folder, `state.db${suffix}`));
  }
  // Read again with the next command.
  removeFile(join(folder, "definition.json"));
  const sums = await loadChecksums();
  const store = await Store.open(root);
  try {
    const torn = store.tornLines();
    store.compact();
    for (const [name, mark] of marks) store.setMark(name, mark);
    const files = new Files(root, store, sums);
    const report: RepairReport = {
      jobs: [...store.jobs()].length,
      torn,
      targets: 0,
      missing: [],
      changed: [],
      marks: marks.size,
    };
    for (const { file, writer } of store.writtenFiles()) {
      const known = store.file(file)!;
      const look = files.look(file);
      if (look.sum === known.sum) {
        if (look.sum === NO_FILE) continue;
        report.targets++;
        store.putFile(file, {
          sum: look.sum,
          stamp: files.safeStamp(look),
          writer,
        });
      } else if (look.sum === NO_FILE) report.missing.push(file);
      else report.changed.push(file);
    }
    return report;
  } finally {
    store.close();
  }
}

/** Marks are nowhere else: they are lost with a database that is torn. */
async function marksOf(root: string): Promise<ReturnType<Store["marks"]>> {
  const store = await Store.open(root, { readOnly: true });
  try {
    return store.marks();
  } finally {
    store.close();
  }
}
