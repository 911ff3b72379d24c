/** Processes that a job started and that left its process group. */

import { setTimeout as sleep } from "node:timers/promises";
import { JOB_ID_VARIABLE } from "./group.ts";

/**
 * Ends every process of a job, also those in sessions of their own, and waits
 * until they are gone.
 *
 * @param jobId What `CLIBS_JOB_ID` is in the job's environment; nobody else's.
 */
export async function endEscaped(jobId: string): Promise<void> {
  if (Deno.build.os !== "linux") return;
  const deadline = Date.now() + 5000;
  for (;;) {
    const pids = processesOf(jobId);
    if (pids.length === 0 || Date.now() > deadline) return;
    for (const pid of pids) {
      try {
        Deno.kill(pid, "SIGKILL");
      } catch {
        // Gone already.
      }
    }
    await sleep(5);
  }
}

function processesOf(jobId: string): number[] {
  const mark = `${JOB_ID_VARIABLE}=${jobId}`;
  return [...Deno.readDirSync("/proc")].map(({ name }) => Number(name))
    .filter((pid) => pid > 0 && environment(pid).includes(mark));
}

function environment(pid: number): string[] {
  try {
    return Deno.readTextFileSync(`/proc/${pid}/environ`).split("\0");
  } catch {
    // It ended meanwhile, or belongs to somebody else.
    return [];
  }
}
