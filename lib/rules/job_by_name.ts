/** Finds jobs by their own names, or by rule, for `clibs make -J -R`. */

import { ClibsError } from "../errors.ts";
import { nearest } from "../nearest.ts";
import type { Repo } from "./repo.ts";
import type { Candidate } from "./select.ts";

/** Which job is meant. */
export interface JobQuery {
  /** Name of a file that it makes, or of the job. */
  name: string;
  /** Whether it is that of the job. */
  byJob: boolean;
  /** Rule of the job. Default: any. */
  rule?: string;
}

/**
 * The job that is meant; it need not have run yet, unless its name has nothing
 * to do with its targets.
 *
 * @throws {ClibsError} `CLIBS_LMAKE_NO_JOB` if there is none.
 */
export async function findJob(
  repo: Repo,
  { name, byJob, rule }: JobQuery,
): Promise<Pick<Candidate, "rule" | "stems">> {
  if (rule !== undefined && !repo.table.rule(rule)) throw noRule(repo, rule);
  const fits = (candidate: Pick<Candidate, "rule">) =>
    candidate.rule.kind === "plain" &&
    (rule === undefined || candidate.rule.name === rule);
  const direct = repo.table.candidates(name).flat().find((candidate) =>
    fits(candidate) &&
    (!byJob ||
      repo.table.jobOf(candidate.rule, candidate.stems).display === name)
  );
  if (direct) return direct;
  if (byJob) {
    const { currentJob } = await import("./companions/attributes.ts");
    for (const record of repo.store.jobs()) {
      if (record.name !== name) continue;
      const job = currentJob(repo, record);
      if (job && fits(job)) return job;
    }
  }
  const of = rule === undefined ? "" : ` of the rule ${rule}`;
  throw new ClibsError(
    "CLIBS_LMAKE_NO_JOB",
    `Cannot make ${name}: there is no job${of} ${
      byJob ? "of this name" : "that makes it"
    }`,
    { facts: { repo: repo.root } },
  );
}

function noRule(repo: Repo, rule: string): ClibsError {
  const names = repo.definition.rules.map(({ name }) => name);
  const near = nearest(rule, names);
  return new ClibsError(
    "CLIBS_LMAKE_NO_JOB",
    `Cannot find jobs of ${rule}: there is no such rule`,
    { facts: near ? { nearest: near } : {}, hint: near && `--rule ${near}` },
  );
}
