/** Slurm as one talks to it: patient while its daemon is away. */

import { type Feedback, silent } from "../../feedback/bus.ts";
import type { SlurmSettings } from "../model.ts";
import {
  type Listing,
  LISTING_FORMAT,
  Listings,
  type SlurmJob,
} from "./slurm_jobs.ts";
import {
  type Answer,
  complaint,
  isSilent,
  type SlurmPrograms,
} from "./slurm_programs.ts";

/** How long a daemon that starts again may make a mess of jobs. */
const RECOVERY_MS = 60_000;
/** Jobs in one call of `scancel`. */
const MOST_AT_ONCE = 500;

/** How a job is ended: by the signals of its rule, or as Slurm does it. */
export type Ending = "signal" | "cancel";

/** Slurm. */
export class SlurmClient {
  /** Where it is told that Slurm is away: that of the last command. */
  feedback: Feedback = silent;
  readonly #programs: SlurmPrograms;
  readonly #settings: SlurmSettings;
  readonly #tag: string;
  readonly #unwanted: Record<Ending, Set<number>> = {
    signal: new Set(),
    cancel: new Set(),
  };
  readonly #ending = new Set<Promise<void>>();
  #silentSince: number | undefined;
  #heardAgain = -Infinity;

  /** @param tag What the comments of our jobs begin with. */
  constructor(programs: SlurmPrograms, settings: SlurmSettings, tag: string) {
    this.#programs = programs;
    this.#settings = settings;
    this.#tag = tag;
  }

  /** Whether Slurm has been silent for longer than anybody wants to wait. */
  get isTired(): boolean {
    const patienceMs = (this.#settings.patience ?? 120) * 1000;
    return this.#silentSince !== undefined &&
      performance.now() - this.#silentSince > patienceMs;
  }

  /**
   * Hands over a job, as often as it takes.
   *
   * @param isOff Whether it is not wanted, or not needed, any more; asked
   *   before each further try.
   * @returns Its number; undefined if it was off.
   * @throws {ClibsError} `CLIBS_SLURM_REFUSED` if Slurm does not want it.
   */
  async submit(
    job: SlurmJob,
    args: readonly string[],
    isOff: () => boolean,
  ): Promise<number | undefined> {
    for (let pause = 250;; pause = longer(pause)) {
      const answer = await this.#programs.run("sbatch", args);
      if (answer.code === 0) {
        this.#hears();
        const id = Number.parseInt(answer.stdout);
        if (!Number.isInteger(id)) throw job.refusal("sbatch gave no number");
        return id;
      }
      if (!isSilent(answer)) {
        this.#hears();
        throw job.refusal(complaint(answer));
      }
      this.#misses(answer);
      if (isOff()) return undefined;
      await wait(pause);
      if (isOff()) return undefined;
    }
  }

  /** All our jobs that wait or run; undefined if Slurm does not say. */
  async list(): Promise<Listings | undefined> {
    const answer = await this.#squeue([]);
    if (answer.code !== 0) return void this.#misses(answer);
    this.#hears();
    return new Listings(answer.stdout, this.#tag);
  }

  /** What Slurm remembers of a job that it does not list any more. */
  async pastOf(job: SlurmJob): Promise<Listing | undefined> {
    if (job.id === undefined) return undefined;
    let listing: Listing | undefined;
    for (let tries = 0; tries < 20; tries++) {
      const answer = await this.#squeue(["--states=all", `--jobs=${job.id}`]);
      if (isSilent(answer)) this.#misses(answer);
      else {
        listing = new Listings(answer.stdout, this.#tag).of(job);
        // That is how all of them end; a moment later it says why.
        if (listing?.state !== "COMPLETING") return listing;
      }
      await wait(250);
    }
    return listing;
  }

  /** Whether it was away after it took a job, or just before. */
  wasSilent({ submitted }: SlurmJob): boolean {
    return this.#silentSince !== undefined ||
      this.#heardAgain + RECOVERY_MS > submitted.at;
  }

  /** Whether its daemon was started after it took a job. */
  async hasRestarted({ submitted }: SlurmJob): Promise<boolean> {
    const { stdout } = await this.#programs.run("scontrol", ["show", "config"]);
    const boot = /^BOOT_TIME\s*= (\S+)/m.exec(stdout)?.[1];
    // Clocks of two machines are never quite the same.
    return boot !== undefined &&
      new Date(boot).getTime() + 5000 > submitted.date;
  }

  /** Has it end a job, together with others that come at the same time. */
  end(how: Ending, id: number): void {
    const ids = this.#unwanted[how];
    ids.add(id);
    if (ids.size > 1) return;
    const ending = this.#endThem(how).finally(() =>
      this.#ending.delete(ending)
    );
    this.#ending.add(ending);
  }

  /** Waits until it was told of all jobs that are to end. */
  async close(): Promise<void> {
    while (this.#ending.size > 0) await Promise.all(this.#ending);
  }

  async #endThem(how: Ending): Promise<void> {
    await wait(5);
    const flags = how === "signal" ? ["--batch", "--signal=USR1"] : [];
    const all = [...this.#unwanted[how]];
    this.#unwanted[how].clear();
    for (let at = 0; at < all.length; at += MOST_AT_ONCE) {
      const ids = all.slice(at, at + MOST_AT_ONCE).map(String);
      for (let pause = 250;; pause = longer(pause)) {
        const answer = await this.#programs.run("scancel", [...flags, ...ids]);
        // What else it complains of has ended by itself.
        if (!isSilent(answer)) break;
        this.#misses(answer);
        if (this.isTired) return;
        await wait(pause);
      }
    }
  }

  #squeue(more: readonly string[]): Promise<Answer> {
    return this.#programs.run("squeue", [
      "--noheader",
      `--user=${Deno.uid()}`,
      `--format=${LISTING_FORMAT}`,
      ...more,
    ]);
  }

  #misses(answer: Answer): void {
    if (this.#silentSince !== undefined) return;
    this.#silentSince = performance.now();
    this.say(
      "warn",
      `Slurm does not answer (${complaint(answer)}): trying again`,
    );
  }

  #hears(): void {
    if (this.#silentSince === undefined) return;
    this.#silentSince = undefined;
    this.#heardAgain = performance.now();
    this.say("info", "Slurm answers again");
  }

  /** Tells the user something. */
  say(level: "warn" | "info", text: string): void {
    this.feedback.emit(level, "note", text, { about: "slurm" });
  }
}

function longer(pause: number): number {
  return Math.min(2 * pause, 4000);
}

/** Waits for so many milliseconds. */
export function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
