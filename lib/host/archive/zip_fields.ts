/** What the fields of a zip entry mean: name, type, mode and time. */

import type { Buffer } from "node:buffer";
import { crc32 } from "node:zlib";
import type { FaultReporter } from "./failure.ts";
import { decodeUtf8 } from "./names.ts";
import type { Mtime } from "./times.ts";
import type { ZipEntry } from "./zip_directory.ts";

/** The upper half of code page 437, the names' encoding under DOS. */
const CP437 =
  "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐" +
  "└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0";

const UTF8_FLAG = 0x800;
const UNICODE_PATH = 0x7075;
const UNIX_TIME = 0x5455;
const UNIX_SYSTEMS = [3, 19];

/**
 * Name of an entry.
 *
 * UTF-8 if it says so, or by Info-ZIP's extra field while that still belongs
 * to the name; from Unix also if it is valid UTF-8; else code page 437.
 */
export function zipName(entry: ZipEntry, faults: FaultReporter): string {
  const unicode = entry.extra.get(UNICODE_PATH);
  const own = unicode && unicode.length > 5 && unicode[0] === 1 &&
    unicode.readUInt32LE(1) === crc32(entry.name);
  const bytes = own ? unicode.subarray(5) : entry.name;
  const text = decodeUtf8(bytes);
  const isUtf8 = own || (entry.flags & UTF8_FLAG) !== 0;
  if (isUtf8 && text === undefined) {
    throw faults.make("UNSUPPORTED", "has a name that is not UTF-8", {
      name: cp437(bytes),
    });
  }
  if (text !== undefined && (isUtf8 || UNIX_SYSTEMS.includes(entry.system))) {
    return text;
  }
  return cp437(bytes);
}

function cp437(bytes: Uint8Array): string {
  return Array.from(
    bytes,
    (byte) => byte < 128 ? String.fromCharCode(byte) : CP437[byte - 128],
  ).join("");
}

/** Type of an entry. */
export type ZipType = "file" | "folder" | "symlink";

/** Type and permission bits; other types are refused. */
export function zipMode(
  entry: ZipEntry,
  name: string,
  faults: FaultReporter,
): { type: ZipType; mode: number } {
  const slash = name.endsWith("/");
  const unix = UNIX_SYSTEMS.includes(entry.system)
    ? entry.attributes >>> 16
    : 0;
  const kind = unix & 0o170000;
  const types: Record<number, ZipType> = {
    0: slash ? "folder" : "file",
    0o100000: "file",
    0o040000: "folder",
    0o120000: "symlink",
  };
  const type = types[kind];
  if (type === undefined) {
    throw faults.make("UNSAFE", "is a device, fifo or socket");
  }
  if ((type === "folder") !== slash) {
    throw faults.make("UNSAFE", "is ambiguous: its name and type disagree");
  }
  const mode = unix === 0 ? (type === "folder" ? 0o777 : 0o666) : unix & 0o7777;
  return { type, mode };
}

/** Modification time: of the Unix extra field, else DOS local time. */
export function zipTime(entry: ZipEntry): Mtime {
  const field: Buffer | undefined = entry.extra.get(UNIX_TIME);
  const date = entry.dosTime >>> 16;
  const year = 1980 + (date >> 9);
  if (field && field.length >= 5 && (field[0]! & 1) !== 0) {
    const seconds = field.readInt32LE(1);
    // 32 bits end in 2038; the DOS date tells on which side of that we are.
    const wrapped = seconds < 0 && year >= 2038;
    return { seconds: wrapped ? seconds + 2 ** 32 : seconds, nanos: 0 };
  }
  const time = entry.dosTime & 0xffff;
  // No zone is stored: the local one, as every unzip has it.
  const local = new Date(
    year,
    ((date >> 5) & 15) - 1,
    date & 31,
    time >> 11,
    (time >> 5) & 63,
    (time & 31) * 2,
  );
  return { seconds: Math.floor(local.getTime() / 1000), nanos: 0 };
}
