/** The tracers' records, as `native/trace.h` lays them out. */

import { bytesToPath } from "../host/bytes_path.ts";

/** First eight bytes of a trace. */
export const MAGIC = 0x3172547362696c63n;
/** Version of the layout. */
export const VERSION = 1;
/** Bytes before the first record. */
export const HEADER_SIZE = 4096;

/** Places of fields in the header. */
export const HEADER = {
  magic: 0,
  version: 8,
  flags: 12,
  size: 16,
  head: 24,
  allocated: 32,
  systemReads: 40,
  lost: 48,
  links: 52,
  path: 56,
  shim: 568,
  tracer: 1080,
  prefixes: 1592,
} as const;

/** Bytes of a name in the header, with its end. */
export const NAME_SIZE = 512;
/** Bytes of the list of prefixes. */
export const PREFIXES_SIZE = 1024;

/** Bits of the header's flags. */
export const HEADER_FLAGS = {
  keepSystem: 1,
  getenv: 2,
  escalate: 4,
  makeFolders: 8,
} as const;

/** What a record tells. */
export const OP = {
  start: 1,
  exec: 2,
  exit: 3,
  read: 4,
  stat: 5,
  access: 6,
  link: 7,
  readdir: 8,
  write: 9,
  unlink: 10,
  rename: 11,
  hardlink: 12,
  symlink: 13,
  mkdir: 14,
  rmdir: 15,
  attributes: 16,
  getenv: 17,
  escape: 18,
} as const;

/** How the call of a record ended. */
export const STATE = {
  writing: 0,
  calling: 1,
  found: 2,
  absent: 3,
  failed: 4,
} as const;

/** Bits of a record's flags. */
export const FLAG = {
  existed: 1,
  truncated: 2,
  appends: 4,
  reads: 8,
  creates: 16,
  executes: 32,
  byPtrace: 64,
} as const;

/** Added to the reason of an escape that the ptrace tracer follows. */
export const ESCAPE_SEEN = 0x100;

/** Why a method cannot see into a program, by number. */
export const ESCAPES: readonly string[] = [
  "",
  "static",
  "another libc",
  "another architecture",
  "Go",
  "other rights",
];

/** A record; {@linkcode RecordReader} uses one object for all. */
export interface TraceRecord {
  /** Place in the trace, which is its order. */
  at: number;
  /** One of {@linkcode OP}. */
  op: number;
  /** One of {@linkcode STATE}. */
  state: number;
  /** Bits of {@linkcode FLAG}. */
  flags: number;
  /** Process. */
  pid: number;
  /** Depends on the operation. */
  other: number;
  /** Nanoseconds since 1970; exact to 256. */
  timeNs: number;
  /** Canonical path. */
  path: string;
  /** Second path, or what else there is; empty as a rule. */
  second: string;
}

/** Fixed part of a record. */
const RECORD_SIZE = 32;
/** Bytes that are read at once. */
const CHUNK = 1 << 20;

/** A part of the trace where no whole record is, yet. */
interface Hole {
  from: number;
  to: number;
}

/**
 * Reads records in order, as far as there are any; more may come later.
 *
 * Where a process was killed between reserving room and filling it there is no
 * record, ever; where it is only slow, one comes later. Such places are looked
 * at again by each {@linkcode RecordReader.read}, so such a record comes out of
 * order: {@linkcode TraceRecord.at} tells.
 */
export class RecordReader implements Disposable {
  readonly #file: Deno.FsFile;
  readonly #isOwn: boolean;
  #next = HEADER_SIZE;
  #holes: Hole[] = [];

  /** @param from A trace: its path, or the file, which the caller closes. */
  constructor(from: string | Deno.FsFile) {
    this.#isOwn = typeof from === "string";
    this.#file = typeof from === "string"
      ? Deno.openSync(from, { read: true })
      : from;
  }

