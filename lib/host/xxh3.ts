/**
 * XXH3-64: a checksum that is much faster than SHA-256 and no proof against
 * somebody who wants two files to look the same.
 */

import { pathToBytes } from "./bytes_path.ts";
import { readChunks } from "./read_chunks.ts";

/** XXH3-64 of one seed; each answer is 16 lower-case hex digits. */
export interface Xxh3 {
  /** Sum of a text as UTF-8; of raw bytes where it has them. */
  text(text: string): string;
  /** Sum of bytes. */
  bytes(bytes: Uint8Array): string;
  /** Sum of a file's content; memory use is constant. */
  file(path: string): string;
}

const loaded = new Map<number, Promise<Xxh3>>();

/**
 * Loads XXH3. Once it is there its functions answer at once.
 *
 * @param seed Sums of different seeds have nothing to do with each other.
 */
export function loadXxh3(seed = 0): Promise<Xxh3> {
  const known = loaded.get(seed);
  if (known) return known;
  const loading = load(seed);
  loaded.set(seed, loading);
  return loading;
}

async function load(seed: number): Promise<Xxh3> {
  const { createXXHash3 } = await import("hash-wasm");
  const hash = await createXXHash3(seed, 0);
  // One state is enough: no function gives way to another one in between.
  const bytes = (bytes: Uint8Array) => {
    hash.init();
    hash.update(bytes);
    return hash.digest("hex");
  };
  return {
    text: (text) => bytes(pathToBytes(text)),
    bytes,
    file: (path) => {
      hash.init();
      readChunks(path, (chunk) => hash.update(chunk));
      return hash.digest("hex");
    },
  };
}
