/** Traces: what a command read, looked for and wrote, with checksums. */

import { type Checksums, loadChecksums, NO_FILE } from "../host/checksum.ts";
import { sha256Hex } from "../host/digest.ts";
import { isAbsent } from "../host/files.ts";
import { readFolder } from "../host/names.ts";
import {
  isFolder,
  lstatNs,
  stampText,
  type StatNs,
  timesAreExact,
} from "../host/statx.ts";
import {
  type Access,
  type AccessKind,
  type AccessLog,
  type Escape,
  KIND,
  type TracedCommand,
} from "./access.ts";
import type { Method } from "./methods.ts";

/**
 * Version of saved traces.
 *
 * Bump it when the bytes or their meaning change, and add a line here:
 * 1: the first.
 */
export const TRACE_FORMAT = 1;

/** A file as a command met it or left it. */
export interface Fact {
  /** Absolute path; bytes that are not UTF-8 are lone surrogates. */
  path: string;
  /** Checksum as `clibs xxhsum` prints it; of a folder, of its names. */
  digest: string;
  /** Status that spares a look at the content; absent if it was too young. */
  stamp?: string;
}

/** A file that a command read. */
export interface DepFact extends Fact {
  /** How it was read. */
  kinds: AccessKind[];
}

/** A program that ran. */
export type CommandFact = Omit<TracedCommand, "startNs" | "endNs"> & {
  /** When it started, in milliseconds since the beginning of the run. */
  startMs: number;
  /** How long it ran, in milliseconds; absent if its end was not seen. */
  durationMs?: number;
};

/** What a run of a command accessed. */
export interface Trace {
  /** {@linkcode TRACE_FORMAT}. */
  format: number;
  /** Program and arguments. */
  command: string[];
  /** Folder that it ran in. */
  cwd: string;
  /** How accesses were found. */
  method: Method;
  /** Whether nothing can have been missed. */
  complete: boolean;
  /** Files that were read and not written before, in order of first access. */
  deps: DepFact[];
  /** Paths that were looked for and are not there, in order of first access. */
  absent: string[];
  /** Files that were written and are there, in order of first write. */
  targets: Fact[];
  /** Files that were written and are gone. */
  scratch: string[];
  /** Folders that were looked at, without their names being listed. */
  folders: string[];
  /** Folders whose names were listed. */
  listed: Fact[];
  /** Paths that somebody changed while the command ran. */
  unstable: string[];
  /** Digests of variables that were asked for; null: not set. */
  env: Record<string, string | null>;
  /** Programs in the order in which they started. */
  commands: CommandFact[];
  /** Programs that the method could not see into. */
  escapes: Escape[];
  /** Accesses to system files, which are not listed. */
  systemReads: number;
  /** Records that could not be written. */
  lost: number;
  /** Wall-clock time. */
  durationMs: number;
}

/** What a trace is made from besides the log. */
export interface RunFacts {
  command: string[];
  cwd: string;
  env: Readonly<Record<string, string>>;
  method: Method;
  startedMs: number;
  endedMs: number;
  systemReads: number;
  lost: number;
}

/** File systems tell times in ticks; of two changes in one, a stamp sees one. */
export const TICK_NS = timesAreExact ? 10_000_000n : 1_050_000_000n;

/** Makes a trace of what a run did and how things are now. */
export async function traceOf(log: AccessLog, run: RunFacts): Promise<Trace> {
  const checksums = await loadChecksums();
  const trace: Trace = {
    format: TRACE_FORMAT,
    command: run.command,
    cwd: run.cwd,
    method: run.method,
    complete: run.method !== "none" && run.lost === 0 &&
      [...log.escapes.values()].every(({ seen }) => seen),
    deps: [],
    absent: [],
    targets: [],
    scratch: [],
    folders: [],
    listed: [],
    unstable: [],
    env: envFacts(log.variables, run.env),
    commands: log.commands.map((command) => commandFact(command, run)),
    escapes: [...log.escapes.values()],
    systemReads: run.systemReads,
    lost: run.lost,
    durationMs: run.endedMs - run.startedMs,
  };
  const writes: Access[] = [];
  for (const access of log.accesses.values()) {
    if (access.firstWrite !== 0) writes.push(access);
    if (access.firstRead !== 0) placeRead(trace, access, checksums);
  }
  writes.sort((a, b) => a.firstWrite - b.firstWrite);
  for (const access of writes) placeWrite(trace, access, checksums);
  return trace;
}

