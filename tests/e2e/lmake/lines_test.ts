/** The reader of lines by which the scenarios judge; a lenient one proves nothing. */

import assert from "node:assert/strict";
import {
  checkRun,
  type Expectation,
  jobLines,
} from "../../support/lmake_lines.ts";

const OUTPUT = `10:11:12 new       a.in
10:11:12 steady    b.in
10:11:12 steady    1,200 sources
10:11:12 may_rerun Join  0.01s a+b.out
  stderr of a job: 10:11:12 done Strip x
10:11:12 done      Strip 0.02s a.txt
10:11:12 steady    Strip b.txt
10:11:13 was_done  Join  a+b.out
SUMMARY
`;

Deno.test("lines about jobs are told from those about sources", () => {
  assert.deepEqual(jobLines(OUTPUT), [
    { word: "may_rerun", rule: "Join", job: "a+b.out" },
    { word: "done", rule: "Strip", job: "a.txt" },
    { word: "steady", rule: "Strip", job: "b.txt" },
    { word: "was_done", rule: "Join", job: "a+b.out" },
  ]);
});

Deno.test("a run is compared with all that is expected", () => {
  const words = { again: 1, done: 1, steady: 1, was_done: 1 };
  const ran = ["Strip a.txt", "Strip b.txt", "Join a+b.out"];
  const check = (expected: Expectation, code = 0) =>
    checkRun({ code, shown: OUTPUT }, jobLines(OUTPUT), expected);
  const good: Expectation[] = [
    { words },
    { ran },
    { rules: { Strip: 2, Join: 1 } },
    {
      words: { ...words, again: [0, 1], failed: [0, 2] },
      says: [/^SUMMARY$/m],
    },
  ];
  for (const expected of good) check(expected);
  const bad: Expectation[] = [
    {},
    { exit: 1, words },
    { words: { ...words, done: 2 } },
    { words: { again: 1, done: 1, was_done: 1 } },
    { words: { ...words, failed: 1 } },
    { words: { ...words, again: [2, 3] } },
    { words: { rerun: 1, done: 1, steady: 1, was_done: 1 } },
    { ran: ran.slice(1) },
    { ran: [...ran, "Other x"] },
    { rules: { Strip: 1, Join: 1 } },
    { rules: { Strip: 2 } },
    { words, says: ["absent"] },
    { words, silent: [/SUMMARY/] },
  ];
  for (const expected of bad) {
    assert.throws(() => check(expected), { name: "AssertionError" });
  }
});
