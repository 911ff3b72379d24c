/** Folds the records of a run into what it did with each file. */

import {
  ESCAPE_SEEN,
  ESCAPES,
  FLAG,
  OP,
  STATE,
  type TraceRecord,
} from "./record.ts";

/** Name of a kind of access: what a reader can tell apart. */
export type AccessKind = "regular" | "link" | "stat" | "exec" | "readdir";

/** Bits of the kinds; a file's change counts if some kind sees it. */
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
} as const satisfies Record<AccessKind, number>;

/**
 * What a run did with one path. A place is a number that grows in the order of
 * the run; 0 stands for never.
 */
export interface Access {
  /** Canonical absolute path; bytes that are not UTF-8 are lone surrogates. */
  path: string;
  /** Bits of {@linkcode KIND}. */
  kinds: number;
  /** Place of the first read. */
  firstRead: number;
  /** What the first read met. */
  met: "found" | "absent" | "error" | undefined;
  /** When it was first read, in nanoseconds since 1970. */
  readNs: number;
  /** Place of the first write. */
  firstWrite: number;
  /** Whether something was there at the first write. */
  existed: boolean;
  /** Whether the first write kept something of what was there before. */
  sawOld: boolean;
  /** Whether it was removed or renamed away, at least once. */
  removed: boolean;
  /** Whether a whole folder may have come to this name by a rename. */
  moved: boolean;
  /** Whether it was made as a folder. */
  folder: boolean;
  /** Place of the first time that it was. */
  firstMade: number;
  /** Whether mode or times were set. */
  attributes: boolean;
  /** Place of the first time that they were. */
  firstSet: number;
  /** Whether it was given another name too, which is a change of its inode. */
  linked: boolean;
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

/** A program that was started last in its process, and who told so. */
interface Running {
  command: TracedCommand;
  tellers: number;
}

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
  #running = new Map<number, Running>();
  /** Folders, and what is in each that the run made or has made something in. */
  #made = new Map<string, Set<string>>();
  #renames = new Map<string, number>();
  #own: ReadonlySet<string>;

  /** Starts empty. @param own Files of clibs that are not part of the run. */
  constructor(own: Iterable<string> = []) {
    this.#own = new Set([...own].filter((path) => path !== ""));
  }

