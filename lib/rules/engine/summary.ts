/** What is said at the end of a command. */

import type { Store } from "../state/store.ts";
import { noRule } from "./judge.ts";
import { cut, indent, type Reporter, seconds } from "./report.ts";
import type { Failure, Outcome } from "./state.ts";

/** What the end of a command is told from. */
export interface SummaryParts {
  report: Reporter;
  store: Store;
  /** Requested files, in the order in which they were asked for. */
  outcomes: readonly Outcome[];
  elapsedMs: number;
  frozen: Iterable<string>;
  noTrigger: Iterable<string>;
  maxErrorLines: number;
}

/** Why a requested file cannot be had; undefined if it can. */
export function failureOf(outcome: Outcome): Failure | undefined {
  if (outcome.failure) return outcome.failure;
  if (outcome.buildable) return undefined;
  return {
    file: outcome.file,
    text: noRule(outcome).replace(/^no rule makes it$/, "no rule makes it"),
    causes: [],
  };
}

/** The summary, as text. */
export function summaryText(parts: SummaryParts): string {
  const { report, outcomes } = parts;
  const lines = ["", "SUMMARY"];
  for (const [word, { count, ms }] of report.counts) {
    lines.push(
      `  ${word.padEnd(12)} ${String(count).padStart(5)}` +
        (ms > 0 ? ` ${seconds(ms).padStart(9)}` : ""),
    );
  }
  lines.push(`  elapsed      ${seconds(parts.elapsedMs).padStart(15)}`);
  for (const outcome of outcomes) {
    const { job, file } = outcome;
    if (outcome.upToDate) {
      lines.push(`  ${file} was already up to date`);
      continue;
    }
    if (!job || job.ran) continue;
    if (outcome.failure?.text === "was in error") {
      lines.push(`  ${file} was already in error`);
    } else if (!outcome.failure) {
      lines.push(`  ${file} was already up to date`);
    }
  }
  for (const file of parts.frozen) lines.push(`  frozen: ${file}`);
  for (const file of parts.noTrigger) lines.push(`  no trigger: ${file}`);
  const failures = outcomes.flatMap((outcome) => failureOf(outcome) ?? []);
  if (failures.length > 0) {
    lines.push("", "ERRORS");
    lines.push(...errorLines(failures, parts));
  }
  return lines.join("\n");
}

/** The tree of what went wrong. */
function errorLines(
  failures: readonly Failure[],
  { store, maxErrorLines }: SummaryParts,
): string[] {
  const lines: string[] = [];
  const told = new Set<string>();
  const visited = new Set<Failure>();
  const visit = (failure: Failure, depth: number) => {
    if (lines.length > maxErrorLines) return;
    const title = failure.rule === undefined
      ? failure.file
      : `${failure.rule} ${failure.job}`;
    const isKnown = failure.causes.length > 0 && visited.has(failure);
    const text = `${title}: ${failure.text}${isKnown ? ", as above" : ""}`;
    lines.push(indent(text, 2 + 2 * depth));
    if (isKnown) return;
    visited.add(failure);
    if (failure.hint) {
      lines.push(indent(`hint: ${failure.hint}`, 4 + 2 * depth));
    }
    if (failure.causes.length === 0 && failure.id && !told.has(failure.id)) {
      told.add(failure.id);
      const log = store.log(failure.id);
      for (const problem of log?.problems ?? []) {
        if (problem !== failure.text) {
          lines.push(indent(problem, 4 + 2 * depth));
        }
      }
      if (log?.stderr) {
        const shown = cut(log.stderr, failure.maxStderrLen ?? maxErrorLines);
        lines.push(indent(shown, 4 + 2 * depth));
      }
    }
    for (const cause of failure.causes) visit(cause, depth + 1);
  };
  for (const failure of failures) visit(failure, 0);
  return lines.slice(0, maxErrorLines);
}
