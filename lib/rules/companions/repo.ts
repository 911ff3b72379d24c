/** Opens a repo for a companion, and finds what its arguments name. */

import { basename, dirname, join, resolve } from "node:path";
import { ClibsError, UsageError } from "../../errors.ts";
import { withLock } from "../../host/lock.ts";
import { nearest } from "../../nearest.ts";
import { openRepo, type Repo } from "../repo.ts";
import { findRoot } from "../root.ts";
import type { Candidate } from "../select.ts";
import type { JobRecord } from "../state/record.ts";
import { PRIVATE } from "../root.ts";
import { releaseServer } from "../server/client.ts";
import type { RulesOptions } from "./types.ts";

/** How long a server that was asked to go, or goes by itself, may take. */
const RELEASE_MS = 2000;

/** Looks into a repo without changing anything in it. */
export async function reading<T>(
  options: RulesOptions,
  work: (repo: Repo) => T | Promise<T>,
): Promise<T> {
  return await opened(options, true, work);
}

/** Changes what a repo remembers; waits until no other command does. */
export async function changing<T>(
  options: RulesOptions,
  doing: string,
  work: (repo: Repo) => T | Promise<T>,
): Promise<T> {
  const root = findRoot(folderOf(options));
  const { feedback, signal } = options;
  await releaseServer(root);
  return await withLock(
    join(root, PRIVATE, "lock"),
    { doing, feedback, signal },
    () => opened(options, false, work),
  );
}

export async function opened<T>(
  options: RulesOptions,
  readOnly: boolean,
  work: (repo: Repo) => T | Promise<T>,
): Promise<T> {
  const { feedback } = options;
  const repo = await openRepo(folderOf(options), { readOnly, feedback });
  try {
    return await work(repo);
  } finally {
    await repo.close();
  }
}

/**
 * Does something that no other command of the repo may see half done.
 *
 * @throws {ClibsError} `CLIBS_LMAKE_BUSY` if another one is running.
 */
export async function alone<T>(
  root: string,
  doing: string,
  work: () => Promise<T>,
): Promise<T> {
  const path = join(root, PRIVATE, "lock");
  Deno.mkdirSync(dirname(path), { recursive: true });
  await releaseServer(root);
  using file = Deno.openSync(path, { read: true, write: true, create: true });
  if (!await lock(file, RELEASE_MS)) {
    const owner = Deno.readTextFileSync(path).trim();
    throw new ClibsError(
      "CLIBS_LMAKE_BUSY",
      `Cannot ${doing}: another command is running in this repo`,
      {
        facts: { repo: root, ...(owner === "" ? {} : { running: owner }) },
        hint: "wait for it to end, and run the command again",
      },
    );
  }
  file.truncateSync(0);
  file.writeSync(new TextEncoder().encode(`pid ${Deno.pid} ${doing}\n`));
  try {
    return await work();
  } finally {
    file.truncateSync(0);
    file.unlockSync();
  }
}

/** Locks a file; waits a little for a server that is about to go. */
async function lock(file: Deno.FsFile, timeoutMs: number): Promise<boolean> {
  for (const end = Date.now() + timeoutMs;;) {
    if (file.tryLockSync(true)) return true;
    if (Date.now() >= end) return false;
    await new Promise((done) => setTimeout(done, 5));
  }
}

/** The folder that names are relative to. */
export function folderOf({ cwd }: RulesOptions): string {
  return Deno.realPathSync(cwd ?? Deno.cwd());
}

/**
 * Name of a file from the root of its repo. Links on the way to it are
 * followed, it itself is not.
 *
 * @throws {ClibsError} `CLIBS_LMAKE_OUTSIDE` if it is in no repo.
 * @throws {UsageError} If it is no name.
 */
export function nameOf(repo: Repo, folder: string, file: string): string {
  if (file === "") {
    throw new UsageError(
      "CLIBS_USAGE_ARGUMENT",
      'Cannot tell about "": it is the name of no file',
    );
  }
  const name = nameOrRoot(repo, folder, file);
  if (name !== "") return name;
  throw outside(repo, folder, file);
}

/** As {@linkcode nameOf}; the root of the repo has no name. */
export function nameOrRoot(repo: Repo, folder: string, file: string): string {
  const path = resolve(folder, file);
  const name = repo.files.name(canonical(path));
  if (name === undefined) throw outside(repo, folder, file);
  return name;
}

function outside(repo: Repo, folder: string, file: string): ClibsError {
  return new ClibsError(
    "CLIBS_LMAKE_OUTSIDE",
    `Cannot tell about ${file}: it is no file of the repo`,
    { facts: { file: resolve(folder, file), repo: repo.root } },
  );
}

/** A path of which all but the last name is without links. */
function canonical(path: string): string {
  const rest: string[] = [basename(path)];
  for (let dir = dirname(path);; dir = dirname(dir)) {
    try {
      return join(Deno.realPathSync(dir), ...rest);
    } catch {
      if (dirname(dir) === dir) return path;
      rest.unshift(basename(dir));
    }
  }
}

/**
 * The jobs that arguments name, in their order.
 *
 * @throws {ClibsError} `CLIBS_LMAKE_NO_JOB` if no job ran for one of them.
 * @throws {UsageError} If there are none.
 */
