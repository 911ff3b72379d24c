/** The settings of result caches. */

import { join } from "node:path";
import { ClibsError } from "../../errors.ts";
import type { Definition } from "../model.ts";

/** How the caches of a command are used; see `clibs make -c`. */
export type CacheMethod = "none" | "download" | "check" | "plain";

/** Size of a cache that does not say so. */
const DEFAULT_BYTES = 10 * 2 ** 30;

/** Where a cache is, and how large it may become. */
export interface CachePlace {
  /** Absolute path. */
  dir: string;
  /** Most bytes that it may take. */
  limit: number;
}

/** Whether a definition has rules whose results are cached. */
export function usesCaches({ rules }: Pick<Definition, "rules">): boolean {
  return rules.some(({ attributes }) => !!attributes.cache);
}

/**
 * The caches that rules use, by name.
 *
 * @param root Root of the repo, which relative folders are below.
 * @throws {ClibsError} `CLIBS_LMAKE_CACHE` for a cache without settings, or a
 *   size that is none.
 */
export function cachePlaces(
  { rules, config }: Definition,
  root: string,
): Map<string, CachePlace> {
  const places = new Map<string, CachePlace>();
  for (const { name: rule, attributes: { cache: name }, place } of rules) {
    if (!name || places.has(name)) continue;
    const settings = config.caches[name];
    if (!settings) {
      throw new ClibsError(
        "CLIBS_LMAKE_CACHE",
        `Cannot use the cache ${name} of rule ${rule}: there is none of that name`,
        {
          facts: {
            rule: place,
            caches: Object.keys(config.caches).sort().join(", ") || "none",
          },
          hint: `set lmake.config.caches.${name} = { dir: "/some/folder" }`,
        },
      );
    }
    const { dir, size } = settings;
    places.set(name, {
      dir: dir.startsWith("/") ? dir : join(root, dir),
      limit: size === undefined ? DEFAULT_BYTES : bytesOf(name, size),
    });
  }
  return places;
}

const UNITS: Readonly<Record<string, number>> = {
  "": 1,
  k: 2 ** 10,
  m: 2 ** 20,
  g: 2 ** 30,
  t: 2 ** 40,
};

function bytesOf(name: string, size: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([kmgt]?)i?b?$/i.exec(size);
  if (!match) {
    throw new ClibsError(
      "CLIBS_LMAKE_CACHE",
      `Cannot use ${JSON.stringify(size)} as the size of the cache ${name}: ` +
        "it is no amount",
      { hint: 'write such as "500M" or "20G"' },
    );
  }
  return Math.floor(Number(match[1]) * UNITS[match[2]!.toLowerCase()]!);
}
