/** What the lines of `clibs make` say, and how they compare with a scenario. */

import assert from "node:assert/strict";

/** A line about a job: `HH:MM:SS word rule time job`. */
export interface JobLine {
  word: string;
  rule: string;
  job: string;
}

/** A number of lines, or the fewest and the most there may be. */
export type Count = number | [fewest: number, most: number];

/** What a run of `clibs make` has to show. */
export interface Expectation {
  /** Exit code. Default: 0. */
  exit?: number;
  /**
   * Number of lines of each word about jobs, where `again` stands for
   * `may_rerun` and `rerun` together. Words that are not named may not occur,
   * but for `dep_error` where the exit is not 0 and the words are given.
   */
  words?: Record<string, Count>;
  /** The jobs that ran to an end, as `Rule job`, in any order. */
  ran?: string[];
  /** Number of runs to an end by rule; other rules may not occur. */
  rules?: Record<string, number>;
  /** What the output has to say. */
  says?: (string | RegExp)[];
  /** What it may not say. */
  silent?: (string | RegExp)[];
}

/** The lines about jobs in what `clibs make` prints. */
export function jobLines(output: string): JobLine[] {
  return output.split("\n").flatMap((line) => {
    const [, word = "", rest = ""] = LINE.exec(line) ?? [];
    if (!JOB_WORD.test(word)) return [];
    // Sources have neither rule nor time, and share the word "steady"; many
    // of them are one line, such as "12 sources".
    const [rule, ...others] = rest.trim().split(/\s+/);
    const job = others.at(-1);
    return rule && job && !/^[\d,]+ sources$/.test(rest)
      ? [{ word, rule, job }]
      : [];
  });
}

/** Compares a run with what is expected; fails with the whole output. */
export function checkRun(
  run: { code: number; shown: string },
  jobs: readonly JobLine[],
  expected: Expectation,
): void {
  assert.equal(run.code, expected.exit ?? 0, `exit code of\n${run.shown}`);
  if (expected.words || !(expected.ran || expected.rules)) {
    checkWords(run, jobs, expected);
  }
  const ended = jobs.filter(({ word }) => ENDED.test(word));
  if (expected.ran) {
    assert.deepEqual(
      ended.map(({ rule, job }) => `${rule} ${job}`).sort(),
      [...expected.ran].sort(),
      `jobs run by\n${run.shown}`,
    );
  }
  if (expected.rules) {
    assert.deepEqual(
      counted(ended.map(({ rule }) => rule)),
      expected.rules,
      `rules run by\n${run.shown}`,
    );
  }
  for (const text of expected.says ?? []) {
    assert.ok(occurs(text, run.shown), `missing: ${text}\n${run.shown}`);
  }
  for (const text of expected.silent ?? []) {
    assert.ok(!occurs(text, run.shown), `unexpected: ${text}\n${run.shown}`);
  }
}

function checkWords(
  run: { shown: string },
  jobs: readonly JobLine[],
  expected: Expectation,
): void {
  const asked = expected.words ?? {};
  const merged = "again" in asked || !("rerun" in asked);
  const found = counted(
    jobs.map(({ word }) =>
      merged && /^(may_)?rerun$/.test(word) ? "again" : word
    ),
  );
  if (expected.words && expected.exit && !("dep_error" in asked)) {
    delete found.dep_error;
  }
  for (const word of new Set([...Object.keys(asked), ...Object.keys(found)])) {
    const count = asked[word] ?? 0;
    const [fewest, most] = typeof count === "number" ? [count, count] : count;
    const actual = found[word] ?? 0;
    assert.ok(
      actual >= fewest && actual <= most,
      `${actual} lines "${word}" instead of ${count}\n${run.shown}`,
    );
  }
}

function counted(words: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
}

function occurs(text: string | RegExp, shown: string): boolean {
  return typeof text === "string" ? shown.includes(text) : text.test(shown);
}

const LINE = /^\d\d:\d\d:\d\d\s+(\w+)\s+(.*)$/;
const JOB_WORD =
  /^(done|steady|failed|dep_error|killed|lost|lost_err|submit_loop|run_loop|retry|(may_|early_)?rerun|was_\w+|hit_\w+)$/;
/** Words that follow a run whose outcome stands. */
const ENDED = /^(was_)?(done|steady|failed|lost_err)$/;
