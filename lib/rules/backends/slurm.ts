/**
 * Runs jobs in Slurm, through its programs `sbatch`, `squeue` and `scancel`.
 *
 * A job is handed over with the small program `native/node.c`, which runs it
 * and says in files how it went. Slurm is asked about all jobs at once, now and
 * then, to find those that will never say.
 */

import { join } from "node:path";
import { ClibsError } from "../../errors.ts";
import { type Feedback, silent } from "../../feedback/bus.ts";
import { removeTree } from "../../host/files.ts";
import type { ProcessEnd } from "../engine/process.ts";
import type { Spawner } from "../engine/spawner.ts";
import type { SlurmSettings } from "../model.ts";
import { PRIVATE } from "../root.ts";
import type { Backend, BackendJob, BackendJobSpec } from "./backend.ts";
import { listed, resourceArgs } from "./slurm_args.ts";
import { SlurmJournal } from "./slurm_journal.ts";
import {
  isStuck,
  type Listing,
  LISTING_FORMAT,
  Listings,
  SlurmJob,
} from "./slurm_jobs.ts";
import {
  type Answer,
  complaint,
  isSilent,
  type SlurmPrograms,
  SpawnedPrograms,
} from "./slurm_programs.ts";
import {
  readEnd,
  readStart,
  removeFiles,
  takeBack,
  writeRequest,
} from "./slurm_request.ts";

/** What the backend needs. */
export interface SlurmParts {
  /** Root of the repo. */
  root: string;
  /** Starts Slurm's programs. */
  spawner: () => Promise<Spawner>;
  /** Path of the compiled `node.c`, as nodes see it. */
  node: string;
  /** Environment of Slurm's programs. */
  env: Record<string, string>;
  /** Settings of the repo. */
  settings: SlurmSettings;
  /** Further arguments of `sbatch`, after those of the settings. */
  args: readonly string[];
  /** Counters that are no licenses of Slurm. */
  ownCounters: ReadonlySet<string>;
}

/** Milliseconds between looks at which jobs have ended. */
const TICK_MS = 20;
/** Programs that submit at once. */
const SUBMITTERS = 4;
/** How long a job that Slurm forgot may take to say that it ended. */
const GRACE_MS = 2000;
/** How long Slurm has to insist that it cannot start a job. */
const STUCK_MS = 5000;
/** Signals after which a killed job is cancelled the hard way. */
const KILL_GRACE_MS = 5000;
/** How long a daemon that starts again may make a mess of jobs. */
const RECOVERY_MS = 60_000;
/** Jobs in one call of `scancel`. */
const MOST_AT_ONCE = 500;

/** Slurm. */
export class SlurmBackend implements Backend {
  readonly traceFolder: string;
  /** Where it is told that Slurm is away: that of the last command. */
  feedback: Feedback = silent;
  readonly #parts: SlurmParts;
  readonly #programs: SlurmPrograms;
  readonly #journal: SlurmJournal;
  readonly #tag: string;
  readonly #folder: string;
  readonly #jobs = new Map<number, SlurmJob>();
  readonly #queue: SlurmJob[] = [];
  readonly #unwanted = { signal: new Set<number>(), cancel: new Set<number>() };
  readonly #pending = new Set<Promise<unknown>>();
  #keys = 0;
  #submitting = 0;
  #watching: Promise<void> | undefined;
  #silentSince: number | undefined;
  #heardAgain = -Infinity;

