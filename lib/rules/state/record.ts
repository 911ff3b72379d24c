/** What is remembered of a job's last run. */

import type { DepFlag, TargetFlag } from "../model.ts";

/** How the last run of a job ended. */
export type JobStatus =
  | "ok"
  | "err"
  | "timeout"
  | "killed"
  | "lost"
  | "lost_err"
  | "bad_target"
  | "chk_deps"
  | "submit_loop"
  | "run_loop"
  | "early_err"
  | "forbidden";

/** A dep of a job, as the job met it. */
export interface DepRecord {
  /** Name from the repo's root; of an association, its key. */
  file: string;
  /** Whether `file` is the key of an association in a table of codes. */
  codec?: boolean;
  /** Bits of the accesses: 1 regular, 2 link, 4 stat. */
  kinds: number;
  /** Flags that are on. */
  flags: DepFlag[];
  /** Checksum of what the job saw; of an association, its answer. */
  sum: string;
  /** Deps of one number were declared together; numbers grow with time. */
  group: number;
  /** Name of a static dep in the rule. */
  key?: string;
  /** State that the job was told by a verbose `depend()`. */
  told?: string;
}

/** A target of a job. */
export interface TargetRecord {
  /** Name from the repo's root. */
  file: string;
  /** Checksum of what the job wrote; `none` if it wrote nothing. */
  sum: string;
  /** Flags that are on. */
  flags: TargetFlag[];
  /** Name of the target in the rule; absent for what was declared at run time. */
  key?: string;
  /** Whether the rule's targets name it, so that this job is the one to make it. */
  official: boolean;
}

/** A job and its last run. */
export interface JobRecord {
  /** What the rule matches, and the stems: not the rule's name. */
  id: string;
  /** Name of the rule. */
  rule: string;
  /** Values of the static stems. */
  stems: Record<string, string>;
  /** As lines show it. */
  name: string;
  /** Digest of command, interpreter and `environ`. */
  command: string;
  /** Digest of resources and `environResources`. */
  resources: string;
  /** How the run ended. */
  status: JobStatus;
  /** Why it ran. */
  reason: string;
  /** Why it has to run again whatever else is so; absent if it has not. */
  unreliable?: string;
  /** Deps in order of first access, static ones first. */
  deps: DepRecord[];
  /** Targets in order of first write. */
  targets: TargetRecord[];
  /** Name of the set of what it used of the system; see `SystemUse`. */
  system?: string;
  /** When it started, in milliseconds since 1970. */
  startedMs: number;
  /** Wall-clock time. */
  durationMs: number;
}

/** What is kept of a run for people. */
export interface JobLog {
  /** Command line or function as it was run. */
  cmd: string;
  /** Its environment. */
  env: Record<string, string>;
  /** What went wrong, in sentences. */
  problems: string[];
  /** Exit code, or name of the signal. */
  exit: number | string;
  /** Standard output, if it was no target. */
  stdout: string;
  /** Standard error. */
  stderr: string;
  /** How accesses were found. */
  autodep: string;
  /** Resources that it had. */
  granted: Record<string, number>;
  /** Its `$TMPDIR`, if it was kept. */
  tmp?: string;
  /** Folder and arguments, to run it again by hand. */
  argv: string[];
  /** File that standard input was. */
  stdin: string;
  /** File that standard output went to, if that is a target. */
  stdoutTarget?: string;
}
