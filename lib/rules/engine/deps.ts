/** The deps of a job: which they are, and bringing them up to date. */

import type { DepRecord } from "../state/record.ts";
import type { Engine } from "./engine.ts";
import { judge, type Judgement } from "./judge.ts";
import type { JobState, Outcome } from "./state.ts";
import { Window } from "./window.ts";

/** Deps as far as they are known: static ones, then those of the last run. */
export function depsOf(state: JobState): DepRecord[] {
  const before = new Map(
    (state.record?.deps ?? []).map((dep) => [dep.file, dep]),
  );
  const statics = state.statics.map(({ key, pattern, flags }): DepRecord => {
    const known = before.get(pattern);
    before.delete(pattern);
    return {
      file: pattern,
      kinds: known?.kinds ?? 0,
      flags: [
        ...new Set([
          ...flags,
          ...state.depFlags(pattern),
          ...known?.flags ?? [],
        ]),
      ],
      sum: known?.sum ?? "",
      group: 0,
      key,
      ...(known?.told === undefined ? {} : { told: known.told }),
    };
  });
  const hidden = [...before.values()].filter((dep) => dep.key === undefined);
  return [...statics, ...hidden];
}

/** Whether a command leaves a dep as it is. */
export function isIgnored(
  { parts }: Engine,
  { flags }: Pick<DepRecord, "flags">,
): boolean {
  const { ignoredDeps } = parts.options;
  return ignoredDeps === "all" ||
    ignoredDeps === "nonEssential" && !flags.includes("essential");
}

/**
 * Brings the deps of a job up to date, many at once but for what follows a
 * critical one that changed.
 */
export async function bringUp(
  engine: Engine,
  state: JobState,
  onDisk: boolean,
): Promise<Judgement> {
  const deps = depsOf(state).filter((dep) => !isIgnored(engine, dep));
  const outcomes = new Map<string, Outcome>();
  const window = new Window();
  const critical = new Map<DepRecord, Promise<void>>();
  let last = 0;
  for (const [i, dep] of deps.entries()) {
    // Those of one group are as early as it is.
    if (dep.group !== last && critical.size > 0) {
      await Promise.allSettled(critical.values());
      const judged = judge(engine, [...critical.keys()], outcomes);
      if (judged.changed !== undefined || judged.failures.length > 0) break;
      critical.clear();
    }
    last = dep.group;
    if (dep.codec) continue;
    // Most are, and a promise each would take longer than to find out.
    const clean = dep.flags.includes("critical")
      ? undefined
      : engine.clean(dep.file, onDisk);
    if (clean) {
      outcomes.set(dep.file, clean);
      continue;
    }
    const one = window.add(
      engine.ensure(dep.file, onDisk, state).then((outcome) => {
        outcomes.set(dep.file, outcome);
      }),
    );
    if (dep.flags.includes("critical")) critical.set(dep, one);
    if (!window.isFull) continue;
    state.unasked = deps.length - i - 1;
    await window.next();
    if (window.hasFailed) break;
  }
  state.unasked = 0;
  await window.end();
  const { record } = state;
  const reruns = record !== undefined && record.command !== state.command;
  return judge(engine, deps, outcomes, reruns);
}
