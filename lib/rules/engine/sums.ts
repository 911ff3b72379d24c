/** Checksums of what a job saw, told after it ended. */

import { NO_FILE } from "../../host/checksum.ts";
import type { DepRecord } from "../state/record.ts";
import { depsOf } from "./deps.ts";
import type { Engine } from "./engine.ts";
import type { Look } from "./files.ts";
import type { FoundDep } from "./fold.ts";
import type { JobState } from "./state.ts";

/** Checksum of what changed while it was being used: equal to nothing. */
export const UNSTABLE = "unstable-R";

/** Deps with checksums. */
export interface SettledDeps {
  deps: DepRecord[];
  /** A source that somebody wrote while the command ran. */
  overwritten?: string;
}

/** Settles what a job saw of each dep. */
export function settleSums(
  engine: Engine,
  state: JobState,
  found: readonly FoundDep[],
): SettledDeps {
  const settled: SettledDeps = { deps: [] };
  const known = new Set(depsOf(state).map(({ file }) => file));
  for (
    const { readNs, found: wasThere, seen: noted, removed, ...dep } of found
  ) {
    if (removed) {
      // Nobody can look at it any more; when it is known it is made first.
      const sum = state.present.get(dep.file)?.sum ?? UNSTABLE;
      settled.deps.push({ ...dep, sum });
      continue;
    }
    const sum = dep.codec
      ? engine.codecs.answer(dep.file) ?? NO_FILE
      : seen(engine, dep, {
        readNs,
        wasThere,
        noted,
        isNew: !known.has(dep.file),
      }, settled);
    settled.deps.push({ ...dep, sum });
  }
  return settled;
}

function seen(
  engine: Engine,
  dep: Omit<DepRecord, "sum">,
  { readNs, wasThere, noted, isNew }: {
    readNs: number;
    wasThere: boolean;
    noted: string | undefined;
    /** Whether no earlier run told of it. */
    isNew: boolean;
  },
  settled: SettledDeps,
): string {
  const look = engine.files.look(dep.file);
  if (dep.kinds === 0) return look.sum;
  if (isOverwritten(engine, dep.file, look)) {
    settled.overwritten ??= dep.file;
    return UNSTABLE;
  }
  if (noted !== undefined && noted !== look.sum) {
    // It was told what it was; now it is something else.
    if (engine.sourceLooks.has(dep.file)) settled.overwritten ??= dep.file;
    return noted;
  }
  const first = engine.sourceLooks.get(dep.file);
  if (first) {
    // It was looked at before: what it is now must be the same.
    if (first.sum === look.sum) {
      return wasThere || readNs === 0 ? look.sum : NO_FILE;
    }
    settled.overwritten ??= dep.file;
    return UNSTABLE;
  }
  if (!wasThere && readNs !== 0) return NO_FILE;
  const isStable = readNs === 0 ||
    !changedAfter(engine, dep.file, look, readNs) &&
      !(isNew && isHot(engine, dep.file, look, readNs));
  return isStable ? look.sum : UNSTABLE;
}

/** Whether somebody else wrote a source since the command started. */
function isOverwritten(
  engine: Engine,
  file: string,
  { stat, sum }: Look,
): boolean {
  const { parts, sourceLooks, writtenSources } = engine;
  if (!stat || stat.mtimeNs <= parts.startedNs) return false;
  // What was looked at has been compared, or will be.
  if (sourceLooks.has(file) || writtenSources.has(file)) return false;
  return engine.isSource(file) && parts.repo.store.file(file)?.sum !== sum;
}

/**
 * Whether a file that nobody had looked at was so new when it was read that
 * it may have been written once more with the same date.
 */
function isHot(
  engine: Engine,
  file: string,
  { stat, sum }: Look,
  readNs: number,
): boolean {
  const { store, definition } = engine.parts.repo;
  const newest = readNs - definition.config.diskDatePrecision * 1e6;
  if (!stat) return false;
  if (Number(stat.mtimeNs) <= newest && Number(stat.ctimeNs) <= newest) {
    return false;
  }
  // A job that had ended writes no more. That its end is cut to milliseconds
  // does not matter: we hear of it that much later than it is.
  const known = store.file(file);
  const maker = known?.writer && known.sum === sum && store.job(known.writer);
  return !maker || (maker.startedMs + maker.durationMs) * 1e6 > readNs;
}

/** Whether a file may not be any more what was read at some time. */
function changedAfter(
  engine: Engine,
  file: string,
  { stat, sum }: Look,
  readNs: number,
): boolean {
  if (!stat) return true;
  if (Number(stat.mtimeNs) > readNs) return true;
  // Another name, or other rights; or an older date that somebody set.
  if (Number(stat.ctimeNs) <= readNs) return false;
  return engine.parts.repo.store.file(file)?.sum !== sum;
}
