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
export const HEADER_FLAGS = { keepSystem: 1, getenv: 2, escalate: 4 } as const;

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
  "setuid",
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

/** Reads records in order, as far as there are any; more may come later. */
export class RecordReader {
  #file: Deno.FsFile;
  #next = HEADER_SIZE;

  /** Opens a trace. */
  constructor(path: string) {
    this.#file = Deno.openSync(path, { read: true });
  }

  /** How far the trace goes now. */
  head(): number {
    return Number(this.#field(HEADER.head, 8).getBigUint64(0, true));
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
    const record: TraceRecord = {
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
    let bytes = new Uint8Array(Math.min(CHUNK, Math.max(head - this.#next, 0)));
    while (this.#next < head) {
      const length = this.#fill(
        bytes,
        Math.min(bytes.length, head - this.#next),
      );
      const used = readChunk(
        bytes.subarray(0, length),
        this.#next,
        record,
        each,
      );
      // A record longer than the buffer, or cut by the end of the trace.
      if (used === 0) {
        if (length >= head - this.#next) return;
        bytes = new Uint8Array(bytes.length * 2);
      }
      this.#next += used;
    }
  }

  /** Closes the file. */
  close(): void {
    this.#file.close();
  }

  #fill(bytes: Uint8Array, length: number): number {
    this.#file.seekSync(this.#next, Deno.SeekMode.Start);
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

/** Reads the whole records of a chunk; returns how many bytes they take. */
function readChunk(
  bytes: Uint8Array,
  base: number,
  record: TraceRecord,
  each: (record: TraceRecord) => void,
): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  while (at + 8 <= bytes.length) {
    const size = view.getUint32(at, true);
    // Reserved by a process that was killed before it wrote anything.
    if (size === 0) {
      at += 8;
      continue;
    }
    if (at + size > bytes.length) break;
    const state = view.getUint8(at + 6);
    if (state !== STATE.writing) {
      record.at = base + at;
      record.op = view.getUint16(at + 4, true);
      record.state = state;
      record.flags = view.getUint8(at + 7);
      record.pid = view.getUint32(at + 8, true);
      record.other = view.getInt32(at + 12, true);
      record.timeNs = view.getUint32(at + 16, true) +
        view.getUint32(at + 20, true) * 2 ** 32;
      const length = view.getUint16(at + 24, true);
      const length2 = view.getUint16(at + 26, true);
      const start = at + RECORD_SIZE;
      record.path = bytesToPath(bytes.subarray(start, start + length));
      record.second = length2 === 0 ? "" : bytesToPath(
        bytes.subarray(start + length + 1, start + length + 1 + length2),
      );
      each(record);
    }
    at += size;
  }
  return at;
}
