/** Fetches the sources of packages, and renews their lock files. */

import { discoverPackages } from "./discover.ts";
import { ensureSource, fetchesSources, type SourceRequest } from "./fetch.ts";
import { readLockFile } from "./lock_file.ts";
import { fetchContext, type FetchOptions } from "./options.ts";
import { Package } from "./package.ts";

/** What became of the sources of one package. */
export interface FetchResult {
  /** Name of the package. */
  name: string;
  /** Version, as pkg.yaml says. */
  version: string;
  /** Absolute path of the sources; of the package's folder if it has none. */
  dir: string;
  /** What happened; `none` for a package that fetches nothing. */
  status: "up-to-date" | "fetched" | "none";
  /** What the lock file held before and holds now, where that differs. */
  changes: string[];
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
  /** Fetch even if the sources are up to date. Default: false. */
  force?: boolean;
}

/**
 * Fetches the sources of every package at and below some folders into
 * `_download`, where they are out of date.
 *
 * @param paths Folders, or paths of pkg.yaml files.
 * @throws {ClibsError} If one cannot be fetched.
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
 * @throws {ClibsError} If one cannot be fetched; its lock file stays as it was.
 */
export async function updatePackages(
  paths: readonly string[],
  options: FetchOptions = {},
): Promise<FetchReport> {
  return await fetchEach(paths, { ...options, locked: false }, {
    update: true,
  });
}

async function fetchEach(
  paths: readonly string[],
  options: FetchOptions,
  request: SourceRequest,
): Promise<FetchReport> {
  const context = fetchContext(options);
  const packages: FetchResult[] = [];
  for (const dir of discoverPackages(paths)) {
    const pkg = new Package(dir);
    const spec = await pkg.spec();
    const { name, version } = spec;
    if (!fetchesSources(spec)) {
      packages.push({ name, version, dir, status: "none", changes: [] });
      continue;
    }
    const before = lockLines(pkg.layout.lock);
    const { status } = await ensureSource(pkg, context, request);
    const after = lockLines(pkg.layout.lock);
    packages.push({
      name,
      version,
      dir: pkg.layout.download,
      status,
      changes: before.size === 0 ? [] : [...after]
        .filter(([label, value]) => before.get(label) !== value)
        .map(([label, value]) =>
          `${label}: ${before.get(label) ?? "none"} -> ${value}`
        ),
    });
  }
  return { version: 1, packages };
}

function lockLines(path: string): Map<string, string> {
  const lock = readLockFile(path);
  const lines = new Map<string, string>();
  if (lock?.git) lines.set(`git ${lock.git.ref}`, lock.git.commit);
  for (const file of lock?.files ?? []) lines.set(file.url, file.sha256);
  if (lock) lines.set("tree", lock.tree);
  return lines;
}
