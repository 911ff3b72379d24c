/** What is kept of a run. */

import type { JobLog, JobRecord } from "../state/record.ts";
import type { RunResult } from "./execute.ts";

/** Whether a run left everything as it was. */
export function isSteady(
  before: JobRecord | undefined,
  now: JobRecord,
): boolean {
  if (before?.status !== "ok") return false;
  const sums = (record: JobRecord) =>
    JSON.stringify(
      record.targets.map(({ file, sum }) => [file, sum]).sort(),
    );
  return sums(before) === sums(now);
}

/** What is kept for people. */
export function logOf(result: RunResult, problems: string[]): JobLog {
  return {
    cmd: result.cmd,
    env: result.env,
    problems,
    exit: result.end.signal ?? result.end.code ?? 0,
    stdout: result.stdout,
    stderr: result.stderr,
    autodep: result.autodep,
    granted: {},
    argv: result.argv,
    stdin: result.stdin,
    ...(result.stdoutTarget === undefined
      ? {}
      : { stdoutTarget: result.stdoutTarget }),
    ...(result.tmp === undefined ? {} : { tmp: result.tmp }),
  };
}
