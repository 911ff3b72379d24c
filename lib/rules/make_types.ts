/** What `clibs make` is asked, and what it answers. */

import type { Feedback } from "../feedback/bus.ts";
import type { CacheMethod } from "./cache/config.ts";
import type { ReportEvent } from "./engine/report.ts";
import type { BuildProfile } from "./profile/profile.ts";
import type { MakeProgress } from "./profile/progress.ts";

/** A server of a repo that was asked to make files, and is at it. */
export interface AskedServer {
  /** Root of the repo. */
  readonly root: string;
}

/** What to make, and how. */
export interface MakeOptions {
  /** Files to make, relative to `cwd`. None: the rules are read, and that is all. */
  targets?: readonly string[];
  /** Folder in a repo. Default: the current one. */
  cwd?: string;
  /** Jobs at once. Default: what the config says, else the number of CPUs. */
  jobs?: number;
  /** Arguments for the backend of the jobs, as one text. Default: none. */
  backendArgs?: string;
  /** Runs jobs again that are in error. Default: false. */
  rerunErrors?: boolean;
  /** Makes again what is missing on disk and nobody needs. Default: false. */
  all?: boolean;
  /** Times that a failed job is tried again. Default: 0. */
  retries?: number;
  /** Lets jobs write to sources. Default: false. */
  sourcesOk?: boolean;
  /** Keeps `$TMPDIR` of jobs. Default: false. */
  keepTmp?: boolean;
  /** Whether targets are names of jobs. Default: false. */
  byJob?: boolean;
  /** Rule of the jobs that make the targets. Default: what is chosen for them. */
  rule?: string;
  /** Runs all jobs on this machine. Default: false. */
  local?: boolean;
  /** Removes incremental targets before runs as others. Default: false. */
  noIncremental?: boolean;
  /** Starts of a job within this command, instead of what its rule says. */
  maxSubmits?: number;
  /** Runs of a job within this command, instead of what its rule says. */
  maxRuns?: number;
  /** Deps that are left as they are. Default: none. */
  ignoredDeps?: "nonEssential" | "all";
  /** How result caches are used. Default: `plain`. */
  cacheMethod?: CacheMethod;
  /** Tells why jobs run, and names each source. Default: false. */
  verbose?: boolean;
  /** Environment of the caller. Default: that of this process. */
  environ?: Readonly<Record<string, string>>;
  /** Gets lines, without their ends. Default: nobody. */
  onLine?: (text: string) => void;
  /** Gets each event. */
  onEvent?: (event: ReportEvent) => void;
  /** Gets how far it has got, a few times a second. */
  onProgress?: (progress: MakeProgress) => void;
  /** Tells where the time went. Default: false. */
  profile?: boolean;
  /** Gets the standard output of jobs that make a requested file. */
  onStdout?: (chunk: Uint8Array) => void;
  /** Where waiting and building of tools is reported. */
  feedback?: Feedback;
  /** Ends all jobs. */
  signal?: AbortSignal;
}

/** A requested file. */
export interface MadeFile {
  /** Name from the repo's root. */
  file: string;
  /** Whether it is there and right. */
  ok: boolean;
  /** Whether a job ran to make it. */
  ran: boolean;
  /** Checksum. */
  checksum: string;
  /** Why it cannot be had. */
  error?: MakeError;
}

/** Why a file cannot be had. */
export interface MakeError {
  /** File, or the job's name. */
  name: string;
  /** Rule of the job that is at fault. */
  rule?: string;
  /** What is wrong. */
  message: string;
  /** One next step. */
  hint?: string;
  /** What the job wanted and could not have. */
  causes: MakeError[];
}

/** What a command came to. */
export interface MakeReport {
  /** Whether all requested files are right. */
  ok: boolean;
  /** Requested files, in order. */
  targets: MadeFile[];
  /** Number of events by word. */
  counts: Record<string, number>;
  /** Wall-clock time. */
  elapsedMs: number;
  /** Where the time went, if it was asked for. */
  profile?: BuildProfile;
}
