/** What a file is, by its content. */

import { type Codec, decode } from "./decode.ts";
import type { FaultReporter } from "./failure.ts";
import { BLOCK_BYTES, isTarHeader, isZero } from "./tar_header.ts";
import { isZstdMagic } from "./zstd_frames.ts";

/** What can be unpacked; `gz` is gzip around something that is not a tar. */
export type ArchiveFormat =
  | "tar"
  | "tar.gz"
  | "tar.bz2"
  | "tar.xz"
  | "tar.zst"
  | "zip"
  | "gz";

/** An archive whose first bytes were read. */
export interface OpenArchive {
  /** What it is. */
  format: ArchiveFormat;
  /** Its decompressed bytes from the start; undefined for zip. */
  content: AsyncGenerator<Uint8Array> | undefined;
  /** Ends the decoder, also if `content` was not read. */
  close: () => Promise<unknown>;
}

/** An archive of nothing has zeros up to its block size, by default this. */
const EMPTY_TAR_BYTES = 10240;

/**
 * Opens an archive; undefined if it is none.
 *
 * The caller closes it, whatever happens.
 */
export async function openArchive(
  path: string,
  faults: FaultReporter,
): Promise<OpenArchive | undefined> {
  const start = readStart(path);
  const magic = start.length < 4 ? 0 : new DataView(start.buffer).getUint32(0);
  if (magic === 0x504b0304 || magic === 0x504b0506) {
    return { format: "zip", content: undefined, close: async () => {} };
  }
  const codec = codecOf(start);
  const stream = decode(path, codec, faults);
  // A generator of its own would not do: one not begun skips its `finally`.
  const close = () => stream.return(undefined);
  const head = await readHead(stream, BLOCK_BYTES);
  if (isTarHeader(head.bytes) || await isEmptyTar(head, stream)) {
    const format = codec === "none" ? "tar" : `tar.${codec}` as const;
    return { format, content: rejoin(head, stream), close };
  }
  if (codec === "gz") {
    return { format: "gz", content: rejoin(head, stream), close };
  }
  await close();
  return undefined;
}

function readStart(path: string): Uint8Array<ArrayBuffer> {
  using file = Deno.openSync(path);
  const buffer = new Uint8Array(16);
  const count = file.readSync(buffer) ?? 0;
  return buffer.slice(0, count);
}

function codecOf(start: Uint8Array<ArrayBuffer>): Codec {
  const is = (...bytes: number[]) => bytes.every((b, i) => start[i] === b);
  if (is(0x1f, 0x8b, 8)) return "gz";
  if (is(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0)) return "xz";
  // "BZh", then the block size; then a block or, without one, the end.
  if (is(0x42, 0x5a, 0x68) && start[3]! >= 0x31 && start[3]! <= 0x39) {
    if ([0x31, 0x17].includes(start[4] ?? 0)) return "bz2";
  }
  if (start.length >= 4) {
    const magic = new DataView(start.buffer).getUint32(0, true);
    if (isZstdMagic(magic)) return "zst";
  }
  return "none";
}

interface Head {
  chunks: Uint8Array[];
  bytes: Uint8Array;
  ended: boolean;
}

async function readHead(
  stream: AsyncGenerator<Uint8Array>,
  least: number,
): Promise<Head> {
  const head: Head = { chunks: [], bytes: new Uint8Array(), ended: false };
  await readMore(head, stream, least);
  return head;
}

async function readMore(
  head: Head,
  stream: AsyncGenerator<Uint8Array>,
  least: number,
): Promise<void> {
  let size = head.bytes.length;
  while (size < least && !head.ended) {
    const next = await stream.next();
    if (next.done) head.ended = true;
    else {
      head.chunks.push(next.value);
      size += next.value.length;
    }
  }
  head.bytes = new Uint8Array(
    await new Blob(head.chunks as BlobPart[]).arrayBuffer(),
  );
}

async function isEmptyTar(
  head: Head,
  stream: AsyncGenerator<Uint8Array>,
): Promise<boolean> {
  if (head.bytes.length < BLOCK_BYTES || !isZero(head.bytes)) return false;
  // Only zeros and short: other files (disk images) begin with zeros too.
  await readMore(head, stream, EMPTY_TAR_BYTES + 1);
  return head.ended && head.bytes.length % BLOCK_BYTES === 0 &&
    isZero(head.bytes);
}

async function* rejoin(
  head: Head,
  stream: AsyncGenerator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  yield* head.chunks;
  if (!head.ended) yield* stream;
}
