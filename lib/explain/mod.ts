/**
 * Every error code with its explanation: the areas' catalogues in one.
 *
 * It is long and rarely needed: load it through {@linkcode explain} only.
 *
 * @module
 */

import type { Explanation } from "./codes.ts";
import { cliErrors } from "./cli.ts";

/** Explanation of each code, sorted by code. */
export const catalogue: ReadonlyMap<string, Explanation> = new Map(
  [
    cliErrors,
  ].flatMap((area) => Object.entries(area)).sort(([a], [b]) => a < b ? -1 : 1),
);
