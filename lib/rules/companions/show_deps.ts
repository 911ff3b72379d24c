/** Deps of jobs, forwards, backwards and down to the sources. */

import { NO_FILE } from "../../host/checksum.ts";
import { parseAssociationKey } from "../codec/tables.ts";
import type { Repo } from "../repo.ts";
import type { DepRecord, JobRecord } from "../state/record.ts";
import { isSource, knownMakerOf } from "./repo.ts";
import type { JobName, ShownDep } from "./types.ts";

/** The deps of a job, in order of first access, static ones first. */
export function shownDeps(record: JobRecord): ShownDep[] {
  return record.deps.map((dep) => ({
    file: dep.file,
    flags: dep.flags,
    accesses: accessesOf(dep.kinds),
    ...(dep.key === undefined ? {} : { key: dep.key }),
    sum: dep.sum,
    group: dep.group,
    ...(dep.codec ? { codec: true } : {}),
  }));
}

/** Kinds of accesses as three letters. */
export function accessesOf(kinds: number): string {
  const REGULAR = 1, LINK = 2, STAT = 4;
  return (kinds & LINK ? "L" : "-") + (kinds & REGULAR ? "R" : "-") +
    (kinds & STAT ? "T" : "-");
}

/** The jobs that read a file. */
export function inverseDepsOf(
  { store }: Repo,
  file: string,
): (JobName & { accesses: string })[] {
  const found: (JobName & { accesses: string })[] = [];
  for (const { rule, name, deps } of store.jobsAbout(file)) {
    const dep = deps.find((dep) => fileOf(dep) === file);
    if (dep) found.push({ rule, job: name, accesses: accessesOf(dep.kinds) });
  }
  return found;
}

/** The file that a dep is about: that of the table, if it is an association. */
function fileOf({ file, codec }: DepRecord): string {
  return codec ? parseAssociationKey(file)?.table ?? file : file;
}

/**
 * The sources that jobs, and the jobs before them, have read.
 *
 * @param files Sources to begin with.
 * @param system Whether to tell system packages, too.
 */
export function billOf(
  repo: Repo,
  jobs: readonly JobRecord[],
  files: readonly string[],
  system: boolean,
): { sources: string[]; system?: string[] } {
  const sources = new Set(files);
  const packages = new Set<string>();
  const seen = new Set(jobs.map(({ id }) => id));
  const todo = [...jobs];
  for (let record = todo.pop(); record; record = todo.pop()) {
    for (const name of repo.system.entriesOf(record.system)) packages.add(name);
    for (const dep of record.deps) {
      const file = fileOf(dep);
      if (sources.has(file)) continue;
      if (isSource(repo, file)) {
        if (dep.sum !== NO_FILE) sources.add(file);
        continue;
      }
      if (dep.sum === NO_FILE && dep.kinds !== 0) continue;
      const maker = knownMakerOf(repo, file);
      if (!maker || seen.has(maker.id)) continue;
      seen.add(maker.id);
      todo.push(maker);
    }
  }
  return {
    sources: [...sources].sort(),
    ...(system ? { system: [...packages].sort() } : {}),
  };
}
