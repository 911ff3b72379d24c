/** What a job that lists a folder of the repo can rely on: its sources. */

import { sha256Hex } from "../../host/digest.ts";
import { sortedEntries } from "../../host/files.ts";
import type { Engine } from "../engine/engine.ts";
import type { Listing } from "./format.ts";

/**
 * Digest of the names of the sources in a folder, and of the folders that have
 * sources in them. What else is there depends on what was built; a rule that
 * lets its jobs list folders says that it does not matter.
 */
export function listingOf(engine: Engine, folder: string): Listing {
  const { sources } = engine.parts.repo;
  const names = new Set<string>();
  if (sources.dirOf(folder) !== undefined) {
    for (const { name } of sortedEntries(engine.files.path(folder))) {
      names.add(name);
    }
  } else {
    const prefix = folder === "" ? "" : `${folder}/`;
    for (const file of sources.names) {
      if (!file.startsWith(prefix)) continue;
      names.add(file.slice(prefix.length).split("/", 1)[0]!);
    }
  }
  const digest = sha256Hex(JSON.stringify([...names].sort())).slice(0, 32);
  return { folder, digest };
}
