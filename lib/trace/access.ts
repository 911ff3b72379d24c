/** Folds the records of a run into what it did with each file. */

import {
  ESCAPE_SEEN,
  ESCAPES,
  FLAG,
  OP,
  STATE,
  type TraceRecord,
} from "./record.ts";

/** What a reader can tell apart; a file's change counts if some kind sees it. */
export const KIND = {
  /** Content of a regular file. */
  regular: 1,
  /** Text of a symbolic link. */
  link: 2,
  /** Existence and type. */
  stat: 4,
  /** Run as a program, or loaded. */
  exec: 8,
  /** Names in a folder. */
  readdir: 16,
} as const;

/** Name of a kind of access. */
export type AccessKind = keyof typeof KIND;

/** What a run did with one path. */
export interface Access {
  /** Canonical absolute path; bytes that are not UTF-8 are lone surrogates. */
  path: string;
  /** Bits of {@linkcode KIND}. */
  kinds: number;
  /** Place of the first read in the order of the run; 0: never read. */
  firstRead: number;
  /** What the first read met. */
  met: "found" | "absent" | "error" | undefined;
  /** When it was first read, in nanoseconds since 1970. */
  readNs: number;
  /** Place of the first write; 0: never written. */
  firstWrite: number;
  /** Whether something was there at the first write. */
  existed: boolean;
  /** Whether a write kept what was there before: it appended, or read it too. */
  sawOld: boolean;
  /** Whether it was removed or renamed away, at least once. */
  removed: boolean;
  /** Whether a whole folder came to be under this name by a rename. */
  moved: boolean;
  /** Whether it was made as a folder. */
  folder: boolean;
  /** Place of the first time that it was; 0: never. */
  firstMade: number;
  /** Whether mode or times were set. */
  attributes: boolean;
}

/** A process that ran a program. */
export interface TracedCommand {
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
  /** When it started, in nanoseconds since 1970. */
  startNs: number;
  /** When it ended; 0 if that was not seen. */
  endNs: number;
}

/** A program that the method could not see into. */
export interface Escape {
  /** Canonical path. */
  program: string;
  /** Why, such as `static`. */
  reason: string;
  /** Whether the ptrace tracer followed it, so that nothing was missed. */
  seen: boolean;
}

const READ_KINDS: Record<number, number> = {
  [OP.read]: KIND.regular | KIND.link,
  [OP.stat]: KIND.regular | KIND.link | KIND.stat,
  [OP.access]: KIND.link | KIND.stat,
  [OP.link]: KIND.link,
  [OP.readdir]: KIND.readdir,
};

/** Everything that a run did, so far. */
export class AccessLog {
  /** By path, in the order in which paths were first met. */
  readonly accesses = new Map<string, Access>();
  /** Programs in the order in which they started. */
  readonly commands: TracedCommand[] = [];
  /** Programs that escaped, without repetition. */
  readonly escapes = new Map<string, Escape>();
  /** Variables that were asked for. */
  readonly variables = new Set<string>();
  #parents = new Map<number, number>();
  #running = new Map<number, TracedCommand>();
  /** Folders with something below them that the run made. */
  #madeBelow = new Set<string>();
  #own: ReadonlySet<string>;

  /** Starts empty. @param own Programs of clibs that are not part of the run. */
  constructor(own: Iterable<string> = []) {
    this.#own = new Set(own);
  }

  /** Takes a record; records come in order. */
  add(record: TraceRecord): void {
    const kinds = READ_KINDS[record.op];
    if (kinds !== undefined) return this.#read(record, kinds);
    const happened = record.state === STATE.found ||
      record.state === STATE.calling;
    switch (record.op) {
      case OP.start:
        this.#parents.set(record.pid, record.other);
        return;
      case OP.exec:
        if (happened) this.#exec(record);
        return;
      case OP.exit:
        this.#exit(record);
        return;
      case OP.escape:
        this.#escape(record);
        return;
      case OP.getenv:
        this.variables.add(record.path);
        return;
      default:
        this.#change(record, happened);
    }
  }

  /** The access of a path, made if there is none. */
  at(path: string): Access {
    let access = this.accesses.get(path);
    if (!access) {
      access = {
        path,
        kinds: 0,
        firstRead: 0,
        met: undefined,
        readNs: 0,
        firstWrite: 0,
        existed: false,
        sawOld: false,
        removed: false,
        moved: false,
        folder: false,
        firstMade: 0,
        attributes: false,
      };
      this.accesses.set(path, access);
    }
    return access;
  }

