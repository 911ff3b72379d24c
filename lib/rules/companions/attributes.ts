/** Attributes of jobs as they would be now, worked out without running any. */

import { CodecTables } from "../codec/tables.ts";
import { settleAttributes } from "../engine/attributes.ts";
import { Engine } from "../engine/engine.ts";
import { Reporter } from "../engine/report.ts";
import { JobState } from "../engine/state.ts";
import type { DepSpec } from "../model.ts";
import { compilePattern } from "../pattern.ts";
import type { Repo } from "../repo.ts";
import type { Job } from "../select.ts";
import type { JobRecord } from "../state/record.ts";

/** An engine that answers questions and runs nothing. */
function idleEngine(repo: Repo): Engine {
  return new Engine({
    repo,
    codecs: new CodecTables(repo.root, repo.sums, { readOnly: true }),
    report: new Reporter({
      write() {},
      date: false,
      time: false,
      verbose: false,
    }),
    options: { rerunErrors: false, all: false, retries: 0 },
    startedNs: BigInt(Date.now()) * 1_000_000n,
    exclusively: (_, work) => work(),
    busy: () => undefined,
    run: () => Promise.reject(new Error("nothing is run")),
  });
}

/** Works out static deps that a function gives. */
export function depsByFunction(
  repo: Repo,
): (state: JobState) => Promise<DepSpec[]> {
  const engine = idleEngine(repo);
  return async (state) => {
    await settleAttributes(engine, state);
    return state.statics;
  };
}

/** The jobs of the current rules whose resources are not those of their last run. */
export async function changedResources(repo: Repo): Promise<JobRecord[]> {
  const engine = idleEngine(repo);
  const changed: JobRecord[] = [];
  for (const record of [...repo.store.jobs()]) {
    const state = await settle(engine, repo, record);
    if (state && (state.problem || state.resources !== record.resources)) {
      changed.push(record);
    }
  }
  return changed;
}

/** A job with its attributes as they are now; undefined if the rules have no such job. */
export async function settledJob(
  repo: Repo,
  record: JobRecord,
): Promise<JobState | undefined> {
  return await settle(idleEngine(repo), repo, record);
}

async function settle(
  engine: Engine,
  repo: Repo,
  record: JobRecord,
): Promise<JobState | undefined> {
  const job = currentJob(repo, record);
  if (!job) return undefined;
  const state = new JobState(job, record.id, { job: () => record });
  if (job.deps !== "dynamic") state.statics = [...job.deps];
  await settleAttributes(engine, state);
  return state;
}

/** A job that ran, as the rules have it now; undefined if they do not. */
export function currentJob(repo: Repo, record: JobRecord): Job | undefined {
  const names = Object.keys(record.stems).sort().join("\n");
  for (const rule of repo.definition.rules) {
    if (rule.kind !== "plain" || stemsOf(repo, rule.name) !== names) continue;
    const job = repo.table.jobOf(rule, record.stems);
    if (repo.idOf(job) === record.id) return job;
  }
  return undefined;
}

const knownStems = new WeakMap<Repo, Map<string, string>>();

/** Names of the static stems of a rule, sorted, one a line. */
function stemsOf(repo: Repo, rule: string): string {
  let known = knownStems.get(repo);
  if (!known) knownStems.set(repo, known = new Map());
  let names = known.get(rule);
  if (names === undefined) {
    const { targets, stems } = repo.table.rule(rule)!;
    const pattern = targets[0]?.pattern ?? "";
    // All targets of a rule have the same ones.
    names = compilePattern(pattern, stems).stems.toSorted().join("\n");
    known.set(rule, names);
  }
  return names;
}
