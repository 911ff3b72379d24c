/** What the companions of `clibs make` are asked, and what they answer. */

import type { Feedback } from "../../feedback/bus.ts";
import type { DepFlag, TargetFlag } from "../model.ts";
import type { JobStatus } from "../state/record.ts";

/** Which repo, and which jobs of it. */
export interface RulesOptions {
  /** Folder that names are relative to; the repo is that which it is in. Default: the current one. */
  cwd?: string;
  /** Files that jobs make. */
  files?: readonly string[];
  /** Whether `files` are names of jobs instead. Default: false. */
  byJob?: boolean;
  /** Of several jobs, the one of this rule. */
  rule?: string;
  /** Where messages go. */
  feedback?: Feedback;
  /** Gives up waiting for another command. */
  signal?: AbortSignal;
}

/** A job by its names. */
export interface JobName {
  /** Name of its rule. */
  rule: string;
  /** The job, as lines of `clibs make` show it. */
  job: string;
}

/** What `clibs show` tells about. */
export type ShowTopic =
  | "info"
  | "deps"
  | "inverseDeps"
  | "targets"
  | "inverseTargets"
  | "cmd"
  | "stderr"
  | "stdout"
  | "env"
  | "bom"
  | "trace";

/** Options of {@linkcode showRules}. */
export interface ShowOptions extends RulesOptions {
  /** What is wanted. Default: `info`. */
  topic?: ShowTopic;
  /** System packages, too. Default: false. */
  system?: boolean;
}

/** How a job ran last. */
export interface JobInfo extends JobName {
  /** Why it ran. */
  reason: string;
  /** How it ended. */
  status: JobStatus;
  /** Exit code, or name of the signal; absent if it never started. */
  exit?: number | string;
  /** Why it runs again with the next command, whatever else is so. */
  unreliable?: string;
  /** What went wrong, in sentences. */
  problems: string[];
  /** Deps that are in error, with the state of their jobs. */
  depsInError: { file: string; status: JobStatus }[];
  /** When it started, in milliseconds since 1970. */
  startedMs: number;
  /** How long it ran. */
  durationMs: number;
  /** Values of its stems. */
  stems: Record<string, string>;
  /** How its accesses were found. */
  autodep?: string;
  /** What it took from the pools. */
  resources?: Record<string, number>;
  /** Its `$TMPDIR`, if it was kept. */
  tmp?: string;
  /** Number of its deps. */
  deps: number;
  /** Number of its targets. */
  targets: number;
  /** Number of system packages that it used. */
  packages: number;
  /** Targets of it that are frozen. */
  frozen: string[];
}

/** A dep of a job. */
export interface ShownDep {
  /** Its name; of an association in a table of codes, its key. */
  file: string;
  /** Flags that are on. */
  flags: DepFlag[];
  /** `L`: link, `R`: regular, `T`: stat; a dash for what it did not do. */
  accesses: string;
  /** Its name in the rule, if it has one. */
  key?: string;
  /** Checksum of what the job saw. */
  sum: string;
  /** Deps of one number were declared together. */
  group: number;
  /** Whether it is an association in a table of codes. */
  codec?: boolean;
}

/** A target of a job. */
export interface ShownTarget {
  /** Its name. */
  file: string;
  /** Flags that are on. */
  flags: TargetFlag[];
  /** Its name in the rule, if it has one. */
  key?: string;
  /** Checksum of what the job wrote. */
  sum: string;
  /** Whether the rule's targets name it. */
  official: boolean;
}

/** Something that a job did. */
export interface ShownStep {
  /** `start`, `read`, `write`, `end`. */
  what: string;
  /** The file, or how it ended. */
  name: string;
}

/** What is known about one of the files; what was asked for is there. */
export interface Shown {
  /** The file, or the job, that was asked about. */
  file: string;
  /** Its job; absent if there is none and none is needed for the answer. */
  job?: JobName;
  /** How its job ran. */
  info?: JobInfo;
  /** What its job read. */
  deps?: ShownDep[];
  /** What its job wrote. */
  targets?: ShownTarget[];
  /** Jobs that read it. */
  users?: (JobName & { accesses: string })[];
  /** The command, the standard error or the standard output. */
  text?: string;
  /** Environment of its job. */
  env?: Record<string, string>;
  /** Sources that it was made of. */
  sources?: string[];
  /** System packages that were used, with their versions. */
  system?: string[];
  /** What its job did, in order of time. */
  trace?: ShownStep[];
}

/** A job that is running. */
export interface RunningJob extends JobName {
  /** Its process group, if it runs on this machine. */
  pid?: number;
  /** Slurm's number of it, if Slurm has it. */
  slurm?: number;
  /** When it started, in milliseconds since 1970. */
  startedMs?: number;
}

/** Options of {@linkcode forgetJobs}. */
export interface ForgetOptions extends RulesOptions {
  /** Forgets deps that are not in the rule, too. Default: false. */
  deps?: boolean;
  /** Forgets targets that the rule does not name, too. Default: false. */
  targets?: boolean;
  /** All jobs whose resources have changed, besides `files`. Default: false. */
  resources?: boolean;
}

/** What was forgotten. */
export interface ForgetReport {
  /** The jobs, with what was dropped of them. */
  jobs: (JobName & { deps: string[]; targets: string[] })[];
}

/** What a mark says about a file: it is taken as it is, or its changes run nothing. */
export type MarkName = "freeze" | "no-trigger";

/** Options of {@linkcode markFiles}. */
export interface MarkOptions extends RulesOptions {
  /** Which mark. For `list`, default: both. */
  mark?: MarkName;
  /** What to do with it. */
  action: "add" | "delete" | "list" | "clear";
}

/** Marked files. */
export interface MarkReport {
  /** Those that were marked or unmarked; of `list`, all that are marked. */
  files: { file: string; mark: MarkName }[];
}

/** Options of {@linkcode debugJob}. */
export interface DebugOptions extends RulesOptions {
  /** The file whose job is meant. */
  file: string;
  /** Writes the script without running it. Default: false. */
  dryRun?: boolean;
  /** Where the job's standard output goes. Default: `inherit`. */
  stdout?: "inherit" | "stderr";
  /** Gets the path of the script before it runs. */
  onScript?: (path: string) => void;
}

/** A job run by hand. */
export interface DebugReport extends JobName {
  /** Absolute path of the script. */
  script: string;
  /** Exit code, if it was run. */
  code?: number;
}

/** What a repair found. */
export interface RepairReport {
  /** Jobs with a good record. */
  jobs: number;
  /** Records that were torn, and removed: their jobs run again. */
  torn: number;
  /** Targets that are what their job left. */
  targets: number;
  /** Targets that are not there; they are made when they are needed. */
  missing: string[];
  /** Targets that were changed since. */
  changed: string[];
  /** Marks that were kept. */
  marks: number;
}

/** Options of {@linkcode collectFiles}. */
export interface CollectOptions extends Omit<RulesOptions, "byJob" | "rule"> {
  /** Only tells what would be removed. Default: false. */
  dryRun?: boolean;
}

/** What was removed, or would be. */
export interface CollectReport {
  /** Files that no rule makes any more. */
  removed: string[];
  /** Files of this kind that were changed since, and stay. */
  kept: string[];
  /** Jobs that were forgotten with their files. */
  jobs: number;
}

/** What the repair of a table of codes has found and done. */
export interface TableRepair {
  /** The folder. */
  table: string;
  /** Number of codes that it has now. */
  codes: number;
  /** Values that have another code now, with the one they had. */
  recoded: { context: string; before: string; code: string }[];
  /** Entries that led nowhere; they are gone. */
  dropped: string[];
}
