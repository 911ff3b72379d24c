/** Finds out whether an entry of a cache stands for a run of a job here. */

import { NO_FILE } from "../../host/checksum.ts";
import { all } from "../engine/all.ts";
import type { Engine } from "../engine/engine.ts";
import { differs } from "../engine/files.ts";
import { judge } from "../engine/judge.ts";
import type { JobState, Outcome } from "../engine/state.ts";
import type { DepRecord } from "../state/record.ts";
import type { Entry } from "./format.ts";
import { listingOf } from "./listing.ts";

/** An entry that stands for a run. */
export interface Match {
  /** Its deps, with what they are here. */
  deps: DepRecord[];
  /** Whether some of them had to be built before that was known. */
  late: boolean;
}

const EVERYTHING = 7;

/**
 * Compares an entry with the repo: sources first, then other deps in their
 * order, which are brought up to date as for a run that has read them.
 *
 * A dep is only built if those before it are as the entry's job saw them, so
 * that a run of the job here would come to read it too.
 *
 * @param known What is known of files in this repo; added to.
 */
export async function matchEntry(
  engine: Engine,
  state: JobState,
  entry: Entry,
  known: Map<string, Outcome>,
): Promise<Match | undefined> {
  const deps = depsOf(state, entry);
  if (!deps) return undefined;
  for (const { folder, digest } of entry.listings) {
    if (listingOf(engine, folder).digest !== digest) return undefined;
  }
  const { system } = engine.parts.repo;
  if (system.isOn && system.changedOf(entry.system ?? []) !== undefined) {
    return undefined;
  }
  const others: DepRecord[] = [];
  for (const dep of deps) {
    if (dep.codec) {
      const answer = engine.codecs.answer(dep.file) ?? NO_FILE;
      if (answer !== dep.sum) return undefined;
    } else if (known.has(dep.file) || engine.isSource(dep.file)) {
      const outcome = known.get(dep.file) ??
        await engine.ensure(dep.file, true, state);
      known.set(dep.file, outcome);
      if (!fits(dep, outcome)) return undefined;
    } else others.push(dep);
  }
  const late = await bringUp(engine, state, others, known);
  if (late === undefined) return undefined;
  const outcomes = new Map<string, Outcome>();
  for (const { file, codec } of deps) {
    if (!codec) outcomes.set(file, known.get(file)!);
  }
  const { changed, failures, missingStatic } = judge(engine, deps, outcomes);
  if (changed !== undefined || failures.length > 0) return undefined;
  if (missingStatic !== undefined) return undefined;
  return { late, deps: deps.map((dep) => asHere(dep, outcomes)) };
}

/**
 * Brings deps up to date.
 *
 * @returns Whether one had to be built; undefined if one is not as it was.
 */
async function bringUp(
  engine: Engine,
  state: JobState,
  deps: readonly DepRecord[],
  known: Map<string, Outcome>,
): Promise<boolean | undefined> {
  const pending: DepRecord[] = [];
  const isStill = async (dep: DepRecord) => {
    const outcome = await engine.ensure(dep.file, true, state);
    known.set(dep.file, outcome);
    return fits(dep, outcome);
  };
  let holds = true;
  for (const dep of deps) {
    const outcome = await engine.quick(dep.file, state);
    if (outcome) {
      known.set(dep.file, outcome);
      holds = fits(dep, outcome);
    } else if (dep.flags.includes("critical")) {
      holds = await isStill(dep);
      pending.push(dep);
    } else pending.push(dep);
    if (!holds) break;
  }
  // What was started is waited for in any case.
  const held = await all(pending.map(isStill));
  if (!holds || held.includes(false)) return undefined;
  return pending.length > 0;
}

function fits(dep: DepRecord, outcome: Outcome): boolean {
  // Marks that mute a file are this repo's, and no matter for a cache.
  return !outcome.failure && !differs(dep.sum, outcome.sum, dep.kinds);
}

/**
 * The deps of an entry with the static ones as the rule has them here.
 *
 * @returns Undefined if the entry lacks one.
 */
function depsOf(state: JobState, entry: Entry): DepRecord[] | undefined {
  const keys = new Map(
    state.statics.map(({ key, pattern }) => [pattern, key]),
  );
  const deps = entry.deps.map(({ key: _, ...dep }): DepRecord => {
    const key = dep.codec ? undefined : keys.get(dep.file);
    return key === undefined ? dep : { ...dep, key };
  });
  const files = new Set(deps.map(({ file }) => file));
  for (const file of keys.keys()) if (!files.has(file)) return undefined;
  for (const [file, sum] of state.attributeFiles) {
    if (files.has(file)) continue;
    deps.unshift({ file, kinds: EVERYTHING, flags: [], sum, group: 0 });
  }
  return deps;
}

function asHere(dep: DepRecord, outcomes: Map<string, Outcome>): DepRecord {
  return dep.codec ? dep : { ...dep, sum: outcomes.get(dep.file)!.sum };
}
