/**
 * Every error code with its explanation: the areas' catalogues in one.
 *
 * It is long and rarely needed: load it through {@linkcode explain} only.
 *
 * @module
 */

import type { Explanation } from "./codes.ts";
import { archiveErrors } from "./archive.ts";
import { cliErrors } from "./cli.ts";
import { enginesErrors } from "./engines.ts";
import { gitErrors } from "./git.ts";
import { httpErrors } from "./http.ts";
import { packagesErrors } from "./packages.ts";
import { specErrors } from "./spec.ts";
import { rulesErrors } from "./rules.ts";
import { rulesBackendsErrors } from "./rules_backends.ts";
import { rulesCacheErrors } from "./rules_cache.ts";
import { rulesCodecErrors } from "./rules_codec.ts";
import { rulesJobErrors } from "./rules_job.ts";
import { rulesLoadErrors } from "./rules_load.ts";
import { rulesCompanionsErrors } from "./rules_companions.ts";
import { toolchainErrors } from "./toolchain.ts";
import { traceErrors } from "./trace.ts";

/** Explanation of each code, sorted by code. */
export const catalogue: ReadonlyMap<string, Explanation> = new Map(
  [
    archiveErrors,
    cliErrors,
    enginesErrors,
    gitErrors,
    httpErrors,
    packagesErrors,
    rulesBackendsErrors,
    rulesCacheErrors,
    rulesCodecErrors,
    rulesErrors,
    rulesJobErrors,
    rulesLoadErrors,
    rulesCompanionsErrors,
    specErrors,
    toolchainErrors,
    traceErrors,
  ].flatMap((area) => Object.entries(area)).sort(([a], [b]) => a < b ? -1 : 1),
);
