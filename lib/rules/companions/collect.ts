/** Removes files that jobs made and that no rule makes any more. */

import { NO_FILE } from "../../host/checksum.ts";
import { Selector } from "../engine/select.ts";
import type { Repo } from "../repo.ts";
import { findRoot } from "../root.ts";
import type { JobRecord } from "../state/record.ts";
import { currentJob, depsByFunction } from "./attributes.ts";
import { alone, folderOf, isSource, nameOrRoot, opened } from "./repo.ts";
import type { CollectOptions, CollectReport } from "./types.ts";

/** Removes, or only lists, what is obsolete. */
export async function collectFiles(
  options: CollectOptions,
): Promise<CollectReport> {
  if (options.dryRun) {
    return await opened(options, true, (repo) => collect(repo, options));
  }
  const root = findRoot(folderOf(options));
  return await alone(
    root,
    "remove what is obsolete",
    () => opened(options, false, (repo) => collect(repo, options)),
  );
}

async function collect(
  repo: Repo,
  options: CollectOptions,
): Promise<CollectReport> {
  const { store, files } = repo;
  const { dryRun = false } = options;
  const isAsked = filterOf(repo, options);
  const marks = store.marks();
  const selector = new Selector(
    repo,
    (file) => marks.get(file) === "f",
    depsByFunction(repo),
  );
  const living = new Living(repo, selector);
  const report: CollectReport = { removed: [], kept: [], jobs: 0 };
  const gone = new Set<string>();
  for (const { file, writer } of store.writtenFiles()) {
    if (!isAsked(file) || isSource(repo, file)) continue;
    if (await living.isMade(file, writer)) continue;
    const look = files.look(file);
    if (look.sum === NO_FILE || look.sum === store.file(file)!.sum) {
      gone.add(file);
      if (look.sum === NO_FILE && !look.stat) {
        if (!dryRun) store.removeFile(file);
        continue;
      }
      report.removed.push(file);
      if (dryRun) continue;
      files.remove(file);
      store.removeFile(file);
    } else report.kept.push(file);
  }
  for (const record of [...store.jobs()]) {
    const isEmpty = record.targets.every(({ file }) =>
      gone.has(file) || files.look(file).sum === NO_FILE
    );
    if (!isEmpty || await living.isAlive(record)) continue;
    report.jobs++;
    if (!dryRun) store.removeJob(record.id);
  }
  return report;
}

/** Whether a file is in one of the folders that were named, or is named itself. */
function filterOf(
  repo: Repo,
  options: CollectOptions,
): (file: string) => boolean {
  const folder = folderOf(options);
  const dirs = (options.files ?? []).map((dir) =>
    nameOrRoot(repo, folder, dir)
  );
  if (dirs.length === 0 || dirs.includes("")) return () => true;
  return (file) =>
    dirs.some((dir) => file === dir || file.startsWith(`${dir}/`));
}

/** Which files and jobs the rules still have. */
class Living {
  readonly #repo: Repo;
  readonly #selector: Selector;
  readonly #alive = new Map<string, Promise<boolean>>();

  constructor(repo: Repo, selector: Selector) {
    this.#repo = repo;
    this.#selector = selector;
  }

  /** Whether a rule makes a file, or it is a side target of a job that is alive. */
  async isMade(file: string, writer: string): Promise<boolean> {
    const selection = await this.#selector.select(file);
    if (selection.kind === "source" || selection.kind === "infinite") {
      return true;
    }
    const groups = selection.kind === "jobs" ? selection.groups : [];
    // What a job may make but did not when it ran last is not its any more.
    const isTarget = groups.flat().some(({ state, sure }) =>
      sure || state.record?.status !== "ok" ||
      state.record.targets.some((target) => target.file === file)
    );
    if (isTarget) return true;
    const record = this.#repo.store.job(writer);
    const target = record?.targets.find((target) => target.file === file);
    return target !== undefined && !target.official &&
      await this.isAlive(record!);
  }

  /** Whether the rules still have a job. */
  isAlive(record: JobRecord): Promise<boolean> {
    let alive = this.#alive.get(record.id);
    if (!alive) {
      alive = this.#isAlive(record);
      this.#alive.set(record.id, alive);
    }
    return alive;
  }

  async #isAlive(record: JobRecord): Promise<boolean> {
    const job = currentJob(this.#repo, record);
    if (!job) return false;
    for (const { pattern } of job.deps === "dynamic" ? [] : job.deps) {
      const selection = await this.#selector.select(pattern);
      if (selection.kind === "none") return false;
      if (
        selection.kind === "source" && !selection.listed &&
        this.#repo.files.look(pattern).sum === NO_FILE
      ) return false;
    }
    return true;
  }
}
