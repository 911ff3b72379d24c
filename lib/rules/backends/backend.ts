/** Where jobs run: what the engine needs of a place, and this machine as one. */

import { join } from "node:path";
import {
  JobProcess,
  type ProcessEnd,
  type ProcessSpec,
} from "../engine/process.ts";
import type { Amounts } from "../engine/resources.ts";
import type { Spawner, Turns } from "../engine/spawner.ts";
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
  /** Has the runner listen to jobs on other machines; returns its address. */
  listenFar: (hostname: string) => string;
  /** Called once it runs; in time, or late with how long it has been running. */
  onStart: (agoMs: number) => void;
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
  /** Whether jobs run on this machine, and may have a `calledAs`. */
  readonly isHere: boolean;
  /** Folder for the records of traced processes; undefined: any will do. */
  readonly traceFolder: string | undefined;
  /**
   * Hands over a job, which makes it a job of `LMAKE/running` until it ends.
   *
   * @throws {ClibsError} `CLIBS_JOB_START` if it cannot be started.
   */
  start(spec: BackendJobSpec): Promise<BackendJob>;
  /** Starts jobs when their turn comes; undefined: all at once. */
  readonly turns?: Turns;
}

/** Bytes of a note about a running job; longer ones are as long as they are. */
const MARK_SIZE = 1024;

/** This machine. */
export class LocalBackend implements Backend {
  readonly isHere = true;
  readonly traceFolder = undefined;
  readonly turns: Turns;
  readonly #root: string;
  readonly #spawner: () => Promise<Spawner>;
  /** The spawner, once it has been asked for something. */
  #started: Spawner | undefined;
  readonly #slots = new Set<number>();
  readonly #marks: (Deno.FsFile | undefined)[] = [];

  /**
   * @param root Root of the repo.
   * @param spawner Starts the processes.
   */
  constructor(root: string, spawner: () => Promise<Spawner>) {
    this.#root = root;
    this.#spawner = spawner;
    // At once, so that these and requests stay in their order. Who has not
    // started anything yet has nobody whose turn comes earlier.
    this.turns = {
      pass: (turn) =>
        this.#started
          ? this.#started.pass(turn)
          : void spawner().then((started) => started.pass(turn), () => {}),
      skip: (turn) => this.#started?.skip(turn),
    };
  }

  /** Starts a job at once. */
  async start(spec: BackendJobSpec): Promise<BackendJob> {
    this.#started = await this.#spawner();
    const process = await JobProcess.start(this.#started, spec);
    const { jobId, rule, name } = spec;
    spec.onStart(0);
    const slot = this.#slot();
    this.#mark(slot, {
      pid: process.pgid,
      jobId,
      rule,
      name,
      startedMs: Date.now(),
    });
    return {
      ended: process.ended.finally(() => this.#slots.delete(slot)),
      kill: () => process.kill(),
    };
  }

  /**
   * Notes a job where the next commands look. The file is the next job's in
   * this place: making, emptying and removing files takes long. Whether a job
   * runs still, its pid tells.
   */
  #mark(slot: number, mark: Record<string, unknown>): void {
    let file = this.#marks[slot];
    if (!file) {
      const path = join(
        this.#root,
        PRIVATE,
        "running",
        `${Deno.pid}-${slot}`,
      );
      file = Deno.openSync(path, { write: true, create: true });
      this.#marks[slot] = file;
    }
    // Long enough to cover what was there before.
    const text = JSON.stringify(mark).padEnd(MARK_SIZE);
    file.seekSync(0, Deno.SeekMode.Start);
    file.writeSync(new TextEncoder().encode(text));
  }

  /** Closes its files. */
  close(): void {
    for (const file of this.#marks) file?.close();
    this.#marks.length = 0;
  }

  /** The smallest number that no running job has. */
  #slot(): number {
    let slot = 1;
    while (this.#slots.has(slot)) slot++;
    this.#slots.add(slot);
    return slot;
  }
}
