/**
 * Facts about files: what an artifact was made from, and whether that is still
 * so. Content decides; a file that was only touched has not changed.
 */

import { basename, dirname } from "node:path";
import { sha256File } from "../host/digest.ts";
import { isAbsent } from "../host/files.ts";

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
 * Deno tells a file's change time in whole seconds: of two writes within one
 * second, and a tick of the kernel's clock, the stamp may be the same.
 */
const UNSURE_MS = 1050;

/** Takes a file as it is now; undefined if there is none. */
export function fileFact(path: string): FileFact | undefined {
  const before = stampOf(path);
  if (!before) return undefined;
  const sha256 = sha256File(path);
  const after = stampOf(path);
  if (after?.text !== before.text) return { path, sha256: null };
  return Date.now() - before.changedMs > UNSURE_MS
    ? { path, sha256, stamp: before.text }
    : { path, sha256 };
}

/** Whether a file is what a fact says. */
export function holds(fact: FileFact): boolean {
  const now = stampOf(fact.path);
  if (!now || fact.sha256 === null) return false;
  return fact.stamp === now.text || sha256File(fact.path) === fact.sha256;
}

/** When a file's content was last written, in milliseconds; 0 if absent. */
export function modifiedMs(path: string): number {
  return stampOf(path)?.modifiedMs ?? 0;
}

interface Stamp {
  text: string;
  modifiedMs: number;
  /** When content, name or times changed; in whole seconds. */
  changedMs: number;
}

function stampOf(path: string): Stamp | undefined {
  try {
    const info = Deno.statSync(path);
    if (!info.isFile) return undefined;
    const modifiedMs = info.mtime?.getTime() ?? 0;
    const changedMs = info.ctime?.getTime() ?? modifiedMs;
    const text = [info.size, modifiedMs, changedMs, info.ino].join(" ");
    return { text, modifiedMs, changedMs };
  } catch (error) {
    if (isAbsent(error)) return undefined;
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
