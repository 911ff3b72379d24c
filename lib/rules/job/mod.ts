/**
 * The job module: what the command of a job may call.
 *
 * It is loaded by each function job, before anything else can happen. What is
 * rarely used is loaded when it is called.
 *
 * @module
 */

import { Autodep, getAutodep, setAutodep } from "./autodep.ts";
import {
  checkDeps,
  decode,
  depend,
  encode,
  listDeps,
  listRoot,
  listTargets,
  target,
  xxhsum,
  xxhsumFile,
} from "./calls.ts";
import type { JobModule, RunCc } from "./types.ts";

export type {
  AutodepConstructor,
  AutodepScope,
  Depend,
  DependArguments,
  DepState,
  FilesAnd,
  JobModule,
  RunCc,
  RunCcOptions,
  RunCcResult,
  Target,
  TargetArguments,
} from "./types.ts";
export {
  Autodep,
  checkDeps,
  decode,
  depend,
  encode,
  getAutodep,
  listDeps,
  listRoot,
  listTargets,
  setAutodep,
  target,
  xxhsum,
  xxhsumFile,
};

/** Copies targets; see {@linkcode JobModule.cpTargetTree}. */
export async function cpTargetTree(
  ...args: Parameters<JobModule["cpTargetTree"]>
): Promise<void> {
  await (await import("./trees.ts")).cpTargetTree(...args);
}

/** Moves targets; see {@linkcode JobModule.mvTargetTree}. */
export async function mvTargetTree(
  ...args: Parameters<JobModule["mvTargetTree"]>
): Promise<void> {
  await (await import("./trees.ts")).mvTargetTree(...args);
}

/** Removes targets; see {@linkcode JobModule.rmTargetTree}. */
export async function rmTargetTree(
  ...args: Parameters<JobModule["rmTargetTree"]>
): Promise<void> {
  await (await import("./trees.ts")).rmTargetTree(...args);
}

/** Declares what an import looked at; see {@linkcode JobModule.reportImport}. */
export async function reportImport(
  ...args: Parameters<JobModule["reportImport"]>
): Promise<void> {
  await (await import("./imports.ts")).reportImport(...args);
}

/** Runs a C compiler; see {@linkcode JobModule.runCc}. */
export const runCc = (async (...args: unknown[]) => {
  return await (await import("./cc.ts")).runCc(args);
}) as RunCc;

/** All of it as one object: the `lmake` that a `cmd` gets. */
export const lmake: JobModule = {
  Autodep,
  setAutodep,
  getAutodep,
  checkDeps,
  depend,
  target,
  encode,
  decode,
  listDeps,
  listTargets,
  listRoot,
  cpTargetTree,
  mvTargetTree,
  rmTargetTree,
  reportImport,
  runCc,
  xxhsum,
  xxhsumFile,
};
