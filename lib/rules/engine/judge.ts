/** Compares what a job saw of its deps with what they are. */

import type { DepRecord } from "../state/record.ts";
import type { Engine } from "./engine.ts";
import { differs } from "./files.ts";
import { toldText } from "./told.ts";
import type { Failure, Outcome } from "./state.ts";

/** What became of a job's deps. */
export interface Judgement {
  /** What they are, by name. */
  outcomes: Map<string, Outcome>;
  /** The first that is not what the job saw. */
  changed?: string;
  /** Why the job cannot be right, in the order of its deps. */
  failures: Failure[];
  /** A static dep that cannot be had at all: the rule does not apply. */
  missingStatic?: string;
}

/**
 * Judges deps in their order.
 *
 * The error of a dep does not count if one before it, not parallel to it, has
 * changed: the job may not need it any more. Those of static deps always do.
 *
 * @param reruns Whether the job runs in any case, so that it may need none of
 *   the deps that its last run found.
 */
export function judge(
  engine: Engine,
  deps: readonly DepRecord[],
  outcomes: Map<string, Outcome>,
  reruns = false,
): Judgement {
  const result: Judgement = { outcomes, failures: [] };
  let changedGroup = reruns ? 0 : Infinity;
  for (const dep of deps) {
    if (dep.codec) {
      const now = engine.codecs.answer(dep.file) ?? "none";
      if (now !== dep.sum && changedGroup > dep.group) {
        result.changed ??= codecName(dep.file);
        changedGroup = Math.min(changedGroup, dep.group);
      }
      continue;
    }
    const outcome = outcomes.get(dep.file);
    if (!outcome) continue;
    const isStatic = dep.key !== undefined;
    if (isStatic && !outcome.buildable && !outcome.failure) {
      result.missingStatic ??= dep.file;
      continue;
    }
    const failure = failureOf(dep, outcome);
    if (failure && (isStatic || dep.group <= changedGroup)) {
      result.failures.push(failure);
    }
    if (
      hasChanged(engine, dep, outcome) || isNewlyBelow(deps, dep, outcome)
    ) {
      result.changed ??= dep.file;
      changedGroup = Math.min(changedGroup, dep.group);
    }
  }
  return result;
}

function failureOf(dep: DepRecord, outcome: Outcome): Failure | undefined {
  if (dep.flags.includes("ignoreError")) return undefined;
  if (outcome.failure) return outcome.failure;
  if (outcome.buildable || !dep.flags.includes("required")) return undefined;
  return {
    file: dep.file,
    text: "required dep missing",
    causes: [],
    hint: noRule(outcome),
  };
}

/** Why nothing makes a file, with the rules that nearly do. */
export function noRule(outcome: Outcome): string {
  const near = outcome.near ?? [];
  return near.length === 0 ? "no rule makes it" : `no rule: ${near.join("; ")}`;
}

function hasChanged(
  engine: Engine,
  dep: DepRecord,
  outcome: Outcome,
): boolean {
  if (
    dep.told !== undefined &&
    dep.told !== toldText(outcome, dep.flags.includes("ignoreError"))
  ) return true;
  // Never run, or declared for the first time.
  if (dep.sum === "" || !differs(dep.sum, outcome.sum, dep.kinds)) return false;
  if (!engine.isMuted(dep.file)) return true;
  engine.noTrigger.add(dep.file);
  return false;
}

/**
 * Whether a folder above a dep is now to be made, and the job did not look at
 * it: it may be a link that leads to the dep.
 */
function isNewlyBelow(
  deps: readonly DepRecord[],
  dep: DepRecord,
  { uphill }: Outcome,
): boolean {
  return uphill !== undefined && dep.sum !== "" && dep.kinds !== 0 &&
    deps.every(({ file }) => file !== uphill);
}

/** An association as reasons name it. */
function codecName(key: string): string {
  return `code in ${key.split(" ")[1] ?? key}`;
}
