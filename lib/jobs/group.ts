/** Process groups, which may outlive the clibs that started them. */

import { setTimeout as sleep } from "node:timers/promises";

/** Kills every process of a group at once; a group that is gone is fine. */
export function killGroup(pgid: number): void {
  try {
    Deno.kill(-pgid, "SIGKILL");
  } catch {
    // Gone already.
  }
}

/** Variable that marks the processes of one job, so that a reused id is seen. */
export const JOB_ID_VARIABLE = "CLIBS_JOB_ID";

/**
 * Ends the group of a job whose clibs was killed, and waits until it is gone.
 *
 * The wrapper of the job kills it too, as soon as its pipe closes; this only
 * makes sure before somebody else writes into the same folders.
 *
 * @param pgid Process group, as it was recorded.
 * @param jobId What `CLIBS_JOB_ID` was in the job's environment. A group of
 *   the same number without it belongs to somebody else and is left alone.
 */
export async function endStaleGroup(
  pgid: number,
  jobId: string,
): Promise<void> {
  if (Deno.build.os !== "linux") return;
  const deadline = Date.now() + 5000;
  while (hasMember(pgid, jobId) && Date.now() < deadline) {
    killGroup(pgid);
    await sleep(5);
  }
}

function hasMember(pgid: number, jobId: string): boolean {
  return processesOf(jobId, (group) => group === pgid).next().done === false;
}

/**
 * Ends all processes of a job, also those that left its group, and waits until
 * they are gone.
 *
 * @param jobId What `CLIBS_JOB_ID` was in the job's environment.
 */
export async function endMarked(jobId: string): Promise<void> {
  if (Deno.build.os !== "linux") return;
  const deadline = Date.now() + 5000;
  for (;;) {
    const pids = [...processesOf(jobId, () => true)];
    if (pids.length === 0 || Date.now() > deadline) return;
    for (const pid of pids) {
      try {
        Deno.kill(pid, "SIGKILL");
      } catch {
        // Gone already.
      }
    }
    await sleep(2);
  }
}

/** Processes of a job in some groups; none that is dead. */
function* processesOf(
  jobId: string,
  isAsked: (pgid: number) => boolean,
): Generator<number> {
  for (const entry of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(entry.name)) continue;
    try {
      const stat = Deno.readTextFileSync(`/proc/${entry.name}/stat`);
      // The name, in parentheses, may hold anything; fields follow the last one.
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      if (!isAsked(Number(fields[2])) || fields[0] === "Z") continue;
      const environ = Deno.readTextFileSync(`/proc/${entry.name}/environ`);
      if (!environ.includes(`${JOB_ID_VARIABLE}=${jobId}\0`)) continue;
    } catch {
      // It ended meanwhile, or is not ours.
      continue;
    }
    yield Number(entry.name);
  }
}
