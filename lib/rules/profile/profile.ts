/** Where the time of a command went: its runs, in slots, and its critical path. */

import type { JobRecord } from "../state/record.ts";
import type { JobRun } from "./runs.ts";

/** One run. Times are milliseconds since the command began. */
export interface ProfiledRun {
  /** Name of its rule. */
  rule: string;
  /** The job, as lines show it. */
  name: string;
  /** How it ended, such as `done`. */
  word: string;
  /** Why it ran. */
  reason: string;
  /** When its deps were there and it had to run. */
  readyMs: number;
  /** When it had what it needs of the pools, and started. */
  startMs: number;
  /** When it ended. */
  endMs: number;
  /** Row in which it is drawn: no two runs of a row overlap. */
  slot: number;
  /** Runs, by their places in the list, whose ends it had to wait for. */
  after: number[];
  /** Whether it is on the critical path. */
  critical: boolean;
}

/** Where the time of a command went. */
export interface BuildProfile {
  /** Requested files. */
  targets: string[];
  /** When the command began, in milliseconds since 1970. */
  startedMs: number;
  /** How long it took. */
  elapsedMs: number;
  /** Whether all requested files are right. */
  ok: boolean;
  /** Number of rows that the runs need. */
  slots: number;
  /** In the order in which they started. */
  runs: ProfiledRun[];
  /** Runs of the critical path in order, by their places in `runs`. */
  critical: number[];
  /** Time of the runs on it: no number of slots makes the command quicker. */
  criticalMs: number;
}

/** What a profile is made of. */
export interface ProfileInput
  extends Pick<BuildProfile, "targets" | "startedMs" | "elapsedMs" | "ok"> {
  /** The runs, in any order; those that never started do not count. */
  runs: readonly JobRun[];
  /** The job whose need of a job was the first to be known. */
  wantedBy?(id: string): string | undefined;
  /** The record of a job that ran. */
  recordOf(id: string): JobRecord | undefined;
}

/** Makes a profile. */
export function buildProfile(input: ProfileInput): BuildProfile {
  const ended = input.runs.filter((run) =>
    run.startMs !== undefined && run.endMs !== undefined
  ) as Required<JobRun>[];
  ended.sort((a, b) => a.startMs - b.startMs || a.endMs - b.endMs);
  const slots = slotsOf(ended);
  const after = predecessorsOf(ended, input);
  const critical = longestPath(ended, after);
  const isCritical = new Set(critical);
  return {
    targets: [...input.targets],
    startedMs: input.startedMs,
    elapsedMs: input.elapsedMs,
    ok: input.ok,
    slots: slots.reduce((most, slot) => Math.max(most, slot + 1), 0),
    runs: ended.map((run, i) => ({
      rule: run.rule,
      name: run.name,
      word: run.word ?? "killed",
      reason: run.reason ?? "",
      readyMs: run.readyMs,
      startMs: run.startMs,
      endMs: run.endMs,
      slot: slots[i]!,
      after: after[i]!,
      critical: isCritical.has(i),
    })),
    critical,
    criticalMs: critical.reduce((sum, i) => sum + lengthOf(ended[i]!), 0),
  };
}

/** Puts each run into the first row that is free. */
function slotsOf(runs: readonly Required<JobRun>[]): number[] {
  const freeAt: number[] = [];
  return runs.map(({ startMs, endMs }) => {
    const free = freeAt.findIndex((at) => at <= startMs);
    const slot = free < 0 ? freeAt.length : free;
    freeAt[slot] = endMs;
    return slot;
  });
}

/**
 * For each run, those that had to end before it: the last ones of the jobs
 * that made its deps, the one before of its own job, and the one that found
 * out that the job is needed at all.
 *
 * A dep that was only found on the way was made while the job ran or later;
 * such a run has not waited for it.
 */
function predecessorsOf(
  runs: readonly Required<JobRun>[],
  { recordOf, wantedBy }: Pick<ProfileInput, "recordOf" | "wantedBy">,
): number[][] {
  const byJob = new Map<string, number[]>();
  runs.forEach(({ id }, i) => {
    const all = byJob.get(id);
    if (all) all.push(i);
    else byJob.set(id, [i]);
  });
  const makers = new Map<string, string>();
  for (const id of byJob.keys()) {
    for (const { file } of recordOf(id)?.targets ?? []) makers.set(file, id);
  }
  const after: number[][] = runs.map(() => []);
  for (const [id, own] of byJob) {
    const jobs = new Set([id]);
    for (const { file } of recordOf(id)?.deps ?? []) {
      const maker = makers.get(file);
      if (maker !== undefined) jobs.add(maker);
    }
    const lastBefore = (job: string, ms: number) =>
      byJob.get(job)?.findLast((j) => runs[j]!.endMs <= ms);
    for (const i of own) {
      const { startMs } = runs[i]!;
      for (const job of jobs) {
        const before = lastBefore(job, startMs);
        if (before !== undefined) after[i]!.push(before);
      }
    }
    const [first] = own;
    const { readyMs } = runs[first!]!;
    const seen = new Set([id]);
    // Who knew before its own run that it needs the job has not run before it.
    for (
      let job = wantedBy?.(id);
      job && !seen.has(job);
      job = wantedBy?.(job)
    ) {
      seen.add(job);
      const found = lastBefore(job, readyMs);
      if (found === undefined) continue;
      after[first!]!.push(found);
      break;
    }
  }
  return after;
}

/** The chain of runs, each after the one before, that takes the longest. */
function longestPath(
  runs: readonly Required<JobRun>[],
  after: readonly number[][],
): number[] {
  const total: number[] = [];
  const previous: number[] = [];
  let last = -1;
  // Whoever is waited for starts earlier, so it comes first.
  runs.forEach((run, i) => {
    let best = -1;
    for (const j of after[i]!) {
      if (best < 0 || total[j]! > total[best]!) best = j;
    }
    previous[i] = best;
    total[i] = lengthOf(run) + (best < 0 ? 0 : total[best]!);
    if (last < 0 || total[i]! > total[last]!) last = i;
  });
  const path: number[] = [];
  for (let i = last; i >= 0; i = previous[i]!) path.push(i);
  return path.reverse();
}

function lengthOf({ startMs, endMs }: Required<JobRun>): number {
  return endMs - startMs;
}
