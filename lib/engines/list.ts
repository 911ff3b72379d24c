/** Lists engines with the state of their modules. */

import { relative } from "node:path";
import type { Policy } from "../artifacts/policy.ts";
import { lookUpCached } from "./cache.ts";
import { findEngines } from "./discover.ts";
import type { EngineKind } from "./kind.ts";
import { engineContext, type EngineOptions } from "./options.ts";
import { Workshop } from "./workshop.ts";

/** An engine and its state. */
export interface ListedEngine {
  /** Its name. */
  name: string;
  /** How it is loaded. */
  kind: EngineKind;
  /** Where it is taken from. */
  policy: Policy;
  /** Its sources, relative to the root of the project. */
  sources: string[];
  /** Readable ABI key; absent if a tool is missing. */
  key?: string;
  /** What the key covers, by label. */
  abi?: Record<string, string>;
  /** Whether the cache has it up to date. */
  upToDate: boolean;
  /** Why not. */
  reason?: string;
}

/** Result of {@linkcode listEngines}. */
export interface EngineList {
  /** Version of this form. */
  version: 1;
  /** The engines, by name. */
  engines: ListedEngine[];
}

/** Lists the engines of a folder; builds and loads nothing. */
export async function listEngines(
  options: EngineOptions = {},
): Promise<EngineList> {
  const context = engineContext(options);
  const workshop = new Workshop(context);
  const engines: ListedEngine[] = [];
  for (const engine of await findEngines(context.project)) {
    const { name, kind, config, sources } = engine;
    const common = {
      name,
      kind,
      policy: config.policy ?? context.policy,
      sources: sources.map((path) => relative(context.project.root, path)),
    };
    try {
      const plan = await workshop.plan(engine);
      const found = lookUpCached(plan);
      const { text: key, parts: abi } = plan.key;
      engines.push(
        "module" in found
          ? { ...common, key, abi, upToDate: true }
          : { ...common, key, abi, upToDate: false, reason: found.reason },
      );
    } catch (error) {
      const reason = (error as Error).message;
      engines.push({ ...common, upToDate: false, reason });
    }
  }
  return { version: 1, engines };
}
