/** Gets an engine by its policy: a module that is verified and may be loaded. */

import { type Origin, originsOf, type Policy } from "../artifacts/policy.ts";
import { ClibsError } from "../errors.ts";
import { buildInCache, lookUpCached, type Module } from "./cache.ts";
import type { Engine } from "./discover.ts";
import type { EngineContext } from "./options.ts";
import { placeOutput } from "./output.ts";
import { findPrebuilt, loadablePath, savePrebuilt } from "./prebuilt.ts";
import type { Plan, Workshop } from "./workshop.ts";

/** One place that was tried in vain. */
export interface Attempt {
  /** The place. */
  origin: Origin;
  /** The file, if there was one. */
  path?: string;
  /** Why it was not used. */
  reason: string;
}

/** An engine that can be loaded. */
export interface Obtained {
  /** All about how it is built. */
  plan: Plan;
  /** Where it came from. */
  origin: Origin;
  /** The module. */
  module: Module;
  /** Places that were tried before, in order. */
  attempts: Attempt[];
}

/** Obtains an engine by its policy, saves the prebuilt and puts a copy out. */
export async function obtain(
  engine: Engine,
  workshop: Workshop,
): Promise<Obtained> {
  const { context } = workshop;
  const policy = engine.config.policy ?? context.policy;
  const plan = await workshop.plan(engine);
  const attempts: Attempt[] = [];
  for (const origin of originsOf(policy)) {
    const found = await tryOrigin(origin, plan, workshop, attempts, policy);
    if (!found) continue;
    if (found.origin !== "prebuilt") {
      await savePrebuilt(plan, context, found.module);
    }
    placeOutput(plan, context, found.module);
    report(engine, workshop, found);
    return found;
  }
  throw unavailable(engine, policy, attempts);
}

async function tryOrigin(
  origin: Origin,
  plan: Plan,
  { context }: Workshop,
  attempts: Attempt[],
  policy: Policy,
): Promise<Obtained | undefined> {
  if (origin === "prebuilt") {
    const module = await findPrebuilt(plan, context, (rejection) => {
      const { path, reason, isOld } = rejection;
      attempts.push({ origin, path, reason });
      context.feedback.emit(
        // After an edit it is what one expects.
        isOld ? "info" : "warn",
        "note",
        `${plan.engine.name}: not using the prebuilt ${path}: ${reason}`,
        { about: "engine.prebuilt.rejected", path, reason },
      );
    });
    if (module) return { plan, origin, module, attempts };
    if (!attempts.some((attempt) => attempt.origin === "prebuilt")) {
      attempts.push({ origin, reason: "there is none" });
    }
    return undefined;
  }
  if (plan.engine.sources.length === 0) {
    attempts.push({ origin, reason: "there is no source" });
    return undefined;
  }
  if (origin === "cache") {
    if (!plan.compiler) {
      attempts.push({ origin, reason: "there is no C++ compiler" });
      return undefined;
    }
    const found = lookUpCached(plan);
    if ("module" in found) return { plan, origin, attempts, ...found };
    attempts.push({ origin, reason: found.reason });
    return undefined;
  }
  const force = policy === "build_only";
  const { module, built } = await buildInCache(plan, context, force);
  return { plan, origin: built ? "build" : "cache", module, attempts };
}

function report(
  engine: Engine,
  { context }: Workshop,
  { origin, module, attempts }: Obtained,
): void {
  const because = attempts.findLast((attempt) => attempt.origin === "cache");
  const what = {
    build: `built${because ? `: ${because.reason}` : ""}`,
    cache: "from the cache",
    prebuilt: "prebuilt",
  }[origin];
  context.feedback.emit("success", "note", `${engine.name}: ${what}`, {
    about: "engine.obtained",
    engine: engine.name,
    origin,
    path: module.path,
    sha256: module.sha256,
  });
}

function unavailable(
  engine: Engine,
  policy: Policy,
  attempts: readonly Attempt[],
): ClibsError {
  const facts: [string, string][] = attempts.map(
    ({ origin, path, reason }, index) => [
      attempts.filter((other) => other.origin === origin).length > 1
        ? `${origin} ${index + 1}`
        : origin,
      path ? `${path}: ${reason}` : reason,
    ],
  );
  const why = policy === "prebuilt_only"
    ? "no prebuilt can be used, and the policy prebuilt_only forbids a build"
    : "there is no prebuilt that can be used, and no source to build";
  return new ClibsError(
    "CLIBS_ENGINE_UNAVAILABLE",
    `Cannot load ${engine.name}: ${why}`,
    {
      facts: Object.fromEntries(facts),
      hint: policy === "prebuilt_only"
        ? "build it where that is allowed: clibs engines build --policy build_only"
        : `put ${engine.name}.cpp into ${engine.project.sourceDir}`,
    },
  );
}

/** Path from which an obtained engine is loaded: bytes that were verified. */
export function loadPath(
  { plan, module }: Obtained,
  context: EngineContext,
): string {
  return loadablePath(plan, context, module);
}
