/** pkg.lock.json: what the sources of a package really were. */

import { ClibsError } from "../errors.ts";
import { readTextIfExists, writeFileAtomic } from "../host/files.ts";
import type { PackageSpec } from "./spec.ts";

/**
 * Version of pkg.lock.json. People commit this file: a newer one is refused,
 * never discarded.
 */
export const LOCK_FORMAT = 1;

/** What was resolved for a git source. */
export interface LockedGit {
  /** Address, as in pkg.yaml. */
  repo: string;
  /** Ref, as in pkg.yaml. */
  ref: string;
  /** Commit id it stood for. */
  commit: string;
}

/** What was resolved for one file. */
export interface LockedFile {
  /** URL, as in pkg.yaml. */
  url: string;
  /** SHA-256 of the bytes, lower-case hex. */
  sha256: string;
  /** Size in bytes. */
  size: number;
}

/** Content of a pkg.lock.json. */
export interface LockFile {
  /** {@linkcode LOCK_FORMAT}. */
  version: number;
  /** Set for a git source. */
  git?: LockedGit;
  /** Set for file sources, in their order. */
  files?: LockedFile[];
  /** Digest of the unpacked sources, before patches. */
  tree: string;
}

/** What a fetch resolved, for the lock file. */
export type Fetched = Pick<LockFile, "git" | "files">;

/**
 * Reads a lock file.
 *
 * @returns Undefined if there is none.
 * @throws {ClibsError} `CLIBS_LOCK_INVALID` if it cannot be understood.
 */
export function readLockFile(path: string): LockFile | undefined {
  const text = readTextIfExists(path);
  if (text === undefined) return undefined;
  const invalid = (why: string, cause?: unknown) =>
    new ClibsError("CLIBS_LOCK_INVALID", `Cannot read ${path}: ${why}`, {
      cause,
      hint: "restore the file from version control, or remove it and run " +
        "`clibs update` to write a new one",
    });
  let value: Partial<LockFile>;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw invalid(`it is not JSON: ${(error as Error).message}`, error);
  }
  if (typeof value?.version !== "number") throw invalid("it has no version");
  if (value.version > LOCK_FORMAT) {
    throw invalid(
      `it has version ${value.version}, and this clibs knows up to ${LOCK_FORMAT}`,
    );
  }
  const whole = typeof value.tree === "string" &&
    (value.git === undefined || isLockedGit(value.git)) &&
    (value.files === undefined ||
      Array.isArray(value.files) && value.files.every(isLockedFile));
  if (!whole) throw invalid("a field is missing or has the wrong type");
  return value as LockFile;
}

function isLockedGit(value: Partial<LockedGit>): boolean {
  return typeof value.repo === "string" && typeof value.ref === "string" &&
    /^[0-9a-f]{40}([0-9a-f]{24})?$/.test(value.commit ?? "");
}

function isLockedFile(value: Partial<LockedFile>): boolean {
  return typeof value?.url === "string" && typeof value.size === "number" &&
    /^[0-9a-f]{64}$/.test(value.sha256 ?? "");
}

/** Writes a lock file, with a stable layout that makes readable diffs. */
export function writeLockFile(path: string, lock: LockFile): void {
  writeFileAtomic(path, `${JSON.stringify(lock, null, 2)}\n`);
}

/** Whether a lock speaks of exactly the sources that a spec asks for. */
export function lockCovers(
  lock: LockFile | undefined,
  spec: PackageSpec,
): lock is LockFile {
  if (!lock) return false;
  if (spec.git) {
    return lock.git?.repo === spec.git.repo && lock.git.ref === spec.git.ref;
  }
  return lock.files?.length === spec.files.length &&
    spec.files.every((file, i) => lock.files?.[i]?.url === file.url);
}
