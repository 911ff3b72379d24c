/**
 * Runs jobs in Slurm, through its programs `sbatch`, `squeue` and `scancel`.
 *
 * A job is handed over with the small program `native/node.c`, which runs it
 * and says in files how it went. Slurm is asked about all jobs at once, now and
 * then, to find those that will never say.
 */

import { join } from "node:path";
import { ClibsError } from "../../errors.ts";
import type { Feedback } from "../../feedback/bus.ts";
import { removeTree } from "../../host/files.ts";
import type { ProcessEnd } from "../engine/process.ts";
import type { Spawner } from "../engine/spawner.ts";
import type { SlurmSettings } from "../model.ts";
import { PRIVATE } from "../root.ts";
import type { Backend, BackendJob, BackendJobSpec } from "./backend.ts";
import { jobArgs, resourceArgs } from "./slurm_args.ts";
import { SlurmClient, wait } from "./slurm_client.ts";
import { SlurmJournal } from "./slurm_journal.ts";
import { isStuck, type Listing, SlurmJob } from "./slurm_jobs.ts";
import { SpawnedPrograms } from "./slurm_programs.ts";
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
const SUBMITTERS = 16;
/** How long a job that Slurm forgot may take to say that it ended. */
const GRACE_MS = 2000;
/** How long Slurm has to insist that it cannot start a job. */
const STUCK_MS = 5000;
/** Signals after which a killed job is cancelled the hard way. */
const KILL_GRACE_MS = 5000;
/** How long Slurm may start nothing until somebody is told. */
const IDLE_MS = 60_000;
/** How long a job may take to notice that it is not wanted, but for its signals. */
const NOTICE_MS = 3000;

/** Slurm. */
export class SlurmBackend implements Backend {
  readonly isHere = false;
  readonly traceFolder: string;
  readonly #parts: SlurmParts;
  readonly #client: SlurmClient;
  readonly #journal: SlurmJournal;
  readonly #tag: string;
  readonly #folder: string;
  readonly #jobs = new Map<number, SlurmJob>();
  readonly #queue: SlurmJob[] = [];
  readonly #pending = new Set<Promise<unknown>>();
  #keys = 0;
  #submitting = 0;
  #watching: Promise<void> | undefined;
  #idleSince = Infinity;