  /**
   * Takes a record. They come in order, but for those whose writer was held up
   * in the middle of one.
   */
  add(record: TraceRecord): void {
    if (this.#own.has(record.path)) return;
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
        firstSet: 0,
        linked: false,
      };
      this.accesses.set(path, access);
    }
    return access;
  }

  /**
   * Paths that a rename gave or took, and the place of the first such rename:
   * from there on what is below them is another folder's.
   */
  get renames(): ReadonlyMap<string, number> {
    return this.#renames;
  }

  /** Whether the run made, changed or removed a name in a folder. */
  changedNamesIn(folder: string): boolean {
    for (const path of this.#made.get(folder) ?? []) {
      const access = this.accesses.get(path);
      if (access && (access.firstWrite !== 0 || access.folder)) return true;
    }
    return false;
  }

  #read(record: TraceRecord, kinds: number): void {
    const access = this.at(record.path);
    access.kinds |= kinds;
    if (record.flags & FLAG.executes) access.kinds |= KIND.exec;
    if (access.firstRead !== 0 && access.firstRead < record.at) return;
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
    if (access.firstWrite === 0) this.#note(path);
    if (access.firstWrite === 0 || record.at < access.firstWrite) {
      access.firstWrite = record.at;
      access.existed = existed;
    }
    return access;
  }

  #mkdir(path: string, record: TraceRecord): void {
    const access = this.at(path);
    access.folder = true;
    access.firstMade = first(access.firstMade, record.at);
    this.#note(path);
  }

  #change(record: TraceRecord, happened: boolean): void {
    const { path, second } = record;
    const existed = (record.flags & FLAG.existed) !== 0;
    if (!happened) return this.#refused(record, existed);
    switch (record.op) {
      case OP.write: {
        // Also where it does not read: what it does not overwrite stays.
        if (existed && !(record.flags & FLAG.truncated)) {
          this.#sawOld(path);
          this.#read(record, KIND.regular | KIND.link);
        }
        this.#write(path, record, existed);
        return;
      }
      case OP.unlink:
      case OP.rmdir:
        this.#write(path, record, existed).removed = true;
        return;
      case OP.rename:
        this.#rename(record, existed);
        return;
      case OP.hardlink:
        this.#read(record, KIND.regular | KIND.link);
        this.at(path).linked = true;
        this.#write(second, record, existed).linked = true;
        return;
      case OP.symlink:
        this.#write(path, record, existed);
        return;
      case OP.mkdir:
        this.#mkdir(path, record);
        return;
      case OP.attributes: {
        const access = this.at(path);
        access.attributes = true;
        access.firstSet = first(access.firstSet, record.at);
        // Another length is other content.
        if (record.flags & FLAG.truncated) this.#write(path, record, existed);
      }
    }
  }

  /** A refused change still told whether something was there. */
  #refused(record: TraceRecord, existed: boolean): void {
    const isPair = record.op === OP.rename || record.op === OP.hardlink;
    const met = existed && !isPair ? STATE.found : record.state;
    this.#read({ ...record, state: met }, KIND.link | KIND.stat);
    if (!isPair) return;
    const state = existed ? STATE.found : STATE.absent;
    this.#read(
      { ...record, path: record.second, state },
      KIND.link | KIND.stat,
    );
  }

  /** Unless what was there before is the run's own. */
  #sawOld(path: string): void {
    const access = this.at(path);
    if (access.firstWrite === 0) access.sawOld = true;
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
    for (const name of [path, second]) {
      this.#renames.set(name, first(this.#renames.get(name) ?? 0, record.at));
    }
    this.#move(path, second, record);
  }

  /** A folder takes along what was made below it. */
  #move(from: string, to: string, record: TraceRecord): void {
    const inside = this.#made.get(from);
    if (!inside || to.startsWith(`${from}/`)) return;
    this.#made.delete(from);
    for (const path of inside) {
      const access = this.accesses.get(path);
      const moved = `${to}${path.slice(from.length)}`;
      if (access && access.firstWrite !== 0) this.#write(moved, record, false);
      if (access?.folder) this.#mkdir(moved, record);
      if (access) access.removed = true;
      this.#move(path, moved, record);
    }
  }

  /** Remembers a path that was made with each folder above it. */
  #note(path: string): void {
    for (
      let end;
      (end = path.lastIndexOf("/")) > 0;
      path = path.slice(0, end)
    ) {
      const folder = path.slice(0, end);
      const inside = this.#made.get(folder);
      if (inside?.has(path)) return;
      if (inside) inside.add(path);
      else this.#made.set(folder, new Set([path]));
    }
  }

  #exec(record: TraceRecord): void {
    const [cwd = "", ...argv] = record.second.split("\0");
    // Each argument ends with NUL.
    if (argv.at(-1) === "") argv.pop();
    const before = this.#running.get(record.pid);
    // The program itself tells that it runs, the tracer does, and who started
    // it if nothing else may.
    const teller = record.state === STATE.calling
      ? 1
      : record.flags & FLAG.byPtrace
      ? 2
      : 4;
    if (
      before?.command.program === record.path && before.command.endNs === 0 &&
      !(before.tellers & teller)
    ) {
      before.tellers |= teller;
      return;
    }
    if (before) before.command.endNs ||= record.timeNs;
    const command: TracedCommand = {
      pid: record.pid,
      parent: this.#parents.get(record.pid) ?? 0,
      program: record.path,
      argv,
      cwd,
      startNs: record.timeNs,
      endNs: 0,
    };
    this.#running.set(record.pid, { command, tellers: teller });
    this.commands.push(command);
  }

  #exit(record: TraceRecord): void {
    const running = this.#running.get(record.pid);
    if (running) running.command.endNs = record.timeNs;
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

/** The earlier of two places, of which the first may be none. */
function first(before: number, at: number): number {
  return before === 0 || at < before ? at : before;
}
