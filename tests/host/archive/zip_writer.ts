/** Writes zip files, good and bad ones, field by field. */

import { Buffer } from "node:buffer";
import { crc32, deflateRawSync } from "node:zlib";

/** One entry; what is absent is that of an empty Unix file `a`. */
export interface ZipItem {
  name?: string | Uint8Array;
  data?: string | Uint8Array;
  /** Unix mode with type. Default: 0o100644. */
  mode?: number;
  system?: number;
  flags?: number;
  method?: number;
  /** Bytes after the data: a descriptor, or something hidden. */
  after?: Uint8Array;
  /** Extra fields of the central entry. */
  extra?: Uint8Array;
  /** Changes of the local header, by offset of a 16- or 32-bit field. */
  local?: Record<number, number>;
  localName?: string;
  /** Replaces the compressed bytes. */
  packed?: Uint8Array;
  size?: number;
  crc?: number;
  /** Added to the offset of the local header in the central entry. */
  offsetError?: number;
}

const wideFields = [14, 18, 22];

/** A whole zip file. */
export function zip(
  items: ZipItem[],
  comment = "",
  count = items.length,
): Buffer {
  const parts: Buffer[] = [];
  const central: Buffer[] = [];
  let at = 0;
  for (const item of items) {
    const data = Buffer.from((item.data ?? "") as string);
    const method = item.method ?? 8;
    const packed = Buffer.from(
      item.packed ?? (method === 8 ? deflateRawSync(data) : data),
    );
    const name = Buffer.from((item.name ?? "a") as string);
    const localName = item.localName ? Buffer.from(item.localName) : name;
    const extra = Buffer.from(item.extra ?? []);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(item.flags ?? 0, 2);
    common.writeUInt16LE(method, 4);
    common.writeUInt32LE(0x2a2a6000, 6);
    common.writeUInt32LE(item.crc ?? crc32(data), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(item.size ?? data.length, 18);
    common.writeUInt16LE(name.length, 22);
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    common.copy(local, 4);
    local.writeUInt16LE(localName.length, 26);
    for (const [key, value] of Object.entries(item.local ?? {})) {
      if (wideFields.includes(Number(key))) {
        local.writeUInt32LE(value, Number(key));
      } else local.writeUInt16LE(value, Number(key));
    }
    const head = Buffer.alloc(46);
    head.writeUInt32LE(0x02014b50, 0);
    head.writeUInt8(item.system ?? 3, 5);
    common.copy(head, 6);
    head.writeUInt16LE(extra.length, 30);
    head.writeUInt32LE((item.mode ?? 0o100644) * 0x10000, 38);
    head.writeUInt32LE(at + (item.offsetError ?? 0), 42);
    central.push(head, name, extra);
    const after = Buffer.from(item.after ?? []);
    parts.push(local, localName, packed, after);
    at += 30 + localName.length + packed.length + after.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(count, 8);
  end.writeUInt16LE(count, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(at, 16);
  end.writeUInt16LE(Buffer.byteLength(comment), 20);
  return Buffer.concat([...parts, directory, end, Buffer.from(comment)]);
}
