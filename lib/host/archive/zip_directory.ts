/** The central directory of a zip file. */

import type { Buffer } from "node:buffer";
import type { FaultReporter } from "./failure.ts";

/** Reads exactly `size` bytes of the file at `at`. */
export type ReadAt = (at: number, size: number) => Buffer;

/** One entry as the central directory has it. */
export interface ZipEntry {
  /** Name as bytes. */
  name: Buffer;
  /** General purpose bits. */
  flags: number;
  /** 0: stored, 8: deflated. */
  method: number;
  /** CRC-32 of the content. */
  crc: number;
  /** Bytes in the archive. */
  compressedSize: number;
  /** Bytes of content. */
  size: number;
  /** DOS date in the high, DOS time in the low 16 bits. */
  dosTime: number;
  /** System that made it: 0 DOS, 3 Unix, 10 NTFS, 19 macOS. */
  system: number;
  /** Unix mode in the high 16 bits, DOS attributes in the low ones. */
  attributes: number;
  /** Extra fields, by id. */
  extra: Map<number, Buffer>;
  /** Where its local header begins. */
  offset: number;
}

/** Where the central directory is. */
interface DirectoryPlace {
  count: number;
  size: number;
  offset: number;
}

const END_BYTES = 22;
const END64_BYTES = 56;
const LOCATOR_BYTES = 20;
const ENTRY_BYTES = 46;

/**
 * Reads all entries, sorted by their place in the file.
 *
 * @param total Size of the file in bytes.
 * @returns The entries and where the central directory begins.
 */
export function readZipDirectory(
  readAt: ReadAt,
  total: number,
  faults: FaultReporter,
): { entries: ZipEntry[]; offset: number } {
  const place = findDirectory(readAt, total, faults);
  const bytes = readAt(place.offset, place.size);
  const entries: ZipEntry[] = [];
  let at = 0;
  while (at < bytes.length) {
    const entry = readEntry(bytes, at, faults);
    entries.push(entry.value);
    at = entry.end;
  }
  if (entries.length !== place.count) {
    throw corrupt(faults, "has a central directory with a wrong entry count");
  }
  entries.sort((a, b) => a.offset - b.offset);
  return { entries, offset: place.offset };
}

function corrupt(faults: FaultReporter, reason: string): Error {
  return faults.make("CORRUPT", reason);
}

function findDirectory(
  readAt: ReadAt,
  total: number,
  faults: FaultReporter,
): DirectoryPlace {
  const tailSize = Math.min(total, END_BYTES + 0xffff);
  const tail = readAt(total - tailSize, tailSize);
  // Every place that could be the end: two readers could pick different ones.
  const ends: number[] = [];
  for (let i = tailSize - END_BYTES; i >= 0; i--) {
    if (tail.readUInt32LE(i) !== 0x06054b50) continue;
    if (i + END_BYTES + tail.readUInt16LE(i + 20) === tailSize) ends.push(i);
  }
  const end = ends[0];
  if (end === undefined) {
    throw corrupt(faults, "is cut short or has data after its end");
  }
  if (ends.length > 1) {
    throw faults.make("UNSAFE", "is ambiguous: it has two end records");
  }
  if (tail.readUInt16LE(end + 4) !== 0 || tail.readUInt16LE(end + 6) !== 0) {
    throw faults.make("UNSUPPORTED", "is one part of a split zip file");
  }
  const endAt = total - tailSize + end;
  const place = {
    count: tail.readUInt16LE(end + 10),
    size: tail.readUInt32LE(end + 12),
    offset: tail.readUInt32LE(end + 16),
  };
  const large = place.count === 0xffff || place.size === 0xffffffff ||
    place.offset === 0xffffffff;
  const place64 = findDirectory64(readAt, endAt, faults);
  const bestPlace = place64 && large ? place64 : { ...place, end: endAt };
  if (place64 && !agrees(place, place64)) {
    throw faults.make("UNSAFE", "is ambiguous: its two end records disagree");
  }
  const directoryEnd = place64 ? place64.end : bestPlace.end;
  if (bestPlace.offset + bestPlace.size !== directoryEnd) {
    throw corrupt(faults, "has a central directory that is not where it says");
  }
  return bestPlace;
}