  /** How far the trace goes now. */
  head(): number {
    const head = Number(this.#field(HEADER.head, 8).getBigUint64(0, true));
    // What was to come behind the end was lost, and counted as such.
    return Math.min(head, this.#file.statSync().size);
  }

  /** Accesses under system prefixes that were counted only. */
  systemReads(): number {
    return Number(this.#field(HEADER.systemReads, 8).getBigUint64(0, true));
  }

  /** Records that could not be written. */
  lost(): number {
    return this.#field(HEADER.lost, 4).getUint32(0, true);
  }

  /**
   * Reads the records that have come since the last call.
   *
   * @param each Gets every record; the object is used again for the next.
   */
  read(each: (record: TraceRecord) => void): void {
    const head = this.head();
    const holes = this.#holes;
    this.#holes = [];
    for (const { from, to } of holes) this.#scan(from, to, each);
    this.#scan(this.#next, head, each);
    this.#next = Math.max(this.#next, head);
  }

  /** Closes the file. */
  close(): void {
    if (this.#isOwn) this.#file.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #scan(from: number, to: number, each: (record: TraceRecord) => void): void {
    const chunk = new RecordChunk(each, (hole) => {
      const last = this.#holes.at(-1);
      if (last?.to === hole.from) last.to = hole.to;
      else this.#holes.push(hole);
    });
    let bytes = new Uint8Array(Math.min(CHUNK, Math.max(to - from, 0)));
    while (from < to) {
      const length = this.#fill(bytes, from, Math.min(bytes.length, to - from));
      if (length === 0) return;
      const isLast = from + length >= to;
      const used = chunk.read(bytes.subarray(0, length), from, isLast);
      // A record longer than the buffer.
      if (used === 0) bytes = new Uint8Array(bytes.length * 2);
      from += used;
    }
  }

  #fill(bytes: Uint8Array, from: number, length: number): number {
    this.#file.seekSync(from, Deno.SeekMode.Start);
    let done = 0;
    while (done < length) {
      const n = this.#file.readSync(bytes.subarray(done, length));
      if (n === null) break;
      done += n;
    }
    return done;
  }

  #field(at: number, size: number): DataView {
    const bytes = new Uint8Array(size);
    this.#file.seekSync(at, Deno.SeekMode.Start);
    this.#file.readSync(bytes);
    return new DataView(bytes.buffer);
  }
}

/** Finds the records in pieces of a trace. */
class RecordChunk {
  readonly #record: TraceRecord = {
    at: 0,
    op: 0,
    state: 0,
    flags: 0,
    pid: 0,
    other: 0,
    timeNs: 0,
    path: "",
    second: "",
  };
  readonly #each: (record: TraceRecord) => void;
  readonly #hole: (hole: Hole) => void;

  constructor(
    each: (record: TraceRecord) => void,
    hole: (hole: Hole) => void,
  ) {
    this.#each = each;
    this.#hole = hole;
  }

  /**
   * Hands on the whole records of a piece; returns how many bytes they take.
   *
   * @param base Where the piece begins in the trace.
   * @param isLast Whether nothing comes after it.
   */
  read(bytes: Uint8Array, base: number, isLast: boolean): number {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let at = 0;
    while (at + 8 <= bytes.length) {
      const size = view.getUint32(at, true);
      // Nothing was written here; the next record may begin at any eighth byte.
      if (size === 0 || size % 8 !== 0 || size < RECORD_SIZE) {
        this.#hole({ from: base + at, to: base + at + 8 });
        at += 8;
        continue;
      }
      if (at + size > bytes.length) {
        if (!isLast) return at;
        this.#hole({ from: base + at, to: base + bytes.length });
        return bytes.length;
      }
      if (this.#take(bytes.subarray(at, at + size), view, at)) {
        this.#record.at = base + at;
        this.#each(this.#record);
      } else this.#hole({ from: base + at, to: base + at + size });
      at += size;
    }
    return isLast ? bytes.length : at;
  }

  /** Decodes a record; returns whether it is whole. */
  #take(bytes: Uint8Array, view: DataView, at: number): boolean {
    const state = view.getUint8(at + 6);
    const length = view.getUint16(at + 24, true);
    const length2 = view.getUint16(at + 26, true);
    const second = RECORD_SIZE + length + 1;
    if (
      state === STATE.writing || second + length2 > bytes.length ||
      // A path was not written to its end before its process was killed.
      length > 0 && bytes[RECORD_SIZE] === 0
    ) return false;
    const record = this.#record;
    record.op = view.getUint16(at + 4, true);
    record.state = state;
    record.flags = view.getUint8(at + 7);
    record.pid = view.getUint32(at + 8, true);
    record.other = view.getInt32(at + 12, true);
    record.timeNs = view.getUint32(at + 16, true) +
      view.getUint32(at + 20, true) * 2 ** 32;
    record.path = bytesToPath(bytes.subarray(RECORD_SIZE, second - 1));
    record.second = length2 === 0
      ? ""
      : bytesToPath(bytes.subarray(second, second + length2));
    return true;
  }
}
