/** What is taken down of files, so that it can be compared later. */

import { pathToBytes } from "../host/bytes_path.ts";
import { type Checksums, NO_FILE } from "../host/checksum.ts";
import { sha256Hex } from "../host/digest.ts";
import { readFolder } from "../host/names.ts";
import {
  isFolder,
  lstatNs,
  stampText,
  type StatNs,
  timesAreExact,
} from "../host/statx.ts";
import type { AccessKind } from "./access.ts";

/** A file as a command met it or left it. */
export interface Fact {
  /** Absolute path; bytes that are not UTF-8 are lone surrogates. */
  path: string;
  /**
   * Checksum as `clibs xxhsum` prints it; of a folder, of its names;
   * `unreadable` if it may not or must not be read.
   */
  digest: string;
  /** Status that spares a look at the content; absent if it was too young. */
  stamp?: string;
}

/** A file that a command read. */
export interface DepFact extends Fact {
  /** How it was read. */
  kinds: AccessKind[];
  /**
   * Whether the command itself changed it after it had read it: the digest is
   * that of what it left, since nobody knows what was there before.
   */
  rewritten?: true;
}

/** A program that ran. */
export interface CommandFact {
  /** Process. */
  pid: number;
  /** Its parent; 0 if unknown. */
  parent: number;
  /** Canonical path of the program. */
  program: string;
  /** Arguments, beginning with the program's name. */
  argv: string[];
  /** Folder that it started in. */
  cwd: string;
  /** When it started, in milliseconds since the beginning of the run. */
  startMs: number;
  /** How long it ran, in milliseconds; absent if its end was not seen. */
  durationMs?: number;
}

/** Digest of what may not be read, or whose content says nothing. */
export const UNREADABLE = "unreadable";

/** File systems tell times in ticks; of two changes in one, a stamp sees one. */
export const TICK_NS = timesAreExact ? 10_000_000n : 1_050_000_000n;

/** What is at a path; `hidden` if that may not be known. */
export type Look = StatNs | "hidden" | undefined;

/** Looks at a path without following a link. */
export function look(path: string): Look {
  try {
    return lstatNs(path);
  } catch {
    // A folder above that may not be entered, a file system that has gone, …
    return "hidden";
  }
}

/** Whether it is a folder. */
export function isFolderThere(stat: Look): boolean {
  return typeof stat === "object" && isFolder(stat);
}

/**
 * Whether the kernel makes the files there up: their times and contents are
 * those of the moment, and reading some never ends.
 */
export function isKernels(path: string): boolean {
  return /^\/(proc|sys)(\/|$)/.test(path);
}

/** A file as it is now, and whether it changed meanwhile. */
export function factOf(
  path: string,
  stat: Look,
  checksums: Checksums,
): Fact & { moving?: true } {
  if (stat === undefined) return { path, digest: NO_FILE };
  if (stat === "hidden" || isKernels(path)) {
    return { path, digest: UNREADABLE };
  }
  let digest: string;
  try {
    digest = checksums.file(path, stat);
  } catch {
    // Permissions, or a device that fails: its status is all that is known.
    digest = UNREADABLE;
  }
  const stamp = stampText(stat);
  const after = look(path);
  if (typeof after !== "object" || stampText(after) !== stamp) {
    return { path, digest, moving: true };
  }
  const now = BigInt(Date.now()) * 1_000_000n;
  const isOld = now - stat.mtimeNs > TICK_NS && now - stat.ctimeNs > TICK_NS;
  return isOld ? { path, digest, stamp } : { path, digest };
}

/**
 * Digest of the names in a folder, but for the command's own targets: those
 * have facts of their own. Undefined if it cannot be listed.
 */
export function listDigest(
  path: string,
  targets: ReadonlySet<string>,
): string | undefined {
  const prefix = path === "/" ? path : `${path}/`;
  try {
    const names = readFolder(path).map(({ name }) => name)
      .filter((name) => !targets.has(prefix + name));
    const bytes = pathToBytes(names.sort().join("\0"));
    return `${sha256Hex(bytes).slice(0, 16)}-D`;
  } catch {
    return undefined;
  }
}

/** Paths of all files below a folder, as far as it can be listed. */
export function filesBelow(folder: string): string[] {
  let entries: ReturnType<typeof readFolder>;
  try {
    entries = readFolder(folder);
  } catch {
    return [];
  }
  return entries.flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    return entry.isFolder ? filesBelow(path) : [path];
  });
}

/** Digest of a variable's value; null if it is not set. */
export function envDigest(value: string | undefined): string | null {
  return value === undefined ? null : sha256Hex(value).slice(0, 16);
}
