/** One job in Slurm's hands. */

import { ClibsError } from "../../errors.ts";
import { type ProcessEnd, Tail } from "../engine/process.ts";
import type { BackendJobSpec } from "./backend.ts";
import { type JobFiles, type NodeEnd, readIfThere } from "./slurm_request.ts";

/** A job that Slurm has, or is about to get. */
export class SlurmJob {
  readonly key: number;
  readonly spec: BackendJobSpec;
  readonly files: JobFiles;
  readonly settled: PromiseWithResolvers<ProcessEnd> = Promise.withResolvers();
  /** Its number; undefined until Slurm has taken it. */
  id: number | undefined;
  /** When Slurm took it, in milliseconds: since the start of us, and of 1970. */
  submitted = { at: Infinity, date: Infinity };
  /** Whether it was seen to run. */
  isStarted = false;
  /** Whether its end is wanted by us. */
  killed = false;
  /** Whether its node told how it ended. */
  isTold = false;
  /** Whether it has ended, or how it did is being found out. */
  isOver = false;
  /** When Slurm was first found not to know it. */
  missingSince: number | undefined;
  /** When Slurm was first heard to say that it cannot start it. */
  stuckSince: number | undefined;
  #tail: Tail | undefined;

  constructor(key: number, spec: BackendJobSpec, files: JobFiles) {
    this.key = key;
    this.spec = spec;
    this.files = files;
    // Who kills it may not wait for it.
    this.settled.promise.catch(() => {});
    if (spec.onStdout) {
      Deno.writeTextFileSync(spec.stdout, "");
      this.#tail = new Tail(spec.stdout, spec.onStdout);
    }
  }

  /** What lines and messages call it. */
  get title(): string {
    return `${this.spec.rule} ${this.spec.name}`;
  }

  /** It is seen to run. */
  runs(agoMs: number): void {
    if (this.isStarted) return;
    this.isStarted = true;
    this.spec.onStart(agoMs);
  }

  /** Lets go of its output. */
  close(): void {
    this.#tail?.close();
    this.#tail = undefined;
  }

  /** The end as the engine sees it. */
  endOf(end: NodeEnd): ProcessEnd {
    const { code, signal, timedOut, ranMs } = end;
    return { code, signal, timedOut, killed: this.killed, ranMs: ranMs! };
  }

  /** The end of what was killed before it could say how it ended. */
  killedEnd(): ProcessEnd {
    return {
      code: undefined,
      signal: "SIGKILL",
      timedOut: false,
      killed: true,
      ranMs: 0,
    };
  }

  /** The end of what nobody knows the end of. */
  lostEnd(why: string, blameless: boolean): ProcessEnd {
    const said = this.#said();
    return {
      code: undefined,
      signal: undefined,
      timedOut: false,
      killed: false,
      ranMs: 0,
      lost: said === "" ? why : `${why}: ${said}`,
      blameless,
    };
  }

  /** Why it could not be run. */
  refusal(text: string, facts: Record<string, string> = {}): ClibsError {
    return new ClibsError(
      "CLIBS_SLURM_REFUSED",
      `Cannot run ${this.title} in Slurm: ${text}`,
      { facts },
    );
  }

  /** The last line that Slurm wrote into the job's log. */
  #said(): string {
    const lines = readIfThere(this.files.log)?.trim().split("\n") ?? [];
    return (lines.at(-1) ?? "").replace(/^slurmstepd[^:]*: (error: )?/, "")
      .replace(/^\*+ | \*+$/g, "").trim();
  }
}

/** How Slurm describes a job. */
export interface Listing {
  id: number;
  state: string;
  reason: string;
}

/** What `squeue` is to print of each job. */
export const LISTING_FORMAT = "%A|%T|%r|%k";

/** What Slurm says of jobs. */
export class Listings {
  readonly #byKey = new Map<number, Listing>();
  readonly #byId = new Map<number, Listing>();

  /**
   * @param text What `squeue` printed.
   * @param tag What comments of our jobs begin with; then comes the key.
   */
  constructor(text: string, tag: string) {
    for (const line of text.split("\n")) {
      const [id, state, reason = "", comment = ""] = line.split("|");
      if (!id || state === undefined) continue;
      const listing = { id: Number(id), state, reason };
      if (comment.startsWith(tag)) {
        this.#byKey.set(Number.parseInt(comment.slice(tag.length)), listing);
      } else if (comment === "" || comment === "(null)") {
        this.#byId.set(listing.id, listing);
      }
    }
  }

  /**
   * What it says of a job.
   *
   * Comments come first: a daemon that lost its state gives the same numbers
   * again. Where a cluster drops comments there are only numbers.
   */
  of({ key, id }: SlurmJob): Listing | undefined {
    return this.#byKey.get(key) ??
      (id === undefined ? undefined : this.#byId.get(id));
  }
}

/** Reasons for waiting which no waiting ends. */
const NEVER = new Set([
  "BadConstraints",
  "InvalidAccount",
  "InvalidQOS",
  "PartitionConfig",
  "PartitionNodeLimit",
  "PartitionTimeLimit",
  "QOSMaxCpuPerJobLimit",
  "QOSMaxMemoryPerJob",
  "AssocMaxCpuPerJobLimit",
  "AssocMaxMemPerJob",
]);

/** Whether a job will never be started as it is. */
export function isStuck({ state, reason }: Listing): boolean {
  return state === "PENDING" && NEVER.has(reason);
}
