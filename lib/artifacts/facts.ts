/**
 * Facts about files: what an artifact was made from, and whether that is still
 * so. Content decides; a file that was only touched has not changed.
 */

import { statSync } from "node:fs";
import { basename, dirname } from "node:path";
import { sha256File } from "../host/digest.ts";
import { isAbsent } from "../host/files.ts";
import { systemErrorCode } from "../errors.ts";

/** A file as it was when an artifact was made from it. */
export interface FileFact {
  /** Absolute path. */
  path: string;
  /** SHA-256 in lower-case hex; null if it changed while it was being read. */
  sha256: string | null;
  /**
   * Size, times and inode at that moment: while they are the same, the content
   * need not be read again. Absent if the file was too young to rely on that.
   */
  stamp?: string;
}

/**
 * How young a file may be for its stamp to be relied on: two writes within one
 * tick of the kernel's clock leave the same times.
 */
const TICK_NS = 50_000_000n;

/** Takes a file as it is now; undefined if there is none. */
export function fileFact(path: string): FileFact | undefined {
  const before = stampOf(path);
  if (!before) return undefined;
  const sha256 = sha256File(path);
  const after = stampOf(path);
  if (after?.text !== before.text) return { path, sha256: null };
  const now = BigInt(Date.now()) * 1_000_000n;
  return now - before.changedNs > TICK_NS
    ? { path, sha256, stamp: before.text }
    : { path, sha256 };
}

/** Whether a file is what a fact says. */
export function holds(fact: FileFact): boolean {
  const now = stampOf(fact.path);
  if (!now || fact.sha256 === null) return false;
  return fact.stamp === now.text || sha256File(fact.path) === fact.sha256;
}

/** When a file's content or name last changed, in milliseconds; 0 if absent. */
export function changedMs(path: string): number {
  return Number((stampOf(path)?.changedNs ?? 0n) / 1_000_000n);
}

function stampOf(
  path: string,
): { text: string; changedNs: bigint } | undefined {
  try {
    const info = statSync(path, { bigint: true });
    if (!info.isFile()) return undefined;
    const text = [info.size, info.mtimeNs, info.ctimeNs, info.ino].join(" ");
    return { text, changedNs: info.ctimeNs };
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw error;
  }
}

/**
 * The first of some paths that exists; undefined if none does.
 *
 * Looks into each folder once, however many of the paths are in it.
 */
export function firstPresent(paths: readonly string[]): string | undefined {
  const folders = Map.groupBy(paths, (path) => dirname(path));
  for (const [folder, members] of folders) {
    const names = entryNames(folder);
    const present = members.find((path) => names.has(basename(path)));
    if (present !== undefined) return present;
  }
  return undefined;
}

function entryNames(folder: string): ReadonlySet<string> {
  try {
    return new Set(Array.from(Deno.readDirSync(folder), ({ name }) => name));
  } catch (error) {
    if (isAbsent(error)) return new Set();
    throw error;
  }
}
