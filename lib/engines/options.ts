/** Options that the calls for engines share. */

import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { parsePolicy, type Policy } from "../artifacts/policy.ts";
import { feedback as sharedBus } from "../feedback/hub.ts";
import type { Feedback } from "../feedback/bus.ts";
import { cacheDir } from "../host/dirs.ts";
import { findProject, type Project } from "./project.ts";

/** Where engines are, and what they are built with. */
export interface EngineOptions {
  /** Folder with the `NAME.cpp` files. Default: `core/engines`. */
  sourceDir?: string;
  /**
   * Folder where loadable copies are put, for programs that load them by
   * themselves, such as Python. Default: `sourceDir`. `false`: nowhere.
   */
  outputDir?: string | false;
  /** C++ compiler and its first flags. Default: `$CXX`, else g++. */
  compiler?: string;
  /** Python for pybind11 engines. Default: `$CLIBS_PYTHON`, else python3. */
  python?: string;
  /** Where to report what happens. Default: the shared `feedback` bus. */
  feedback?: Feedback;
  /** Interrupts the work. */
  signal?: AbortSignal;
  /** Reads a variable of the environment. Default: the process's. */
  env?: (name: string) => string | undefined;
}

/** Options of what obtains engines. */
export interface BuildEngineOptions extends EngineOptions {
  /**
   * Where engines are taken from, unless engines.json says otherwise.
   * Default: `prefer_prebuilt`.
   */
  policy?: Policy;
  /** How many engines are built at once. Default: the number of processors. */
  jobs?: number;
  /** Limit of one compile, in milliseconds. Default: 300,000. */
  timeoutMs?: number;
  /** Use prebuilts that no manifest has a digest for. Default: false. */
  allowUnverified?: boolean;
}

/** {@linkcode BuildEngineOptions} with the defaults filled in. */
export interface EngineContext {
  project: Project;
  /** Absolute; undefined: nowhere. */
  outputDir: string | undefined;
  compiler: string | undefined;
  python: string | undefined;
  feedback: Feedback;
  signal: AbortSignal | undefined;
  env: (name: string) => string | undefined;
  policy: Policy;
  jobs: number;
  timeoutMs: number;
  allowUnverified: boolean;
  /** The user's cache. */
  userCache: string;
}

/**
 * Fills in the defaults.
 *
 * @throws {UsageError} `CLIBS_POLICY` if there is no such policy: a program in
 *   JavaScript, or one that read it from a file, is not stopped by its type.
 */
export function engineContext(options: BuildEngineOptions): EngineContext {
  const env = options.env ?? ((name: string) => Deno.env.get(name));
  const project = findProject(options.sourceDir);
  return {
    project,
    outputDir: options.outputDir === false
      ? undefined
      : options.outputDir === undefined
      ? project.sourceDir
      : resolve(options.outputDir),
    compiler: options.compiler,
    python: options.python,
    feedback: options.feedback ?? sharedBus,
    signal: options.signal,
    env,
    policy: parsePolicy(options.policy ?? "prefer_prebuilt"),
    jobs: options.jobs ?? availableParallelism(),
    timeoutMs: options.timeoutMs ?? 300_000,
    allowUnverified: options.allowUnverified ?? false,
    userCache: cacheDir(env),
  };
}
