/** Writes the files of a commit from the cache. */

import { join } from "node:path";
import { lutimesSync } from "node:fs";
import { ClibsError } from "../../errors.ts";
import type { Feedback } from "../../feedback/bus.ts";
import { removeFile, temporaryBeside } from "../files.ts";
import { facts, type Subject } from "./failures.ts";
import type { CachedRepository } from "./repository.ts";
import { checkLinks, checkPaths, parseTree, type TreeEntry } from "./tree.ts";

/** Objects are missing or broken: the cached repository has to be made anew. */
export class BrokenRepository extends ClibsError {
  override name = "BrokenRepository";
}

/**
 * Writes the work tree of a commit into a folder.
 *
 * The commit's own `.gitattributes` count (line ends, encodings), as they do in
 * a clone; those of the machine, and all filter programs, do not.
 *
 * @returns The entries of the commit.
 * @throws {BrokenRepository} If the cache lacks a part of it.
 */
export async function writeWorkTree(
  repository: CachedRepository,
  subject: Subject,
  commit: string,
  into: string,
  feedback: Feedback,
): Promise<TreeEntry[]> {
  const broken = (lines: readonly string[]) =>
    new BrokenRepository(
      "CLIBS_GIT_CACHE",
      `Cannot fetch ${subject.what}: the cached repository is damaged`,
      {
        facts: {
          ...facts(subject),
          folder: repository.dir,
          git: lines.slice(-3).join("; "),
        },
        hint: "remove that folder and run the command again",
      },
    );
  const tree = await repository.git([
    "ls-tree",
    "-r",
    "-z",
    "--long",
    "--full-tree",
    commit,
  ]);
  if (!tree.ok) throw broken(tree.lines);
  const entries = parseTree(tree.text);
  checkPaths(subject, entries);
  const links = entries.filter(({ mode }) => mode === "120000");
  const targets = await readBlobs(repository, links.map(({ id }) => id));
  if (!targets) throw broken(["a blob is missing"]);
  checkLinks(
    subject,
    new Map(links.map(({ path }, i) => [path, targets[i] ?? ""])),
  );
  Deno.mkdirSync(into, { recursive: true });
  const index = temporaryBeside(join(repository.dir, "index"));
  const more = {
    cwd: into,
    env: { GIT_INDEX_FILE: index, GIT_WORK_TREE: into },
  };
  try {
    const read = await repository.git(["read-tree", commit], more);
    if (!read.ok) throw broken(read.lines);
    const written = await repository.git(["checkout-index", "--all"], more);
    if (!written.ok) throw broken(written.lines);
  } finally {
    removeFile(index);
    removeFile(`${index}.lock`);
  }
  const seconds = await commitTime(repository, commit);
  setTimes(into, seconds);
  warnOfPointers(entries, into, subject, feedback);
  return entries;
}

/** Contents of blobs as UTF-8; undefined if one is not there. */
export async function readBlobs(
  repository: CachedRepository,
  ids: readonly string[],
): Promise<string[] | undefined> {
  if (ids.length === 0) return [];
  const { bytes } = await repository.git(["cat-file", "--batch"], {
    input: ids.map((id) => `${id}\n`).join(""),
  });
  const decoder = new TextDecoder();
  const contents: string[] = [];
  for (let at = 0; contents.length < ids.length;) {
    const end = bytes.indexOf(10, at);
    if (end < 0) return undefined;
    const header = decoder.decode(bytes.subarray(at, end));
    const size = /^\S+ blob (\d+)$/.exec(header)?.[1];
    if (size === undefined) return undefined;
    const start = end + 1;
    contents.push(decoder.decode(bytes.subarray(start, start + Number(size))));
    at = start + Number(size) + 1;
  }
  return contents;
}

async function commitTime(
  repository: CachedRepository,
  commit: string,
): Promise<number> {
  const { text } = await repository.git(["cat-file", "commit", commit]);
  const seconds = Number(/^committer .*> (-?\d+) /m.exec(text)?.[1]);
  const now = Math.floor(Date.now() / 1000);
  // make complains of files from the future.
  return Number.isFinite(seconds) ? Math.min(Math.max(seconds, 0), now) : now;
}

/**
 * Gives every entry the date of the commit. A checkout dates files in the order
 * in which it writes them, so that `configure` may look older than
 * `configure.ac` and make re-runs autoconf, on some machines and some days.
 * Equal dates count as up to date.
 */
function setTimes(folder: string, seconds: number): void {
  for (const entry of Deno.readDirSync(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory) setTimes(path, seconds);
    else if (entry.isSymlink) lutimesSync(path, seconds, seconds);
    else Deno.utimeSync(path, seconds, seconds);
  }
  Deno.utimeSync(folder, seconds, seconds);
}

function warnOfPointers(
  entries: readonly TreeEntry[],
  into: string,
  subject: Subject,
  feedback: Feedback,
): void {
  const filtered = entries.some(({ path, mode }) =>
    /(^|\/)\.gitattributes$/.test(path) && mode !== "120000" &&
    Deno.readTextFileSync(join(into, path)).includes("filter=lfs")
  );
  if (!filtered) return;
  const pointers = entries.filter(({ path, mode, size }) =>
    mode.startsWith("100") && size > 100 && size < 1024 &&
    Deno.readTextFileSync(join(into, path))
      .startsWith("version https://git-lfs.github.com/spec/")
  );
  if (pointers.length === 0) return;
  feedback.emit(
    "warn",
    "note",
    `${pointers.length} files of ${subject.what} are Git LFS pointers; ` +
      "clibs does not fetch what they stand for",
    {
      about: "git.lfs",
      ...facts(subject),
      count: pointers.length,
      first: pointers[0]?.path,
    },
  );
}
