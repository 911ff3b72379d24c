import assert from "node:assert/strict";
import { statusLine } from "../../cli/make_status.ts";

Deno.test("statusLine() says what is known", () => {
  const counts = { done: 12, running: 2, waiting: 5, unknown: 0 };
  const cases: [Parameters<typeof statusLine>[0], string][] = [
    [counts, "12 done, 2 running, 5 waiting"],
    [
      { ...counts, unknown: 3, etaMs: 8400 },
      "12 done, 2 running, 5 waiting, 3 unknown  ETA 8 s",
    ],
    [
      {
        ...counts,
        etaMs: 125_000,
        longest: { rule: "Cc", name: "a.o", elapsedMs: 3900 },
      },
      "12 done, 2 running, 5 waiting  ETA 2 min 5 s  Cc a.o 3 s",
    ],
    [
      {
        ...counts,
        etaMs: 0,
        longest: { rule: "Cc", name: "a.o", elapsedMs: 100 },
      },
      "12 done, 2 running, 5 waiting  ETA 0 s  Cc a.o 0 s",
    ],
  ];
  for (const [progress, line] of cases) {
    assert.equal(statusLine(progress), line);
  }
});
