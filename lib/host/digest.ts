/** Digests of bytes, files and trees. */

import { createHash, type Hash } from "node:crypto";
import { join } from "node:path";

const CHUNK_BYTES = 1 << 20;

/** MD5 in lower-case hex. Only for the seed's `ConfigHash`, never for trust. */
export function md5Hex(bytes: Uint8Array): string {
  return createHash("md5").update(bytes).digest("hex");
}

/** SHA-256 in lower-case hex. */
export function sha256Hex(data: Uint8Array | string): string {
  return createHash("sha256").update(data).digest("hex");
}

/** SHA-256 of a file's content in lower-case hex; memory use is constant. */
export function sha256File(path: string): string {
  const hash = createHash("sha256");
  updateFromFile(hash, path);
  return hash.digest("hex");
}

function updateFromFile(hash: Hash, path: string): void {
  using file = Deno.openSync(path, { read: true });
  const buffer = sharedBuffer ??= new Uint8Array(CHUNK_BYTES);
  // Synchronous, so nobody else can be using the buffer meanwhile.
  for (let n; (n = file.readSync(buffer)) !== null;) {
    hash.update(buffer.subarray(0, n));
  }
}

let sharedBuffer: Uint8Array<ArrayBuffer> | undefined;

/**
 * Digest of a tree: names, types, execute bits, contents and link texts.
 *
 * Owners, dates and other mode bits do not count, so that the same release
 * packed twice, or unpacked by another user, has one digest.
 *
 * @param root Folder whose entries count; its own name does not.
 * @param ignored Names of entries directly below `root` that do not count.
 * @returns `sha256:` and 64 hex digits.
 */
export function treeDigest(
  root: string,
  ignored: readonly string[] = [],
): string {
  const hash = createHash("sha256");
  for (const line of treeLines(root, "", ignored)) hash.update(line);
  return `sha256:${hash.digest("hex")}`;
}

function* treeLines(
  folder: string,
  prefix: string,
  ignored: readonly string[],
): Generator<string> {
  const entries = [...Deno.readDirSync(folder)]
    .filter((entry) => !ignored.includes(entry.name))
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  for (const entry of entries) {
    const path = join(folder, entry.name);
    const name = prefix + entry.name;
    if (entry.isSymlink) {
      yield `link\0${name}\0${Deno.readLinkSync(path)}\0`;
    } else if (entry.isDirectory) {
      yield `dir\0${name}\0`;
      yield* treeLines(path, `${name}/`, []);
    } else if (entry.isFile) {
      const mode = Deno.lstatSync(path).mode ?? 0;
      const kind = mode & 0o111 ? "exec" : "file";
      yield `${kind}\0${name}\0${sha256File(path)}\0`;
    } else {
      yield `other\0${name}\0`;
    }
  }
}