  constructor(parts: SlurmParts) {
    this.#parts = parts;
    const random = crypto.randomUUID().slice(0, 13);
    this.#tag = `clibs:${random}:`;
    this.#folder = join(parts.root, PRIVATE, "run", `slurm-${random}`);
    this.traceFolder = join(this.#folder, "trace");
    for (const name of ["ended", "trace", "programs"]) {
      Deno.mkdirSync(join(this.#folder, name), { recursive: true });
    }
    this.#programs = new SpawnedPrograms(
      parts.spawner,
      join(this.#folder, "programs"),
      parts.env,
    );
    this.#journal = new SlurmJournal(
      parts.root,
      this.#tag,
      join(this.#folder, "ended"),
      parts.env,
    );
    Deno.writeTextFileSync(
      join(this.#folder, "job.sh"),
      `#!/bin/sh\nexec '${parts.node.replaceAll("'", `'\\''`)}' "$1"\n`,
    );
  }

  /** Hands over a job. */
  // Async, as other places are.
  // deno-lint-ignore require-await
  async start(spec: BackendJobSpec): Promise<BackendJob> {
    const key = ++this.#keys;
    const base = join(this.#folder, `${key}`);
    const job = new SlurmJob(key, spec, {
      request: base,
      ticket: `${base}.taken`,
      started: `${base}.started`,
      ended: join(this.#folder, "ended", `${key}`),
      log: `${base}.log`,
    });
    writeRequest(job.files, spec);
    this.#journal.begin(key);
    this.#jobs.set(key, job);
    this.#queue.push(job);
    this.#submitMore();
    this.#watching ??= this.#watch().finally(() => this.#watching = undefined);
    return { ended: job.settled.promise, kill: () => this.#kill(job) };
  }

  /** Waits for what was begun, once no job is left. */
  async close(): Promise<void> {
    await this.#watching;
    while (this.#pending.size > 0) await Promise.all(this.#pending);
    this.#journal[Symbol.dispose]();
    removeTree(this.#folder);
  }

  #begin(work: Promise<unknown>): void {
    const over = work.catch(() => {}).finally(() => this.#pending.delete(over));
    this.#pending.add(over);
  }

  #submitMore(): void {
    while (this.#submitting < SUBMITTERS) {
      const job = this.#queue.shift();
      if (!job) return;
      if (job.isOver) continue;
      this.#submitting++;
      this.#begin(
        this.#submit(job).catch((error) => this.#fail(job, error)).finally(
          () => {
            this.#submitting--;
            this.#submitMore();
          },
        ),
      );
    }
  }

  async #submit(job: SlurmJob): Promise<void> {
    const args = this.#argsOf(job);
    for (let pause = 250; !job.isOver; pause = Math.min(2 * pause, 4000)) {
      const answer = await this.#programs.run("sbatch", args);
      if (answer.code === 0) {
        this.#hears();
        return this.#accepted(job, Number.parseInt(answer.stdout));
      }
      if (!isSilent(answer)) {
        this.#hears();
        throw job.refusal(complaint(answer));
      }
      this.#misses(answer);
      // It may have been taken nevertheless.
      const start = readStart(job.files.started);
      if (start) return this.#accepted(job, start.id);
      if (this.#isTired() && takeBack(job.files)) throw this.#tired(job);
      await wait(pause);
    }
  }

  #argsOf({ spec, key, files }: SlurmJob): string[] {
    const { settings, args, ownCounters } = this.#parts;
    return [
      `--job-name=${listed(`${spec.rule}:${spec.name}`)}`,
      "--nodes=1",
      "--ntasks=1",
      ...resourceArgs(spec.resources, ownCounters),
      ...settings.args ?? [],
      ...args,
      // What must be so for us to find it again.
      "--parsable",
      "--no-requeue",
      "--export=ALL",
      "--input=/dev/null",
      `--output=${files.log.replaceAll("%", "%%")}`,
      "--chdir=/",
      `--comment=${this.#tag}${key} ${listed(spec.rule)} ${listed(spec.name)}`,
      join(this.#folder, "job.sh"),
      files.request,
    ];
  }

  #accepted(job: SlurmJob, id: number): void {
    if (!Number.isInteger(id)) throw job.refusal("sbatch gave no number");
    job.id = id;
    job.submitted = { at: performance.now(), date: Date.now() };
    if (job.isOver) this.#end("cancel", id);
    else {
      this.#journal.submitted(job.key, id);
      if (job.killed) this.#end("signal", id);
    }
  }

  // Ends -----------------------------------------------------------------

  #kill(job: SlurmJob): void {
    if (job.killed) return;
    job.killed = true;
    // How it ended is being found out.
    if (job.isOver) return;
    if (takeBack(job.files)) {
      // Nobody runs it, and nobody can any more.
      if (job.id !== undefined) this.#end("cancel", job.id);
      return this.#finish(job, job.killedEnd());
    }
    // Its node ends it by the signals of its rule, even if Slurm is away.
    remove(job.files.ticket);
    if (job.id !== undefined) this.#end("signal", job.id);
    const limit = job.spec.killSigs.length * 1000 + KILL_GRACE_MS;
    const timer = setTimeout(() => {
      if (!job.isOver && job.id !== undefined) this.#end("cancel", job.id);
    }, limit);
    job.settled.promise.catch(() => {}).finally(() => clearTimeout(timer));
  }

  /** Has Slurm end a job, together with others that come at the same time. */
  #end(how: "signal" | "cancel", id: number): void {
    const ids = this.#unwanted[how];
    ids.add(id);
    if (ids.size === 1) this.#begin(this.#endThem(how));
  }

  async #endThem(how: "signal" | "cancel"): Promise<void> {
    await wait(5);
    const flags = how === "signal" ? ["--batch", "--signal=USR1"] : [];
    const all = [...this.#unwanted[how]];
    this.#unwanted[how].clear();
    for (let at = 0; at < all.length; at += MOST_AT_ONCE) {
      const ids = all.slice(at, at + MOST_AT_ONCE).map(String);
      for (let pause = 250;; pause = Math.min(2 * pause, 4000)) {
        const answer = await this.#programs.run("scancel", [...flags, ...ids]);
        // Otherwise some have ended by themselves.
        if (!isSilent(answer)) break;
        this.#misses(answer);
        if (this.#isTired()) return;
        await wait(pause);
      }
    }
  }

  #finish(job: SlurmJob, end: ProcessEnd): void {
    job.runs(end.ranMs ?? 0);
    this.#forget(job);
    job.settled.resolve(end);
  }

  #fail(job: SlurmJob, error: unknown): void {
    if (job.isOver) return;
    this.#forget(job);
    job.settled.reject(error);
  }

  #forget(job: SlurmJob): void {
    job.isOver = true;
    job.close();
    this.#jobs.delete(job.key);
    removeFiles(job.files);
    this.#journal.end(job.key);
  }

  // Watching -------------------------------------------------------------

  async #watch(): Promise<void> {
    const intervalMs = (this.#parts.settings.interval ?? 2) * 1000;
    let next = performance.now() + intervalMs;
    let asking: Promise<void> | undefined;
    while (this.#jobs.size > 0) {
      this.#collect();
      if (performance.now() >= next && !asking) {
        asking = this.#ask().finally(() => {
          asking = undefined;
          next = performance.now() + intervalMs;
        });
        // What it throws is a bug; it must not pass unseen.
        asking.catch((error) => {
          for (const job of this.#jobs.values()) this.#fail(job, error);
        });
      }
      await wait(TICK_MS);
    }
    await asking;
  }

