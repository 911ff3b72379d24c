/** A profile as a timeline for ui.perfetto.dev and Chrome. */

import type { BuildProfile, ProfiledRun } from "./profile.ts";

/** Rows of the runs, and the row that repeats those of the critical path. */
const SLOTS = 1, CRITICAL = 2;

/**
 * The timeline, in the Trace Event Format (JSON): a row for each slot, one
 * with the critical path alone, arrows along it, and how many jobs ran and
 * waited.
 */
export function profileTrace(profile: BuildProfile): string {
  const title = `clibs make ${profile.targets.join(" ")}`.trim();
  const events: unknown[] = [
    named("process_name", SLOTS, 0, title),
    { ...named("process_sort_index", SLOTS, 0), args: { sort_index: 2 } },
  ];
  for (let slot = 0; slot < profile.slots; slot++) {
    events.push(named("thread_name", SLOTS, slot + 1, `slot ${slot + 1}`));
  }
  for (const run of profile.runs) events.push(eventOf(run, SLOTS));
  if (profile.critical.length > 0) {
    events.push(
      named("process_name", CRITICAL, 0, "critical path"),
      { ...named("process_sort_index", CRITICAL, 0), args: { sort_index: 1 } },
      named("thread_name", CRITICAL, 1, "critical path"),
    );
  }
  profile.critical.forEach((at, i) => {
    const run = profile.runs[at]!;
    events.push(eventOf(run, CRITICAL));
    const next = profile.runs[profile.critical[i + 1] ?? -1];
    if (!next) return;
    const flow = { cat: "critical path", name: "critical path", id: i + 1 };
    events.push(
      { ...flow, ...placeOf(run), ph: "s", ts: micros(run.endMs) - 1 },
      { ...flow, ...placeOf(next), ph: "f", bp: "e", ts: micros(next.startMs) },
    );
  });
  events.push(...counters(profile.runs));
  const document = {
    displayTimeUnit: "ms",
    otherData: {
      startedMs: profile.startedMs,
      elapsedMs: profile.elapsedMs,
      criticalMs: profile.criticalMs,
    },
    traceEvents: events,
  };
  return `${JSON.stringify(document)}\n`;
}

function eventOf(run: ProfiledRun, process: number): unknown {
  const isBad = /failed|error|lost|killed|loop/.test(run.word);
  return {
    name: run.name,
    cat: run.rule,
    ph: "X",
    ts: micros(run.startMs),
    dur: Math.max(1, micros(run.endMs) - micros(run.startMs)),
    ...(process === SLOTS ? placeOf(run) : { pid: process, tid: 1 }),
    // Chrome knows these names, Perfetto goes by the text.
    ...(isBad ? { cname: "terrible" } : run.critical ? { cname: "bad" } : {}),
    args: {
      rule: run.rule,
      status: run.word,
      reason: run.reason,
      "waited for a slot, ms": Math.round(run.startMs - run.readyMs),
      "critical path": run.critical,
    },
  };
}

function placeOf({ slot }: ProfiledRun): { pid: number; tid: number } {
  return { pid: SLOTS, tid: slot + 1 };
}

function named(
  kind: string,
  pid: number,
  tid: number,
  name?: string,
): Record<string, unknown> {
  return { name: kind, ph: "M", pid, tid, args: { name } };
}

/** How many jobs were running and waiting, at each change. */
function counters(runs: readonly ProfiledRun[]): unknown[] {
  const changes = runs.flatMap(({ readyMs, startMs, endMs }) => [
    { at: readyMs, waiting: 1, running: 0 },
    { at: startMs, waiting: -1, running: 1 },
    { at: endMs, waiting: 0, running: -1 },
  ]).sort((a, b) => a.at - b.at);
  const events: unknown[] = [];
  let waiting = 0;
  let running = 0;
  changes.forEach((change, i) => {
    waiting += change.waiting;
    running += change.running;
    // Several changes of one moment are one.
    const next = changes[i + 1];
    if (next && micros(next.at) === micros(change.at)) return;
    events.push({
      name: "jobs",
      ph: "C",
      pid: SLOTS,
      tid: 0,
      ts: micros(change.at),
      args: { running, waiting },
    });
  });
  return events;
}

function micros(ms: number): number {
  return Math.round(ms * 1000);
}
