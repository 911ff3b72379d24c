/** The headers of Node-API, from npm. */

import { basename, join } from "node:path";
import { lstatIfExists, removeTree, temporaryBeside } from "../host/files.ts";

/**
 * Folders with `node_api.h` and `napi.h`.
 *
 * They are copied into a cache: a compiler cannot read what is inside of a
 * compiled clibs.
 *
 * @param cache The user's cache.
 */
export async function nodeHeaders(cache: string): Promise<string[]> {
  const [api, addon] = await Promise.all([
    import("node-api-headers"),
    import("node-addon-api"),
  ]);
  return [
    copied(api.default.include_dir, cache),
    copied(addon.default.include_dir, cache),
  ];
}

/** Copies the headers of a folder, once for each version of the package. */
function copied(from: string, cache: string): string {
  // .../node-addon-api/8.3.0 or .../node-api-headers/1.5.0/include
  const version = from.split(/[/\\]/).filter((part) => part !== "")
    .slice(-3).filter((part) => part !== "include").join("-");
  const to = join(cache, "headers-v1", version);
  if (lstatIfExists(to)) return to;
  const temporary = temporaryBeside(to);
  Deno.mkdirSync(temporary, { recursive: true });
  try {
    for (const entry of Deno.readDirSync(from)) {
      if (!entry.name.endsWith(".h")) continue;
      const text = Deno.readTextFileSync(join(from, entry.name));
      Deno.writeTextFileSync(join(temporary, basename(entry.name)), text);
    }
    Deno.renameSync(temporary, to);
  } catch (error) {
    removeTree(temporary);
    // Another process may have been first.
    if (!lstatIfExists(to)) throw error;
  }
  return to;
}