function placeRead(trace: Trace, access: Access, checksums: Checksums): void {
  const { path } = access;
  const isWritten = access.firstWrite !== 0 || access.folder;
  const stat = lstatNs(path);
  if (
    isWritten &&
    (access.met !== "found" || isBefore(access.firstWrite, access) ||
      isBefore(access.firstMade, access))
  ) {
    // Its own: it was not there before, or was written first.
    if (!(access.kinds & KIND.readdir) || !stat || !isFolder(stat)) return;
  }
  if (stat && isFolder(stat)) {
    if (access.kinds & KIND.readdir) {
      const digest = listDigest(path);
      if (digest !== undefined) trace.listed.push({ path, digest });
    } else trace.folders.push(path);
    return;
  }
  if (access.met === "absent" || access.met === "error") {
    if (!stat) {
      trace.absent.push(path);
      return;
    }
    // What has been there all the time was refused for what it is: a file
    // where a folder was asked for, or one that nobody may execute.
    if (isUnstable(access, stat)) {
      trace.unstable.push(path);
      return;
    }
  }
  if (!isWritten && isUnstable(access, stat)) trace.unstable.push(path);
  if (!stat) return;
  trace.deps.push({
    ...factOf(path, stat, checksums),
    kinds: kindNames(access.kinds),
  });
}

/** Whether a place in the run's order comes before the first read. */
function isBefore(place: number, access: Access): boolean {
  return place !== 0 && place < access.firstRead;
}

/** Whether a file that the command did not write is no longer what it read. */
function isUnstable(access: Access, stat: StatNs | undefined): boolean {
  if (!stat) return true;
  return Number(stat.mtimeNs) > access.readNs ||
    Number(stat.ctimeNs) > access.readNs;
}

function placeWrite(trace: Trace, access: Access, checksums: Checksums): void {
  const { path } = access;
  const stat = lstatNs(path);
  if (!stat) {
    trace.scratch.push(path);
  } else if (!isFolder(stat)) {
    trace.targets.push(factOf(path, stat, checksums));
  } else if (access.moved) {
    for (const file of filesBelow(path)) {
      const below = lstatNs(file);
      if (below) trace.targets.push(factOf(file, below, checksums));
    }
  }
}

/** A file as it is now. */
export function factOf(
  path: string,
  stat: StatNs,
  checksums: Checksums,
): Fact {
  let digest: string;
  try {
    digest = checksums.file(path, stat);
  } catch (error) {
    if (!(error instanceof Deno.errors.PermissionDenied)) throw error;
    digest = "unreadable";
  }
  const after = lstatNs(path);
  const stamp = stampText(stat);
  const isOld = BigInt(Date.now()) * 1_000_000n - stat.mtimeNs > TICK_NS &&
    BigInt(Date.now()) * 1_000_000n - stat.ctimeNs > TICK_NS;
  return after && isOld && stampText(after) === stamp
    ? { path, digest, stamp }
    : { path, digest };
}

/** Digest of the names in a folder; undefined if it cannot be listed. */
export function listDigest(path: string): string | undefined {
  try {
    const names = readFolder(path).map(({ name }) => name);
    return `${sha256Hex(names.sort().join("\0")).slice(0, 16)}-D`;
  } catch (error) {
    if (isAbsent(error) || error instanceof Deno.errors.PermissionDenied) {
      return undefined;
    }
    throw error;
  }
}

function filesBelow(folder: string): string[] {
  return readFolder(folder).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    return entry.isFolder ? filesBelow(path) : [path];
  });
}

function kindNames(kinds: number): AccessKind[] {
  const names = Object.keys(KIND) as AccessKind[];
  return names.filter((name) => kinds & KIND[name]);
}

function envFacts(
  names: Iterable<string>,
  env: Readonly<Record<string, string>>,
): Record<string, string | null> {
  // Digests: a saved trace must not hold somebody's token.
  return Object.fromEntries(
    [...names].sort().map((name) => [name, envDigest(env[name])]),
  );
}

/** Digest of a variable's value; null if it is not set. */
export function envDigest(value: string | undefined): string | null {
  return value === undefined ? null : sha256Hex(value).slice(0, 16);
}

function commandFact(command: TracedCommand, run: RunFacts): CommandFact {
  const { startNs, endNs, ...rest } = command;
  return {
    ...rest,
    startMs: Math.max(0, Math.round(startNs / 1e4 - run.startedMs * 100) / 100),
    ...(endNs === 0
      ? {}
      : { durationMs: Math.round((endNs - startNs) / 1e4) / 100 }),
  };
}

/** Whether there is no file of this digest. */
export function isNoFile(digest: string): boolean {
  return digest === NO_FILE;
}
