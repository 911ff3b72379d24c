/** Heavy duties in C++ and light ones in scripts, in one call. */

import type { Policy } from "../artifacts/policy.ts";
import { buildEngines, type EnginesReport } from "./build.ts";
import type { BuildEngineOptions } from "./options.ts";
import {
  runScriptAll,
  type ScriptOptions,
  type ScriptReport,
} from "./scripts.ts";

/** Options of {@linkcode runDuties}. */
export interface DutyOptions {
  /** Folder with the `NAME.cpp` files. Default: `core/engines`. */
  heavySourceDir?: string;
  /** Folder with the scripts. Default: `core/scripts`. */
  scriptSourceDir?: string;
  /** Where engines are taken from. Default: `prefer_prebuilt`. */
  policy?: Policy;
  /** More about engines. */
  engines?: Omit<BuildEngineOptions, "sourceDir" | "policy">;
  /** More about scripts. */
  scripts?: Omit<ScriptOptions, "sourceDir">;
}

/** Result of {@linkcode runDuties}. */
export interface DutyReport {
  /** Version of this form. */
  version: 1;
  /** Whether all went well. */
  ok: boolean;
  /** The engines. */
  heavy: EnginesReport;
  /** The scripts. */
  scripts: ScriptReport;
}

/** Obtains all engines, then runs all scripts, which may use them. */
export async function runDuties(
  options: DutyOptions = {},
): Promise<DutyReport> {
  const heavy = await buildEngines([], {
    ...options.engines,
    sourceDir: options.heavySourceDir,
    policy: options.policy,
  });
  const scripts = await runScriptAll({
    ...options.scripts,
    sourceDir: options.scriptSourceDir,
  });
  return { version: 1, ok: heavy.ok && scripts.ok, heavy, scripts };
}
