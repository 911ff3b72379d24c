/** The companions of `clibs make`; what they need is loaded at the first call. */

import type {
  CollectOptions,
  CollectReport,
  DebugOptions,
  DebugReport,
  ForgetOptions,
  ForgetReport,
  MarkOptions,
  MarkReport,
  RepairReport,
  RulesOptions,
  RunningJob,
  Shown,
  ShowOptions,
  TableRepair,
} from "./types.ts";

/**
 * Tells what is known about files and the jobs that make them. Changes
 * nothing, so that it works where nothing can be written.
 *
 * @returns One entry for each of the files, in their order.
 * @throws {ClibsError} `CLIBS_LMAKE_NO_JOB` if no job ran for one of them,
 *   `CLIBS_LMAKE_REPO` if there is no repo, and what is wrong with its rules.
 */
export async function showRules(options: ShowOptions): Promise<Shown[]> {
  return await (await import("./show.ts")).showRules(options);
}

/** Lists the jobs that are running in a repo, the oldest first. */
export async function runningJobs(
  options: RulesOptions = {},
): Promise<RunningJob[]> {
  return (await import("./running.ts")).runningJobs(options);
}

/**
 * Has jobs run again with the next command although they are up to date.
 *
 * @throws {ClibsError} `CLIBS_LMAKE_NO_JOB` if no job ran for one of the files.
 */
export async function forgetJobs(
  options: ForgetOptions,
): Promise<ForgetReport> {
  return await (await import("./forget.ts")).forgetJobs(options);
}

/**
 * Sets, removes or lists the marks of files: frozen ones are taken as they
 * are, changes of others run nothing.
 *
 * @throws {ClibsError} `CLIBS_LMAKE_MARK` if a file cannot have the mark.
 */
export async function markFiles(options: MarkOptions): Promise<MarkReport> {
  return await (await import("./mark.ts")).markFiles(options);
}

/**
 * Writes a script that runs a job again by hand, and runs it.
 *
 * @throws {ClibsError} `CLIBS_LMAKE_NO_JOB` if no job ran for the file.
 */
export async function debugJob(options: DebugOptions): Promise<DebugReport> {
  return await (await import("./debug.ts")).debugJob(options);
}

/**
 * Makes the memory of a repo anew from the records of its jobs, and looks at
 * every target.
 *
 * @throws {ClibsError} `CLIBS_LMAKE_BUSY` if another command is running.
 */
export async function repairState(
  options: RulesOptions = {},
): Promise<RepairReport> {
  return await (await import("./repair.ts")).repairState(options);
}

/**
 * Puts tables of codes in order that are folders: after codes were made by
 * hand, or a crash. Nobody should use them meanwhile.
 *
 * @param folders The tables.
 * @throws {ClibsError} `CLIBS_CODEC_TABLE` if there is no such folder.
 */
export async function repairTables(
  folders: readonly string[],
): Promise<TableRepair[]> {
  return await (await import("./repair_tables.ts")).repairTables(folders);
}

/**
 * Removes files that jobs made and that no rule makes any more.
 *
 * @throws {ClibsError} `CLIBS_LMAKE_BUSY` if another command is running.
 */
export async function collectFiles(
  options: CollectOptions = {},
): Promise<CollectReport> {
  return await (await import("./collect.ts")).collectFiles(options);
}
