/** Reading files piece by piece, also those whose names are not UTF-8. */

import { hasRawBytes } from "./bytes_path.ts";
import { cPath, errno, libc, systemError } from "./libc.ts";

const CHUNK_BYTES = 1 << 20;
const O_CLOEXEC = 0o2000000;

let buffer: Uint8Array<ArrayBuffer> | undefined;

/**
 * Hands the content of a file to `sink` in pieces of up to 1 MiB, in order.
 *
 * @param sink Gets a view that is overwritten afterwards. It must not read
 *   another file by this function.
 * @throws What Deno throws for a file that cannot be opened or read.
 */
export function readChunks(
  path: string,
  sink: (chunk: Uint8Array) => void,
): void {
  if (hasRawBytes(path)) return readRaw(path, sink);
  buffer ??= new Uint8Array(CHUNK_BYTES);
  using file = Deno.openSync(path, { read: true });
  for (let n; (n = file.readSync(buffer)) !== null;) {
    sink(buffer.subarray(0, n));
  }
}

/** Content of a file whose name may be any; see {@linkcode readChunks}. */
export function readBytes(path: string): Uint8Array<ArrayBuffer> {
  if (!hasRawBytes(path)) return Deno.readFileSync(path);
  const chunks: Uint8Array[] = [];
  let length = 0;
  readRaw(path, (chunk) => {
    chunks.push(chunk.slice());
    length += chunk.length;
  });
  const whole = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.length;
  }
  return whole;
}

function readRaw(path: string, sink: (chunk: Uint8Array) => void): void {
  const cName = cPath(path);
  if (!libc || !cName) throw systemError("open", path, 2);
  const file = libc.open(cName, O_CLOEXEC, 0);
  if (file < 0) throw systemError("open", path, errno(libc));
  buffer ??= new Uint8Array(CHUNK_BYTES);
  try {
    while (true) {
      const n = Number(libc.read(file, buffer, BigInt(buffer.length)));
      if (n < 0) throw systemError("read", path, errno(libc));
      if (n === 0) return;
      sink(buffer.subarray(0, n));
    }
  } finally {
    libc.close(file);
  }
}
