/**
 * Makes files: decides which jobs have to run, in what order, and whether what
 * they did stands.
 *
 * A job's deps are those of its rule and those that its last run found. They
 * are brought up to date first, all at once; then the job runs if it must, and
 * runs again if it read something that was not up to date.
 */

import { CancelledError, ClibsError } from "../../errors.ts";
import type { Checksums } from "../../host/checksum.ts";
import type { Results } from "../cache/results.ts";
import type { CodecTables } from "../codec/tables.ts";
import { CleanFiles } from "./clean.ts";
import type { Repo } from "../repo.ts";
import type { DepRecord } from "../state/record.ts";
import type { FileRecord } from "../state/store.ts";
import { all } from "./all.ts";
import { settleAttributes } from "./attributes.ts";
import { prepareAttributes } from "./early.ts";
import type { Files, Look } from "./files.ts";
import type { Folded } from "./fold.ts";
import { judge, type Judgement } from "./judge.ts";
import { diskReason, reasonToRun } from "./reasons.ts";
import type { Reporter, SourceWord } from "./report.ts";
import { type RunJob, runOnce } from "./run_once.ts";
import { type Maker, type Selection, Selector } from "./select.ts";
import type { ServiceHost } from "./services.ts";
import type { Failure, JobState, Outcome } from "./state.ts";

/** What a command asks of the engine. */
export interface EngineOptions {
  /** Runs jobs again that are in error. */
  rerunErrors: boolean;
  /** Rebuilds what is missing on disk even if nobody needs it. */
  all: boolean;
  /** Times that a failed job is tried again. */
  retries: number;
  /** Forgets what the named jobs would need; see `make`. */
  signal?: AbortSignal;
}

/** What the engine works with. */
export interface EngineParts {
  repo: Repo;
  codecs: CodecTables;
  report: Reporter;
  options: EngineOptions;
  /** When the command started, in nanoseconds since 1970. */
  startedNs: bigint;
  /** Runs a job's process. */
  run: RunJob;
  /** Outcomes that repos share; absent: no rule wants them. */
  results?: Results;
  /** Works on a job while no other command does. */
  exclusively<T>(id: string, work: () => Promise<T>): Promise<T>;
  /** What some command does with a job; undefined: nothing. */
  busy(id: string): Promise<unknown> | undefined;
}

/** Makes files in one command. */
export class Engine implements ServiceHost {
  readonly files: Files;
  readonly sums: Checksums;
  readonly codecs: CodecTables;
  /** What it was made with. */
  readonly parts: EngineParts;
  /** Sources that were looked at, as they were first seen. */
  readonly sourceLooks = new Map<string, Look>();
  /** Sources that jobs wrote. */
  readonly writtenSources = new Set<string>();
  /** Frozen files and jobs that were met. */
  readonly frozen = new Set<string>();
  /** Marked files whose change did not count. */
  readonly noTrigger = new Set<string>();
  readonly #dangling = new Set<string>();
  readonly #clean: CleanFiles;
  readonly #mayBeMade = new Map<string, "yes" | "maybe" | "no">();
  readonly #selector: Selector;
  readonly #marks: ReadonlyMap<string, "f" | "t">;
  /** Jobs that each job waits for, with how often. */
  readonly #waits = new Map<JobState, Map<JobState, number>>();
  /** The same the other way round. */
  readonly #waitedBy = new Map<JobState, Set<JobState>>();

