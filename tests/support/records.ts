/** Records of traces, made up. */

import { AccessLog } from "../../lib/trace/access.ts";
import {
  FLAG,
  HEADER,
  HEADER_SIZE,
  MAGIC,
  OP,
  STATE,
  type TraceRecord,
  VERSION,
} from "../../lib/trace/record.ts";
import { pathToBytes } from "../../lib/host/bytes_path.ts";

/** A record by the names of its parts. */
export interface MadeRecord {
  op: keyof typeof OP;
  path?: string;
  /** Default: nothing. */
  second?: string;
  /** Default: `found`. */
  state?: keyof typeof STATE;
  /** Default: none. */
  flags?: (keyof typeof FLAG)[];
  /** Default: 1. */
  pid?: number;
  /** Default: 0. */
  other?: number;
  /** Default: the number of the record. */
  timeNs?: number;
  /** Default: the number of the record. */
  at?: number;
}

/** The record as the reader gives it. */
export function recordOf(made: MadeRecord, number: number): TraceRecord {
  const flags = (made.flags ?? []).reduce((sum, name) => sum | FLAG[name], 0);
  return {
    at: made.at ?? number,
    op: OP[made.op],
    state: STATE[made.state ?? "found"],
    flags,
    pid: made.pid ?? 1,
    other: made.other ?? 0,
    timeNs: made.timeNs ?? number,
    path: made.path ?? "",
    second: made.second ?? "",
  };
}

/** A log that took records, numbered from 1. */
export function logOf(
  records: readonly MadeRecord[],
  own: Iterable<string> = [],
): AccessLog {
  const log = new AccessLog(own);
  records.forEach((made, i) => log.add(recordOf(made, i + 1)));
  return log;
}

/** The record's bytes, as `native/trace.h` lays them out. */
export function bytesOf(made: MadeRecord): Uint8Array<ArrayBuffer> {
  const record = recordOf(made, 0);
  const path = pathToBytes(record.path);
  const second = pathToBytes(record.second);
  const size = 32 + path.length + 1 + second.length;
  const bytes = new Uint8Array(Math.ceil(size / 8) * 8);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, bytes.length, true);
  view.setUint16(4, record.op, true);
  view.setUint8(6, record.state);
  view.setUint8(7, record.flags);
  view.setUint32(8, record.pid, true);
  view.setInt32(12, record.other, true);
  view.setBigUint64(16, BigInt(record.timeNs), true);
  view.setUint16(24, path.length, true);
  view.setUint16(26, second.length, true);
  bytes.set(path, 32);
  bytes.set(second, 33 + path.length);
  return bytes;
}

/** A whole trace: header and parts, a number being so many bytes of nothing. */
export function traceBytes(
  parts: readonly (MadeRecord | number)[],
): Uint8Array<ArrayBuffer> {
  const pieces = parts.map((part) =>
    typeof part === "number" ? new Uint8Array(part) : bytesOf(part)
  );
  const end = pieces.reduce((sum, { length }) => sum + length, HEADER_SIZE);
  const bytes = new Uint8Array(end);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(HEADER.magic, MAGIC, true);
  view.setUint32(HEADER.version, VERSION, true);
  view.setBigUint64(HEADER.size, BigInt(end), true);
  view.setBigUint64(HEADER.head, BigInt(end), true);
  let at = HEADER_SIZE;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}