  #read(record: TraceRecord, kinds: number): void {
    const access = this.at(record.path);
    access.kinds |= kinds;
    if (record.flags & FLAG.executes) access.kinds |= KIND.exec;
    if (access.firstRead !== 0) return;
    access.firstRead = record.at;
    access.readNs = record.timeNs;
    access.met = record.state === STATE.found
      ? "found"
      : record.state === STATE.absent
      ? "absent"
      : "error";
  }

  #write(path: string, record: TraceRecord, existed: boolean): Access {
    const access = this.at(path);
    if (access.firstWrite === 0) {
      access.firstWrite = record.at;
      access.existed = existed;
      this.#noteFolders(path);
    }
    return access;
  }

  #change(record: TraceRecord, happened: boolean): void {
    const existed = (record.flags & FLAG.existed) !== 0;
    if (!happened) {
      const isPair = record.op === OP.rename || record.op === OP.hardlink;
      // A refused change still told whether something was there.
      const met = existed && !isPair ? STATE.found : record.state;
      this.#read({ ...record, state: met }, KIND.link | KIND.stat);
      if (isPair) {
        const state = existed ? STATE.found : STATE.absent;
        const { second } = record;
        this.#read({ ...record, path: second, state }, KIND.link | KIND.stat);
      }
      return;
    }
    switch (record.op) {
      case OP.write: {
        const keeps = (record.flags & (FLAG.appends | FLAG.reads)) !== 0 &&
          (record.flags & FLAG.truncated) === 0 && existed;
        if (keeps) {
          const seen = this.at(record.path);
          // Not of what the run wrote itself.
          if (seen.firstWrite === 0) seen.sawOld = true;
          this.#read(record, KIND.regular | KIND.link);
        }
        this.#write(record.path, record, existed);
        return;
      }
      case OP.unlink:
      case OP.rmdir:
        this.#write(record.path, record, existed).removed = true;
        return;
      case OP.rename:
        this.#rename(record, existed);
        return;
      case OP.hardlink:
        this.#read(record, KIND.regular | KIND.link);
        this.#write(record.second, record, existed);
        return;
      case OP.symlink:
        this.#write(record.path, record, existed);
        return;
      case OP.mkdir:
        this.#mkdir(record.path, record);
        return;
      case OP.attributes: {
        const access = this.at(record.path);
        access.attributes = true;
        // Another length is other content.
        if (record.flags & FLAG.truncated) {
          this.#write(record.path, record, existed);
        }
      }
    }
  }

  #mkdir(path: string, record: TraceRecord): void {
    const access = this.at(path);
    access.folder = true;
    access.firstMade ||= record.at;
    this.#noteFolders(path);
  }

  /** Remembers that something was made below each folder of a path. */
  #noteFolders(path: string): void {
    let end = path.lastIndexOf("/");
    while (end > 0 && !this.#madeBelow.has(path.slice(0, end))) {
      this.#madeBelow.add(path.slice(0, end));
      end = path.lastIndexOf("/", end - 1);
    }
  }

  #rename(record: TraceRecord, existed: boolean): void {
    const { path, second } = record;
    const old = this.at(path);
    if (old.firstWrite === 0 && !old.folder) {
      this.#read(record, KIND.regular | KIND.link);
    }
    this.#write(path, record, true).removed = true;
    if (old.folder) this.#mkdir(second, record);
    this.#write(second, record, existed).moved = true;
    // A folder takes along what was made below it.
    if (!this.#madeBelow.has(path)) return;
    const below = `${path}/`;
    for (const access of [...this.accesses.values()]) {
      if (!access.path.startsWith(below)) continue;
      if (access.firstWrite === 0 && !access.folder) continue;
      const moved = `${second}/${access.path.slice(below.length)}`;
      if (access.firstWrite !== 0) this.#write(moved, record, false);
      if (access.folder) this.#mkdir(moved, record);
      access.removed = true;
    }
  }

  #exec(record: TraceRecord): void {
    if (this.#own.has(record.path)) return;
    const [cwd = "", ...argv] = record.second.split("\0");
    // Each argument ends with NUL.
    if (argv.at(-1) === "") argv.pop();
    const before = this.#running.get(record.pid);
    // Told by who started it and again by the program itself.
    if (
      before && before.program === record.path && before.endNs === 0 &&
      record.timeNs - before.startNs < 1e7
    ) return;
    if (before) before.endNs ||= record.timeNs;
    const command: TracedCommand = {
      pid: record.pid,
      parent: this.#parents.get(record.pid) ?? 0,
      program: record.path,
      argv,
      cwd,
      startNs: record.timeNs,
      endNs: 0,
    };
    this.#running.set(record.pid, command);
    this.commands.push(command);
  }

  #exit(record: TraceRecord): void {
    const command = this.#running.get(record.pid);
    if (command) command.endNs = record.timeNs;
  }

  #escape(record: TraceRecord): void {
    const reason = ESCAPES[record.other & ~ESCAPE_SEEN] ?? "unknown";
    const seen = (record.other & ESCAPE_SEEN) !== 0;
    const key = `${record.path}\0${reason}`;
    const before = this.escapes.get(key);
    this.escapes.set(key, {
      program: record.path,
      reason,
      seen: seen && (before?.seen ?? true),
    });
  }
}
