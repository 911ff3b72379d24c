/**
 * Contents of files by their SHA-256, each kept once: `blobs/ab/DIGEST`, or
 * with `.zst` behind it if it is compressed.
 *
 * What a writer that was killed left under `tmp` is no content; what a power
 * cut left of a file fails its digest. So nothing is synced to disk: losing
 * content costs a run of the job.
 */

import { createHash } from "node:crypto";
import { join } from "node:path";
import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { sha256Hex } from "../../host/digest.ts";
import { isAbsent, lstatIfExists, removeFile } from "../../host/files.ts";
import type { Content } from "./format.ts";
import { makeFolder, type Modes } from "./modes.ts";

/** Larger contents are copied piece by piece, and never compressed. */
export const MAX_IN_MEMORY = 32 * 2 ** 20;
const CHUNK_BYTES = 2 ** 20;
const COMPRESSED = ".zst";

/** Content that is ready to be written. */
export interface Packed {
  /** Its digest and size. */
  content: Content;
  /** Bytes to write; absent for what has to be copied from `path`. */
  bytes?: Uint8Array;
  /** File that it is copied from. */
  path: string;
  /** Bytes that it takes in the cache. */
  stored: number;
  /** Whether `bytes` are compressed. */
  isCompressed: boolean;
}

/** What became of content that was asked for. */
export type Fetched =
  /** It is there, under the name that was asked for. */
  | "ok"
  /** Somebody has removed it. */
  | "gone"
  /** What is there is something else, and is removed. */
  | "bad";

/** The contents in a cache. */
export class Blobs {
  readonly #root: string;
  readonly #modes: Modes;

  /** @param root Folder of a version of the cache. */
  constructor(root: string, modes: Modes) {
    this.#root = root;
    this.#modes = modes;
  }