function agrees(small: DirectoryPlace, large: DirectoryPlace): boolean {
  return (small.count === 0xffff || small.count === large.count) &&
    (small.size === 0xffffffff || small.size === large.size) &&
    (small.offset === 0xffffffff || small.offset === large.offset);
}

function findDirectory64(
  readAt: ReadAt,
  endAt: number,
  faults: FaultReporter,
): (DirectoryPlace & { end: number }) | undefined {
  const locatorAt = endAt - LOCATOR_BYTES;
  if (locatorAt < END64_BYTES) return undefined;
  const locator = readAt(locatorAt, LOCATOR_BYTES);
  if (locator.readUInt32LE(0) !== 0x07064b50) return undefined;
  const at = safeNumber(locator, 8, faults);
  if (at + END64_BYTES > locatorAt) {
    throw corrupt(faults, "has a zip64 end record that is not where it says");
  }
  const end = readAt(at, END64_BYTES);
  const size = safeNumber(end, 4, faults);
  if (end.readUInt32LE(0) !== 0x06064b50 || at + 12 + size !== locatorAt) {
    throw corrupt(faults, "has a zip64 end record that is not where it says");
  }
  return {
    count: safeNumber(end, 32, faults),
    size: safeNumber(end, 40, faults),
    offset: safeNumber(end, 48, faults),
    end: at,
  };
}

function safeNumber(bytes: Buffer, at: number, faults: FaultReporter): number {
  const value = at + 8 <= bytes.length
    ? Number(bytes.readBigUInt64LE(at))
    : NaN;
  if (Number.isSafeInteger(value)) return value;
  throw corrupt(faults, "has a bad zip64 number");
}

function readEntry(
  bytes: Buffer,
  at: number,
  faults: FaultReporter,
): { value: ZipEntry; end: number } {
  const bad = () => corrupt(faults, "has a bad central directory");
  if (at + ENTRY_BYTES > bytes.length) throw bad();
  if (bytes.readUInt32LE(at) !== 0x02014b50) throw bad();
  const nameSize = bytes.readUInt16LE(at + 28);
  const extraSize = bytes.readUInt16LE(at + 30);
  const extraAt = at + ENTRY_BYTES + nameSize;
  const end = extraAt + extraSize + bytes.readUInt16LE(at + 32);
  if (end > bytes.length) throw bad();
  const entry: ZipEntry = {
    system: bytes.readUInt8(at + 5),
    flags: bytes.readUInt16LE(at + 8),
    method: bytes.readUInt16LE(at + 10),
    dosTime: bytes.readUInt32LE(at + 12),
    crc: bytes.readUInt32LE(at + 16),
    compressedSize: bytes.readUInt32LE(at + 20),
    size: bytes.readUInt32LE(at + 24),
    attributes: bytes.readUInt32LE(at + 38),
    offset: bytes.readUInt32LE(at + 42),
    name: bytes.subarray(at + ENTRY_BYTES, extraAt),
    extra: readExtra(bytes.subarray(extraAt, extraAt + extraSize), faults),
  };
  applyZip64(entry, faults);
  return { value: entry, end };
}

/** Splits extra fields; a second field of one id is refused as ambiguous. */
export function readExtra(
  bytes: Buffer,
  faults: FaultReporter,
): Map<number, Buffer> {
  const fields = new Map<number, Buffer>();
  // Up to 3 bytes of padding are common (zipalign).
  for (let at = 0; at + 4 <= bytes.length;) {
    const id = bytes.readUInt16LE(at);
    const end = at + 4 + bytes.readUInt16LE(at + 2);
    if (end > bytes.length) throw corrupt(faults, "has a bad extra field");
    if (fields.has(id) && (id === 1 || id === 0x7075)) {
      throw faults.make("UNSAFE", "is ambiguous: it has an extra field twice");
    }
    fields.set(id, bytes.subarray(at + 4, end));
    at = end;
  }
  return fields;
}

function applyZip64(entry: ZipEntry, faults: FaultReporter): void {
  const field = entry.extra.get(1);
  let at = 0;
  const next = (value: number) => {
    if (value !== 0xffffffff || !field) return value;
    at += 8;
    return safeNumber(field, at - 8, faults);
  };
  entry.size = next(entry.size);
  entry.compressedSize = next(entry.compressedSize);
  entry.offset = next(entry.offset);
}
