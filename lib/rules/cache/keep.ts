/** Makes an entry of a run, if another repo may have it. */

import { hasRawBytes } from "../../host/bytes_path.ts";
import { NO_FILE } from "../../host/checksum.ts";
import { isLink, readLinkNs } from "../../host/statx.ts";
import type { Engine } from "../engine/engine.ts";
import type { RunResult } from "../engine/execute.ts";
import type { Judgement } from "../engine/judge.ts";
import type { JobState } from "../engine/state.ts";
import type { JobRecord, TargetRecord } from "../state/record.ts";
import type { Blobs, Packed } from "./blobs.ts";
import {
  type Entry,
  keptDepFlags,
  type KeptTarget,
  keptTargetFlags,
  MAX_TEXT,
} from "./format.ts";
import { listingOf } from "./listing.ts";

/** A run that stands. */
export interface KeptRun {
  result: RunResult;
  record: JobRecord;
  /** What its deps are. */
  judged: Judgement;
}

/** An entry with the contents that belong to it. */
export interface MadeEntry {
  entry: Entry;
  contents: Packed[];
}

/**
 * Whether results of a job may come from a cache, or go there: not if it runs
 * in any case, or works on what it finds.
 */
export function isCacheable({ attributes, job, record }: JobState): boolean {
  const { force } = attributes!;
  const flags = [...job.targets, ...job.sideTargets, ...record?.targets ?? []]
    .flatMap((target): string[] => target.flags);
  return !force && !flags.includes("incremental") &&
    !flags.includes("sourceOk");
}

/**
 * The entry of a run.
 *
 * @returns Undefined if others must not have it: it was not wholly traced, wrote
 *   to sources, something that it needed is in error, or a target is not any more
 *   what the job made.
 */
export async function entryOf(
  engine: Engine,
  state: JobState,
  blobs: Blobs,
  { result, record, judged }: KeptRun,
): Promise<MadeEntry | undefined> {
  const { autodep, unseen, lost, stdout, stderr, folded } = result;
  if (autodep === "none" || unseen.length > 0 || lost) return undefined;
  if (record.status !== "ok" || record.unreliable) return undefined;
  if (!isCacheable(state)) return undefined;
  if (stdout.length > MAX_TEXT || stderr.length > MAX_TEXT) return undefined;
  if (record.deps.some(({ file }) => judged.outcomes.get(file)?.failure)) {
    return undefined;
  }
  const targets: KeptTarget[] = [];
  const contents = new Map<string, Packed>();
  for (const target of record.targets) {
    if (engine.isSource(target.file)) return undefined;
    const kept = await keep(engine, state, blobs, target);
    if (!kept) return undefined;
    targets.push(kept.target);
    if (kept.packed) contents.set(kept.packed.content.sha256, kept.packed);
  }
  const entry: Entry = {
    rule: record.rule,
    job: record.name,
    durationMs: record.durationMs,
    deps: record.deps.map((dep) => ({
      ...dep,
      flags: keptDepFlags(dep.flags),
    })),
    listings: folded.listed.map((folder) => listingOf(engine, folder)),
    ...(record.system === undefined
      ? {}
      : { system: engine.parts.repo.system.entriesOf(record.system) }),
    targets,
    stdout,
    stderr,
  };
  return { entry, contents: [...contents.values()] };
}

async function keep(
  engine: Engine,
  state: JobState,
  blobs: Blobs,
  { file, sum, flags: given }: TargetRecord,
): Promise<{ target: KeptTarget; packed?: Packed } | undefined> {
  if (hasRawBytes(file)) return undefined;
  const { files } = engine;
  const flags = keptTargetFlags(given);
  const { stat } = files.look(file);
  if (sum === NO_FILE) return { target: { file, flags, kind: "none" } };
  if (!stat) return undefined;
  if (isLink(stat)) {
    const text = readLinkNs(files.path(file));
    const isPlain = text !== undefined && !hasRawBytes(text) &&
      engine.sums.link(text) === sum;
    return isPlain
      ? { target: { file, flags, kind: "link", text } }
      : undefined;
  }
  const { compression } = state.attributes!;
  const packed = await blobs.pack(files.path(file), compression);
  // Looked at afterwards: what was read in between is what the job made.
  if (!packed || files.look(file).sum !== sum) return undefined;
  const executable = (stat.mode & 0o111) !== 0;
  const { content } = packed;
  return {
    target: { file, flags, kind: "file", content, executable },
    packed,
  };
}
