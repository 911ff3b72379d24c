/** Traces: what a command read, looked for and wrote, with checksums. */

import { dirname } from "node:path";
import { type Checksums, loadChecksums } from "../host/checksum.ts";
import {
  type Access,
  type AccessKind,
  type AccessLog,
  type Escape,
  KIND,
  type TracedCommand,
} from "./access.ts";
import {
  type CommandFact,
  type DepFact,
  envDigest,
  type Fact,
  factOf,
  filesBelow,
  isFolderThere,
  isKernels,
  listDigest,
  type Look,
  look,
  TICK_NS,
} from "./facts.ts";
import type { Method } from "./methods.ts";

/**
 * Version of saved traces.
 *
 * Bump it when the bytes or their meaning change, and add a line here:
 * 1: the first.
 */
export const TRACE_FORMAT = 1;

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
  /** Paths that were looked for in vain, in order of first access. */
  absent: string[];
  /** Files that were written and are there, in order of first write. */
  targets: Fact[];
  /** Files that were there before, and that the command removed. */
  removed: string[];
  /** Files that the command made and removed again. */
  scratch: string[];
  /** Folders that were looked at, without their names being listed. */
  folders: string[];
  /** Folders whose names were listed. */
  listed: Fact[];
  /** Paths that somebody else changed while the command ran. */
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

/** Makes a trace of what a run did and how things are now. */
export async function traceOf(log: AccessLog, run: RunFacts): Promise<Trace> {
  return new Folding(log, run, await loadChecksums()).trace;
}

class Folding {
  readonly trace: Trace;
  readonly #log: AccessLog;
  readonly #checksums: Checksums;
  readonly #startNs: number;
  /** By folder: place of the first rename of it or of one above; 0: none. */
  readonly #renamed = new Map([["/", 0], [".", 0]]);

  constructor(log: AccessLog, run: RunFacts, checksums: Checksums) {
    this.#log = log;
    this.#checksums = checksums;
    // Of the millisecond in which it started, most was before.
    this.#startNs = (run.startedMs + 1) * 1e6;
    this.trace = emptyTrace(log, run);
    const listed: Access[] = [];
    const writes: Access[] = [];
    for (const access of log.accesses.values()) {
      if (changedAt(access) !== 0) writes.push(access);
      if (access.firstRead !== 0) this.#placeRead(access, listed);
    }
    writes.sort((a, b) => changedAt(a) - changedAt(b));
    for (const access of writes) this.#placeWrite(access);
    const targets = new Set(this.trace.targets.map(({ path }) => path));
    for (const access of listed) this.#placeList(access, targets);
  }

  #placeRead(access: Access, listed: Access[]): void {
    const { trace } = this;
    const { path, met } = access;
    const changed = this.#changedAt(access);
    // Its own: it was written first, or was not there before.
    if (changed !== 0 && (changed < access.firstRead || met === "absent")) {
      return;
    }
    const stat = look(path);
    if (isFolderThere(stat)) {
      if (met === "absent") trace.unstable.push(path);
      else if (access.kinds & KIND.readdir) listed.push(access);
      else trace.folders.push(path);
      return;
    }
    const isThere = typeof stat === "object";
    if (changed === 0 && met !== "found" && !isThere) {
      trace.absent.push(path);
      return;
    }
    if (
      changed === 0 && !isKernels(path) &&
      (met === "absent" || this.#isUnstable(access, stat))
    ) {
      trace.unstable.push(path);
      if (met === "absent" || stat === undefined) return;
    }
    this.#addDep(access, stat, changed !== 0);
  }

  #addDep(access: Access, stat: Look, rewritten: boolean): void {
    const { moving, ...fact } = factOf(access.path, stat, this.#checksums);
    if (moving && this.trace.unstable.at(-1) !== access.path) {
      this.trace.unstable.push(access.path);
    }
    this.trace.deps.push({
      ...fact,
      kinds: kindNames(access.kinds),
      ...(rewritten ? { rewritten } : {}),
    });
  }

  #placeWrite(access: Access): void {
    const { path } = access;
    const stat = look(path);
    if (stat === undefined) {
      if (access.firstWrite === 0 || access.folder) return;
      this.trace[access.existed ? "removed" : "scratch"].push(path);
    } else if (!isFolderThere(stat)) {
      this.#addTarget(path, stat);
    } else if (access.moved) {
      for (const file of filesBelow(path)) {
        const own = this.#log.accesses.get(file);
        if (!own || changedAt(own) === 0) this.#addTarget(file, look(file));
      }
    }
  }

  #addTarget(path: string, stat: Look): void {
    const { moving, ...fact } = factOf(path, stat, this.#checksums);
    if (moving) this.trace.unstable.push(path);
    this.trace.targets.push(fact);
  }

  #placeList(access: Access, targets: ReadonlySet<string>): void {
    const { path } = access;
    const stat = look(path);
    const digest = listDigest(path, targets);
    if (digest === undefined) return;
    if (
      !isKernels(path) && typeof stat === "object" &&
      Number(stat.mtimeNs) > this.#changesUntil(access) &&
      !this.#log.changedNamesIn(path)
    ) this.trace.unstable.push(path);
    this.trace.listed.push({ path, digest });
  }

  /** Place of the run's own first change of a path, or of a folder above. */
  #changedAt(access: Access): number {
    const own = changedAt(access);
    if (this.#log.renames.size === 0) return own;
    return earlier(own, this.#renamedAt(dirname(access.path)));
  }

  #renamedAt(folder: string): number {
    let at = this.#renamed.get(folder);
    if (at === undefined) {
      at = earlier(
        this.#log.renames.get(folder) ?? 0,
        this.#renamedAt(dirname(folder)),
      );
      this.#renamed.set(folder, at);
    }
    return at;
  }

  /** Whether a file that the run did not write is no longer what it read. */
  #isUnstable(access: Access, stat: Look): boolean {
    if (stat === undefined) return true;
    if (stat === "hidden") return false;
    const until = this.#changesUntil(access);
    return Number(stat.mtimeNs) > until ||
      // A new name is a change too.
      !access.linked && Number(stat.ctimeNs) > until;
  }

  /**
   * The latest time of a change that the first read has surely seen. File
   * systems may stamp what comes after a read with a time a tick before it. So
   * what was changed just before is taken for changed as well, if that was
   * during the run.
   */
  #changesUntil(access: Access): number {
    const surely = access.readNs - Number(TICK_NS);
    return Math.min(access.readNs, Math.max(surely, this.#startNs));
  }
}

function emptyTrace(log: AccessLog, run: RunFacts): Trace {
  const escapes = [...log.escapes.values()];
  return {
    format: TRACE_FORMAT,
    command: run.command,
    cwd: run.cwd,
    method: run.method,
    complete: run.method !== "none" && run.lost === 0 &&
      escapes.every(({ seen }) => seen),
    deps: [],
    absent: [],
    targets: [],
    removed: [],
    scratch: [],
    folders: [],
    listed: [],
    unstable: [],
    env: envFacts(log.variables, run.env),
    commands: log.commands.map((command) => commandFact(command, run)),
    escapes,
    systemReads: run.systemReads,
    lost: run.lost,
    durationMs: run.endedMs - run.startedMs,
  };
}

/** Place of the first change of a path itself; 0: none. */
function changedAt(access: Access): number {
  return earlier(access.firstWrite, earlier(access.firstSet, access.firstMade));
}

/** The earlier of two places, of which either may be none. */
function earlier(a: number, b: number): number {
  return a === 0 ? b : b === 0 ? a : Math.min(a, b);
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
