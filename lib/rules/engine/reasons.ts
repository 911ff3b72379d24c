/** Why a job has to run. */

import type { Engine } from "./engine.ts";
import type { Judgement } from "./judge.ts";
import type { JobState } from "./state.ts";

/** Ends after which a job is run again without being asked. */
const UNFINISHED = new Set(["killed", "lost", "chk_deps"]);

/** Why a job has to run whether or not its targets are on disk; undefined: it has not. */
export function reasonToRun(
  engine: Engine,
  state: JobState,
  view: Judgement,
): string | undefined {
  const { record } = state;
  if (!record) return "never run";
  if (UNFINISHED.has(record.status)) return `was ${record.status}`;
  if (record.unreliable) return record.unreliable;
  if (record.command !== state.command) return "command changed";
  if (state.attributes!.force && !state.ran) return "forced";
  if (view.changed) return `dep out of date: ${view.changed}`;
  const system = engine.parts.repo.system.changed(record.system);
  if (system) return `system out of date: ${system}`;
  const known = new Set(record.targets.map(({ file }) => file));
  for (const { file, flags } of state.job.targets) {
    if (file === undefined || flags.includes("optional")) continue;
    if (!known.has(file)) return `target missing: ${file}`;
  }
  if (record.status !== "ok") {
    if (record.resources !== state.resources) {
      return "resources changed and in error";
    }
    if (engine.parts.options.rerunErrors && !state.ran) return "was in error";
  }
  return undefined;
}

/** Why a target that is needed on disk has to be made again. */
export function diskReason(
  engine: Engine,
  state: JobState,
  file: string,
): string | undefined {
  const target = state.record?.targets.find((one) => one.file === file);
  if (!target) return undefined;
  const { store } = engine.parts.repo;
  const look = engine.files.look(file);
  const known = store.file(file);
  const isOwn = known === undefined || known.writer === state.id;
  if (look.sum === target.sum) {
    if (look.sum === "none" || !isOwn && known.sum !== target.sum) {
      return undefined;
    }
    const stamp = engine.files.safeStamp(look);
    if (known?.stamp !== stamp || known.sum !== look.sum) {
      store.putFile(file, { sum: look.sum, stamp, writer: state.id });
    }
    return undefined;
  }
  if (look.sum === "none") return `target missing: ${file}`;
  return isOwn || known.sum !== look.sum
    ? `target manually polluted: ${file}`
    : `target polluted: ${file}`;
}
