import assert from "node:assert/strict";
import { perfettoTrace } from "../../lib/trace/api.ts";
import { type Trace, traceOf } from "../../lib/trace/trace.ts";
import { logOf, type MadeRecord } from "../support/records.ts";

interface Event {
  name: string;
  ph: string;
  ts: number;
  dur: number;
  pid: number;
  tid: number;
  args: Record<string, unknown>;
}

async function eventsOf(trace: Trace): Promise<Event[]> {
  const text = await perfettoTrace(trace);
  assert.ok(text.endsWith("}\n"));
  const document = JSON.parse(text);
  assert.equal(document.displayTimeUnit, "ms");
  return document.traceEvents;
}

async function traceOfRuns(
  runs: readonly [name: string, pid: number, from: number, to: number][],
): Promise<Trace> {
  const startedMs = 1000;
  const records = runs.flatMap(([name, pid, from, to]): MadeRecord[] => [
    { op: "start", pid, other: 1 },
    {
      op: "exec",
      pid,
      path: `/bin/${name}`,
      second: `/src\0${name}\0-x\0`,
      timeNs: (startedMs + from) * 1e6,
    },
    ...to === 0
      ? []
      : [{ op: "exit", pid, timeNs: (startedMs + to) * 1e6 } as const],
  ]);
  return await traceOf(logOf(records), {
    command: ["make", "all"],
    cwd: "/src",
    env: {},
    method: "auto",
    startedMs,
    endedMs: startedMs + 100,
    systemReads: 0,
    lost: 0,
  });
}

Deno.test("perfettoTrace() has a slice for each program, in rows that do not overlap", async () => {
  const events = await eventsOf(
    await traceOfRuns([
      ["make", 2, 0, 50],
      ["cc", 3, 10, 20],
      ["ld", 4, 20, 30],
      ["as", 5, 15, 0],
      ["quick", 6, 40, 40],
    ]),
  );
  const [head, ...slices] = events;
  assert.deepEqual(head, {
    name: "process_name",
    ph: "M",
    pid: 1,
    tid: 0,
    args: { name: "make all" },
  });
  assert.deepEqual(
    slices.map(({ name, ts, dur, tid }) => [name, ts, dur, tid]),
    [
      ["make", 0, 50000, 1],
      ["cc", 10000, 10000, 2],
      // Its end was not seen: it lasts as long as the run.
      ["as", 15000, 85000, 3],
      ["ld", 20000, 10000, 2],
      // Viewers leave out what has no length.
      ["quick", 40000, 1, 2],
    ],
  );
  assert.deepEqual(slices[0]!.args, {
    command: "make -x",
    program: "/bin/make",
    cwd: "/src",
    pid: 2,
    parent: 1,
  });
  for (const slice of slices) assert.deepEqual([slice.ph, slice.pid], ["X", 1]);
});

Deno.test("perfettoTrace() is well-formed text whatever the names", async () => {
  const trace = await traceOfRuns([["caf\udce9", 2, 0, 1]]);
  const text = await perfettoTrace(trace);
  assert.ok(!/\\ud[c-f]/i.test(text), text);
  assert.ok(text.includes("caf\ufffd"));
});

Deno.test("perfettoTrace() of no program is a document all the same", async () => {
  assert.equal((await eventsOf(await traceOfRuns([]))).length, 1);
});
