/** How far a command has got, and how long it may yet take. */

import type { JobState } from "../engine/state.ts";
import type { RunLog } from "./runs.ts";

/** How far a command has got. */
export interface MakeProgress {
  /** Jobs whose targets are right, or that are in error. */
  done: number;
  /** Jobs that run. */
  running: number;
  /** Jobs that have to run, and wait for deps or for what they need. */
  waiting: number;
  /** Jobs of which it is not known yet whether they have to run. */
  unknown: number;
  /** Milliseconds that it may yet take; absent if there is nothing to go by. */
  etaMs?: number;
  /** Of the jobs that run, the one that has been running the longest. */
  longest?: { rule: string; name: string; elapsedMs: number };
}

/** What a moment is judged by. */
export interface ProgressInput {
  /** All jobs that were met. */
  states: Iterable<JobState>;
  /** Their runs. */
  log: RunLog;
  /** Milliseconds since the command began. */
  nowMs: number;
  /** How many CPUs the jobs share. */
  cpus: number;
}

/** Tells how far a command has got. */
export function progressOf(
  { states, log, nowMs, cpus }: ProgressInput,
): MakeProgress {
  const running = new Map([...log.running].map((run) => [run.id, run]));
  let done = 0, waiting = 0, unknown = 0;
  /** CPU time of what is to run, and how many jobs nobody can tell of. */
  let restMs = 0, unmeasured = 0, longestRestMs = 0;
  /** Deps that nobody has asked for yet. */
  let unasked = 0;
  for (const state of states) {
    if (state.known === undefined) continue;
    unasked += state.unasked;
    const run = running.get(state.id);
    if (!run) {
      if (state.isDelayed) waiting++;
      else if (state.settled) {
        done++;
        continue;
      } else {
        unknown++;
        continue;
      }
    }
    // As last time, else as others of this command.
    const expected = state.record?.durationMs ??
      log.meanMs(state.job.rule.name);
    if (expected === undefined) {
      unmeasured++;
      continue;
    }
    const rest = Math.max(0, expected - (run ? nowMs - run.startMs! : 0));
    longestRestMs = Math.max(longestRestMs, rest);
    restMs += rest * cpusOf(state);
  }
  let longest: MakeProgress["longest"];
  for (const { rule, name, startMs } of running.values()) {
    const elapsedMs = nowMs - startMs!;
    if (longest && longest.elapsedMs >= elapsedMs) continue;
    longest = { rule, name, elapsedMs };
  }
  // Of those that nobody has asked for, as many have to run as of the others.
  const busy = waiting + running.size;
  const ran = log.ended;
  const mean = log.meanMs("");
  if (unasked > 0 && mean !== undefined) {
    const share = (busy + ran) / (busy + Math.max(done, ran) + unknown);
    restMs += unasked * share * mean;
  }
  const hasEta = busy > 0 && unmeasured === 0;
  return {
    done,
    running: running.size,
    waiting,
    unknown: unknown + unasked,
    ...(hasEta ? { etaMs: Math.max(longestRestMs, restMs / cpus) } : {}),
    ...(longest ? { longest } : {}),
  };
}

function cpusOf(state: JobState): number {
  const cpu = Number(state.attributes?.resources["cpu"] ?? 1);
  return Number.isFinite(cpu) ? cpu : 1;
}
