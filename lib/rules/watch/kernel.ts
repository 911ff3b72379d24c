/**
 * What the kernel tells of changes: inotify, and leases, which tell whether
 * somebody may write a file. Not `Deno.watchFs()`: its events come some time
 * after the change, and nobody can tell when all of them have come.
 *
 * Importing this module opens the C library; see `host/libc.ts`.
 */

import { bytesToPath } from "../../host/bytes_path.ts";
import { cPath, ENOENT, ENOTDIR, openCLibrary } from "../../host/libc.ts";

const symbols = {
  inotify_init1: { parameters: ["i32"], result: "i32" },
  inotify_add_watch: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  inotify_rm_watch: { parameters: ["i32", "i32"], result: "i32" },
  open: { parameters: ["buffer", "i32", "i32"], result: "i32" },
  read: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  close: { parameters: ["i32"], result: "i32" },
  fcntl: { parameters: ["i32", "i32", "i32"], result: "i32" },
  ioctl: { parameters: ["i32", "u64", "buffer"], result: "i32" },
  __errno_location: { parameters: [], result: "pointer" },
} as const;

type Calls = Deno.DynamicLibrary<typeof symbols>["symbols"];

const calls: Calls | undefined = openCLibrary(symbols);

/** What happened to something that is watched; bits of {@linkcode Event.mask}. */
export const EVENT = {
  modify: 0x2,
  attrib: 0x4,
  closeWrite: 0x8,
  open: 0x20,
  movedFrom: 0x40,
  movedTo: 0x80,
  create: 0x100,
  delete: 0x200,
  deleteSelf: 0x400,
  moveSelf: 0x800,
  /** Events were lost. */
  overflow: 0x4000,
  /** The watch is gone. */
  ignored: 0x8000,
  /** It is about a folder. */
  isFolder: 0x40000000,
} as const;

/** Names come, go, or are something else. */
const IN_FOLDER = EVENT.attrib | EVENT.movedFrom | EVENT.movedTo |
  EVENT.create | EVENT.delete | EVENT.deleteSelf | EVENT.moveSelf;
/**
 * All that a change begins with. An open, too, as what is written through
 * mapped memory tells of nothing else.
 */
const IN_FILE = EVENT.modify | EVENT.attrib | EVENT.closeWrite | EVENT.open |
  EVENT.deleteSelf | EVENT.moveSelf;

const IN_ONLYDIR = 0x01000000;
const IN_DONT_FOLLOW = 0x02000000;

const ENOMEM = 12;
const EINVAL = 22;
const ENOSPC = 28;

const O_NONBLOCK = 0o4000;
const O_CLOEXEC = 0o2000000;
const O_NOFOLLOW = Deno.build.arch === "aarch64" ? 0o100000 : 0o400000;
const O_DIRECTORY = Deno.build.arch === "aarch64" ? 0o40000 : 0o200000;

const F_SETSIG = 10;
const F_SETLEASE = 1024;
const F_RDLCK = 0;
/** Ends nobody who does not wait for it. */
const SIGURG = 23;

const FS_IOC_GETFLAGS = 0x80086601n;
const FS_CASEFOLD_FL = 0x40000000;

/** How many bytes of events are read at once. */
const BUFFER = 64 * 1024;

/** Something that happened. */
export interface Event {
  /** The watch that saw it; -1 for what concerns all. */
  watch: number;
  /** What happened: bits of {@linkcode EVENT}. */
  mask: number;
  /** Name in the folder that is watched; empty: it itself. */
  name: string;
}

/**
 * Why something cannot be watched: it is not there, or no folder; there are
 * too many watches; leases are switched off; or anything else, such as that
 * somebody has the file open for writing.
 */
export type Refusal = "absent" | "noFolder" | "full" | "noLeases" | "other";

/** Watches, and the queue of what they saw. */
export class Inotify {
  readonly #calls: Calls;
  readonly #fd: number;
  readonly #buffer = new Uint8Array(BUFFER);
  readonly #view = new DataView(this.#buffer.buffer);
  #isClosed = false;

