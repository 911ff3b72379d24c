/** Puts tables of codes in order that are folders. */

import { resolve } from "node:path";
import { loadChecksums } from "../../host/checksum.ts";
import { isFolder, statNs } from "../../host/statx.ts";
import { repairDirTable } from "../codec/dir_repair.ts";
import { tableError } from "../codec/errors.ts";
import type { TableRepair } from "./types.ts";

/** Repairs tables, in their order. */
export async function repairTables(
  folders: readonly string[],
): Promise<TableRepair[]> {
  const sums = await loadChecksums();
  for (const folder of folders) {
    const stat = statNs(resolve(folder));
    if (!stat || !isFolder(stat)) {
      throw tableError(folder, "there is no such folder");
    }
  }
  return folders.map((table) => {
    const { associations, recoded, dropped } = repairDirTable(
      resolve(table),
      sums,
    );
    return {
      table,
      codes: associations.length,
      recoded: recoded.map(({ context, before, code }) => ({
        context,
        before,
        code,
      })),
      dropped,
    };
  });
}
