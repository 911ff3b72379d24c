/** Finds the frames of a zstd file by their headers alone (RFC 8878). */

import type { FaultReporter } from "./failure.ts";

const FRAME = 0xfd2fb528;
const SKIPPABLE = 0x184d2a50;

/** Whether four bytes begin a frame, of data or to be skipped. */
export function isZstdMagic(magic: number): boolean {
  return magic === FRAME || isSkippable(magic);
}

function isSkippable(magic: number): boolean {
  return (magic & 0xfffffff0) >>> 0 === SKIPPABLE;
}

/**
 * Yields the place of each data frame; refuses a file that is cut short or
 * has something else between or after its frames.
 */
export function* zstdFrames(
  path: string,
  faults: FaultReporter,
): Generator<{ start: number; end: number }> {
  using file = Deno.openSync(path);
  const total = file.statSync().size;
  /** Reads a little-endian number. */
  const read = (at: number, size: number): number => {
    if (at + size > total) throw faults.make("CORRUPT", "is cut short");
    file.seekSync(at, Deno.SeekMode.Start);
    const bytes = new Uint8Array(size);
    file.readSync(bytes);
    return bytes.reduceRight((value, byte) => value * 256 + byte, 0);
  };
  for (let at = 0; at < total;) {
    const magic = read(at, 4);
    const start = at;
    if (isSkippable(magic)) {
      at += 8 + read(at + 4, 4);
    } else if (magic === FRAME) {
      at = frameEnd(start, read);
    } else {
      throw faults.make("CORRUPT", "has data after its end");
    }
    if (at > total) throw faults.make("CORRUPT", "is cut short");
    if (magic === FRAME) yield { start, end: at };
  }
}

function frameEnd(
  start: number,
  read: (at: number, size: number) => number,
): number {
  const descriptor = read(start + 4, 1);
  const singleSegment = (descriptor & 0x20) !== 0;
  const sizeFlag = descriptor >> 6;
  const sizeBytes = sizeFlag === 0 ? (singleSegment ? 1 : 0) : 1 << sizeFlag;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3]!;
  let at = start + 5 + (singleSegment ? 0 : 1) + dictionaryBytes + sizeBytes;
  for (let last = false; !last;) {
    const header = read(at, 3);
    last = (header & 1) !== 0;
    const type = (header >> 1) & 3;
    // A run of one byte (type 1) is stored as that byte.
    at += 3 + (type === 1 ? 1 : header >> 3);
  }
  return at + (descriptor & 4 ? 4 : 0);
}
