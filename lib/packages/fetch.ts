/** Gets the sources of a package into `_download`. */

import { join } from "node:path";
import { ClibsError } from "../errors.ts";
import { treeDigest } from "../host/digest.ts";
import { removeTemporary, removeTree } from "../host/files.ts";
import { withLock } from "../host/lock.ts";
import { type Layout, PACKAGE_FILE, unpackDir } from "./layout.ts";
import {
  type Fetched,
  LOCK_FORMAT,
  lockCovers,
  type LockFile,
  readLockFile,
  writeLockFile,
} from "./lock_file.ts";
import type { FetchContext } from "./options.ts";
import type { Package } from "./package.ts";
import { applyPatches } from "./patches.ts";
import { fetchFiles } from "./fetch_files.ts";
import { fetchGit } from "./fetch_git.ts";
import { inputDigests, sourceOutOfDateReason } from "./source_state.ts";
import type { PackageSpec } from "./spec.ts";
import {
  DOWNLOAD_HASH,
  DOWNLOAD_INFO,
  DOWNLOAD_STATE,
  type DownloadInfo,
  readInfo,
  writeInfo,
  writeState,
} from "./state.ts";

/** What happened to the sources. */
export interface SourceResult {
  /** Digest of the sources, before patches. */
  source: string;
  /** Whether they were fetched now, or were there. */
  status: "up-to-date" | "fetched";
}

/** How sources are wanted. */
export interface SourceRequest {
  /** Fetch even if `_download` is up to date. */
  force?: boolean;
  /** Resolve refs and digests anew instead of what pkg.lock.json says. */
  update?: boolean;
}

/**
 * Makes sure that `_download` holds the sources that pkg.yaml and
 * pkg.lock.json name, patched.
 *
 * The sources are complete or absent: they are fetched into `_download_tmp`,
 * which then takes the name.
 *
 * @param use Called while nobody can change `_download`.
 */
export async function ensureSource(
  pkg: Package,
  context: FetchContext,
  request: SourceRequest = {},
  use: (source: string) => Promise<void> = () => Promise.resolve(),
): Promise<SourceResult> {
  const spec = await pkg.spec();
  const { layout } = pkg;
  const lockOptions = {
    doing: `fetching ${spec.name}`,
    feedback: context.feedback,
    signal: context.signal,
  };
  return await withLock(layout.downloadLock, lockOptions, async () => {
    const present = request.force || request.update
      ? undefined
      : currentSource(pkg, spec);
    const source = present ?? await fetchSource(pkg, spec, context, request);
    await use(source);
    return { source, status: present === undefined ? "fetched" : "up-to-date" };
  });
}

/** Says so if somebody edited `_download`: the build will use it as it is. */
export function warnIfEdited(pkg: Package, context: FetchContext): void {
  const { download } = pkg.layout;
  const info = readInfo<DownloadInfo>(join(download, DOWNLOAD_INFO));
  if (!info || treeDigest(download, DOWNLOAD_STATE) === info.tree) return;
  context.feedback.emit(
    "warn",
    "note",
    `${download} was edited since it was fetched; building it as it is ` +
      "(`clibs fetch --force` fetches it again)",
    { about: "download.edited", path: download },
  );
}

function currentSource(pkg: Package, spec: PackageSpec): string | undefined {
  if (sourceOutOfDateReason(pkg, spec) !== undefined) return undefined;
  const { download } = pkg.layout;
  const info = readInfo<DownloadInfo>(join(download, DOWNLOAD_INFO));
  // Made by another tool: its state file is all that vouches for it.
  return info?.source ?? treeDigest(download, DOWNLOAD_STATE);
}

async function fetchSource(
  pkg: Package,
  spec: PackageSpec,
  context: FetchContext,
  request: SourceRequest,
): Promise<string> {
  const { layout } = pkg;
  const oldLock = readLockFile(layout.lock);
  const lock = !request.update && lockCovers(oldLock, spec)
    ? oldLock
    : undefined;
  if (context.locked && !lock) throw lockNeeded(spec, layout, oldLock);
  const tmp = layout.downloadTmp;
  // What a killed fetch left.
  removeTree(unpackDir(tmp));
  removeTree(tmp);
  removeTemporary(layout.lock);
  Deno.mkdirSync(tmp, { recursive: true });
  try {
    const inputs = inputDigests(layout, spec);
    const fetched = spec.git
      ? await fetchGit(spec, spec.git, tmp, context, lock)
      : await fetchFiles(spec, tmp, context, lock);
    const source = treeDigest(tmp);
    checkLock(spec, layout, lock, fetched, source);
    await applyPatches(spec, tmp, context);
    writeInfo(tmp, DOWNLOAD_INFO, {
      source,
      tree: spec.patches.length === 0
        ? source
        : treeDigest(tmp, DOWNLOAD_STATE),
      inputs,
    });
    if (!lock) {
      writeLockFile(layout.lock, {
        version: LOCK_FORMAT,
        ...fetched,
        tree: source,
      });
    }
    writeState(join(tmp, DOWNLOAD_HASH), pkg.hash);
    removeTree(layout.download);
    Deno.renameSync(tmp, layout.download);
    return source;
  } finally {
    removeTree(tmp);
  }
}

function checkLock(
  spec: PackageSpec,
  layout: Layout,
  lock: LockFile | undefined,
  fetched: Fetched,
  tree: string,
): void {
  if (!lock) return;
  const treeFact = tree === lock.tree
    ? "unchanged: only the packing differs"
    : `expected ${lock.tree}\nactual   ${tree}`;
  for (const [index, file] of (fetched.files ?? []).entries()) {
    const expected = lock.files?.[index];
    if (!expected || expected.sha256 === file.sha256) continue;
    throw new ClibsError(
      "CLIBS_LOCK_MISMATCH",
      `Cannot fetch ${spec.name}: ${
        spec.files[index]?.filename
      } is not the file that pkg.lock.json names`,
      {
        facts: {
          expected: `sha256:${expected.sha256} (${expected.size} bytes)`,
          actual: `sha256:${file.sha256} (${file.size} bytes)`,
          lock: layout.lock,
          "unpacked tree": treeFact,
        },
        hint:
          "find out why the server's file changed; if you trust it, run `clibs update`",
      },
    );
  }
  if (tree === lock.tree) return;
  throw new ClibsError(
    "CLIBS_LOCK_MISMATCH",
    `Cannot fetch ${spec.name}: its sources are not those that pkg.lock.json names`,
    {
      facts: { expected: lock.tree, actual: tree, lock: layout.lock },
      hint: "find out why they changed; if you trust them, run `clibs update`",
    },
  );
}

function lockNeeded(
  spec: PackageSpec,
  layout: Layout,
  lock: LockFile | undefined,
): ClibsError {
  return new ClibsError(
    "CLIBS_LOCK_NEEDED",
    `Cannot fetch ${spec.name} with --locked: pkg.lock.json ${
      lock ? `is about other sources than ${PACKAGE_FILE}` : "is missing"
    }`,
    {
      facts: { lock: layout.lock },
      hint: "run `clibs fetch` without --locked and commit pkg.lock.json",
    },
  );
}
