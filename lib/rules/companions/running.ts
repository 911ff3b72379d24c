/** The jobs that are running in a repo. */

import { join } from "node:path";
import { readJsonIfExists } from "../../host/files.ts";
import { JOB_ID_VARIABLE } from "../../jobs/group.ts";
import { slurmJobs } from "../backends/slurm_journal.ts";
import { findRoot } from "../root.ts";
import { PRIVATE } from "../root.ts";
import { folderOf } from "./repo.ts";
import type { RulesOptions, RunningJob } from "./types.ts";

/** Lists the jobs that commands of this repo are running, the oldest first. */
export function runningJobs(options: RulesOptions): RunningJob[] {
  const root = findRoot(folderOf(options));
  const folder = join(root, PRIVATE, "running");
  const jobs: RunningJob[] = slurmJobs(root).map((
    { rule, name, startedMs, id },
  ) => ({
    rule,
    job: name,
    ...(id === undefined ? {} : { slurm: id }),
    startedMs,
  }));
  for (const name of namesIn(folder)) {
    const mark = read(join(folder, name));
    // Of a job that has ended.
    if (!mark || !isRunning(mark)) continue;
    const { pid } = mark;
    jobs.push({
      rule: mark.rule,
      job: mark.name,
      pid,
      startedMs: mark.startedMs,
    });
  }
  return jobs.sort((a, b) => a.startedMs! - b.startedMs!);
}

interface Mark {
  pid: number;
  jobId: string;
  rule: string;
  name: string;
  startedMs: number;
}

function read(path: string): Mark | undefined {
  const mark = readJsonIfExists(path) as Partial<Mark> | undefined;
  return typeof mark?.pid === "number" && typeof mark.jobId === "string" &&
      typeof mark.rule === "string" && typeof mark.name === "string" &&
      typeof mark.startedMs === "number"
    ? mark as Mark
    : undefined;
}

function namesIn(folder: string): string[] {
  try {
    return [...Deno.readDirSync(folder)].map(({ name }) => name);
  } catch {
    return [];
  }
}

/** Whether the process is there, and still that of the job. */
function isRunning({ pid, jobId }: Mark): boolean {
  try {
    const environ = Deno.readTextFileSync(`/proc/${pid}/environ`);
    return environ.includes(`${JOB_ID_VARIABLE}=${jobId}`);
  } catch {
    return false;
  }
}