  constructor(parts: SlurmParts) {
    this.#parts = parts;
    const random = crypto.randomUUID().slice(0, 13);
    this.#tag = `clibs:${random}:`;
    this.#folder = join(parts.root, PRIVATE, "run", `slurm-${random}`);
    this.traceFolder = join(this.#folder, "trace");
    for (const name of ["ended", "trace", "programs"]) {
      Deno.mkdirSync(join(this.#folder, name), { recursive: true });
    }
    const folder = join(this.#folder, "programs");
    this.#client = new SlurmClient(
      new SpawnedPrograms(parts.spawner, folder, parts.env),
      parts.settings,
      this.#tag,
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

  /** Says from now on to this command when Slurm is away. */
  tellTo(feedback: Feedback): void {
    this.#client.feedback = feedback;
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
    const { address } = this.#parts.settings;
    writeRequest(
      job.files,
      spec,
      address === undefined ? `@${Deno.hostname()}` : spec.listenFar(address),
    );
    this.#journal.begin(key, spec);
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
    await this.#client.close();
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
    const { files } = job;
    const { settings, ownCounters } = this.#parts;
    const args = [
      ...jobArgs(job, `${this.#tag}${job.key}`, [
        ...resourceArgs(job.spec.resources, ownCounters),
        ...settings.args ?? [],
        ...this.#parts.args,
      ]),
      join(this.#folder, "job.sh"),
      files.request,
    ];
    const id = await this.#client.submit(job, args, () => {
      // It may have been taken although nobody said so.
      const start = readStart(files.started);
      if (start) this.#accepted(job, start.id);
      else if (this.#client.isTired && takeBack(files)) throw this.#tired(job);
      return job.isOver || start !== undefined;
    });
    if (id !== undefined) this.#accepted(job, id);
  }

  #accepted(job: SlurmJob, id: number): void {
    job.id = id;
    job.submitted = { at: performance.now(), date: Date.now() };
    if (job.isTold) return;
    if (job.isOver) return this.#client.end("cancel", id);
    this.#journal.submitted(job.key, id);
    if (job.killed) this.#client.end("signal", id);
  }

  // Ends -----------------------------------------------------------------

  #kill(job: SlurmJob): void {
    if (job.killed) return;
    job.killed = true;
    // How it ended is being found out.
    if (job.isOver) return;
    if (takeBack(job.files)) {
      // Nobody runs it, and nobody can any more.
      if (job.id !== undefined) this.#client.end("cancel", job.id);
      return this.#finish(job, job.killedEnd());
    }
    // Its node ends it by the signals of its rule, even if Slurm is away.
    remove(job.files.ticket);
    if (job.id !== undefined) this.#client.end("signal", job.id);
    const limit = job.spec.killSigs.length * 1000 + KILL_GRACE_MS;
    const timer = setTimeout(() => {
      if (!job.isOver && job.id !== undefined) {
        this.#client.end("cancel", job.id);
      }
    }, limit);
    job.settled.promise.catch(() => {}).finally(() => clearTimeout(timer));
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
    removeFiles(job.files, job.isTold);
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
      job.isTold = true;
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
        this.#conclude(job);
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
    const known = await this.#client.list();
    if (!known) return this.#giveUpWaiting();
    const waiting: Listing[] = [];
    for (const job of this.#jobs.values()) {
      if (job.isOver || job.id === undefined) continue;
      if (job.submitted.at > askedAt) continue;
      const listing = known.of(job);
      if (!listing) this.#checkMissing(job);
      else {
        // It may have been submitted twice.
        if (listing.id !== job.id) {
          job.id = readStart(job.files.started)?.id ?? listing.id;
        }
        this.#checkStuck(job, listing);
        if (listing.state === "PENDING") waiting.push(listing);
        else job.runs(0);
      }
    }
    this.#checkIdle(waiting);
  }

  /** Says why Slurm does nothing, if it does nothing for long. */
  #checkIdle(waiting: readonly Listing[]): void {
    const now = performance.now();
    if (waiting.length === 0 || waiting.length < this.#jobs.size) {
      this.#idleSince = now;
    } else if (now - this.#idleSince > IDLE_MS) {
      this.#idleSince = Infinity;
      const reasons = [...new Set(waiting.map(({ reason }) => reason))];
      this.#client.say(
        "warn",
        `Slurm starts none of ${waiting.length} jobs: ${reasons.join(", ")}`,
      );
    }
  }

  #checkStuck(job: SlurmJob, listing: Listing): void {
    job.missingSince = undefined;
    const now = performance.now();
    if (!isStuck(listing)) job.stuckSince = undefined;
    else if (now - (job.stuckSince ??= now) >= STUCK_MS) {
      if (!takeBack(job.files)) return;
      this.#client.end("cancel", job.id!);
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
    if (!readEnd(job.files.ended)) this.#conclude(job);
  }

  #conclude(job: SlurmJob): void {
    job.isOver = true;
    this.#begin(
      this.#settle(job).catch((error) => {
        job.isOver = false;
        this.#fail(job, error);
      }),
    );
  }

  /** Finds out why a job is lost, and what that means. */
  async #settle(job: SlurmJob): Promise<void> {
    if (job.killed) return this.#finish(job, job.killedEnd());
    job.id ??= readStart(job.files.started)?.id;
    const listing = await this.#client.pastOf(job);
    const isSlurms = this.#client.wasSilent(job) ||
      listing === undefined && await this.#client.hasRestarted(job);
    if (job.killed) return this.#finish(job, job.killedEnd());
    if (isSlurms && !readStart(job.files.started) && takeBack(job.files)) {
      return this.#again(job);
    }
    // Whoever would still run it, finds nothing to run, or ends it.
    const isUnused = takeBack(job.files);
    remove(job.files.ticket);
    // Nobody is to write what is about to be written again.
    const isGone = isUnused || listing && listing.state !== "NODE_FAIL";
    if (!isGone) await this.#endOfUnwanted(job);
    const state = listing?.state.toLowerCase() ?? "unknown to Slurm";
    const node = readStart(job.files.started)?.node;
    const text = `Slurm job ${job.id}${node ? ` on ${node}` : ""} is ${state}`;
    this.#finish(job, job.lostEnd(text, isSlurms));
  }

  /** Waits until a job has seen that it is not wanted, if it still runs. */
  async #endOfUnwanted({ spec, files }: SlurmJob): Promise<void> {
    const limitMs = NOTICE_MS + 1000 * spec.killSigs.length;
    const deadline = performance.now() + limitMs;
    while (performance.now() < deadline && !readEnd(files.ended)) {
      await wait(5 * TICK_MS);
    }
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

  #tired(job: SlurmJob): ClibsError {
    return new ClibsError(
      "CLIBS_SLURM_SILENT",
      `Cannot run ${job.title} in Slurm: it does not answer`,
      { hint: "see scontrol ping; make again once it does" },
    );
  }

  /** Jobs that run may end yet; those that wait will not begin. */
  #giveUpWaiting(): void {
    if (!this.#client.isTired) return;
    for (const job of this.#jobs.values()) {
      if (!job.isOver && takeBack(job.files)) this.#fail(job, this.#tired(job));
    }
  }
}

function remove(path: string): void {
  try {
    Deno.removeSync(path);
  } catch {
    // Gone already.
  }
}
