/** Writes tar archives, good and bad ones, field by field. */

import { Buffer } from "node:buffer";

/** Fields of one header; what is absent is that of an empty file `a`. */
export interface Header {
  name?: string | Uint8Array;
  type?: string;
  mode?: number;
  mtime?: number;
  /** Replaces the size of `data`. */
  size?: number;
  /** Replaces the 12 bytes of the size field. */
  sizeField?: Uint8Array;
  linkName?: string;
  /** Eight bytes of magic and version. Default: ustar's. */
  magic?: string;
  prefix?: string;
  data?: string | Uint8Array;
  /** Added to the right checksum. */
  checksumError?: number;
}

/** One entry: a header and its padded content. */
export function entry(header: Header): Buffer {
  const block = Buffer.alloc(512);
  const data = Buffer.from((header.data ?? "") as string);
  const octal = (value: number, size: number) =>
    value.toString(8).padStart(size - 1, "0") + "\0";
  Buffer.from((header.name ?? "a") as string).copy(block, 0, 0, 100);
  block.write(octal(header.mode ?? 0o644, 8), 100, "latin1");
  block.write(octal(0, 8), 108, "latin1");
  block.write(octal(0, 8), 116, "latin1");
  block.write(octal(header.size ?? data.length, 12), 124, "latin1");
  if (header.sizeField) Buffer.from(header.sizeField).copy(block, 124);
  block.write(octal(header.mtime ?? 1_000_000_000, 12), 136, "latin1");
  block.write(header.type ?? "0", 156, "latin1");
  block.write(header.linkName ?? "", 157, 100, "utf8");
  block.write(header.magic ?? "ustar\x0000", 257, "latin1");
  block.write(header.prefix ?? "", 345, 155, "utf8");
  block.fill(0x20, 148, 156);
  const sum = block.reduce((a, b) => a + b, 0) + (header.checksumError ?? 0);
  block.write(sum.toString(8).padStart(6, "0") + "\0 ", 148, "latin1");
  return Buffer.concat([block, data, Buffer.alloc(-data.length & 511)]);
}

/** A PAX header with records of these keys and values. */
export function pax(
  records: [string, string | Uint8Array][],
  type = "x",
): Buffer {
  const parts = records.map(([key, value]) => {
    const rest = Buffer.concat([
      Buffer.from(` ${key}=`),
      Buffer.from(value as string),
      Buffer.from("\n"),
    ]);
    let size = rest.length + 1;
    while (String(size).length + rest.length !== size) size++;
    return Buffer.concat([Buffer.from(String(size)), rest]);
  });
  return entry({ name: "pax", type, data: Buffer.concat(parts) });
}

/** A long name (`L`) or long link target (`K`) of GNU tar. */
export function gnuLong(type: "L" | "K", text: string): Buffer {
  return entry({
    name: "././@LongLink",
    type,
    magic: "ustar  \0",
    data: `${text}\0`,
  });
}

/** The two zero blocks that end an archive. */
export const endMark: Buffer = Buffer.alloc(1024);

/** A whole archive of these parts. */
export function tar(...parts: Uint8Array[]): Buffer {
  return Buffer.concat([...parts, endMark]);
}
