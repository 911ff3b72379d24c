/** What the engine of a command works with. */

import type { Results } from "../cache/results.ts";
import type { CodecTables } from "../codec/tables.ts";
import type { Repo } from "../repo.ts";
import type { Reporter } from "./report.ts";
import type { RunJob } from "./run_once.ts";

/** What a command asks of the engine. */
export interface EngineOptions {
  /** Runs jobs again that are in error. */
  rerunErrors: boolean;
  /** Rebuilds what is missing on disk even if nobody needs it. */
  all: boolean;
  /** Times that a failed job is tried again. */
  retries: number;
  /** Deps that are left as they are. Default: none. */
  ignoredDeps?: "nonEssential" | "all";
  /** Removes incremental targets before runs as others. */
  noIncremental?: boolean;
  /** Instead of those of rules. */
  maxSubmits?: number;
  /** Instead of those of rules. */
  maxRuns?: number;
  /** Ends the command. */
  signal?: AbortSignal;
}

/** What the engine works with. */
export interface EngineParts {
  repo: Repo;
  codecs: CodecTables;
  report: Reporter;
  options: EngineOptions;
  /** When the command started, in nanoseconds since 1970. */
  startedNs: bigint;
  /** Runs a job's process. */
  run: RunJob;
  /** Outcomes that repos share; absent: no rule wants them. */
  results?: Results;
  /** Works on a job while no other command does. */
  exclusively<T>(id: string, work: () => Promise<T>): Promise<T>;
  /** What some command does with a job; undefined: nothing. */
  busy(id: string): Promise<unknown> | undefined;
}
