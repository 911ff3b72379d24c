/** Clears the way for a run: what the last one made goes, edits are kept safe. */

import { dirname, join } from "node:path";
import { sortedEntries } from "../../host/files.ts";
import { EMPTY_FILE, NO_FILE } from "../../host/checksum.ts";
import { isFile, isFolder } from "../../host/statx.ts";
import type { Store } from "../state/store.ts";
import { PRIVATE } from "../root.ts";
import type { Files } from "./files.ts";
import type { Reporter } from "./report.ts";
import type { JobState } from "./state.ts";

/** Folder that edits of targets are moved to. */
export const QUARANTINE = `${PRIVATE}/quarantine`;

/**
 * Removes what a job is to make anew, and makes the folders of its targets.
 *
 * @param isSource Whether a file is a source, which always stays.
 * @param noIncremental Whether incremental targets go as others do.
 */
export function prepareTargets(
  state: JobState,
  files: Files,
  store: Store,
  report: Reporter,
  isSource: (file: string) => boolean,
  noIncremental = false,
): void {
  const statics = state.job.targets.flatMap(({ file }) => file ?? []);
  const before = state.record?.targets ?? [];
  const kept = new Set(
    before.filter(({ flags }) => flags.includes("incremental"))
      .map(({ file }) => file),
  );
  for (const { file, flags } of state.job.targets) {
    if (file !== undefined && flags.includes("incremental")) kept.add(file);
  }
  if (noIncremental) kept.clear();
  for (const file of new Set([...statics, ...before.map(({ file }) => file)])) {
    if (isSource(file)) continue;
    if (kept.has(file)) {
      const flags = state.officialFlags(file)?.flags ?? [];
      if (uniquify(file, files) && !flags.includes("noWarning")) {
        report.file("uniquified", file);
      }
      continue;
    }
    const isOwn = before.some((one) => one.file === file && one.official) ||
      state.job.targets.some((one) =>
        one.file === file && !one.flags.includes("optional")
      );
    // What another job made since is that job's, unless this one is to make it.
    const writer = store.file(file)?.writer ?? "";
    if (!isOwn && writer !== "" && writer !== state.id) continue;
    removeTarget(file, state, files, store, report);
  }
  const clear = (file: string) => {
    if (!isSource(file)) removeTarget(file, state, files, store, report);
  };
  for (const { file, flags } of state.job.targets) {
    if (file !== undefined && !flags.includes("phony")) {
      clearBelow(file, files, store, clear);
    }
  }
  const folders = state.job.targets.flatMap(({ file, files: star }) =>
    dirname(file ?? `${star!.prefix}x`)
  );
  for (const folder of new Set(folders)) {
    if (folder === ".") continue;
    clearAbove(folder, files, clear);
    files.makeFolder(`${folder}/x`);
  }
}

/** Removes what jobs made below a name that is now that of a file. */
function clearBelow(
  folder: string,
  files: Files,
  store: Store,
  clear: (file: string) => void,
): void {
  const { stat } = files.look(folder);
  if (!stat || !isFolder(stat)) return;
  for (const { name, isDirectory } of sortedEntries(files.path(folder))) {
    const file = `${folder}/${name}`;
    if (isDirectory) clearBelow(file, files, store, clear);
    else if (store.file(file)?.writer) clear(file);
  }
  files.removeEmptyFolders(folder);
}

/** Removes a file, or a link that leads elsewhere, where a folder is to be. */
function clearAbove(
  folder: string,
  files: Files,
  clear: (file: string) => void,
): void {
  for (let dir = folder; dir !== "."; dir = dirname(dir)) {
    const { stat } = files.look(dir);
    if (stat && !isFolder(stat)) clear(dir);
  }
}

/** Removes a file that a job made; an edit of it is moved out of harm's way. */
export function removeTarget(
  file: string,
  state: JobState,
  files: Files,
  store: Store,
  report: Reporter,
): void {
  const look = files.look(file);
  if (!look.stat) return;
  if (isFolder(look.stat)) {
    files.removeEmptyFolders(file);
    return;
  }
  const known = store.file(file);
  const isManual = known?.writer ? known.sum !== look.sum : true;
  if (isManual && look.sum !== EMPTY_FILE && look.sum !== NO_FILE) {
    moveToQuarantine(file, files);
    report.file("quarantined", file);
  } else if (known?.writer && known.writer !== state.id && !isManual) {
    const flags = state.officialFlags(file)?.flags ?? [];
    files.remove(file);
    if (!flags.includes("noWarning")) report.file("unlink", file);
  } else {
    files.remove(file);
  }
  files.removeEmptyFolders(dirname(file));
  store.removeFile(file);
}

/** Keeps an edit; what is there under its very name gives way. */
function moveToQuarantine(file: string, files: Files): void {
  for (let n = 1;; n++) {
    // A folder may be there in place of a file, or the other way round.
    const safe = join(n === 1 ? QUARANTINE : `${QUARANTINE}${n}`, file);
    try {
      files.makeFolder(safe);
      Deno.renameSync(files.path(file), files.path(safe));
      return;
    } catch (error) {
      const isInTheWay = error instanceof Deno.errors.AlreadyExists ||
        error instanceof Deno.errors.NotADirectory ||
        error instanceof Deno.errors.IsADirectory;
      if (!isInTheWay || n > 99) throw error;
    }
  }
}

/** A file with other names must not change under them. */
function uniquify(file: string, files: Files): boolean {
  const { stat } = files.look(file);
  if (!stat || !isFile(stat) || stat.nlink < 2) return false;
  const path = files.path(file);
  Deno.copyFileSync(path, `${path}.clibs`);
  Deno.renameSync(`${path}.clibs`, path);
  return true;
}
