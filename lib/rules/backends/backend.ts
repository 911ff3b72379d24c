/** Where jobs run: what the engine needs of a place, and this machine as one. */

import { join } from "node:path";
import {
  JobProcess,
  type ProcessEnd,
  type ProcessSpec,
} from "../engine/process.ts";
import type { Amounts } from "../engine/resources.ts";
import type { Spawner } from "../engine/spawner.ts";
import { PRIVATE } from "../root.ts";

/** A job that is ready to run. */
export interface BackendJobSpec extends ProcessSpec {
  /** What its processes have in `CLIBS_JOB_ID`. */
  jobId: string;
  /** Its rule. */
  rule: string;
  /** The job, as lines show it. */
  name: string;
  /** What it takes. */
  resources: Amounts;
  /** File that its processes write records to; undefined if nobody does. */
  trace: string | undefined;
}

/** A job that was handed over, and may be running. */
export interface BackendJob {
  /**
   * Settled when nothing of it runs any more.
   *
   * Rejected with a `ClibsError` if it could not be run at all.
   */
  readonly ended: Promise<ProcessEnd>;
  /** Ends it by the signals of its rule. */
  kill(): void;
}

/** A place where jobs run. */
export interface Backend {
  /** Folder for the records of traced processes; undefined: any will do. */
  readonly traceFolder: string | undefined;
  /**
   * Hands over a job, which makes it a job of `LMAKE/running` until it ends.
   *
   * @throws {ClibsError} `CLIBS_JOB_START` if it cannot be started.
   */
  start(spec: BackendJobSpec): Promise<BackendJob>;
}

/** This machine. */
export class LocalBackend implements Backend {
  readonly traceFolder = undefined;
  readonly #root: string;
  readonly #spawner: () => Promise<Spawner>;
  readonly #slots = new Set<number>();

  /**
   * @param root Root of the repo.
   * @param spawner Starts the processes.
   */
  constructor(root: string, spawner: () => Promise<Spawner>) {
    this.#root = root;
    this.#spawner = spawner;
  }

  /** Starts a job at once. */
  async start(spec: BackendJobSpec): Promise<BackendJob> {
    const process = await JobProcess.start(await this.#spawner(), spec);
    // Overwritten by the next job in this place: making and removing files
    // takes long. Whether a job runs still, its pid tells.
    const slot = this.#slot();
    const mark = join(this.#root, PRIVATE, "running", `${Deno.pid}-${slot}`);
    const { jobId, rule, name } = spec;
    Deno.writeTextFileSync(
      mark,
      JSON.stringify({
        pid: process.pgid,
        jobId,
        rule,
        name,
        startedMs: Date.now(),
      }),
    );
    return {
      ended: process.ended.finally(() => this.#slots.delete(slot)),
      kill: () => process.kill(),
    };
  }

  /** The smallest number that no running job has. */
  #slot(): number {
    let slot = 1;
    while (this.#slots.has(slot)) slot++;
    this.#slots.add(slot);
    return slot;
  }
}
