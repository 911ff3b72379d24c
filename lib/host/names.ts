/** Names in folders, also those that are not UTF-8. */

import { bytesToPath, hasRawBytes } from "./bytes_path.ts";
import { cPath, errno, type Libc, libc, systemError } from "./libc.ts";
import { isFolder, lstatNs } from "./statx.ts";

/** What is in a folder. */
export interface FolderEntry {
  /** Its name; bytes that are not UTF-8 are lone surrogates. */
  name: string;
  /** Whether it is a folder; a link to one is not. */
  isFolder: boolean;
}

const O_DIRECTORY = Deno.build.arch === "aarch64" ? 0o40000 : 0o200000;
const O_CLOEXEC = 0o2000000;
const DT_UNKNOWN = 0;
const DT_DIR = 4;

/** What is in a folder, in no order; throws as `Deno.readDirSync`. */
export function readFolder(path: string): FolderEntry[] {
  if (!hasRawBytes(path)) {
    const entries = Array.from(Deno.readDirSync(path));
    // The sign in place of bytes that are not UTF-8; it may be in names too.
    if (!libc || !entries.some(({ name }) => name.includes("\ufffd"))) {
      return entries.map((entry) => ({
        name: entry.name,
        isFolder: entry.isDirectory,
      }));
    }
  }
  if (!libc) throw new Deno.errors.NotFound(`readdir ${JSON.stringify(path)}`);
  return list(libc, path);
}

function list(functions: Libc, path: string): FolderEntry[] {
  const name = cPath(path);
  const fd = name ? functions.open(name, O_DIRECTORY | O_CLOEXEC, 0) : -1;
  if (fd < 0) throw systemError("open", path, errno(functions));
  const entries: FolderEntry[] = [];
  const bytes = new Uint8Array(1 << 15);
  const view = new DataView(bytes.buffer);
  try {
    while (true) {
      const size = BigInt(bytes.length);
      const length = Number(functions.getdents64?.(fd, bytes, size) ?? -1);
      if (length < 0) throw systemError("readdir", path, errno(functions));
      if (length === 0) return entries;
      for (let at = 0; at < length; at += view.getUint16(at + 16, true)) {
        const start = at + 19;
        const name = bytesToPath(
          bytes.subarray(start, bytes.indexOf(0, start)),
        );
        if (name === "." || name === "..") continue;
        const type = bytes[at + 18];
        entries.push({
          name,
          isFolder: type === DT_UNKNOWN
            ? isFolderAt(`${path}/${name}`)
            : type === DT_DIR,
        });
      }
    }
  } finally {
    functions.close(fd);
  }
}

function isFolderAt(path: string): boolean {
  const stat = lstatNs(path);
  return stat !== undefined && isFolder(stat);
}
