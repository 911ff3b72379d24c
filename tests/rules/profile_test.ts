import assert from "node:assert/strict";
import type { JobState } from "../../lib/rules/engine/state.ts";
import { profileReport, profileTrace } from "../../lib/rules/profile/api.ts";
import { durationText } from "../../lib/rules/profile/html.ts";
import {
  type BuildProfile,
  buildProfile,
} from "../../lib/rules/profile/profile.ts";
import { progressOf } from "../../lib/rules/profile/progress.ts";
import { type JobRun, RunLog } from "../../lib/rules/profile/runs.ts";
import type { JobRecord } from "../../lib/rules/state/record.ts";
import { randomNumbers } from "./markup.ts";

/** A run `[job, start, end, word]`, ready when it starts. */
type Run = [id: string, startMs: number, endMs: number, word?: string];

/** A profile of runs; each job makes the file of its name. */
function profileOf(
  runs: Run[],
  deps: Record<string, string[]> = {},
  wantedBy: Record<string, string> = {},
): BuildProfile {
  return buildProfile({
    targets: ["all"],
    startedMs: Date.UTC(2026, 0, 31, 12),
    elapsedMs: Math.max(0, ...runs.map(([, , end]) => end)),
    ok: true,
    runs: runs.map(([id, startMs, endMs, word = "done"]): JobRun => ({
      id,
      rule: "Rule",
      name: id,
      readyMs: startMs,
      startMs,
      endMs,
      word,
      reason: "never run",
    })),
    wantedBy: (id) => wantedBy[id],
    recordOf: (id) => ({
      targets: [{ file: id }],
      deps: (deps[id] ?? []).map((file) => ({ file })),
    } as unknown as JobRecord),
  });
}

function criticalOf({ critical, runs }: BuildProfile): string[] {
  return critical.map((i) => runs[i]!.name);
}

Deno.test("runs that overlap are in different slots, and slots are few", () => {
  const random = randomNumbers(5);
  const runs = Array.from({ length: 300 }, (_, i): Run => {
    const start = random() * 1000;
    return [`j${i}`, start, start + random() * 50];
  });
  const profile = profileOf(runs);
  for (const a of profile.runs) {
    for (const b of profile.runs) {
      if (a === b || a.slot !== b.slot) continue;
      assert.ok(a.endMs <= b.startMs || b.endMs <= a.startMs);
    }
  }
  const most = Math.max(
    ...profile.runs.map(({ startMs }) =>
      profile.runs.filter((run) =>
        run.startMs <= startMs && startMs < run.endMs
      ).length
    ),
  );
  assert.equal(profile.slots, most);
});

Deno.test("the critical path is the longest chain of deps", () => {
  const profile = profileOf(
    [["a", 0, 10], ["b", 0, 40], ["c", 10, 30], ["d", 50, 60], ["e", 41, 50]],
    { c: ["a"], d: ["b", "c"], e: ["src"] },
  );
  assert.deepEqual(criticalOf(profile), ["b", "d"]);
  assert.equal(profile.criticalMs, 50);
  assert.deepEqual(
    profile.runs.filter(({ critical }) => critical).map(({ name }) => name),
    ["b", "d"],
  );
});

Deno.test("a job that runs again waits for itself, and for what it found", () => {
  const profile = profileOf(
    [["top", 0, 20, "may_rerun"], ["gen", 20, 50], ["top", 50, 75]],
    { top: ["gen"] },
    { gen: "top" },
  );
  assert.deepEqual(criticalOf(profile), ["top", "gen", "top"]);
  assert.equal(profile.criticalMs, 75);
});

Deno.test("who found out counts also when others pass the need on", () => {
  // all found x, whose rule names y, whose rule names z.
  const profile = profileOf(
    [["all", 0, 10], ["z", 10, 20], ["y", 20, 30], ["x", 30, 40]],
    { all: ["x"], x: ["y"], y: ["z"] },
    { x: "all", y: "x", z: "y" },
  );
  assert.deepEqual(criticalOf(profile), ["all", "z", "y", "x"]);
});

