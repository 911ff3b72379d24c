/** What the cache knows about a module that was built, and whether it still holds. */

import { basename, join, relative } from "node:path";
import {
  type FileFact,
  fileFact,
  firstPresent,
  holds,
  modifiedMs,
} from "../artifacts/facts.ts";
import type { BuildOrigin } from "../artifacts/manifest.ts";
import { readJsonIfExists, writeFileAtomic } from "../host/files.ts";
import type { Passport } from "../toolchain/passport.ts";
import { firstDifference } from "./flags.ts";

/**
 * Version of the records.
 *
 * Bump it when their meaning changes, and add a line here. A record of another
 * version is as good as none: the engine is built again.
 */
const RECORD_FORMAT = 1;

/** A record; it is the last file that a build writes. */
export interface BuildRecord {
  /** File of the module, in the record's folder. */
  file: string;
  /** Its SHA-256, in lower-case hex. */
  sha256: string;
  /** Everything but files that it depends on, by label. */
  inputs: Record<string, string>;
  /** The same, as far as it means the same on other machines. */
  portable: Record<string, string>;
  /** Sources, headers and libraries that were read. */
  facts: FileFact[];
  /** Paths that were absent and would be read instead of some of those. */
  absent: string[];
  /** What the module needs of a machine. */
  passport: Passport;
  /** How long compiler and linker took. */
  durationMs: number;
}

/** Path of a record. */
export function recordPath(folder: string, name: string): string {
  return join(folder, `${name}.json`);
}

/** Path of the interface of an ffi engine, beside its module. */
export function interfacePath(folder: string, name: string): string {
  return join(folder, `${name}.interface.json`);
}

/** Reads a record; undefined if absent, torn or of another version. */
export function readRecord(path: string): BuildRecord | undefined {
  const value = readJsonIfExists(path) as { format?: number } | undefined;
  return value?.format === RECORD_FORMAT
    ? value as unknown as BuildRecord
    : undefined;
}

/** Writes a record. */
export function writeRecord(path: string, record: BuildRecord): void {
  writeFileAtomic(path, JSON.stringify({ format: RECORD_FORMAT, ...record }));
}

/** Why a module must be built again; undefined if it is up to date. */
export function outOfDateReason(
  record: BuildRecord,
  inputs: Readonly<Record<string, string>>,
): string | undefined {
  const difference = firstDifference(record.inputs, inputs);
  if (difference) return difference;
  for (const fact of record.facts) {
    if (!holds(fact)) return `${fact.path} changed`;
  }
  const present = firstPresent(record.absent);
  return present && `${present} appeared: it would be read instead of another`;
}

/**
 * Facts about all files that a compile read.
 *
 * @param before Facts about the sources from before it started. What else is
 *   read is only known afterwards: there the date has to tell.
 * @param startedMs When it started, in milliseconds since the epoch.
 * @returns The facts; `changed` is a file that changed meanwhile.
 */
export function factsSince(
  paths: readonly string[],
  before: readonly FileFact[],
  startedMs: number,
): { facts: FileFact[]; changed?: string } {
  const known = new Map(before.map(({ path, sha256 }) => [path, sha256]));
  const facts: FileFact[] = [];
  for (const path of paths) {
    const fact = fileFact(path);
    if (!fact) continue;
    const isSame = known.has(path)
      ? known.get(path) === fact.sha256
      : !isBetween(modifiedMs(path), startedMs, Date.now());
    if (fact.sha256 === null || !isSame) return { facts, changed: path };
    facts.push(fact);
  }
  return { facts };
}

/** A date in the future says nothing: archives and clocks may be wrong. */
function isBetween(time: number, after: number, until: number): boolean {
  return after < time && time <= until;
}

/** What a prebuilt's manifest says about the build. */
export function originOf(record: BuildRecord, root: string): BuildOrigin {
  const files: Record<string, string> = {};
  for (const { path, sha256 } of record.facts) {
    const below = relative(root, path);
    if (!below.startsWith("..") && sha256 !== null) files[below] = sha256;
  }
  return { inputs: record.portable, files };
}

/**
 * Why a prebuilt was made from something else than what is here; undefined if
 * it was not, or if that cannot be told for want of the sources.
 */
export function foreignOrigin(
  origin: BuildOrigin,
  portable: Readonly<Record<string, string>>,
  root: string,
): string | undefined {
  const difference = firstDifference(origin.inputs, portable);
  if (difference) return difference;
  for (const [path, sha256] of Object.entries(origin.files)) {
    const now = fileFact(join(root, path));
    if (now?.sha256 !== sha256) {
      return `it was built from another ${basename(path)}`;
    }
  }
  return undefined;
}
