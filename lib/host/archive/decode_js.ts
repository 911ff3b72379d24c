/** Decoders for machines without bzip2, xz or zstd. */

import { createReadStream } from "node:fs";
import { Readable } from "node:stream";
import { createZstdDecompress } from "node:zlib";
import { ClibsError } from "../../errors.ts";
import type { FaultReporter } from "./failure.ts";
import { CHUNK_BYTES } from "./queue.ts";
import { zstdFrames } from "./zstd_frames.ts";

/** As `decode`, without any program of the system. */
export async function* decodeWithoutTool(
  path: string,
  codec: "bz2" | "xz" | "zst",
  faults: FaultReporter,
): AsyncGenerator<Uint8Array> {
  const decoders = { bz2: readBzip2, xz: readXz, zst: readZstd };
  try {
    yield* decoders[codec](path, faults);
  } catch (error) {
    if (error instanceof ClibsError) throw error;
    const code = (error as { code?: unknown }).code;
    if (typeof code === "string" && /^E[A-Z]+$/.test(code)) throw error;
    throw faults.make(
      "CORRUPT",
      `is cut short or not valid ${codec} data`,
      { decoder: (error as Error).message },
      error,
    );
  }
}

async function* readBzip2(path: string): AsyncGenerator<Uint8Array> {
  const { default: unbzip2 } = await import("unbzip2-stream");
  const file = createReadStream(path, { highWaterMark: CHUNK_BYTES });
  const old = file.pipe(unbzip2());
  // The library's streams are of the first kind: they have no iterator.
  const stream = new Readable().wrap(old);
  old.on("error", (error: Error) => stream.destroy(error));
  file.on("error", (error) => stream.destroy(error));
  try {
    yield* stream;
  } finally {
    file.destroy();
  }
}

async function* readXz(
  path: string,
  faults: FaultReporter,
): AsyncGenerator<Uint8Array> {
  using file = Deno.openSync(path);
  const flags = new Uint8Array(8);
  file.readSync(flags);
  // 0: none, 1: CRC32, 4: CRC64.
  if (![0, 1, 4].includes((flags[7] ?? 0) & 0x0f)) {
    throw faults.make(
      "UNSUPPORTED",
      "has a SHA-256 check that only xz can read",
    );
  }
  const { default: library } = await import("xz-decompress");
  const input = createReadStream(path, { highWaterMark: CHUNK_BYTES });
  try {
    const web = Readable.toWeb(input) as ReadableStream<Uint8Array>;
    yield* new library.XzReadableStream(web) as ReadableStream<Uint8Array>;
  } finally {
    input.destroy();
  }
}

async function* readZstd(
  path: string,
  faults: FaultReporter,
): AsyncGenerator<Uint8Array> {
  // Node's decoder stops after one frame and is silent about a cut one.
  for (const { start, end } of zstdFrames(path, faults)) {
    const file = createReadStream(path, {
      start,
      end: end - 1,
      highWaterMark: CHUNK_BYTES,
    });
    const decoder = createZstdDecompress({ chunkSize: CHUNK_BYTES });
    file.on("error", (error) => decoder.destroy(error));
    file.pipe(decoder);
    try {
      yield* decoder;
    } finally {
      file.destroy();
      decoder.destroy();
    }
  }
}
