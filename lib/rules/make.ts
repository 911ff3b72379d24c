/** Makes files of a repo: one command of `clibs make`. */

import { join, resolve } from "node:path";
import { ClibsError } from "../errors.ts";
import { type Feedback, silent } from "../feedback/bus.ts";
import { removeTree, sortedEntries } from "../host/files.ts";
import { withLock } from "../host/lock.ts";
import { endStaleGroup } from "../jobs/group.ts";
import { obtainNative } from "../toolchain/native.ts";
import { JobServer } from "./channel/server.ts";
import { TWINS } from "./channel/twins.ts";
import { CodecTables } from "./codec/tables.ts";
import { Engine } from "./engine/engine.ts";
import { executeJob } from "./engine/execute.ts";
import type { JobProcess } from "./engine/process.ts";
import { Reporter, type ReportEvent } from "./engine/report.ts";
import { Pool } from "./engine/resources.ts";
import type { RunJob } from "./engine/run_once.ts";
import type { Failure, JobState, Outcome } from "./engine/state.ts";
import { failureOf, summaryText } from "./engine/summary.ts";
import { Spawner } from "./engine/spawner.ts";
import launch from "./native/launch.c" with { type: "text" };
import spawn from "./native/spawn.c" with { type: "text" };
import { placePython } from "./python/place.ts";
import { findRoot, openRepo, type Repo } from "./repo.ts";
import { PRIVATE } from "./state/store.ts";

/** What to make, and how. */
export interface MakeOptions {
  /** Files to make, relative to `cwd`. None: the rules are read, and that is all. */
  targets?: readonly string[];
  /** Folder in a repo. Default: the current one. */
  cwd?: string;
  /** Jobs at once. Default: what the config says, else the number of CPUs. */
  jobs?: number;
  /** Runs jobs again that are in error. Default: false. */
  rerunErrors?: boolean;
  /** Makes again what is missing on disk and nobody needs. Default: false. */
  all?: boolean;
  /** Times that a failed job is tried again. Default: 0. */
  retries?: number;
  /** Lets jobs write to sources. Default: false. */
  sourcesOk?: boolean;
  /** Keeps `$TMPDIR` of jobs. Default: false. */
  keepTmp?: boolean;
  /** Tells why jobs run, and names each source. Default: false. */
  verbose?: boolean;
  /** Environment of the caller. Default: that of this process. */
  environ?: Readonly<Record<string, string>>;
  /** Gets lines, without their ends. Default: nobody. */
  onLine?: (text: string) => void;
  /** Gets each event. */
  onEvent?: (event: ReportEvent) => void;
  /** Gets the standard output of jobs that make a requested file. */
  onStdout?: (chunk: Uint8Array) => void;
  /** Where waiting and building of tools is reported. */
  feedback?: Feedback;
  /** Ends all jobs. */
  signal?: AbortSignal;
}

/** A requested file. */
export interface MadeFile {
  /** Name from the repo's root. */
  file: string;
  /** Whether it is there and right. */
  ok: boolean;
  /** Whether a job ran to make it. */
  ran: boolean;
  /** Checksum. */
  checksum: string;
  /** Why it cannot be had. */
  error?: MakeError;
}

/** Why a file cannot be had. */
export interface MakeError {
  /** File, or the job's name. */
  name: string;
  /** Rule of the job that is at fault. */
  rule?: string;
  /** What is wrong. */
  message: string;
  /** One next step. */
  hint?: string;
  /** What the job wanted and could not have. */
  causes: MakeError[];
}

/** What a command came to. */
export interface MakeReport {
  /** Whether all requested files are right. */
  ok: boolean;
  /** Requested files, in order. */
  targets: MadeFile[];
  /** Number of events by word. */
  counts: Record<string, number>;
  /** Wall-clock time. */
  elapsedMs: number;
}

/**
 * Makes files.
 *
 * @throws {ClibsError} `CLIBS_LMAKE_REPO` if there are no rules,
 *   `CLIBS_LMAKE_…` if they cannot be read.
 * @throws {CancelledError} If `signal` fires; jobs are ended by then.
 */
export async function make(options: MakeOptions = {}): Promise<MakeReport> {
  const cwd = Deno.realPathSync(options.cwd ?? ".");
  const root = findRoot(cwd);
  Deno.mkdirSync(join(root, PRIVATE, "running"), { recursive: true });
  const lock = {
    doing: `making ${(options.targets ?? []).join(" ") || "nothing"}`,
    feedback: options.feedback,
    signal: options.signal,
  };
  return await withLock(join(root, PRIVATE, "lock"), lock, async () => {
    const startedMs = Date.now();
    await endLeftOvers(root);
    const repo = await openRepo(root, options);
    try {
      return await new Command(repo, cwd, options, startedMs).run();
    } finally {
      await repo.close();
    }
  });
}

