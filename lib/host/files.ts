/** Files that another program could be reading or writing at the same time. */

import { randomBytes } from "node:crypto";
import { basename, dirname, join } from "node:path";

/** Options of {@linkcode writeFileAtomic}. */
export interface WriteFileOptions {
  /** Permission bits of the new file, before the umask. Default: 0o666. */
  mode?: number;
}

/**
 * Replaces a file so that a reader sees the old or the new bytes, never a mix,
 * also after a power cut: writes beside it, syncs, renames, syncs the folder.
 *
 * All writers of a file use one name beside it, under a kernel lock: what a
 * writer that was killed left there, the next one writes over.
 */
export function writeFileAtomic(
  path: string,
  data: string | Uint8Array,
  options: WriteFileOptions = {},
): void {
  const bytes = typeof data === "string"
    ? new TextEncoder().encode(data)
    : data;
  const temporary = join(dirname(path), `.${basename(path)}.tmp`);
  const file = openLocked(temporary, options.mode);
  try {
    file.truncateSync(0);
    let written = 0;
    while (written < bytes.length) {
      written += file.writeSync(bytes.subarray(written));
    }
    file.syncSync();
    Deno.renameSync(temporary, path);
  } catch (error) {
    removeFile(temporary);
    throw error;
  } finally {
    file.close();
  }
  syncDirectory(dirname(path));
}

/** Opens the file of a name, made if need be, when nobody else has it. */
function openLocked(path: string, mode: number | undefined): Deno.FsFile {
  while (true) {
    // Whatever else may lie there is not to be written through.
    const present = lstatIfExists(path);
    if (present && !present.isFile) removeTree(path);
    const file = Deno.openSync(path, {
      write: true,
      create: true,
      mode: mode ?? 0o666,
    });
    try {
      file.lockSync(true);
      // The one before may have renamed it while this one waited.
      if (lstatIfExists(path)?.ino === file.statSync().ino) {
        if (mode !== undefined && present) Deno.chmodSync(path, mode);
        return file;
      }
    } catch (error) {
      file.close();
      throw error;
    }
    file.close();
  }
}

/** A name in the same folder that nobody else uses: rename stays on one device. */
export function temporaryBeside(path: string): string {
  const suffix = randomBytes(6).toString("hex");
  return join(dirname(path), `.${basename(path)}.${suffix}.tmp`);
}

/**
 * Removes what a writer that was killed left beside a file.
 *
 * Only for a file whose writers hold a lock, while it is held: another one's
 * temporary would go too.
 */
export function removeTemporary(path: string): void {
  removeFile(join(dirname(path), `.${basename(path)}.tmp`));
}

/** Flushes a folder's entries to disk; does nothing where that is unsupported. */
export function syncDirectory(path: string): void {
  try {
    const directory = Deno.openSync(path, { read: true });
    try {
      directory.syncSync();
    } finally {
      directory.close();
    }
  } catch {
    // Windows and some network file systems cannot sync a folder.
  }
}

/** Reads a text file; undefined if there is none. */
export function readTextIfExists(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

/** Reads a JSON file; undefined if it is absent or is not JSON. */
export function readJsonIfExists(path: string): unknown {
  const text = readTextIfExists(path);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Status of a path without following a link; undefined if there is nothing. */
export function lstatIfExists(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.lstatSync(path);
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

/** Whether an error says that a path does not exist (or is below a file). */
export function isAbsent(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound ||
    error instanceof Deno.errors.NotADirectory;
}

/** Removes a file; an absent one is fine. */
export function removeFile(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!isAbsent(error)) throw error;
  }
}

/**
 * Removes a tree; an absent one is fine. Links are removed, never followed.
 *
 * Source trees may hold folders without write permission (Go modules, some
 * tarballs): those are opened up and the removal is tried again.
 */
export function removeTree(path: string): void {
  try {
    Deno.removeSync(path, { recursive: true });
  } catch (error) {
    if (isAbsent(error)) return;
    if (!(error instanceof Deno.errors.PermissionDenied)) throw error;
    makeWritable(path);
    Deno.removeSync(path, { recursive: true });
  }
}

function makeWritable(path: string): void {
  if (!lstatIfExists(path)?.isDirectory) return;
  Deno.chmodSync(path, 0o700);
  for (const entry of Deno.readDirSync(path)) {
    if (entry.isDirectory) makeWritable(join(path, entry.name));
  }
}

/** Entries of a folder by name; none if it is absent, or is a link. */
export function sortedEntries(path: string): Deno.DirEntry[] {
  if (!lstatIfExists(path)?.isDirectory) return [];
  return [...Deno.readDirSync(path)].sort((a, b) => a.name < b.name ? -1 : 1);
}

/** Whether a folder exists and has at least one entry other than `ignored`. */
export function hasEntries(
  path: string,
  ignored: readonly string[] = [],
): boolean {
  try {
    for (const entry of Deno.readDirSync(path)) {
      if (!ignored.includes(entry.name)) return true;
    }
    return false;
  } catch (error) {
    if (isAbsent(error)) return false;
    throw error;
  }
}

/** Sum of the sizes of the files of a tree, in bytes; links are not followed. */
export function treeSize(path: string): number {
  const info = lstatIfExists(path);
  if (!info) return 0;
  if (!info.isDirectory) return info.size;
  let total = 0;
  for (const entry of Deno.readDirSync(path)) {
    total += treeSize(join(path, entry.name));
  }
  return total;
}