  /** Takes in the ends that were told. */
  #collect(): void {
    for (const { name } of Deno.readDirSync(join(this.#folder, "ended"))) {
      const job = this.#jobs.get(Number(name));
      if (!job || job.isOver) continue;
      const end = readEnd(job.files.ended);
      if (!end) continue;
      if (end.error !== 0) {
        this.#fail(
          job,
          new ClibsError(
            "CLIBS_JOB_START",
            `Cannot run ${job.spec.argv[0]}: error ${end.error} of the system`,
            { facts: { node: readStart(job.files.started)?.node ?? "" } },
          ),
        );
      } else if (end.cancelled && !job.killed && !end.timedOut) {
        job.isOver = true;
        this.#begin(this.#conclude(job));
      } else this.#finish(job, job.endOf(end));
    }
  }

  /** Asks Slurm about all jobs, to find those that will never tell. */
  async #ask(): Promise<void> {
    const askedAt = performance.now();
    // A file system of the network may tell of new names only after a change.
    const probe = join(this.#folder, "ended", "look");
    Deno.writeTextFileSync(probe, "");
    Deno.removeSync(probe);
    const answer = await this.#list([]);
    if (answer.code !== 0) {
      this.#misses(answer);
      return this.#giveUpWaiting();
    }
    this.#hears();
    const known = new Listings(answer.stdout, this.#tag);
    for (const job of this.#jobs.values()) {
      if (job.isOver || job.id === undefined) continue;
      if (job.submitted.at > askedAt) continue;
      const listing = known.of(job);
      if (listing?.state === "RUNNING") job.runs(0);
      if (listing) this.#checkStuck(job, listing);
      else this.#checkMissing(job);
    }
  }

  #list(more: string[]): Promise<Answer> {
    return this.#programs.run("squeue", [
      "--noheader",
      `--user=${Deno.uid()}`,
      `--format=${LISTING_FORMAT}`,
      ...more,
    ]);
  }

  #checkStuck(job: SlurmJob, listing: Listing): void {
    job.missingSince = undefined;
    const now = performance.now();
    if (!isStuck(listing)) job.stuckSince = undefined;
    else if (now - (job.stuckSince ??= now) >= STUCK_MS) {
      if (!takeBack(job.files)) return;
      this.#end("cancel", job.id!);
      this.#fail(
        job,
        job.refusal(`it is never started: ${listing.reason}`, {
          job: `${job.id}`,
        }),
      );
    }
  }

  #checkMissing(job: SlurmJob): void {
    const now = performance.now();
    if (now - (job.missingSince ??= now) < GRACE_MS) return;
    const start = readStart(job.files.started);
    if (start && start.id !== job.id) {
      // It was submitted twice, and this is the one that runs.
      job.id = start.id;
      job.missingSince = undefined;
      this.#journal.submitted(job.key, start.id);
      return;
    }
    if (readEnd(job.files.ended)) return;
    job.isOver = true;
    this.#begin(this.#conclude(job));
  }

  /** Finds out why a job is lost, and what that means. */
  async #conclude(job: SlurmJob): Promise<void> {
    if (job.killed) return this.#finish(job, job.killedEnd());
    const id = job.id ?? readStart(job.files.started)?.id;
    const listing = await this.#pastOf(job);
    const isSlurms = this.#wasSilent(job) ||
      listing === undefined && await this.#restarted(job);
    if (job.killed) return this.#finish(job, job.killedEnd());
    if (isSlurms && !readStart(job.files.started) && takeBack(job.files)) {
      return this.#again(job);
    }
    // Whoever would still run it, finds nothing to run, or ends it.
    takeBack(job.files);
    remove(job.files.ticket);
    const state = listing?.state.toLowerCase() ?? "unknown to Slurm";
    const node = readStart(job.files.started)?.node;
    const text = `Slurm job ${id}${node ? ` on ${node}` : ""} is ${state}`;
    this.#finish(job, job.lostEnd(text, isSlurms));
  }

  /** Slurm lost it before it began: nobody needs to know. */
  #again(job: SlurmJob): void {
    Object.assign(job, {
      id: undefined,
      missingSince: undefined,
      isOver: false,
      submitted: { at: Infinity, date: Infinity },
    });
    Deno.renameSync(`${job.files.request}.off`, job.files.request);
    this.#queue.push(job);
    this.#submitMore();
  }

  /** What Slurm remembers of a job that it does not list any more. */
  async #pastOf(job: SlurmJob): Promise<Listing | undefined> {
    if (job.id === undefined) return undefined;
    let listing: Listing | undefined;
    for (let tries = 0; tries < 20; tries++) {
      const answer = await this.#list(["--states=all", `--jobs=${job.id}`]);
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

  /** Whether Slurm's daemon was started after it took a job. */
  async #restarted({ submitted }: SlurmJob): Promise<boolean> {
    const { stdout } = await this.#programs.run("scontrol", ["show", "config"]);
    const boot = /^BOOT_TIME\s*= (\S+)/m.exec(stdout)?.[1];
    // Clocks of two machines are never quite the same.
    return boot !== undefined &&
      new Date(boot).getTime() + 5000 > submitted.date;
  }

  // Silence --------------------------------------------------------------

  /** Whether Slurm was away since it took a job, or just before. */
  #wasSilent({ submitted }: SlurmJob): boolean {
    return this.#heardAgain + RECOVERY_MS > submitted.at ||
      this.#silentSince !== undefined;
  }

  #misses(answer: Answer): void {
    if (this.#silentSince !== undefined) return;
    this.#silentSince = performance.now();
    this.feedback.emit(
      "warn",
      "note",
      `Slurm does not answer (${complaint(answer)}): trying again`,
      { about: "slurm" },
    );
  }

  #hears(): void {
    if (this.#silentSince === undefined) return;
    this.#silentSince = undefined;
    this.#heardAgain = performance.now();
    this.feedback.emit("info", "note", "Slurm answers again", {
      about: "slurm",
    });
  }

  #isTired(): boolean {
    const patienceMs = (this.#parts.settings.patience ?? 120) * 1000;
    return this.#silentSince !== undefined &&
      performance.now() - this.#silentSince > patienceMs;
  }

  #tired(job: SlurmJob): ClibsError {
    return new ClibsError(
      "CLIBS_SLURM_SILENT",
      `Cannot run ${job.title} in Slurm: it does not answer`,
      { hint: "see scontrol ping; make again once it does" },
    );
  }

  /** Jobs that run may end yet; those that wait will not begin. */
  #giveUpWaiting(): void {
    if (!this.#isTired()) return;
    for (const job of this.#jobs.values()) {
      if (!job.isOver && takeBack(job.files)) this.#fail(job, this.#tired(job));
    }
  }
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function remove(path: string): void {
  try {
    Deno.removeSync(path);
  } catch {
    // Gone already.
  }
}