  /** Starts a command. */
  constructor(parts: EngineParts) {
    this.parts = parts;
    this.files = parts.repo.files;
    this.sums = parts.repo.sums;
    this.codecs = parts.codecs;
    this.#marks = parts.repo.store.marks();
    if (this.#marks.size > 0) parts.repo.memo.keep();
    this.#clean = new CleanFiles({
      plans: parts.repo.memo.plans,
      files: this.files,
      store: parts.repo.store,
      codecs: parts.codecs,
      source: (file) =>
        parts.repo.sources.has(file) ? this.#source(file, true) : undefined,
      isBusy: (id) => parts.busy(id) !== undefined,
      systemHolds: (record) => record.system === undefined,
    });
    this.#selector = new Selector(
      parts.repo,
      (file) => this.#isFrozen(file),
      async (state) => {
        await settleAttributes(this, state);
        return state.statics;
      },
    );
  }

  /** All jobs that were met, wanted or not. */
  get states(): Iterable<JobState> {
    return this.#selector.states;
  }

  #isFrozen(file: string): boolean {
    if (this.#marks.get(file) !== "f") return false;
    this.frozen.add(file);
    return true;
  }

  /** Whether a change of a file makes nothing run. */
  isMuted(file: string): boolean {
    return this.#marks.get(file) === "t";
  }

  /** See {@linkcode ServiceHost}. */
  isSource(file: string): boolean {
    const { sources } = this.parts.repo;
    if (sources.has(file) || sources.dirOf(file) !== undefined) return true;
    return this.parts.repo.table.candidates(file)[0]
      ?.some(({ rule }) => rule.kind === "source") ?? false;
  }

  /** See {@linkcode ServiceHost}. */
  mayBeMade(file: string): "yes" | "maybe" | "no" {
    let may = this.#mayBeMade.get(file);
    if (may === undefined) {
      const found = this.parts.repo.table.candidates(file).flat();
      may = this.parts.repo.sources.has(file) ||
          found.some(({ sure }) => sure)
        ? "yes"
        : found.length > 0
        ? "maybe"
        : "no";
      this.#mayBeMade.set(file, may);
    }
    return may;
  }

  /** See {@linkcode ServiceHost}. */
  inSourceDir(file: string): boolean {
    return this.parts.repo.sources.dirOf(file) !== undefined;
  }

  // --- files

  /**
   * Has a file made.
   *
   * @param onDisk Whether it must be there; else it is enough to know what it
   *   would be.
   * @param from The job that wants it.
   */
  async ensure(
    file: string,
    onDisk: boolean,
    from?: JobState,
  ): Promise<Outcome> {
    if (this.parts.options.signal?.aborted) throw new CancelledError();
    // All that is missing is asked for: then knowing is not enough.
    const clean = this.parts.options.all
      ? undefined
      : this.#clean.outcome(file, onDisk);
    if (clean) return clean;
    const selection = await this.#selector.select(file);
    switch (selection.kind) {
      case "source":
        return this.#source(file, selection.listed);
      case "infinite":
        return this.#failed(file, "infinite: its deps never end");
      case "none":
      case "jobs": {
        const uphill = await this.#uphill(selection, from);
        if (uphill !== undefined) {
          return this.#none(file, [`${uphill} is a file`], uphill);
        }
        return selection.kind === "none"
          ? this.#none(file, selection.near, undefined, selection.maybeUphill)
          : await this.#made(file, selection, onDisk, from);
      }
    }
  }

  /** The folder above a file that is a file itself; undefined if none is. */
  async #uphill(
    selection: Selection & { kind: "none" | "jobs" },
    from: JobState | undefined,
  ): Promise<string | undefined> {
    if (selection.kind === "none" && selection.uphill !== undefined) {
      return selection.uphill;
    }
    for (const dir of selection.maybeUphill ?? []) {
      const { sum, buildable } = await this.ensure(dir, false, from);
      if (buildable && sum !== "none") return dir;
    }
    return undefined;
  }

  /** All jobs that have a say in what a file is. */
  async #makers(selection: Selection): Promise<Maker[]> {
    const makers = selection.kind === "jobs" ? selection.groups.flat() : [];
    if (selection.kind === "jobs" || selection.kind === "none") {
      for (const dir of selection.maybeUphill ?? []) {
        makers.push(...await this.#makers(await this.#selector.select(dir)));
      }
    }
    return makers;
  }

  /** Whether one job alone decides what folders above its file are. */
  async #decides(state: JobState, dirs: readonly string[]): Promise<boolean> {
    for (const dir of dirs) {
      const selection = await this.#selector.select(dir);
      const isOwn = selection.kind === "jobs" &&
        selection.groups.flat().every((maker) => maker.state === state);
      if (!isOwn) return false;
    }
    return true;
  }

  #source(file: string, listed: boolean): Outcome {
    let look = this.sourceLooks.get(file);
    if (!look) {
      const before = this.parts.repo.store.file(file);
      if (this.#marks.get(file) === "f") look = this.files.look(file);
      else {
        look = this.files.lookAtSource(file);
        const word = wordOfSource(before, look, listed);
        if (word) this.parts.report.source(word, file);
      }
      this.sourceLooks.set(file, look);
    }
    const outcome: Outcome = {
      file,
      sum: look.sum,
      buildable: listed || look.sum !== "none",
      source: true,
    };
    if (listed && look.sum === "none") {
      outcome.failure = {
        file,
        text: "missing source",
        hint: `restore ${file}, or take it from the list of sources`,
        causes: [],
      };
    }
    return outcome;
  }

  #none(
    file: string,
    near: readonly string[],
    uphill?: string,
    maybeUphill: readonly string[] = [],
  ): Outcome {
    let { sum } = this.files.look(file);
    // What is seen through a link has another name.
    if (sum !== "none" && this.files.isBeyondLink(file)) sum = "none";
    if (sum !== "none" && this.#removeObsolete(file, sum)) sum = "none";
    const outcome: Outcome = { file, sum, buildable: false };
    if (uphill !== undefined) outcome.uphill = uphill;
    if (sum !== "none") {
      this.#tellDangling(file);
      outcome.failure = {
        file,
        text: "dangling: it is there, but no source and nothing makes it",
        hint: `git add ${file}, or remove it`,
        causes: [],
      };
    } else {
      outcome.near = near;
      const { memo, sources } = this.parts.repo;
      const isPlain = uphill === undefined && sources.dirs.length === 0 &&
        this.#marks.size === 0 && near.length === 0 &&
        maybeUphill.length === 0;
      if (isPlain) memo.plans.set(file, { kind: "none" });
    }
    return outcome;
  }

  /**
   * Removes what a job once made and no rule makes any more: a clean repo
   * would not have it. An edit of it stays.
   */
  #removeObsolete(file: string, sum: string): boolean {
    const { report, repo: { store } } = this.parts;
    const known = store.file(file);
    if (!known?.writer || known.sum !== sum) return false;
    // What a job writes besides its own targets no rule names anyhow.
    const target = store.job(known.writer)?.targets
      .find((one) => one.file === file);
    if (target && !target.official) return false;
    this.files.remove(file);
    store.removeFile(file);
    report.file("unlink", file);
    return true;
  }

  #tellDangling(file: string): void {
    if (this.#dangling.has(file)) return;
    this.#dangling.add(file);
    this.parts.report.file("dangling", file);
  }

  #failed(file: string, text: string, causes: Failure[] = []): Outcome {
    return {
      file,
      sum: this.files.look(file).sum,
      buildable: true,
      failure: { file, text, causes },
    };
  }

  async #made(
    file: string,
    { groups, near, maybeUphill = [] }: Selection & { kind: "jobs" },
    onDisk: boolean,
    from: JobState | undefined,
  ): Promise<Outcome> {
    const unmade: string[] = [...near];
    for (const group of groups) {
      const sure = group.filter((maker) => maker.sure);
      if (sure.length > 1) return this.#multi(file, sure);
      const results = await all(
        group.map(async ({ state }) => ({
          state,
          loop: await this.#settle(state, file, onDisk, from),
        })),
      );
      const loop = results.find((result) => result.loop);
      if (loop) return this.#failed(file, loop.loop!);
      const makers = group.filter(({ state }) => this.#makes(state, file));
      if (makers.length > 1) return this.#multi(file, makers);
      const [maker] = makers;
      if (maker) {
        const isOnly = group === groups[0] && group.length === 1;
        if (isOnly && await this.#decides(maker.state, maybeUphill)) {
          this.#plan(maker.state, file);
        }
        return this.#outcomeOf(maker.state, file);
      }
      for (const { state } of group) {
        unmade.push(
          state.isMissingStatic
            ? `${state.job.rule.name} misses a dep`
            : `${state.job.rule.name} does not produce it`,
        );
      }
    }
    return this.#none(file, unmade);
  }

  /** Notes who makes a file that is right, for the next commands. */
  #plan(state: JobState, file: string): void {
    const { record, attributes, job } = state;
    const { memo, sources } = this.parts.repo;
    const isLasting = record?.status === "ok" && !state.failure &&
      record.unreliable === undefined && record.command === state.command &&
      !attributes!.force && job.rule.dynamic.length === 0 &&
      // What is in a source dir may come and go.
      sources.dirs.length === 0 && this.#marks.size === 0;
    if (!isLasting) return;
    memo.plans.set(file, { kind: "job", id: state.id, record });
  }

  #multi(file: string, makers: readonly Maker[]): Outcome {
    const names = makers.map(({ state }) => state.job.rule.name).join(", ");
    this.parts.report.file("multi", file, `made by ${names}`);
    return this.#failed(file, `multi: several rules make it: ${names}`);
  }

  /** Whether a job that is settled stands for a file. */
  #makes(state: JobState, file: string): boolean {
    if (state.isMissingStatic) return false;
    const target = state.record?.targets.find((one) => one.file === file);
    if (target && (target.sum !== "none" || target.flags.includes("phony"))) {
      return true;
    }
    // What failed might have made it.
    return state.failure !== undefined;
  }

  #outcomeOf(state: JobState, file: string): Outcome {
    const target = state.record?.targets.find((one) => one.file === file);
    return {
      file,
      sum: target?.sum ?? "none",
      buildable: true,
      job: state,
      ...(state.failure ? { failure: state.failure } : {}),
    };
  }

  /** See {@linkcode ServiceHost}. */
  async peek(file: string): Promise<Outcome | undefined> {
    const selection = await this.#selector.select(file);
    const makers = await this.#makers(selection);
    if (makers.every(({ state }) => state.settled)) {
      return await this.ensure(file, false);
    }
    const state = makers[0]?.state;
    if (!state?.record || state.known) return undefined;
    const outcome = this.#outcomeOf(state, file);
    if (state.record.status !== "ok") {
      outcome.failure = { file, text: "in error", causes: [] };
    }
    return outcome;
  }

  /** What is known of a file without a job being run: undefined if one has to. */
  async quick(file: string, from: JobState): Promise<Outcome | undefined> {
    const selection = await this.#selector.select(file);
    const outcome = this.ensure(file, true, from);
    const makers = await this.#makers(selection);
    if (makers.length === 0) return await outcome;
    outcome.catch(() => {});
    return await Promise.race([
      outcome,
      ...makers.map(({ state }) => state.delayed.promise),
    ]);
  }

  /** Notes that a job has to run, and whoever waits for it to wait. */
  delay(state: JobState): void {
    if (state.isDelayed) return;
    state.isDelayed = true;
    state.delayed.resolve(undefined);
    for (const waiting of this.#waitedBy.get(state) ?? []) this.delay(waiting);
  }

  /** Ends what {@linkcode delay} began: its outcome is there. */
  #undelay(state: JobState): void {
    if (!state.isDelayed) return;
    state.isDelayed = false;
    state.delayed = Promise.withResolvers();
  }

  // --- jobs

  /** Waits until it is known what a job makes. Returns a loop, if it is one. */
  async #settle(
    state: JobState,
    file: string,
    onDisk: boolean,
    from: JobState | undefined,
  ): Promise<string | undefined> {
    const path = from && this.#pathTo(state, from);
    if (path) {
      const names = [...path, path[0]!].map(({ job }) => job.display);
      return `its deps form a loop: ${names.join(" needs ")}`;
    }
    if (from) this.#wait(from, state, 1);
    try {
      if (!state.known) state.wantedBy = from;
      state.known ??= this.#know(state);
      await state.known;
      if (onDisk || this.parts.options.all) await this.#restore(state, file);
      return undefined;
    } finally {
      if (from) this.#wait(from, state, -1);
    }
  }

  #wait(from: JobState, to: JobState, by: number): void {
    let waits = this.#waits.get(from);
    if (!waits) this.#waits.set(from, waits = new Map());
    const count = (waits.get(to) ?? 0) + by;
    let waiting = this.#waitedBy.get(to);
    if (!waiting) this.#waitedBy.set(to, waiting = new Set());
    if (count > 0) {
      waits.set(to, count);
      waiting.add(from);
      if (to.isDelayed) this.delay(from);
    } else {
      waits.delete(to);
      waiting.delete(from);
    }
  }

  /** How `start` comes to wait for `goal`; undefined if it does not. */
  #pathTo(start: JobState, goal: JobState): JobState[] | undefined {
    const seen = new Set<JobState>();
    const search = (at: JobState): JobState[] | undefined => {
      if (at === goal) return [at];
      if (seen.has(at)) return undefined;
      seen.add(at);
      for (const next of this.#waits.get(at)?.keys() ?? []) {
        const found = search(next);
        if (found) return [at, ...found];
      }
      return undefined;
    };
    return search(start);
  }

  async #know(state: JobState): Promise<void> {
    try {
      if (await prepareAttributes(this, state)) {
        await this.#loop(state, undefined);
      }
    } finally {
      state.settled = true;
      this.#undelay(state);
    }
  }

  /** Has a target on disk as its job made it. */
  async #restore(state: JobState, file: string): Promise<void> {
    const mine = state.busy.then(async () => {
      if (state.ran || state.failure || state.isMissingStatic) return;
      const reason = diskReason(this, state, file);
      if (reason) {
        await this.#loop(state, reason).finally(() => this.#undelay(state));
      }
    });
    state.busy = mine.catch(() => {});
    await mine;
  }

  /** Runs a job until its deps and what it read of them agree. */
  async #loop(state: JobState, forced: string | undefined): Promise<void> {
    const before = state.record;
    for (let why = forced;;) {
      // Another command runs it: what it was is no longer so.
      for (let other; (other = this.parts.busy(state.id));) await other;
      const view = await this.bringUp(state, false);
      if (this.#stops(state, view)) return;
      const reason = why ?? reasonToRun(this, state, view);
      if (!reason) {
        if (state.record && state.record.status !== "ok") {
          state.failure = this.#jobFailure(state, "was in error");
        }
        return;
      }
      this.delay(state);
      this.#clean.forget(state.record?.targets.map((one) => one.file) ?? []);
      const present = await this.bringUp(state, true);
      if (this.#stops(state, present)) return;
      const seen = state.record;
      const again = await this.parts.exclusively(state.id, async () => {
        // Another command has run it meanwhile: that may have been enough.
        if (state.record !== seen) return { why: undefined };
        const why = await runOnce(this, state, reason, before, present);
        return why === undefined ? undefined : { why };
      });
      if (!again) return;
      why = again.why;
    }
  }

  #stops(state: JobState, view: Judgement): boolean {
    if (view.missingStatic) {
      state.isMissingStatic = true;
      return true;
    }
    if (view.failures.length === 0) return false;
    this.failDeps(state, view.failures);
    return true;
  }

  /** Notes that a job cannot be right because of its deps. */
  failDeps(state: JobState, causes: Failure[]): void {
    const { rule, display } = state.job;
    // Of a job that did not run there is nothing to say but in the summary.
    if (state.submits > 0) {
      this.parts.report.job("dep_error", rule.name, display);
    }
    state.failure = {
      ...this.#jobFailure(state, "dep_error"),
      causes,
    };
  }

  #jobFailure(state: JobState, text: string): Failure {
    return {
      file: state.job.display,
      text,
      rule: state.job.rule.name,
      job: state.job.display,
      id: state.id,
      ...(state.attributes
        ? { maxStderrLen: state.attributes.maxStderrLen }
        : {}),
      causes: [],
    };
  }

  /** Notes that a job failed. */
  fail(state: JobState, text: string): void {
    state.failure = this.#jobFailure(state, text);
  }

  /** Deps as far as they are known: static ones, then those of the last run. */
  depsOf(state: JobState): DepRecord[] {
    const before = new Map(
      (state.record?.deps ?? []).map((dep) => [dep.file, dep]),
    );
    const statics = state.statics.map(({ key, pattern, flags }): DepRecord => {
      const known = before.get(pattern);
      before.delete(pattern);
      return {
        file: pattern,
        kinds: known?.kinds ?? 0,
        flags: [
          ...new Set([
            ...flags,
            ...state.depFlags(pattern),
            ...known?.flags ?? [],
          ]),
        ],
        sum: known?.sum ?? "",
        group: 0,
        key,
        ...(known?.told === undefined ? {} : { told: known.told }),
      };
    });
    const hidden = [...before.values()].filter((dep) => dep.key === undefined);
    return [...statics, ...hidden];
  }

  /**
   * Brings the deps of a job up to date, all at once but for what follows a
   * critical one that changed.
   */
  async bringUp(state: JobState, onDisk: boolean): Promise<Judgement> {
    const deps = this.depsOf(state);
    const outcomes = new Map<string, Outcome>();
    const started: Promise<void>[] = [];
    const critical = new Map<DepRecord, Promise<void>>();
    let last = 0;
    for (const dep of deps) {
      // Those of one group are as early as it is.
      if (dep.group !== last && critical.size > 0) {
        await Promise.allSettled(critical.values());
        const judged = judge(this, [...critical.keys()], outcomes);
        if (judged.changed !== undefined || judged.failures.length > 0) break;
        critical.clear();
      }
      last = dep.group;
      if (dep.codec) continue;
      const one = this.ensure(dep.file, onDisk, state).then((outcome) => {
        outcomes.set(dep.file, outcome);
      });
      one.catch(() => {});
      started.push(one);
      if (dep.flags.includes("critical")) critical.set(dep, one);
    }
    await all(started);
    const { record } = state;
    const reruns = record !== undefined && record.command !== state.command;
    return judge(this, deps, outcomes, reruns);
  }

  /** See {@linkcode ServiceHost}. */
  async verify(
    state: JobState,
    folded: Folded,
  ): Promise<"ok" | "error" | "changed"> {
    const { settleSums } = await import("./sums.ts");
    const deps = settleSums(this, state, folded.deps).deps;
    const outcomes = new Map<string, Outcome>();
    for (const dep of deps) {
      if (dep.codec) continue;
      const outcome = await this.quick(dep.file, state);
      if (!outcome) return "changed";
      outcomes.set(dep.file, outcome);
    }
    const judged = judge(this, deps, outcomes);
    if (judged.changed) return "changed";
    return judged.failures.length > 0 ? "error" : "ok";
  }
}

/** What is said of a source; undefined if it is as it was. */
function wordOfSource(
  before: FileRecord | undefined,
  { sum, stamp }: Look,
  listed: boolean,
): SourceWord | undefined {
  if (sum === "none") return listed ? "missing" : undefined;
  if (!before || before.writer !== "" || before.sum === "none") return "new";
  if (before.sum !== sum) return "changed";
  return before.stamp === "" || before.stamp === stamp ? undefined : "steady";
}

/** An error that a user can act on, as the text of a failure. */
export function problemText(error: unknown): string {
  if (error instanceof ClibsError) return error.message;
  throw error;
}
