/** Puts the targets of a cached run where the job would have made them. */

import { join } from "node:path";
import { systemErrorCode } from "../../errors.ts";
import { removeFile } from "../../host/files.ts";
import { isFolder } from "../../host/statx.ts";
import type { Engine } from "../engine/engine.ts";
import { prepareTargets, removeTarget } from "../engine/prepare.ts";
import type { JobState } from "../engine/state.ts";
import type { TargetFlag } from "../model.ts";
import { PRIVATE } from "../root.ts";
import type { TargetRecord } from "../state/record.ts";
import type { Entry, KeptTarget } from "./format.ts";
import type { Found, ResultCache } from "./store.ts";

let sequence = 0;

/** A file that was fetched and checked, and waits for its place. */
interface Ready {
  target: KeptTarget;
  /** Absolute path; undefined for what has no content. */
  path: string | undefined;
}

/**
 * Puts the targets of an entry in their places.
 *
 * All contents are fetched and checked before anything in the repo is touched.
 *
 * @returns The targets, or undefined if the job has to run: the entry is no
 *   good, does not fit, or something is in the way.
 */
export async function placeTargets(
  engine: Engine,
  state: JobState,
  cache: ResultCache,
  found: Found,
): Promise<TargetRecord[] | undefined> {
  const { entry, path } = found;
  const misfit = misfitOf(state, entry);
  if (misfit) {
    cache.refuse(path, misfit);
    return undefined;
  }
  // In this repo it may be a source, or lie behind a link that leads elsewhere.
  if (entry.targets.some(({ file }) => engine.isSource(file))) return undefined;
  const ready: Ready[] = [];
  try {
    if (!await fetchAll(engine, cache, found, ready)) return undefined;
    if (!moveAll(engine, state, ready)) return undefined;
  } finally {
    for (const { path } of ready) if (path !== undefined) removeFile(path);
  }
  return entry.targets.map((target) => recordOf(engine, state, target));
}

/** Why no run of a job can have made the targets of an entry. */
function misfitOf(state: JobState, entry: Entry): string | undefined {
  const made = new Map(entry.targets.map((target) => [target.file, target]));
  for (const { file, flags } of state.job.targets) {
    if (file === undefined || flags.includes("optional")) continue;
    const target = made.get(file);
    const isMade = target !== undefined &&
      (target.kind !== "none" || flags.includes("phony"));
    if (!isMade) return `it lacks the target ${file}`;
  }
  for (const { file, codec } of entry.deps) {
    if (!codec && made.has(file)) return `${file} is a dep and a target`;
  }
  return undefined;
}

/** Fetches contents into files of our own; false if one cannot be had. */
async function fetchAll(
  engine: Engine,
  cache: ResultCache,
  { path, entry }: Found,
  ready: Ready[],
): Promise<boolean> {
  const folder = join(engine.files.root, PRIVATE, "run");
  Deno.mkdirSync(folder, { recursive: true });
  for (const target of entry.targets) {
    if (target.kind !== "file") {
      ready.push({ target, path: undefined });
      continue;
    }
    const to = join(folder, `hit-${Deno.pid}-${++sequence}`);
    ready.push({ target, path: to });
    const mode = target.executable ? 0o777 : 0o666;
    const got = await cache.blobs.fetch(target.content, to, mode);
    if (got === "ok") continue;
    if (got === "gone") cache.drop(path);
    else cache.refuse(path, `the content of ${target.file} is damaged`);
    return false;
  }
  return true;
}

/** Moves files to their places; false if something is in the way. */
function moveAll(
  engine: Engine,
  state: JobState,
  ready: readonly Ready[],
): boolean {
  const { files } = engine;
  const { repo: { store }, report } = engine.parts;
  const isSource = (file: string) => engine.isSource(file);
  prepareTargets(state, files, store, report, isSource);
  const placed: string[] = [];
  try {
    for (const { target, path } of ready) {
      const { file } = target;
      if (target.kind === "none") continue;
      removeTarget(file, state, files, store, report);
      files.makeFolder(file);
      if (files.isBeyondLink(file)) throw new InTheWay(file);
      const { stat } = files.look(file);
      if (stat && isFolder(stat)) throw new InTheWay(file);
      if (target.kind === "link") {
        Deno.symlinkSync(target.text, files.path(file));
      } else Deno.renameSync(path!, files.path(file));
      placed.push(file);
    }
    return true;
  } catch (error) {
    const isKnown = error instanceof InTheWay ||
      systemErrorCode(error) !== undefined;
    if (!isKnown) throw error;
    for (const file of placed) files.remove(file);
    return false;
  }
}

/** A folder, or a link above it, is where a target has to be. */
class InTheWay extends Error {}

/** Flags of a target that only the run itself knew, besides those of the rule. */
function recordOf(
  engine: Engine,
  state: JobState,
  { file, flags }: KeptTarget,
): TargetRecord {
  const official = state.officialFlags(file);
  const all = new Set([
    ...official?.flags ?? [],
    ...state.sideFlags(file) ?? [],
    ...flags,
  ]);
  const isStatic = state.job.targets.some((target) => target.file === file);
  const { sum } = engine.files.look(file);
  return {
    file,
    sum,
    flags: isStatic ? official!.flags : [...all] as TargetFlag[],
    ...(official ? { key: official.key } : {}),
    official: official !== undefined,
  };
}
