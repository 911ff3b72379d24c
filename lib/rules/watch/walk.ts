/** What a command looked at to find out about one file. */

import { StatList } from "../../host/stat_list.ts";
import type { FileRecord } from "../state/store.ts";

/** More changed files are looked into one by one by a new walk. */
const MOST = 100;

/** All files of a walk, as they were. */
export class Walk {
  readonly #files = new StatList();
  readonly #names: string[] = [];
  readonly #records: (FileRecord | null)[] = [];

  /**
   * Takes in a file.
   *
   * @param record Tells what it is; null: there is no file.
   */
  add(name: string, path: string, record: FileRecord | null): void {
    this.#files.add(path, record?.stamp ?? "");
    this.#names.push(name);
    this.#records.push(record);
  }

  /**
   * Whether another walk would meet the same.
   *
   * @param look The record of a source with another status; undefined: it has
   *   another content, or is none.
   */
  isSame(
    look: (name: string, sum: string) => FileRecord | undefined,
  ): boolean {
    const changed = this.#files.changed(MOST);
    if (changed.length === MOST) return false;
    for (const i of changed) {
      const before = this.#records[i];
      const record = before && look(this.#names[i]!, before.sum);
      if (!record) return false;
      // Without a stamp it is looked at again each time.
      if (record.stamp === "") continue;
      this.#files.set(i, record.stamp);
      this.#records[i] = record;
    }
    return true;
  }
}