Deno.test("a dep that was made meanwhile was not waited for", () => {
  const profile = profileOf(
    [["a", 0, 30], ["b", 0, 20]],
    { a: ["b"] },
  );
  assert.deepEqual(criticalOf(profile), ["a"]);
});

Deno.test("a loop of needs does not hang it", () => {
  const profile = profileOf(
    [["a", 0, 10], ["b", 10, 20]],
    { a: ["b"], b: ["a"] },
    { a: "b", b: "a" },
  );
  assert.equal(profile.runs.length, 2);
});

Deno.test("RunLog takes from the lines how runs ended", () => {
  let now = 0;
  const log = new RunLog(() => now);
  const job = { id: "1", rule: "R", name: "n" };
  const say = (word: string) =>
    log.event({ timeMs: 0, word, rule: "R", name: "n", reason: `why ${word}` });
  const first = log.ready(job);
  now = 5;
  log.start(first);
  say("start");
  assert.equal(log.running.size, 1);
  now = 15;
  log.end(first);
  say("rerun");
  const second = log.ready(job);
  say("done");
  log.start(second);
  now = 35;
  log.end(second);
  say("may_rerun");
  say("was_done");
  log.event({ timeMs: 0, word: "changed", name: "n" });
  const never = log.ready({ ...job, id: "2", name: "other" });
  log.end(never);
  assert.deepEqual(
    log.runs.map(({ word, reason, readyMs, startMs, endMs }) => [
      word,
      reason,
      readyMs,
      startMs,
      endMs,
    ]),
    [
      ["rerun", "why rerun", 0, 5, 15],
      ["was_done", "why was_done", 15, 15, 35],
      [undefined, undefined, 35, undefined, undefined],
    ],
  );
  assert.equal(log.meanMs("R"), 15);
  assert.equal(log.meanMs("new rule"), 15);
  assert.equal(log.running.size, 0);
});

/** A job as far as progress looks at it. */
function state(id: string, more: Partial<JobState>): JobState {
  return {
    id,
    job: { rule: { name: "R" } },
    known: Promise.resolve(),
    unasked: 0,
    ...more,
  } as JobState;
}

const record = (durationMs: number) => ({ durationMs }) as JobRecord;

Deno.test("progress counts jobs, and goes by the times of the last runs", () => {
  let now = 0;
  const log = new RunLog(() => now);
  log.start(log.ready({ id: "run", rule: "R", name: "slow" }));
  now = 400;
  log.start(log.ready({ id: "run2", rule: "R", name: "quick" }));
  const states = [
    state("seen", { known: undefined }),
    state("done1", { settled: true }),
    state("done2", { settled: true }),
    state("open", {}),
    state("run", { isDelayed: true, record: record(1000) }),
    state("run2", { isDelayed: true, record: record(100) }),
    state("wait1", { isDelayed: true, record: record(3000) }),
    state("wait2", { isDelayed: true, record: record(800) }),
  ];
  const progress = progressOf({ states, log, nowMs: 500, cpus: 2 });
  assert.deepEqual(progress, {
    done: 2,
    running: 2,
    waiting: 2,
    unknown: 1,
    // (500 + 0 + 3000 + 800) / 2, but 3000 ms take as long in any case.
    etaMs: 3000,
    longest: { rule: "R", name: "slow", elapsedMs: 500 },
  });
  assert.equal(
    progressOf({ states, log, nowMs: 500, cpus: 1 }).etaMs,
    4300,
  );
});

Deno.test("progress guesses from other jobs, or not at all", () => {
  let now = 0;
  const log = new RunLog(() => now);
  const states = [state("new", { isDelayed: true })];
  const at = () => progressOf({ states, log, nowMs: now, cpus: 1 });
  assert.equal(at().etaMs, undefined);
  const run = log.ready({ id: "other", rule: "R", name: "o" });
  log.start(run);
  now = 70;
  log.end(run);
  assert.equal(at().etaMs, 70);
  states.pop();
  assert.deepEqual(at(), { done: 0, running: 0, waiting: 0, unknown: 0 });
});

