/** Extended headers of POSIX tar: `length key=value` records. */

import type { FaultReporter } from "./failure.ts";
import { decodeUtf8 } from "./names.ts";
import type { Mtime } from "./times.ts";

/** What extension headers say about the entry after them. */
export interface TarExtension {
  /** Full name. */
  path?: string;
  /** Full target of a link. */
  linkPath?: string;
  /** Bytes of content. */
  size?: number;
  /** Modification time. */
  mtime?: Mtime;
}

/**
 * Reads the records of one extended header.
 *
 * @param global Whether they hold for all entries that follow; then only a
 *   time makes sense, and a name or size is refused as ambiguous.
 */
export function parsePax(
  bytes: Uint8Array,
  faults: FaultReporter,
  global: boolean,
): TarExtension {
  const extension: TarExtension = {};
  const seen = new Set<string>();
  for (const [key, value] of paxRecords(bytes, faults)) {
    if (key.startsWith("GNU.sparse.")) {
      throw faults.make("UNSUPPORTED", "has a sparse file (GNU.sparse)");
    }
    if (key !== "path" && key !== "linkpath" && key !== "size") {
      if (key === "mtime" && value.length > 0) {
        extension.mtime = paxTime(value, faults);
      }
      continue;
    }
    if (global || seen.has(key) || value.length === 0) {
      throw faults.make(
        "UNSAFE",
        `has an ambiguous extended header: ${
          global ? "a global" : value.length === 0 ? "an empty" : "a second"
        } ${key}`,
      );
    }
    seen.add(key);
    const text = decodeUtf8(value);
    if (text === undefined) {
      throw faults.make("UNSUPPORTED", "has a name that is not UTF-8");
    }
    if (key === "path") extension.path = text;
    else if (key === "linkpath") extension.linkPath = text;
    else extension.size = paxSize(text, faults);
  }
  return extension;
}

function* paxRecords(
  bytes: Uint8Array,
  faults: FaultReporter,
): Generator<[string, Uint8Array]> {
  const bad = () => faults.make("CORRUPT", "has a bad extended header");
  for (let at = 0; at < bytes.length;) {
    const space = bytes.indexOf(0x20, at);
    const digits = space < 0 ? "" : decodeUtf8(bytes.subarray(at, space)) ?? "";
    if (!/^[1-9][0-9]{0,8}$/.test(digits)) throw bad();
    const end = at + Number(digits);
    const equals = bytes.indexOf(0x3d, space);
    if (end > bytes.length || bytes[end - 1] !== 0x0a) throw bad();
    if (equals < 0 || equals >= end - 1) throw bad();
    const key = decodeUtf8(bytes.subarray(space + 1, equals));
    if (!key) throw bad();
    yield [key, bytes.subarray(equals + 1, end - 1)];
    at = end;
  }
}

function paxSize(text: string, faults: FaultReporter): number {
  const size = /^[0-9]+$/.test(text) ? Number(text) : NaN;
  if (Number.isSafeInteger(size)) return size;
  throw faults.make("CORRUPT", "has an extended header with a bad size", {
    size: text,
  });
}

function paxTime(value: Uint8Array, faults: FaultReporter): Mtime {
  const text = decodeUtf8(value) ?? "";
  const match = /^(-?)([0-9]{1,15})(?:\.([0-9]*))?$/.exec(text);
  if (!match) {
    throw faults.make("CORRUPT", "has an extended header with a bad date", {
      mtime: text,
    });
  }
  const nanos = Number((match[3] ?? "").slice(0, 9).padEnd(9, "0"));
  const seconds = Number(match[2]);
  if (match[1] === "") return { seconds, nanos };
  // -1.25 is 0.75 s after -2.
  return nanos === 0
    ? { seconds: -seconds, nanos }
    : { seconds: -seconds - 1, nanos: 1e9 - nanos };
}
