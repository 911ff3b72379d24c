/** Obtains and loads the engines of a folder, side by side. */

import {
  CancelledError,
  ClibsError,
  type ErrorInfo,
  toClibsError,
} from "../errors.ts";
import type { Origin } from "../artifacts/policy.ts";
import { type Engine, findEngines } from "./discover.ts";
import { type Engines, EnginesError, type LoadedEngine } from "./errors.ts";
import type { EngineKind } from "./kind.ts";
import { loadEngine } from "./load.ts";
import { type Attempt, loadPath, obtain, type Obtained } from "./obtain.ts";
import {
  type BuildEngineOptions,
  type EngineContext,
  engineContext,
} from "./options.ts";
import { probe } from "./probe.ts";
import { Workshop } from "./workshop.ts";

/** How one engine was obtained. */
export interface EngineResult {
  /** Its name. */
  name: string;
  /** How it is loaded. */
  kind: EngineKind;
  /** Whether it can be used. */
  ok: boolean;
  /** Where it came from. */
  origin?: Origin;
  /** The module in the cache or among the prebuilts, absolute. */
  path?: string;
  /** SHA-256 of the module. */
  sha256?: string;
  /** Readable ABI key. */
  key?: string;
  /** Places that were tried before, in order. */
  attempts: Attempt[];
  /** Why it cannot be used. */
  error?: ErrorInfo;
}

/** What became of the engines of a folder. */
export interface EnginesReport {
  /** Version of this form. */
  version: 1;
  /** Whether all can be used. */
  ok: boolean;
  /** How many can be used. */
  engines_ok: number;
  /** How many cannot. */
  engines_failed: number;
  /** Names of those that cannot. */
  failed: string[];
  /** Each engine, by name. */
  results: EngineResult[];
}

/** Options of {@linkcode fastBootBuildAll}. */
export interface FastBootOptions extends Omit<BuildEngineOptions, "policy"> {
  /** Names of engines. Default: all. */
  names?: readonly string[];
}

/** What {@linkcode fastBootBuildAll} made ready. */
export interface FastBootReport {
  /** Version of this form. */
  version: 1;
  /** How many engines are ready. */
  engines: number;
  /** Their names. */
  names: string[];
  /** Whether all are ready. */
  ok: boolean;
  /** Names of those that are not. */
  failed: string[];
  /** Each engine, by name. */
  results: EngineResult[];
}

/**
 * Obtains all engines of a folder by their policies, and loads them.
 *
 * @returns The engines by name: functions of `ffi` and `napi` engines are
 *   called directly, those of `pybind11` engines return promises.
 * @throws {EnginesError} `CLIBS_ENGINES_FAILED` if some failed, when all were
 *   tried.
 */
export async function buildAll<T extends object = Engines>(
  options: BuildEngineOptions = {},
): Promise<T> {
  return await loadMany<T>([], options);
}

/**
 * Obtains some engines of a folder by their policies, and loads them.
 *
 * @param names Names of engines; all if there are none.
 * @throws {EnginesError} `CLIBS_ENGINES_FAILED` if some failed, when all were
 *   tried.
 */
export async function loadMany<T extends object = Engines>(
  names: readonly string[],
  options: BuildEngineOptions = {},
): Promise<T> {
  const context = engineContext(options);
  const engines: Engines = {};
  const failures = new Map<string, ClibsError>();
  await each(names, options, async (engine, workshop) => {
    try {
      const obtained = await obtain(engine, workshop);
      engines[engine.name] = await loadEngine(obtained, context);
    } catch (error) {
      failures.set(engine.name, toClibsError(error));
    }
  });
  if (context.signal?.aborted) throw new CancelledError();
  if (failures.size > 0) throw new EnginesError(engines, failures);
  return engines as T;
}

/**
 * Obtains one engine by its policy, and loads it.
 *
 * @param name Its name.
 * @throws {ClibsError} If it cannot be obtained or loaded.
 */
