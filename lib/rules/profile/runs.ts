/** The runs of jobs in one command: when each waited, ran and ended. */

import type { ReportEvent } from "../engine/report.ts";

/** One run of a job's process. Times are milliseconds since the command began. */
export interface JobRun {
  /** Name of the job in the store. */
  id: string;
  /** Name of its rule. */
  rule: string;
  /** The job, as lines show it. */
  name: string;
  /** When it was clear that it has to run, and its deps were there. */
  readyMs: number;
  /** When it had what it needs; undefined while it waits for that. */
  startMs?: number;
  /** When its process was done with; undefined before. */
  endMs?: number;
  /** How it ended, as the line about it says. */
  word?: string;
  /** Why it ran. */
  reason?: string;
}

/** Notes runs as they happen. */
export class RunLog {
  /** All runs, in the order in which they became ready. */
  readonly runs: JobRun[] = [];
  /** Those that have started and not ended. */
  readonly running = new Set<JobRun>();
  readonly #now: () => number;
  readonly #last = new Map<string, JobRun>();
  /** Time and number of the runs that ended, by rule; of all of them by "". */
  readonly #times = new Map<string, { sum: number; count: number }>();

  /** @param now Milliseconds since the command began. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** A job has to run, and waits for what it needs of the pools. */
  ready(job: Pick<JobRun, "id" | "rule" | "name">): JobRun {
    const { id, rule, name } = job;
    const run: JobRun = { id, rule, name, readyMs: this.#now() };
    this.runs.push(run);
    this.#last.set(keyOf(rule, name), run);
    return run;
  }

  /** It runs, and has been doing so for some time. */
  start(run: JobRun, agoMs = 0): void {
    run.startMs = this.#now() - agoMs;
    this.running.add(run);
  }

  /** Its process is done with; also called for what never started, or again. */
  end(run: JobRun): void {
    this.running.delete(run);
    if (run.startMs === undefined || run.endMs !== undefined) return;
    run.endMs = this.#now();
    for (const key of [run.rule, ""]) {
      const times = this.#times.get(key) ?? { sum: 0, count: 0 };
      times.sum += run.endMs - run.startMs;
      times.count++;
      this.#times.set(key, times);
    }
  }

  /** Takes from a line how the last run of a job ended. */
  event({ word, rule, name, reason }: ReportEvent): void {
    // Said while it runs.
    if (rule === undefined || word === "start") return;
    const run = this.#last.get(keyOf(rule, name));
    if (run?.endMs === undefined) return;
    run.word = word;
    if (reason !== undefined) run.reason = reason;
  }

  /** How many have ended. */
  get ended(): number {
    return this.#times.get("")?.count ?? 0;
  }

  /** How long a job of a rule took so far, or any job; undefined if none ended. */
  meanMs(rule: string): number | undefined {
    const times = this.#times.get(rule) ?? this.#times.get("");
    return times && times.sum / times.count;
  }
}

function keyOf(rule: string, name: string): string {
  return `${rule}\0${name}`;
}