Deno.test("the trace has a row for each slot, and marks the critical path", async () => {
  const profile = profileOf(
    [["a", 0, 10], ["b", 0, 40], ["c", 41.5, 60.25, "failed"]],
    { c: ["b"] },
  );
  const { traceEvents: events, otherData } = JSON.parse(
    await profileTrace(profile),
  );
  assert.equal(otherData.criticalMs, 58.75);
  const runs = events.filter(({ ph, pid }: { ph: string; pid: number }) =>
    ph === "X" && pid === 1
  );
  assert.deepEqual(
    runs.map(({ name, tid, ts, dur, cat }: Record<string, unknown>) => [
      name,
      tid,
      ts,
      dur,
      cat,
    ]),
    [
      ["a", 1, 0, 10_000, "Rule"],
      ["b", 2, 0, 40_000, "Rule"],
      ["c", 1, 41_500, 18_750, "Rule"],
    ],
  );
  assert.deepEqual(runs[2].args, {
    rule: "Rule",
    status: "failed",
    reason: "never run",
    "waited for a slot, ms": 0,
    "critical path": true,
  });
  const critical = events.filter(
    ({ ph, pid }: { ph: string; pid: number }) => ph === "X" && pid === 2,
  );
  assert.deepEqual(
    critical.map(({ name }: { name: string }) => name),
    ["b", "c"],
  );
  const flows = events.filter(({ ph }: { ph: string }) => /[sf]/.test(ph));
  assert.deepEqual(flows.map(({ ts }: { ts: number }) => ts), [39_999, 41_500]);
  const counts = events.filter(({ ph }: { ph: string }) => ph === "C");
  assert.deepEqual(counts[0].args, { running: 2, waiting: 0 });
  assert.deepEqual(counts.at(-1).args, { running: 0, waiting: 0 });
});

Deno.test("the page stays small however many jobs there are", async () => {
  const random = randomNumbers(9);
  let at = 0;
  const runs = Array.from({ length: 30_000 }, (_, i): Run => {
    const start = at;
    at += random() * 2;
    return [`file-${i}`, start, at];
  });
  const page = await profileReport(profileOf(runs));
  assert.ok(page.length < 600_000, `${page.length} bytes`);
  assert.match(page, /30,000/);
  assert.match(page, /short jobs/);
});

Deno.test("the page shows any name, and loads nothing", async () => {
  const evil = `</style><script>"&'`;
  const profile = profileOf([[evil, 0, 10, "failed"]]);
  profile.ok = false;
  const page = await profileReport(profile);
  assert.doesNotMatch(page, /<script|https?:|url\(|@import|src=|href=/);
  assert.match(page, /Not all targets could be made/);
  assert.match(page, /2026-01-31 12:00:00 UTC/);
  const nothing = await profileReport(profileOf([]));
  assert.match(nothing, /everything was up to date/);
});

Deno.test("durationText() has a few digits", () => {
  const cases: [number, string][] = [
    [0, "0.0 ms"],
    [9.99, "10.0 ms"],
    [840.4, "840 ms"],
    [999.4, "999 ms"],
    [999.6, "1.00 s"],
    [12_340, "12.3 s"],
    [59_940, "59.9 s"],
    [59_960, "1 min 00 s"],
    [245_000, "4 min 05 s"],
    [3_599_400, "59 min 59 s"],
    [3_600_000, "1 h 00 min"],
    [7_500_000, "2 h 05 min"],
  ];
  for (const [ms, text] of cases) assert.equal(durationText(ms), text);
});

Deno.test("deps that nobody has asked for yet are unknown, and take their share", () => {
  let now = 0;
  const log = new RunLog(() => now);
  const run = log.ready({ id: "a", rule: "R", name: "a" });
  log.start(run);
  now = 10;
  log.end(run);
  const states = [
    state("a", { settled: true }),
    state("all", { isDelayed: true, unasked: 90, record: record(30) }),
  ];
  assert.deepEqual(progressOf({ states, log, nowMs: 10, cpus: 2 }), {
    done: 1,
    running: 0,
    waiting: 1,
    unknown: 90,
    // All that were met had to run, and took 10 ms each.
    etaMs: (30 + 90 * 10) / 2,
  });
});
