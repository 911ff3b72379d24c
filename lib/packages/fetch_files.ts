/** Sources from files. */

import { join, resolve } from "node:path";
import { ClibsError } from "../errors.ts";
import { runTask } from "../feedback/bus.ts";
import { lstatIfExists, removeTree } from "../host/files.ts";
import { placeOf } from "./fetch_git.ts";
import { unpackDir } from "./layout.ts";
import type { Fetched, LockedFile, LockFile } from "./lock_file.ts";
import type { FetchContext } from "./options.ts";
import type { FileSource, PackageSpec } from "./spec.ts";

/** A file in the cache, and what it is. */
interface Obtained extends LockedFile {
  path: string;
}

/** Downloads all files of a package at once and lays them out in order. */
export async function fetchFiles(
  spec: PackageSpec,
  into: string,
  context: FetchContext,
  lock: LockFile | undefined,
): Promise<Fetched> {
  const obtained = await Promise.all(
    spec.files.map((file, index) =>
      obtain(spec, file, index, context, lock?.files?.[index])
    ),
  );
  for (const [index, file] of spec.files.entries()) {
    const { path } = obtained[index] as Obtained;
    await layOut(spec, index, file, path, into, context);
  }
  return {
    files: obtained.map(({ url, sha256, size }) => ({ url, sha256, size })),
  };
}

async function obtain(
  spec: PackageSpec,
  file: FileSource,
  index: number,
  context: FetchContext,
  locked: LockedFile | undefined,
): Promise<Obtained> {
  const { download } = await import("../host/http/download.ts");
  const isUrl = /^[a-z][a-z0-9+.-]*:/i;
  const absolute = (url: string) =>
    isUrl.test(url) ? url : resolve(spec.dir, url);
  if (/^http:/i.test(file.url) && !file.sha256) {
    context.feedback.emit(
      "warn",
      "note",
      `${placeOf(spec, `files.${index}.url`)}: http is not encrypted; ` +
        "add the file's sha256, which pkg.lock.json will then hold",
      { about: "http.plain", package: spec.name },
    );
  }
  const request = {
    urls: [file.url, ...file.mirrors].map(absolute),
    filename: file.filename,
    cache: context.cache,
    mirrors: context.mirrors,
    offline: context.offline,
    stallMs: context.stallMs,
    signal: context.signal,
    feedback: context.feedback,
    what: spec.name,
  };
  const expected = file.sha256 ?? locked?.sha256;
  try {
    const result = await download({ ...request, sha256: expected });
    return { ...result, url: file.url };
  } catch (error) {
    const onlyLocked = !file.sha256 && locked;
    const wrong = error instanceof ClibsError &&
      error.code === "CLIBS_FETCH_DIGEST";
    if (!onlyLocked || !wrong) throw error;
    // The caller unpacks it to tell whether the tree changed as well, then fails.
    const result = await download(request);
    return { ...result, url: file.url };
  }
}

async function layOut(
  spec: PackageSpec,
  index: number,
  file: FileSource,
  path: string,
  root: string,
  context: FetchContext,
): Promise<void> {
  const into = makeInside(spec, index, root, file.dir);
  const { detectArchive } = await import("../host/archive/mod.ts");
  const format = file.extract === false ? undefined : await detectArchive(path);
  if (format === undefined) {
    if (file.extract) throw notAnArchive(spec, index, file);
    const target = join(into, file.filename);
    removeTree(target);
    Deno.copyFileSync(path, target);
    Deno.chmodSync(target, 0o644);
    return;
  }
  // Unpacked beside, so that an archive cannot write through what an earlier
  // one put there, and `strip: auto` sees this archive alone.
  const beside = unpackDir(root);
  removeTree(beside);
  Deno.mkdirSync(beside);
  try {
    await extractInto(path, beside, file.filename, file.strip, context);
    merge(beside, into);
  } finally {
    removeTree(beside);
  }
}

/** Moves the entries of one folder into another; a later file replaces. */
function merge(from: string, into: string): void {
  // Before its entries leave, which changes it.
  const { mtime } = Deno.statSync(from);
  for (const entry of Deno.readDirSync(from)) {
    const source = join(from, entry.name);
    const target = join(into, entry.name);
    if (entry.isDirectory && lstatIfExists(target)?.isDirectory) {
      merge(source, target);
      continue;
    }
    removeTree(target);
    Deno.renameSync(source, target);
  }
  if (mtime) Deno.utimeSync(into, mtime, mtime);
}

/** Makes `dir` below `root`, refusing to pass through a link of an archive. */
function makeInside(
  spec: PackageSpec,
  index: number,
  root: string,
  dir: string,
): string {
  let path = root;
  for (const part of dir.split("/")) {
    if (part === "" || part === ".") continue;
    path = join(path, part);
    const info = lstatIfExists(path);
    if (info && !info.isDirectory) {
      throw new ClibsError(
        "CLIBS_PKG_DIR",
        `Cannot fetch ${spec.name}: "${dir}" is not a folder in the sources`,
        {
          facts: { asked: placeOf(spec, `files.${index}.dir`) },
          hint: "choose another `dir:` for this file",
        },
      );
    }
    if (!info) Deno.mkdirSync(path);
  }
  return path;
}

function notAnArchive(
  spec: PackageSpec,
  index: number,
  file: FileSource,
): ClibsError {
  return new ClibsError(
    "CLIBS_ARCHIVE_UNSUPPORTED",
    `Cannot unpack ${file.filename} of ${spec.name}: its content is not an archive that clibs knows`,
    {
      facts: {
        asked: placeOf(spec, `files.${index}.extract`),
        known: "tar, tar.gz, tar.bz2, tar.xz, tar.zst, zip, gz",
      },
      hint: "set `extract: false` to keep the file as it is",
    },
  );
}

/** Runs the extraction of one archive as a task, so that its progress shows. */
async function extractInto(
  archive: string,
  into: string,
  name: string,
  strip: "auto" | number,
  context: FetchContext,
): Promise<void> {
  const { extractArchive } = await import("../host/archive/mod.ts");
  await runTask(context.feedback, "extract", name, async (progress) => {
    await extractArchive(archive, into, {
      strip,
      name,
      gzName: name.replace(/\.gz$/i, ""),
      signal: context.signal,
      onProgress: progress,
    });
  });
}
