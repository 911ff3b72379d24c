/** Opens Slurm if there is one that answers. */

import { join } from "node:path";
import type { Feedback } from "../../feedback/bus.ts";
import { findProgram } from "../../host/process.ts";
import { obtainNative } from "../../toolchain/native.ts";
import type { Spawner } from "../engine/spawner.ts";
import type { SlurmSettings } from "../model.ts";
import node from "../native/node.c" with { type: "text" };
import { PRIVATE } from "../root.ts";
import { SlurmBackend } from "./slurm.ts";
import { splitArgs } from "./slurm_args.ts";
import {
  complaint,
  slurmEnvironment,
  SpawnedPrograms,
} from "./slurm_programs.ts";

/** How Slurm is wanted. */
export interface SlurmRequest {
  /** Root of the repo. */
  root: string;
  /** Starts processes. */
  spawner: () => Promise<Spawner>;
  /** Environment of the caller. */
  environ: Readonly<Record<string, string>>;
  /** Settings of the repo. */
  settings: SlurmSettings;
  /** Further arguments of `sbatch`. */
  args: string;
  /** Counters that clibs looks after itself. */
  counters: readonly string[];
  /** Where building of tools is reported. */
  feedback: Feedback;
}

/** How long Slurm may take to answer at all. */
const PROBE_MS = 20_000;

/** What two requests have in common that can share one Slurm. */
export function slurmKey(request: SlurmRequest): string {
  const { environ, settings, args, counters } = request;
  const env = Object.entries(slurmEnvironment(environ)).sort();
  return JSON.stringify([env, settings, args, counters]);
}

/**
 * Looks whether Slurm is there.
 *
 * @returns How many jobs it had better have at most, or why there is none.
 */
export async function probeSlurm(
  request: SlurmRequest,
): Promise<number | string> {
  const env = slurmEnvironment(request.environ);
  for (const program of ["sbatch", "squeue", "scancel", "scontrol", "sinfo"]) {
    if (findProgram(program, env["PATH"]) === undefined) {
      return `${program} is not on PATH`;
    }
  }
  const conf = env["SLURM_CONF"];
  // Its programs would wait for it to appear.
  if (conf && !exists(conf)) return `there is no ${conf}`;
  const run = join(request.root, PRIVATE, "run");
  Deno.mkdirSync(run, { recursive: true });
  const programs = new SpawnedPrograms(request.spawner, run, env);
  const args = ["--noheader", "--format=%C"];
  const answer = await programs.run("sinfo", args, PROBE_MS);
  return answer.code === 0 ? jobsFor(answer.stdout) : complaint(answer);
}

/**
 * Opens Slurm.
 *
 * @throws {ClibsError} `CLIBS_SLURM_ARGS` for arguments that make no sense.
 */
export async function openSlurm(request: SlurmRequest): Promise<SlurmBackend> {
  const args = splitArgs(request.args);
  const unit = {
    name: "lmake-node",
    sources: { "node.c": node },
    args: ["-O2", "-std=gnu11", "-w"],
  };
  return new SlurmBackend({
    root: request.root,
    spawner: request.spawner,
    node: await obtainNative(unit, { feedback: request.feedback }),
    env: slurmEnvironment(request.environ),
    settings: request.settings,
    args,
    ownCounters: new Set(request.counters),
  });
}

/**
 * Twice the CPUs there are: enough that none is idle while the next job is
 * submitted, and few enough that ours come in our order.
 */
function jobsFor(counts: string): number {
  const cpus = counts.trim().split("\n")
    .map((line) => Number(line.split("/").at(-1)) || 0)
    .reduce((sum, count) => sum + count, 0);
  return Math.min(10_000, Math.max(16, 2 * cpus));
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}
