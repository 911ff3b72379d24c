/** Makes files of a repo: one command of `clibs make`. */

import { join, resolve } from "node:path";
import { ClibsError } from "../errors.ts";
import { usesCaches } from "./cache/config.ts";
import type { Results } from "./cache/results.ts";
import { Engine } from "./engine/engine.ts";
import { ReadyJob } from "./engine/execute.ts";
import type { EngineOptions } from "./engine/parts.ts";
import { findJob } from "./job_by_name.ts";
import type { Backend, BackendJob } from "./backends/backend.ts";
import { checkPlace } from "./backends/choose.ts";
import type { Grant } from "./engine/pool.ts";
import { Reporter } from "./engine/report.ts";
import type { RunJob } from "./engine/run_once.ts";
import type { Failure, JobState, Outcome } from "./engine/state.ts";
import { failureOf, summaryText } from "./engine/summary.ts";
import { type BuildProfile, buildProfile } from "./profile/profile.ts";
import { progressOf } from "./profile/progress.ts";
import { RunLog } from "./profile/runs.ts";
import type { Repo } from "./repo.ts";
import { findRoot } from "./root.ts";
import { PRIVATE } from "./root.ts";
import { inWorkplace, type Workplace } from "./workplace.ts";
import type {
  MadeFile,
  MakeError,
  MakeOptions,
  MakeReport,
} from "./make_types.ts";

/** Milliseconds between two reports of how far a command has got. */
const PROGRESS_MS = 200;

/**
 * Makes files.
 *
 * @throws {ClibsError} `CLIBS_LMAKE_REPO` if there are no rules,
 *   `CLIBS_LMAKE_…` if they cannot be read.
 * @throws {CancelledError} If `signal` fires; jobs are ended by then.
 */
export async function make(options: MakeOptions = {}): Promise<MakeReport> {
  const root = findRoot(options.cwd ?? ".");
  const lock = {
    doing: `making ${(options.targets ?? []).join(" ") || "nothing"}`,
    feedback: options.feedback,
    signal: options.signal,
  };
  return await inWorkplace(root, lock, (place) => makeIn(place, options));
}

/** Makes files in a repo that is locked for us. */
export async function makeIn(
  place: Workplace,
  options: MakeOptions,
): Promise<MakeReport> {
  const startedMs = Date.now();
  const cwd = Deno.realPathSync(options.cwd ?? ".");
  const repo = await place.repo(options.environ, options.feedback);
  try {
    return await new Command(place, repo, cwd, options, startedMs).run();
  } finally {
    await repo.close();
  }
}

class Command {
  readonly #place: Workplace;
  readonly #repo: Repo;
  readonly #cwd: string;
  readonly #options: MakeOptions;
  readonly #startedMs: number;
  readonly #report: Reporter;
  readonly #lines: string[] = [];
  readonly #running = new Set<BackendJob>();
  readonly #requested = new Set<string>();
  readonly #runs = new RunLog(() => this.#nowMs());

