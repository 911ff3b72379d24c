/** Whether the fetched sources are those that pkg.yaml asks for. */

import { join } from "node:path";
import { sha256File } from "../host/digest.ts";
import { hasEntries, lstatIfExists } from "../host/files.ts";
import { localFiles } from "./build_key.ts";
import type { Layout } from "./layout.ts";
import { lockCovers, readLockFile } from "./lock_file.ts";
import type { Package } from "./package.ts";
import type { PackageSpec } from "./spec.ts";
import {
  DOWNLOAD_HASH,
  DOWNLOAD_INFO,
  DOWNLOAD_STATE,
  type DownloadInfo,
  readInfo,
  readState,
} from "./state.ts";

/** Whether a package has sources to fetch. */
export function fetchesSources(spec: PackageSpec): boolean {
  return spec.git !== undefined || spec.files.length > 0;
}

/** Why `_download` must be fetched again; undefined if it is up to date. */
export function sourceOutOfDateReason(
  pkg: Package,
  spec: PackageSpec,
): string | undefined {
  const { layout } = pkg;
  if (!hasEntries(layout.download, DOWNLOAD_STATE)) return "never fetched";
  const state = readState(join(layout.download, DOWNLOAD_HASH));
  if (state?.ConfigHash !== pkg.hash) return "pkg.yaml changed";
  const info = readInfo<DownloadInfo>(join(layout.download, DOWNLOAD_INFO));
  if (!info) return undefined;
  const lock = readLockFile(layout.lock);
  if (lockCovers(lock, spec) && lock.tree !== info.source) {
    return "pkg.lock.json names other sources";
  }
  for (const [path, digest] of Object.entries(inputDigests(layout, spec))) {
    if (info.inputs[path] !== digest) return `${path} changed`;
  }
  return undefined;
}

/** Digests of the patches and local files that go into the sources. */
export function inputDigests(
  layout: Layout,
  spec: PackageSpec,
): Record<string, string> {
  const digests: Record<string, string> = {};
  for (const path of [...spec.patches, ...localFiles(spec)]) {
    const absolute = join(layout.dir, path);
    digests[path] = lstatIfExists(absolute) ? sha256File(absolute) : "absent";
  }
  return digests;
}
