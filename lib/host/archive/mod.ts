/**
 * Unpacks archives: exactly what is in them, and nothing outside one folder.
 *
 * @module
 */

import { basename } from "node:path";
import { ClibsError } from "../../errors.ts";
import { hasEntries } from "../files.ts";
import { Budget } from "./budget.ts";
import { type ArchiveFormat, openArchive } from "./detect.ts";
import { FaultReporter, printable } from "./failure.ts";
import { writeGzContent } from "./gz.ts";
import { ByteQueue } from "./queue.ts";
import { TarReader } from "./tar.ts";
import { TreeWriter } from "./tree.ts";
import { ZipReader } from "./zip.ts";

export type { ArchiveFormat };

/** Options of {@linkcode extractArchive}. */
export interface ExtractOptions {
  /**
   * Leading folders to drop from each name. `auto` drops a single top folder
   * if everything is below it. Entries with no more folders than that are
   * left out. Default: 0.
   */
  strip?: "auto" | number;
  /** What messages call the archive. Default: its file name. */
  name?: string;
  /** Name for the content of a single .gz. Default: `name` without `.gz`. */
  gzName?: string;
  /** Gives up; the folder is then left as it is. */
  signal?: AbortSignal;
  /** Called for every chunk: content bytes and entries so far. */
  onProgress?: (progress: { bytes: number; entries: number }) => void;
  /** Most content bytes. Default: 64 GiB. */
  maxBytes?: number;
  /** Most entries. Default: 5 million. */
  maxEntries?: number;
}

/** What {@linkcode extractArchive} did. */
export interface ExtractResult {
  /** What the archive was. */
  format: ArchiveFormat;
  /** How many entries it had, folders and links included. */
  entries: number;
  /** How many bytes of content. */
  bytes: number;
  /** The top folder that was dropped by strip `auto`. */
  stripped: string | undefined;
}

/**
 * Tells what an archive is by its content; its name does not count.
 *
 * @returns undefined if it is not an archive.
 * @throws {ClibsError} `CLIBS_ARCHIVE_CORRUPT` if its first bytes cannot be
 *   decompressed.
 */
export async function detectArchive(
  path: string,
): Promise<ArchiveFormat | undefined> {
  const open = await openArchive(path, new FaultReporter(basename(path)));
  await open?.close();
  return open?.format;
}

/**
 * Unpacks an archive into an empty folder (made if absent).
 *
 * The tree is the one that GNU tar makes for a normal user: permission bits
 * without the umask's and without setuid, setgid and sticky; dates of files,
 * folders and symlinks; hard links. Beyond that the owner can always read
 * files and use folders. The folder itself keeps its own mode.
 *
 * Anything unsafe or ambiguous fails the whole extraction; what was written
 * by then is left for the caller to remove.
 *
 * @throws {ClibsError} `CLIBS_ARCHIVE_UNKNOWN`, `_UNSAFE`, `_CORRUPT`,
 *   `_UNSUPPORTED`, `_TOO_LARGE` or `_NOT_EMPTY`.
 * @throws {CancelledError} If `signal` fires.
 */
export async function extractArchive(
  archive: string,
  into: string,
  options: ExtractOptions = {},
): Promise<ExtractResult> {
  const name = options.name ?? basename(archive);
  const strip = options.strip ?? 0;
  if (strip !== "auto" && (!Number.isInteger(strip) || strip < 0)) {
    throw new RangeError(`strip is not "auto" or a whole number: ${strip}`);
  }
  const faults = new FaultReporter(name);
  const info = Deno.statSync(archive);
  const budget = new Budget(info.size, faults, options);
  budget.tick();
  const open = await openArchive(archive, faults);
  if (!open) throw unknown(name, info.size);
  try {
    prepare(into, name);
    using tree = new TreeWriter(into, strip, faults);
    if (open.format === "gz") {
      await writeGzContent(archive, open.content!, tree, budget, faults, {
        name: options.gzName ?? name.replace(/(.)\.gz$/i, "$1"),
      });
    } else if (open.format === "zip") {
      await new ZipReader(archive, tree, faults, budget).read();
    } else await readTar(open.content!, tree, faults, budget);
    tree.finish();
    budget.tick();
    return {
      format: open.format,
      entries: budget.entries,
      bytes: budget.bytes,
      stripped: tree.stripped,
    };
  } finally {
    await open.close();
  }
}

async function readTar(
  content: AsyncGenerator<Uint8Array>,
  tree: TreeWriter,
  faults: FaultReporter,
  budget: Budget,
): Promise<void> {
  const queue = new ByteQueue();
  const reader = new TarReader(queue, tree, faults, budget).read();
  for await (const chunk of content) {
    budget.addUnpacked(chunk.length);
    queue.push(chunk);
    reader.next();
  }
  queue.end();
  reader.next();
}

function prepare(into: string, name: string): void {
  Deno.mkdirSync(into, { recursive: true });
  if (!hasEntries(into)) return;
  throw new ClibsError(
    "CLIBS_ARCHIVE_NOT_EMPTY",
    `Cannot extract ${printable(name)}: the folder for it is not empty`,
    { facts: { folder: into }, hint: "extract into a new folder" },
  );
}

function unknown(name: string, size: number): ClibsError {
  return new ClibsError(
    "CLIBS_ARCHIVE_UNKNOWN",
    `Cannot extract ${printable(name)}: it is not an archive of a known kind`,
    {
      facts: {
        size: `${size} bytes`,
        known: "tar, tar.gz, tar.bz2, tar.xz, tar.zst, zip, gz",
      },
      hint: "look at the file: a server may have sent an error page instead",
    },
  );
}
