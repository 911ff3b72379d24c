/** Has jobs run again although they are up to date. */

import type { Repo } from "../repo.ts";
import type { JobRecord } from "../state/record.ts";
import { changing, filesOf, jobsOf } from "./repo.ts";
import type { ForgetOptions, ForgetReport } from "./types.ts";

/** Forgets that jobs are up to date, and what they read or wrote if asked to. */
export async function forgetJobs(
  options: ForgetOptions,
): Promise<ForgetReport> {
  if (!options.resources) filesOf(options);
  return await changing(options, "forgetting jobs", async (repo) => {
    const named = options.files?.length ? jobsOf(repo, options) : [];
    const records = new Map(named.map(({ record }) => [record.id, record]));
    if (options.resources) {
      const { changedResources } = await import("./attributes.ts");
      for (const record of await changedResources(repo)) {
        records.set(record.id, record);
      }
    }
    return {
      jobs: [...records.values()].map((record) =>
        forget(repo, record, options)
      ),
    };
  });
}

function forget(
  { store, table }: Repo,
  record: JobRecord,
  options: ForgetOptions,
): ForgetReport["jobs"][number] {
  const rule = table.rule(record.rule);
  const isStatic = (key: string | undefined) =>
    rule?.targets.some((target) => target.key === key && !target.star) ??
      false;
  const droppedDeps = options.deps
    ? record.deps.filter(({ key }) => key === undefined)
    : [];
  const droppedTargets = options.targets
    ? record.targets.filter(({ key }) => !isStatic(key))
    : [];
  store.putJob({
    ...record,
    deps: record.deps.filter((dep) => !droppedDeps.includes(dep)),
    targets: record.targets.filter((target) =>
      !droppedTargets.includes(target)
    ),
    unreliable: "forgotten",
  });
  return {
    rule: record.rule,
    job: record.name,
    deps: droppedDeps.map(({ file }) => file),
    targets: droppedTargets.map(({ file }) => file),
  };
}
