/** Fetches the sources of packages, and renews their lock files. */

import { CancelledError, type ClibsError, toClibsError } from "../errors.ts";
import { discoverPackages } from "./discover.ts";
import type { SourceRequest } from "./fetch.ts";
import { fetchesSources } from "./source_state.ts";
import { readLockFile } from "./lock_file.ts";
import {
  type FetchContext,
  fetchContext,
  type FetchOptions,
} from "./options.ts";
import { Package } from "./package.ts";
import { schedule } from "./schedule.ts";

/** Servers do not like many connections, and disks not many writers. */
const DEFAULT_JOBS = 4;

/** What became of the sources of one package. */
export interface FetchResult {
  /** Name of the package. */
  name: string;
  /** Version, as pkg.yaml says. */
  version: string;
  /** Absolute path of the sources; of the package's folder if it has none. */
  dir: string;
  /** What happened; `none` for a package that fetches nothing. */
  status: "up-to-date" | "fetched" | "none" | "failed";
  /** What the lock file held before and holds now, where that differs. */
  changes: string[];
  /** Set if it failed. */
  error?: ClibsError;
}

/** Result of {@linkcode fetchPackages} and {@linkcode updatePackages}. */
export interface FetchReport {
  /** Version of this form. */
  version: 1;
  /** One entry for each package. */
  packages: FetchResult[];
}

/** Options of {@linkcode fetchPackages}. */
export interface FetchPackagesOptions extends FetchOptions {
  /** How many are fetched at once. Default: 4. */
  jobs?: number;
  /** Fetch even if the sources are up to date. Default: false. */
  force?: boolean;
}

/**
 * Fetches the sources of every package at and below some folders into
 * `_download`, where they are out of date.
 *
 * @param paths Folders, or paths of pkg.yaml files.
 * @throws {ClibsError} If they cannot be found; one that cannot be fetched is
 *   reported in the result instead.
 */
export async function fetchPackages(
  paths: readonly string[],
  options: FetchPackagesOptions = {},
): Promise<FetchReport> {
  return await fetchEach(paths, options, { force: options.force });
}

/**
 * Resolves refs and files anew, fetches them and renews pkg.lock.json.
 *
 * @param paths Folders, or paths of pkg.yaml files.
 * @throws {ClibsError} If they cannot be found; one that cannot be fetched keeps
 *   its lock file and is reported in the result.
 */
export async function updatePackages(
  paths: readonly string[],
  options: FetchOptions & { jobs?: number } = {},
): Promise<FetchReport> {
  return await fetchEach(paths, { ...options, locked: false }, {
    update: true,
  });
}

async function fetchEach(
  paths: readonly string[],
  options: FetchOptions & { jobs?: number },
  request: SourceRequest,
): Promise<FetchReport> {
  const context = fetchContext(options);
  const nodes = discoverPackages(paths).map((dir) => ({ dir, needs: [] }));
  const results = new Map<string, FetchResult>();
  await schedule(nodes, options.jobs ?? DEFAULT_JOBS, async ({ dir }) => {
    results.set(dir, await fetchOne(dir, context, request));
  });
  const packages = nodes.map(({ dir }) => results.get(dir) as FetchResult);
  return { version: 1, packages };
}

async function fetchOne(
  dir: string,
  context: FetchContext,
  request: SourceRequest,
): Promise<FetchResult> {
  const pkg = new Package(dir);
  const spec = await pkg.spec();
  const { name, version } = spec;
  if (!fetchesSources(spec)) {
    return { name, version, dir, status: "none", changes: [] };
  }
  const base = { name, version, dir: pkg.layout.download };
  try {
    const before = lockLines(pkg.layout.lock);
    const { ensureSource } = await import("./fetch.ts");
    const { status } = await ensureSource(pkg, context, request);
    const changes = changesBetween(before, lockLines(pkg.layout.lock));
    return { ...base, status, changes };
  } catch (error) {
    if (error instanceof CancelledError) throw error;
    const known = toClibsError(error);
    return { ...base, status: "failed", changes: [], error: known };
  }
}

function changesBetween(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): string[] {
  if (before.size === 0) return [];
  return [...after]
    .filter(([label, value]) => before.get(label) !== value)
    .map(([label, value]) =>
      `${label}: ${before.get(label) ?? "none"} -> ${value}`
    );
}

function lockLines(path: string): Map<string, string> {
  const lock = readLockFile(path);
  const lines = new Map<string, string>();
  if (lock?.git) lines.set(`git ${lock.git.ref}`, lock.git.commit);
  for (const file of lock?.files ?? []) lines.set(file.url, file.sha256);
  if (lock) lines.set("tree", lock.tree);
  return lines;
}