export function jobsOf(
  repo: Repo,
  options: RulesOptions,
): { file: string; record: JobRecord }[] {
  return filesOf(options).map((file) => {
    const name = options.byJob ? file : nameOf(repo, folderOf(options), file);
    return { file: name, record: jobOf(repo, name, options) };
  });
}

/** The arguments, of which there must be one. */
export function filesOf({ files = [] }: RulesOptions): readonly string[] {
  if (files.length > 0) return files;
  throw new UsageError(
    "CLIBS_USAGE_ARGUMENT",
    "Cannot tell which jobs are meant: no file is named",
    { hint: "name a file that a job makes" },
  );
}

/** The last run of the job that a file, or a job, is the name of. */
export function jobOf(
  repo: Repo,
  name: string,
  options: Pick<RulesOptions, "byJob" | "rule">,
): JobRecord {
  const { byJob = false, rule } = options;
  if (rule !== undefined && !repo.table.rule(rule)) throw noRule(repo, rule);
  const fits = (record: JobRecord) =>
    rule === undefined || record.rule === rule;
  const record = byJob
    ? jobNamed(repo, name, fits)
    : makerOf(repo, name, fits) ?? jobNamed(repo, name, fits);
  if (record) return record;
  throw noJob(repo, name, options);
}

/** The job of those that ran which makes a file, or did so last. */
export function makerOf(
  repo: Repo,
  file: string,
  fits: (record: JobRecord) => boolean = () => true,
): JobRecord | undefined {
  const known = knownMakerOf(repo, file, fits);
  if (known) return known;
  for (const record of repo.store.jobsAbout(file)) {
    if (makes(record, file) && fits(record)) return record;
  }
  return undefined;
}

/** As {@linkcode makerOf}, if rules or the file tell it, so that it is quick. */
export function knownMakerOf(
  repo: Repo,
  file: string,
  fits: (record: JobRecord) => boolean = () => true,
): JobRecord | undefined {
  const { store, table } = repo;
  let failed: JobRecord | undefined;
  for (const { rule, stems } of candidatesFor(repo, file)) {
    const record = store.job(repo.idOf(table.jobOf(rule, stems)));
    if (!record || !fits(record)) continue;
    if (makes(record, file)) return record;
    // It might have made it.
    if (record.status !== "ok") failed ??= record;
  }
  const writer = store.file(file)?.writer;
  const record = writer ? store.job(writer) : undefined;
  return record && makes(record, file) && fits(record) ? record : failed;
}

function makes({ targets }: JobRecord, file: string): boolean {
  return targets.some((target) => target.file === file);
}

/** The jobs that a rule has for a file, best first; none for a source. */
export function candidatesFor(repo: Repo, file: string): Candidate[] {
  if (isSource(repo, file)) return [];
  const all = repo.table.candidates(file).flat();
  const end = all.findIndex(({ rule }) => rule.kind !== "plain");
  return end < 0 ? all : all.slice(0, end);
}

function jobNamed(
  { store }: Repo,
  name: string,
  fits: (record: JobRecord) => boolean,
): JobRecord | undefined {
  for (const record of store.jobs()) {
    if ((record.name === name || record.id === name) && fits(record)) {
      return record;
    }
  }
  return undefined;
}

/** Whether a file is a source. */
export function isSource({ sources }: Repo, file: string): boolean {
  return sources.has(file) || sources.dirOf(file) !== undefined;
}

function noJob(
  repo: Repo,
  name: string,
  { byJob, rule }: Pick<RulesOptions, "byJob" | "rule">,
): ClibsError {
  const of = rule === undefined ? "" : ` of the rule ${rule}`;
  const cannot = (cause: string, hint?: string, dep?: string) =>
    new ClibsError(
      "CLIBS_LMAKE_NO_JOB",
      `Cannot tell about ${name}: ${cause}`,
      {
        facts: {
          repo: repo.root,
          ...(dep === undefined ? {} : { "dep in error": dep }),
        },
        hint,
      },
    );
  if (byJob) {
    const near = nearest(name, [...repo.store.jobs()].map((job) => job.name));
    return cannot(`no job${of} of this name ever ran`, near && `try ${near}`);
  }
  if (isSource(repo, name)) return cannot("it is a source, no job makes it");
  const candidate = candidatesFor(repo, name)
    .find((candidate) => rule === undefined || candidate.rule.name === rule);
  if (candidate) {
    return cannot(
      `its job of the rule ${candidate.rule.name} never ran`,
      `clibs make ${name}`,
      depInError(repo, candidate),
    );
  }
  return cannot(`no job${of} ever made it, and no rule does`);
}

/** The first static dep whose own job failed: why a job never ran. */
function depInError(
  repo: Repo,
  { rule, stems }: Candidate,
): string | undefined {
  const { deps } = repo.table.jobOf(rule, stems);
  if (deps === "dynamic") return undefined;
  return deps.map(({ pattern }) => pattern).find((file) =>
    (knownMakerOf(repo, file)?.status ?? "ok") !== "ok"
  );
}

function noRule(repo: Repo, rule: string): ClibsError {
  const names = repo.definition.rules.map(({ name }) => name);
  const near = nearest(rule, names);
  return new ClibsError(
    "CLIBS_LMAKE_NO_JOB",
    `Cannot tell about jobs of ${rule}: there is no such rule`,
    { facts: near ? { nearest: near } : {}, hint: near && `--rule ${near}` },
  );
}