/** Ends jobs of a command that was killed, and removes what they left. */
async function endLeftOvers(root: string): Promise<void> {
  const running = join(root, PRIVATE, "running");
  for (const { name } of sortedEntries(running)) {
    const mark = join(running, name);
    try {
      const { jobId } = JSON.parse(Deno.readTextFileSync(mark));
      await endStaleGroup(Number(name), String(jobId));
    } catch {
      // Torn: its job had not been started.
    }
    Deno.removeSync(mark);
  }
  removeTree(join(root, PRIVATE, "run"));
}

class Command {
  readonly #repo: Repo;
  readonly #cwd: string;
  readonly #options: MakeOptions;
  readonly #startedMs: number;
  readonly #report: Reporter;
  readonly #lines: string[] = [];
  readonly #running = new Set<JobProcess>();
  #server: Promise<JobServer> | undefined;
  #tools: Promise<string> | undefined;
  #spawner: Promise<Spawner> | undefined;
  readonly #requested = new Set<string>();

  constructor(
    repo: Repo,
    cwd: string,
    options: MakeOptions,
    startedMs: number,
  ) {
    this.#repo = repo;
    this.#cwd = cwd;
    this.#options = options;
    this.#startedMs = startedMs;
    const { console } = repo.definition.config;
    this.#report = new Reporter({
      write: (text) => {
        this.#lines.push(text);
        options.onLine?.(text);
      },
      date: console.date,
      time: console.time,
      verbose: options.verbose ?? false,
      onEvent: options.onEvent,
    });
  }

  async run(): Promise<MakeReport> {
    const { store } = this.#repo;
    if (store.rebuilt) {
      this.#report.text("state: made anew from the records of jobs");
    }
    const codecs = new CodecTables(this.#repo.root, this.#repo.sums);
    codecs.begin();
    const engine: Engine = new Engine({
      repo: this.#repo,
      codecs,
      report: this.#report,
      options: {
        rerunErrors: this.#options.rerunErrors ?? false,
        all: this.#options.all ?? false,
        retries: this.#options.retries ?? 0,
        signal: this.#options.signal,
      },
      startedNs: BigInt(this.#startedMs) * 1_000_000n,
      run: this.#runner(() => engine),
    });
    const stop = () => {
      for (const child of this.#running) child.kill();
    };
    this.#options.signal?.addEventListener("abort", stop, { once: true });
    try {
      const outcomes = await this.#all(engine);
      codecs.finish();
      return this.#finish(engine, outcomes);
    } finally {
      this.#options.signal?.removeEventListener("abort", stop);
      for (const { word, table } of codecs.takeReports()) {
        this.#report.file(word, table);
      }
      await (await this.#spawner)?.close();
      await (await this.#server)?.close();
      store.flush();
      this.#writeTranscript();
    }
  }

  async #all(engine: Engine): Promise<Outcome[]> {
    const names = (this.#options.targets ?? []).map((name) =>
      this.#nameOf(name)
    );
    for (const name of names) this.#requested.add(name);
    const made = names.map((name) => engine.ensure(name, true));
    const settled = await Promise.allSettled(made);
    // Everybody has stopped; only now may the server and the store go.
    const failed = settled.find((one) => one.status === "rejected");
    if (failed) throw failed.reason;
    return settled.map((one) => (one as PromiseFulfilledResult<Outcome>).value);
  }

  #nameOf(target: string): string {
    const path = resolve(this.#cwd, target);
    const file = this.#repo.files.name(path);
    if (file !== undefined && file !== "") return file;
    throw new ClibsError(
      "CLIBS_LMAKE_OUTSIDE",
      `Cannot make ${target}: it is not a file of this repo`,
      { facts: { repo: this.#repo.root } },
    );
  }

  #runner(engine: () => Engine): RunJob {
    const config = this.#repo.definition.config.backends["local"] ?? {};
    const jobs = this.#options.jobs;
    const cpus = Number(config["cpu"] ?? navigator.hardwareConcurrency);
    const pool = new Pool({
      mem: Infinity,
      tmp: Infinity,
      ...Object.fromEntries(
        Object.entries(config).map(([name, value]) => [name, Number(value)]),
      ),
      cpu: jobs ?? cpus,
    });
    return async (state, prepare) => {
      const wants = state.attributes!.resources as Record<string, number>;
      const problem = pool.problem(wants);
      if (problem) {
        throw new ClibsError(
          "CLIBS_LMAKE_RESOURCE",
          `Cannot run ${state.title}: ${problem}`,
          { hint: "ask for less, or raise lmake.config.backends.local" },
        );
      }
      const { prio } = state.job.rule;
      const release = await pool.take(wants, prio ?? 0, this.#options.signal);
      const timer = this.#startLine(state);
      try {
        prepare();
        const [server, tools] = await Promise.all([
          this.#server ??= JobServer.listen(join(this.#repo.root, PRIVATE)),
          this.#tools ??= toolFolder(this.#repo.root, this.#options.feedback),
        ]);
        const result = await executeJob({
          repo: this.#repo,
          host: forJob(engine(), state),
          server,
          spawner: () => this.#spawner ??= startSpawner(this.#options.feedback),
          tools,
          denoDir: denoDir(),
          sourcesOk: this.#options.sourcesOk ?? false,
          keepTmp: this.#options.keepTmp ?? false,
          running: this.#running,
          ...(this.#isShown(state)
            ? { onStdout: (_, chunk) => this.#options.onStdout!(chunk) }
            : {}),
        }, state);
        return result;
      } finally {
        clearTimeout(timer);
        release();
      }
    };
  }

  #isShown(state: JobState): boolean {
    return this.#options.onStdout !== undefined &&
      state.job.targets.some(({ file, files }) =>
        file !== undefined
          ? this.#requested.has(file)
          : [...this.#requested].some((name) => files!.match(name))
      );
  }

  #startLine(state: JobState): ReturnType<typeof setTimeout> {
    const { rule, display } = state.job;
    const delay = state.attributes!.startDelay * 1000;
    return setTimeout(
      () => this.#report.job("start", rule.name, display),
      delay,
    );
  }

  #finish(engine: Engine, outcomes: Outcome[]): MakeReport {
    this.#report.flushSources();
    const elapsedMs = Date.now() - this.#startedMs;
    if ((this.#options.targets ?? []).length > 0) {
      this.#report.text(summaryText({
        report: this.#report,
        store: this.#repo.store,
        outcomes,
        elapsedMs,
        frozen: engine.frozen,
        noTrigger: engine.noTrigger,
        maxErrorLines: this.#repo.definition.config.maxErrorLines,
      }));
    }
    const targets = outcomes.map((outcome): MadeFile => {
      const failure = failureOf(outcome);
      return {
        file: outcome.file,
        ok: !failure,
        ran: outcome.job?.ran ?? false,
        checksum: outcome.sum,
        ...(failure ? { error: errorOf(failure) } : {}),
      };
    });
    return {
      ok: targets.every(({ ok }) => ok),
      targets,
      counts: Object.fromEntries(
        [...this.#report.counts].map(([word, { count }]) => [word, count]),
      ),
      elapsedMs,
    };
  }

  /** Keeps what was said under `LMAKE/outputs/DATE/TIME`. */
  #writeTranscript(): void {
    if (this.#lines.length === 0) return;
    const [date = "", time = ""] = new Date(this.#startedMs).toISOString()
      .split("T");
    const folder = join(this.#repo.root, PRIVATE, "outputs", date);
    Deno.mkdirSync(folder, { recursive: true });
    Deno.writeTextFileSync(
      join(folder, time.replace("Z", "")),
      `${this.#lines.join("\n")}\n`,
    );
  }
}

function errorOf(failure: Failure): MakeError {
  return {
    name: failure.job ?? failure.file,
    ...(failure.rule === undefined ? {} : { rule: failure.rule }),
    message: failure.text,
    ...(failure.hint === undefined ? {} : { hint: failure.hint }),
    causes: failure.causes.map(errorOf),
  };
}

/** The engine as one job sees it: what it has built is built for that job. */
function forJob(engine: Engine, state: JobState) {
  return {
    files: engine.files,
    sums: engine.sums,
    codecs: engine.codecs,
    isSource: (file: string) => engine.isSource(file),
    mayBeMade: (file: string) => engine.mayBeMade(file),
    inSourceDir: (file: string) => engine.inSourceDir(file),
    ensure: (file: string, onDisk: boolean) =>
      engine.ensure(file, onDisk, state),
    peek: (file: string) => engine.peek(file),
    verify: engine.verify.bind(engine),
  };
}

async function startSpawner(feedback: Feedback = silent): Promise<Spawner> {
  const unit = {
    name: "lmake-spawn",
    sources: { "spawn.c": spawn },
    args: ["-O2", "-std=gnu11", "-w"],
  };
  return new Spawner(await obtainNative(unit, { feedback }));
}

/** A folder with the programs that jobs may call, under their names. */
async function toolFolder(
  root: string,
  feedback: Feedback = silent,
): Promise<string> {
  placePython(root);
  const unit = {
    name: "lmake-job",
    sources: { "launch.c": launch },
    args: ["-O2", "-std=gnu11", "-w"],
  };
  const program = await obtainNative(unit, { feedback });
  const folder = join(root, PRIVATE, "bin");
  Deno.mkdirSync(folder, { recursive: true });
  for (const name of TWINS) {
    const path = join(folder, name);
    try {
      if (Deno.readLinkSync(path) === program) continue;
      Deno.removeSync(path);
    } catch {
      // Not there yet.
    }
    Deno.symlinkSync(program, path);
  }
  return folder;
}

/** Where Deno keeps what it downloads and compiles. */
function denoDir(): string {
  const home = Deno.env.get("HOME") ?? "/tmp";
  return Deno.env.get("DENO_DIR") ??
    join(Deno.env.get("XDG_CACHE_HOME") || join(home, ".cache"), "deno");
}
