/** Tells what is known about files and the jobs that make them. */

import type { Repo } from "../repo.ts";
import type { JobRecord } from "../state/record.ts";
import { billOf, inverseDepsOf, shownDeps } from "./show_deps.ts";
import {
  candidatesFor,
  filesOf,
  folderOf,
  jobOf,
  knownMakerOf,
  makerOf,
  nameOf,
  reading,
} from "./repo.ts";
import type {
  JobInfo,
  JobName,
  Shown,
  ShownStep,
  ShownTarget,
  ShowOptions,
} from "./types.ts";

/** Tells about each of the files, in their order. */
export async function showRules(options: ShowOptions): Promise<Shown[]> {
  const files = filesOf(options);
  return await reading(options, (repo) =>
    files.map((file) => {
      const name = options.byJob ? file : nameOf(repo, folderOf(options), file);
      return show(repo, name, options);
    }));
}

function show(repo: Repo, file: string, options: ShowOptions): Shown {
  const { topic = "info", system = false } = options;
  if (topic === "inverseDeps" && !options.byJob) {
    return { file, users: inverseDepsOf(repo, file) };
  }
  if (topic === "bom" && !options.byJob) {
    const maker = makerOf(repo, file);
    if (maker || repo.sources.has(file)) {
      return {
        file,
        ...(maker ? { job: named(maker) } : {}),
        ...billOf(repo, maker ? [maker] : [], maker ? [] : [file], system),
      };
    }
  }
  if (topic === "inverseTargets" && !options.byJob && !makerOf(repo, file)) {
    const candidate = candidatesFor(repo, file)
      .find(({ rule }) => rule.name === (options.rule ?? rule.name));
    if (candidate) {
      const { rule, display } = repo.table.jobOf(
        candidate.rule,
        candidate.stems,
      );
      return { file, job: { rule: rule.name, job: display } };
    }
  }
  const record = jobOf(repo, file, options);
  const shown = { file, job: named(record) };
  const log = () => repo.store.log(record.id);
  switch (topic) {
    case "info":
      return { ...shown, info: infoOf(repo, record) };
    case "deps":
      return {
        ...shown,
        deps: shownDeps(record),
        ...(system
          ? { system: [...repo.system.entriesOf(record.system)] }
          : {}),
      };
    case "inverseDeps":
      return {
        ...shown,
        users: record.targets.flatMap((target) =>
          inverseDepsOf(repo, target.file)
        ),
      };
    case "targets":
      return { ...shown, targets: shownTargets(record) };
    case "inverseTargets":
      return shown;
    case "cmd":
      return { ...shown, text: log()?.cmd ?? "" };
    case "stderr":
      return { ...shown, text: log()?.stderr ?? "" };
    case "stdout":
      return { ...shown, text: log()?.stdout ?? "" };
    case "env":
      return { ...shown, env: log()?.env ?? {} };
    case "bom":
      return { ...shown, ...billOf(repo, [record], [], system) };
    case "trace":
      return { ...shown, trace: stepsOf(record) };
  }
}

function named({ rule, name }: JobRecord): JobName {
  return { rule, job: name };
}

function infoOf(repo: Repo, record: JobRecord): JobInfo {
  const log = repo.store.log(record.id);
  const marks = repo.store.marks();
  return {
    ...named(record),
    reason: record.reason,
    status: record.status,
    ...(log ? { exit: log.exit } : {}),
    ...(record.unreliable === undefined
      ? {}
      : { unreliable: record.unreliable }),
    problems: log?.problems ?? [],
    depsInError: record.deps.flatMap(({ file, flags, codec }) => {
      if (codec || flags.includes("ignoreError")) return [];
      const status = knownMakerOf(repo, file)?.status ?? "ok";
      return status === "ok" ? [] : [{ file, status }];
    }),
    startedMs: record.startedMs,
    durationMs: record.durationMs,
    stems: record.stems,
    ...(log ? { autodep: log.autodep, resources: log.granted } : {}),
    ...(log?.tmp === undefined ? {} : { tmp: log.tmp }),
    deps: record.deps.length,
    targets: record.targets.length,
    packages: repo.system.entriesOf(record.system).length,
    frozen: record.targets.map(({ file }) => file)
      .filter((file) => marks.get(file) === "f"),
  };
}

function shownTargets(record: JobRecord): ShownTarget[] {
  return record.targets.map(({ file, flags, key, sum, official }) => ({
    file,
    flags,
    ...(key === undefined ? {} : { key }),
    sum,
    official,
  }));
}

/** Reads in order of first access, then writes in order of the first. */
function stepsOf(record: JobRecord): ShownStep[] {
  const { deps, targets, startedMs, durationMs, status } = record;
  const read = deps.filter(({ kinds }) => kinds !== 0);
  return [
    { what: "start", name: new Date(startedMs).toISOString() },
    ...deps.filter(({ kinds }) => kinds === 0)
      .map(({ file }) => ({ what: "declare", name: file })),
    ...read.map(({ file, sum }) => ({
      what: sum === "none" ? "miss" : "read",
      name: file,
    })),
    ...targets.map(({ file, sum }) => ({
      what: sum === "none" ? "leave" : "write",
      name: file,
    })),
    {
      what: "end",
      name: `${new Date(startedMs + durationMs).toISOString()} ${status}`,
    },
  ];
}