export async function buildEngine<T extends object = LoadedEngine>(
  name: string,
  options: BuildEngineOptions = {},
): Promise<T> {
  const context = engineContext(options);
  const [engine] = await findEngines(context.project, [name]);
  const obtained = await obtain(engine!, new Workshop(context));
  return await loadEngine(obtained, context) as T;
}

/**
 * Obtains engines by their policies and tells how each went. What was just
 * built is loaded once, in a process of its own.
 *
 * @param names Names of engines; all if there are none.
 */
export async function buildEngines(
  names: readonly string[] = [],
  options: BuildEngineOptions = {},
): Promise<EnginesReport> {
  const results = await obtainAll(names, options, true);
  const failed = results.filter(({ ok }) => !ok).map(({ name }) => name);
  return {
    version: 1,
    ok: failed.length === 0,
    engines_ok: results.length - failed.length,
    engines_failed: failed.length,
    failed,
    results,
  };
}

/**
 * Makes all engines of a folder ready without loading them: for the start of a
 * program, or before it. The cache comes first, whatever the policies say, but
 * for `prebuilt_only`; prebuilts are saved.
 */
export async function fastBootBuildAll(
  options: FastBootOptions = {},
): Promise<FastBootReport> {
  const { names = [], ...rest } = options;
  const results = await obtainAll(
    names,
    { ...rest, policy: "prefer_cache" },
    false,
  );
  const ready = results.filter(({ ok }) => ok).map(({ name }) => name);
  return {
    version: 1,
    engines: ready.length,
    names: ready,
    ok: ready.length === results.length,
    failed: results.filter(({ ok }) => !ok).map(({ name }) => name),
    results,
  };
}

async function obtainAll(
  names: readonly string[],
  options: BuildEngineOptions,
  tryLoad: boolean,
): Promise<EngineResult[]> {
  const results: EngineResult[] = [];
  await each(names, options, async (engine, workshop) => {
    const { name, kind } = engine;
    try {
      const obtained = await obtain(engine, workshop);
      if (tryLoad && obtained.origin === "build") {
        await tryInChild(obtained, workshop.context);
      }
      const { origin, module, plan, attempts } = obtained;
      const { path, sha256 } = module;
      const key = plan.key.text;
      results.push({
        name,
        kind,
        ok: true,
        origin,
        path,
        sha256,
        key,
        attempts,
      });
    } catch (thrown) {
      const error = toClibsError(thrown).toJSON();
      if (error.code === "CLIBS_CANCELLED") return;
      workshop.context.feedback.emit("error", "note", error.message, {
        about: "engine.failed",
        engine: name,
        error,
      });
      results.push({ name, kind, ok: false, attempts: [], error });
    }
  });
  if (options.signal?.aborted) throw new CancelledError();
  return results.sort((a, b) => a.name < b.name ? -1 : 1);
}

async function tryInChild(
  obtained: Obtained,
  context: EngineContext,
): Promise<void> {
  const { engine, python } = obtained.plan;
  const reason = await probe({
    name: engine.name,
    kind: engine.kind,
    path: loadPath(obtained, context),
    ...(python ? { python: python.executable } : {}),
  }, { signal: context.signal });
  if (reason === undefined) return;
  throw new ClibsError(
    "CLIBS_ENGINE_LOAD",
    `Cannot load ${engine.name}: ${reason}`,
    {
      facts: { module: obtained.module.path },
      hint: "mend the source; it was compiled without an error",
    },
  );
}

/** Does some work for each engine, so many at a time. */
async function each(
  names: readonly string[],
  options: BuildEngineOptions,
  work: (engine: Engine, workshop: Workshop) => Promise<void>,
): Promise<void> {
  const context = engineContext(options);
  const workshop = new Workshop(context);
  const queue = await findEngines(context.project, names);
  const worker = async () => {
    for (let next; !context.signal?.aborted && (next = queue.shift());) {
      await work(next, workshop);
    }
  };
  const count = Math.min(context.jobs, queue.length);
  await Promise.all(Array.from({ length: count }, worker));
}