  /** Where content is, or would be. */
  path({ sha256 }: Pick<Content, "sha256">, isCompressed: boolean): string {
    const name = isCompressed ? sha256 + COMPRESSED : sha256;
    return join(this.#root, "blobs", sha256.slice(0, 2), name);
  }

  /** Whether content is there in either form, as far as its name tells. */
  has(content: Pick<Content, "sha256">): boolean {
    return [false, true].some((isCompressed) =>
      lstatIfExists(this.path(content, isCompressed)) !== undefined
    );
  }

  /**
   * Reads a file for the cache.
   *
   * @param level Compression, 0 to 9.
   * @returns Undefined if it is no regular file.
   */
  async pack(path: string, level: number): Promise<Packed | undefined> {
    const info = lstatIfExists(path);
    if (!info?.isFile) return undefined;
    if (info.size > MAX_IN_MEMORY) {
      const content = await digestOfFile(path);
      return { content, path, stored: content.size, isCompressed: false };
    }
    const bytes = Deno.readFileSync(path);
    const content = { sha256: sha256Hex(bytes), size: bytes.length };
    const packed = level > 0 && bytes.length > 0
      ? compress(bytes, level)
      : bytes;
    const isCompressed = packed.length < bytes.length;
    const kept = isCompressed ? packed : bytes;
    return { content, bytes: kept, path, stored: kept.length, isCompressed };
  }

  /**
   * Writes content that is not there yet.
   *
   * @returns Whether it is there now: a file that changes while it is copied is
   *   not kept.
   */
  async put(packed: Packed): Promise<boolean> {
    if (this.has(packed.content)) return true;
    const path = this.path(packed.content, packed.isCompressed);
    return await this.publish(path, async (to) => {
      if (packed.bytes) {
        writeAll(to, packed.bytes);
        return true;
      }
      const copied = await copyFile(packed.path, to, packed.content.size);
      return copied === packed.content.sha256;
    });
  }

  /** Writes a file beside, and puts it in its place once it is complete. */
  async publish(
    path: string,
    write: (to: Deno.FsFile) => Promise<boolean> | boolean,
  ): Promise<boolean> {
    const temporary = this.#temporary();
    let file: Deno.FsFile;
    try {
      file = Deno.openSync(temporary, { write: true, createNew: true });
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      makeFolder(join(this.#root, "tmp"), this.#modes);
      file = Deno.openSync(temporary, { write: true, createNew: true });
    }
    try {
      try {
        if (!await write(file)) {
          removeFile(temporary);
          return false;
        }
      } finally {
        file.close();
      }
      Deno.chmodSync(temporary, this.#modes.file);
      try {
        Deno.renameSync(temporary, path);
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
        makeFolder(join(path, ".."), this.#modes);
        Deno.renameSync(temporary, path);
      }
      return true;
    } catch (error) {
      removeFile(temporary);
      throw error;
    }
  }

  #temporary(): string {
    return join(this.#root, "tmp", crypto.randomUUID());
  }

  /**
   * Writes content to a file which must not be there, if it is what its digest
   * says.
   *
   * @param mode Permission bits of the file, before the umask.
   */
  async fetch(content: Content, to: string, mode: number): Promise<Fetched> {
    let found: Fetched = "gone";
    for (const isCompressed of [false, true]) {
      const path = this.path(content, isCompressed);
      const got = await this.#fetchFrom(path, isCompressed, content, to, mode);
      if (got === "ok") return got;
      if (got === "gone") continue;
      found = got;
      discard(path);
    }
    return found;
  }

  async #fetchFrom(
    path: string,
    isCompressed: boolean,
    content: Content,
    to: string,
    mode: number,
  ): Promise<Fetched> {
    const info = lstatIfExists(path);
    if (!info) return "gone";
    // A pipe would never end, a link may lead anywhere.
    if (!info.isFile) return "bad";
    // Nothing larger than what was announced is read, let alone unpacked.
    if (isCompressed ? info.size > content.size : info.size !== content.size) {
      return "bad";
    }
    try {
      if (!isCompressed && info.size > MAX_IN_MEMORY) {
        return await fetchLarge(path, content, to, mode);
      }
      const stored = Deno.readFileSync(path);
      const bytes = isCompressed ? decompress(stored, content.size) : stored;
      if (bytes?.length !== content.size) return "bad";
      if (sha256Hex(bytes) !== content.sha256) return "bad";
      using file = Deno.openSync(to, { write: true, createNew: true, mode });
      writeAll(file, bytes);
      return "ok";
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return "gone";
      throw error;
    }
  }
}

/** Removes a file or a folder from a cache; returns whether it is gone. */
export function discard(path: string): boolean {
  try {
    Deno.removeSync(path, { recursive: true });
    return true;
  } catch (error) {
    // Whoever may not remove it refuses it all the same.
    return isAbsent(error);
  }
}

function compress(bytes: Uint8Array, level: number): Uint8Array {
  return zstdCompressSync(bytes, {
    params: { [constants.ZSTD_c_compressionLevel]: level },
  });
}

/** Unpacks at most so many bytes; undefined for what cannot be unpacked. */
function decompress(bytes: Uint8Array, size: number): Uint8Array | undefined {
  if (size > MAX_IN_MEMORY) return undefined;
  try {
    return zstdDecompressSync(bytes, { maxOutputLength: size });
  } catch {
    return undefined;
  }
}

function writeAll(file: Deno.FsFile, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
}

async function fetchLarge(
  path: string,
  content: Content,
  to: string,
  mode: number,
): Promise<Fetched> {
  using file = Deno.openSync(to, { write: true, createNew: true, mode });
  const sha256 = await copyFile(path, file, content.size);
  if (sha256 === content.sha256) return "ok";
  removeFile(to);
  return "bad";
}

/** Copies a file of a known size; returns its digest, or none if it is longer. */
async function copyFile(
  path: string,
  to: Deno.FsFile,
  size: number,
): Promise<string | undefined> {
  const hash = createHash("sha256");
  let rest = size;
  for await (const chunk of chunksOf(path)) {
    rest -= chunk.length;
    if (rest < 0) return undefined;
    hash.update(chunk);
    writeAll(to, chunk);
  }
  return hash.digest("hex");
}

async function digestOfFile(path: string): Promise<Content> {
  const hash = createHash("sha256");
  let size = 0;
  for await (const chunk of chunksOf(path)) {
    size += chunk.length;
    hash.update(chunk);
  }
  return { sha256: hash.digest("hex"), size };
}

/** The bytes of a file; each piece is only good until the next one. */
async function* chunksOf(path: string): AsyncGenerator<Uint8Array> {
  using file = Deno.openSync(path, { read: true });
  const buffer = new Uint8Array(CHUNK_BYTES);
  for (let n; (n = await file.read(buffer)) !== null;) {
    yield buffer.subarray(0, n);
  }
}