  constructor(
    place: Workplace,
    repo: Repo,
    cwd: string,
    options: MakeOptions,
    startedMs: number,
  ) {
    this.#place = place;
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
      host: console.host,
      verbose: options.verbose ?? false,
      onEvent: (event) => {
        this.#runs.event(event);
        options.onEvent?.(event);
      },
    });
  }

  /** Milliseconds since the command began, finer than whole ones. */
  #nowMs(): number {
    return performance.timeOrigin + performance.now() - this.#startedMs;
  }

  async run(): Promise<MakeReport> {
    const { store } = this.#repo;
    if (store.rebuilt) {
      this.#report.text("state: made anew from the records of jobs");
    }
    const results = await this.#openCaches();
    const { codecs } = this.#place;
    codecs.begin();
    const engine: Engine = new Engine({
      repo: this.#repo,
      codecs,
      report: this.#report,
      options: {
        rerunErrors: this.#options.rerunErrors ?? false,
        all: this.#options.all ?? false,
        retries: this.#options.retries ?? 0,
        ...given(this.#options),
        signal: this.#options.signal,
      },
      startedNs: BigInt(this.#startedMs) * 1_000_000n,
      run: this.#runner(() => engine),
      ...(results ? { results } : {}),
      exclusively: (id, work) => this.#place.exclusively(id, work),
      busy: (id) => this.#place.busy(id),
    });
    const stop = () => {
      for (const child of this.#running) child.kill();
    };
    this.#options.signal?.addEventListener("abort", stop, { once: true });
    const ticking = this.#tick(engine);
    try {
      const outcomes = await this.#all(engine);
      codecs.finish();
      return this.#finish(engine, outcomes);
    } finally {
      clearInterval(ticking);
      this.#options.signal?.removeEventListener("abort", stop);
      for (const { word, table } of codecs.takeReports()) {
        this.#report.file(word, table);
      }
      store.flush();
      this.#writeTranscript();
    }
  }

  /** The caches of results, if some rule has one. */
  async #openCaches(): Promise<Results | undefined> {
    const { cacheMethod, keepTmp, feedback, onStdout } = this.#options;
    if (!usesCaches(this.#repo.definition)) return undefined;
    const { Results } = await import("./cache/results.ts");
    return new Results(this.#repo, {
      method: cacheMethod ?? "plain",
      keepTmp: keepTmp ?? false,
      ...(feedback ? { feedback } : {}),
      onStdout: (state, bytes) => {
        if (this.#isShown(state)) onStdout?.(bytes);
      },
    });
  }

  async #all(engine: Engine): Promise<Outcome[]> {
    const { targets = [], byJob = false, rule } = this.#options;
    const names = byJob ? targets : targets.map((name) => this.#nameOf(name));
    for (const name of names) this.#requested.add(name);
    const { watch } = this.#repo;
    const ask = () => names.map((name) => engine.ensure(name, true));
    const made = byJob || rule !== undefined
      ? names.map(async (name) =>
        await engine.ensureJob(await findJob(this.#repo, { name, byJob, rule }))
      )
      : watch?.first(names.length, ask) ?? ask();
    const settled = await Promise.allSettled(made);
    // Everybody has stopped; only now may the server and the store go.
    const failed = settled.find((one) => one.status === "rejected");
    if (failed) throw failed.reason;
    return settled.map((one) => (one as PromiseFulfilledResult<Outcome>).value);
  }

  /** Has somebody told how far it has got, if they want to know. */
  #tick(engine: Engine): ReturnType<typeof setInterval> | undefined {
    const { onProgress } = this.#options;
    return onProgress && setInterval(() =>
      onProgress(progressOf({
        states: engine.states,
        log: this.#runs,
        nowMs: this.#nowMs(),
        cpus: this.#cpus,
      })), PROGRESS_MS);
  }

  /** How many CPUs the jobs share. */
  get #cpus(): number {
    const { cpu } = this.#repo.definition.config.backends["local"] ?? {};
    return this.#options.jobs ?? Number(cpu ?? navigator.hardwareConcurrency);
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
    const { config } = this.#repo.definition;
    const request = {
      config,
      jobs: this.#options.jobs,
      args: this.#options.backendArgs,
      environ: this.#options.environ,
      feedback: this.#options.feedback,
    };
    return async (state, prepare) => {
      const attributes = state.attributes!;
      const place = await this.#place.backends.choose(
        request,
        this.#options.local ? { ...attributes, backend: "local" } : attributes,
      );
      checkPlace(place, state.title);
      const { display, rule } = state.job;
      const run = this.#runs.ready({
        id: state.id,
        rule: rule.name,
        name: display,
      });
      let timer: ReturnType<typeof setTimeout> | undefined;
      const onStart = (agoMs: number) => {
        this.#runs.start(run, agoMs);
        // Of what has ended already there is more to say.
        if (agoMs === 0) timer = this.#startLine(state);
      };
      let ready: Promise<ReadyJob> | undefined;
      const getReady = () =>
        ready ??= this.#ready(engine(), state, place.backend, onStart);
      let grant: Grant | undefined;
      let isStarted = false;
      try {
        grant = await place.pool.take(place.wants, {
          prio: rule.prio ?? 0,
          urgency: state.tailMs +
            (state.record?.durationMs ?? this.#runs.meanMs(rule.name) ?? 0),
          signal: this.#options.signal,
          onNear: () => void getReady().catch(() => {}),
          turns: place.backend.turns,
        });
        const { turn, release } = grant;
        const job = await getReady();
        prepare();
        isStarted = true;
        return await job.run(turn, () => {
          this.#runs.end(run);
          release();
        });
      } finally {
        clearTimeout(timer);
        this.#runs.end(run);
        grant?.release(isStarted);
        await ready?.then((job) => job[Symbol.dispose](), () => {});
      }
    };
  }

  async #ready(
    engine: Engine,
    state: JobState,
    backend: Backend,
    onStart: (agoMs: number) => void,
  ): Promise<ReadyJob> {
    const [server, tools] = await Promise.all([
      this.#place.server(),
      this.#place.tools(),
    ]);
    const { sourcesOk, keepTmp, onStdout } = this.#options;
    return await ReadyJob.of({
      repo: this.#repo,
      host: forJob(engine, state),
      server,
      backend,
      tools,
      denoDir: denoDir(),
      sourcesOk: sourcesOk ?? false,
      keepTmp: keepTmp ?? false,
      running: this.#running,
      signal: this.#options.signal,
      onStart,
      ...(this.#isShown(state)
        ? { onStdout: (_, chunk) => onStdout!(chunk) }
        : {}),
    }, state);
  }

  #isShown(state: JobState): boolean {
    return this.#options.onStdout !== undefined &&
      (this.#requested.has(state.job.display) ||
        state.job.targets.some(({ file, files }) =>
          file !== undefined
            ? this.#requested.has(file)
            : [...this.#requested].some((name) => files!.match(name))
        ));
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
    const told = new Set<Failure>();
    const targets = outcomes.map((outcome): MadeFile => {
      const failure = failureOf(outcome);
      return {
        file: outcome.file,
        ok: !failure,
        ran: outcome.job?.ran ?? false,
        checksum: outcome.sum,
        ...(failure ? { error: errorOf(failure, told) } : {}),
      };
    });
    const ok = targets.every(({ ok }) => ok);
    return {
      ok,
      targets,
      counts: Object.fromEntries(
        [...this.#report.counts].map(([word, { count }]) => [word, count]),
      ),
      elapsedMs,
      ...(this.#options.profile
        ? { profile: this.#profile(engine, targets, elapsedMs, ok) }
        : {}),
    };
  }

  #profile(
    engine: Engine,
    targets: readonly MadeFile[],
    elapsedMs: number,
    ok: boolean,
  ): BuildProfile {
    const wantedBy = new Map(
      [...engine.states].map((state) => [state.id, state.wantedBy?.id]),
    );
    return buildProfile({
      targets: targets.map(({ file }) => file),
      startedMs: this.#startedMs,
      elapsedMs,
      ok,
      runs: this.#runs.runs,
      wantedBy: (id) => wantedBy.get(id),
      recordOf: (id) => this.#repo.store.job(id),
    });
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

/** What the engine is told of a command as it is, without what was not said. */
function given(
  { ignoredDeps, noIncremental, maxSubmits, maxRuns }: MakeOptions,
): Partial<EngineOptions> {
  return {
    ...(ignoredDeps === undefined ? {} : { ignoredDeps }),
    ...(noIncremental === undefined ? {} : { noIncremental }),
    ...(maxSubmits === undefined ? {} : { maxSubmits }),
    ...(maxRuns === undefined ? {} : { maxRuns }),
  };
}

/** @param told Failures whose causes stand elsewhere already. */
function errorOf(failure: Failure, told: Set<Failure>): MakeError {
  const causes = told.has(failure) ? [] : failure.causes;
  told.add(failure);
  return {
    name: failure.job ?? failure.file,
    ...(failure.rule === undefined ? {} : { rule: failure.rule }),
    message: failure.text,
    ...(failure.hint === undefined ? {} : { hint: failure.hint }),
    causes: causes.map((cause) => errorOf(cause, told)),
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

/** Where Deno keeps what it downloads and compiles. */
function denoDir(): string {
  const home = Deno.env.get("HOME") ?? "/tmp";
  return Deno.env.get("DENO_DIR") ??
    join(Deno.env.get("XDG_CACHE_HOME") || join(home, ".cache"), "deno");
}
