/** One header block of a tar archive. */

import type { FaultReporter } from "./failure.ts";
import { textForMessage } from "./names.ts";

/** Bytes of a tar block. */
export const BLOCK_BYTES = 512;

/** The fields of a header that matter here. */
export interface TarHeader {
  /** Name as bytes, with the prefix of ustar before it. */
  name: Uint8Array;
  /** Target of a link, as bytes. */
  linkName: Uint8Array;
  /** Permission bits and more. */
  mode: number;
  /** Bytes of content that follow. */
  size: number;
  /** Seconds since the epoch. */
  mtime: number;
  /** One character; NUL is told as "0", as both mean a file. */
  type: string;
}

/** Whether a block is the header of an entry: its checksum is right. */
export function isTarHeader(block: Uint8Array): boolean {
  if (block.length < BLOCK_BYTES) return false;
  const stored = octal(block.subarray(148, 156));
  if (stored === undefined) return false;
  const [unsigned, signed] = checksums(block);
  return stored === unsigned || stored === signed;
}

/** Whether all bytes are zero. */
export function isZero(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) if (bytes[i] !== 0) return false;
  return true;
}

/** Reads a header block; refuses one whose fields are not what they should be. */
export function parseTarHeader(
  block: Uint8Array,
  faults: FaultReporter,
): TarHeader {
  if (!isTarHeader(block)) {
    throw faults.make("CORRUPT", "has a header with a wrong checksum");
  }
  const own = untilNul(block.subarray(0, 100));
  // Only "ustar" and NUL has a prefix; GNU's "ustar  " keeps dates there.
  const posix = textForMessage(block.subarray(257, 263)) === "ustar\0";
  const prefix = posix
    ? untilNul(block.subarray(345, 500))
    : own.subarray(0, 0);
  const name = prefix.length > 0 ? joined(prefix, own) : own;
  const number = (from: number, to: number, what: string) => {
    const value = tarNumber(block.subarray(from, to));
    if (value !== undefined) return value;
    throw faults.make("CORRUPT", `has a header with a bad ${what}`, {
      name: textForMessage(name),
    });
  };
  const size = number(124, 136, "size");
  if (size < 0) {
    throw faults.make("CORRUPT", "has a header with a negative size", {
      name: textForMessage(name),
    });
  }
  return {
    name,
    linkName: untilNul(block.subarray(157, 257)),
    mode: number(100, 108, "mode") & 0o7777,
    size,
    mtime: number(136, 148, "date"),
    type: block[156] === 0 ? "0" : String.fromCharCode(block[156]!),
  };
}

function joined(prefix: Uint8Array, name: Uint8Array): Uint8Array {
  const whole = new Uint8Array(prefix.length + 1 + name.length);
  whole.set(prefix);
  whole[prefix.length] = 0x2f;
  whole.set(name, prefix.length + 1);
  return whole;
}

/** The bytes before the first NUL. */
export function untilNul(bytes: Uint8Array): Uint8Array {
  const end = bytes.indexOf(0);
  return end < 0 ? bytes : bytes.subarray(0, end);
}

/** Sum of a header's bytes, its checksum field as spaces; some tars sum signed. */
function checksums(block: Uint8Array): [number, number] {
  let unsigned = 8 * 0x20;
  let high = 0;
  for (let i = 0; i < BLOCK_BYTES; i++) {
    if (i >= 148 && i < 156) continue;
    const byte = block[i]!;
    unsigned += byte;
    if (byte > 127) high++;
  }
  return [unsigned, unsigned - 256 * high];
}

/** A number in octal or base 256; undefined if it is neither or is too big. */
export function tarNumber(field: Uint8Array): number | undefined {
  const first = field[0]!;
  return first & 0x80 ? base256(field) : octal(field);
}

function base256(field: Uint8Array): number | undefined {
  if (field[0] !== 0x80 && field[0] !== 0xff) return undefined;
  let value = field[0] === 0xff ? -1n : 0n;
  for (const byte of field.subarray(1)) value = (value << 8n) | BigInt(byte);
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : undefined;
}

function octal(field: Uint8Array): number | undefined {
  let i = 0;
  while (field[i] === 0x20) i++;
  let value = 0;
  for (; field[i]! >= 0x30 && field[i]! <= 0x37; i++) {
    value = value * 8 + field[i]! - 0x30;
  }
  for (; i < field.length; i++) {
    if (field[i] !== 0 && field[i] !== 0x20) return undefined;
  }
  return value;
}