  private constructor(calls: Calls, fd: number) {
    this.#calls = calls;
    this.#fd = fd;
  }

  /** Begins with nothing watched; undefined where that cannot be. */
  static open(): Inotify | undefined {
    const fd = calls?.inotify_init1(O_NONBLOCK | O_CLOEXEC) ?? -1;
    return fd < 0 ? undefined : new Inotify(calls!, fd);
  }

  /** Watches the names in a folder. A link to one is none. */
  folder(path: string): number | Refusal {
    const found = this.#add(path, IN_FOLDER | IN_ONLYDIR);
    if (typeof found !== "number" || !this.#ignoresCase(path)) return found;
    // What is made under another name would be what was not there.
    this.remove(found);
    return "other";
  }

  /** Watches a link. */
  link(path: string): number | Refusal {
    return this.#add(path, IN_FILE);
  }

  /**
   * Watches a file that nobody can write at this moment: from now on nothing
   * changes in it without an event.
   *
   * Nobody gets a lease for reading while the file is open for writing, by
   * whatever name, or is mapped so. While we have it, those who open it for
   * writing wait, and then the watch is there and sees them.
   */
  file(path: string): number | Refusal {
    const cName = cPath(path);
    if (!cName) return "absent";
    const flags = O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW;
    const fd = this.#calls.open(cName, flags, 0);
    if (fd < 0) return "other";
    try {
      // By default who has a lease that is in the way dies of a signal.
      if (this.#calls.fcntl(fd, F_SETSIG, SIGURG) < 0) return "noLeases";
      if (this.#calls.fcntl(fd, F_SETLEASE, F_RDLCK) < 0) {
        return errno(this.#calls) === EINVAL ? "noLeases" : "other";
      }
      // That we close it is no event of these.
      return this.#add(path, IN_FILE);
    } finally {
      this.#calls.close(fd);
    }
  }

  /** Watches no more what a watch was for. */
  remove(watch: number): void {
    this.#calls.inotify_rm_watch(this.#fd, watch);
  }

  /** All that happened until now, in order; each part of it is given once. */
  *read(): Generator<Event> {
    for (;;) {
      const length = Number(
        this.#calls.read(this.#fd, this.#buffer, BigInt(BUFFER)),
      );
      if (length <= 0) return;
      for (let at = 0; at < length;) {
        const size = this.#view.getUint32(at + 12, true);
        const bytes = this.#buffer.subarray(at + 16, at + 16 + size);
        const end = bytes.indexOf(0);
        yield {
          watch: this.#view.getInt32(at, true),
          mask: this.#view.getUint32(at + 4, true),
          name: size === 0
            ? ""
            : bytesToPath(end < 0 ? bytes : bytes.subarray(0, end)),
        };
        at += 16 + size;
      }
    }
  }

  /** Ends all watches. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#calls.close(this.#fd);
  }

  #add(path: string, mask: number): number | Refusal {
    const cName = cPath(path);
    if (!cName) return "absent";
    const watch = this.#calls.inotify_add_watch(
      this.#fd,
      cName,
      mask | IN_DONT_FOLLOW,
    );
    if (watch >= 0) return watch;
    const code = errno(this.#calls);
    if (code === ENOENT) return "absent";
    if (code === ENOTDIR) return "noFolder";
    return code === ENOSPC || code === ENOMEM ? "full" : "other";
  }

  #ignoresCase(path: string): boolean {
    const cName = cPath(path);
    const flags = O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW | O_DIRECTORY;
    const fd = cName ? this.#calls.open(cName, flags, 0) : -1;
    if (fd < 0) return true;
    try {
      const answer = new Uint8Array(8);
      // A file system that has no flags has not this one.
      return this.#calls.ioctl(fd, FS_IOC_GETFLAGS, answer) === 0 &&
        (new DataView(answer.buffer).getUint32(0, true) & FS_CASEFOLD_FL) !== 0;
    } finally {
      this.#calls.close(fd);
    }
  }
}

function errno(calls: Calls): number {
  const place = calls.__errno_location();
  return place === null ? 0 : new Deno.UnsafePointerView(place).getInt32();
}
