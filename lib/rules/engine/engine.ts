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
import type { CodecTables } from "../codec/tables.ts";
import { CleanFiles } from "./clean.ts";
import { all } from "./all.ts";
import { settleAttributes } from "./attributes.ts";
import { prepareAttributes } from "./early.ts";
import type { Files, Look } from "./files.ts";
import type { Folded } from "./fold.ts";
import { bringUp } from "./deps.ts";
import { verifyDeps } from "./verify.ts";
import type { Judgement } from "./judge.ts";
import { PlainFiles } from "./plain.ts";
import { diskReason, reasonToRun } from "./reasons.ts";
import type { EngineParts } from "./parts.ts";
import { runOnce } from "./run_once.ts";
import { type Selection, Selector } from "./select.ts";
import type { ServiceHost } from "./services.ts";
import type { Candidate } from "../select.ts";
import {
  type Failure,
  jobFailure,
  type JobState,
  type Outcome,
} from "./state.ts";
import { WaitGraph } from "./waits.ts";

/** Makes files in one command. */
export class Engine implements ServiceHost {
  readonly files: Files;
  readonly sums: Checksums;
  readonly codecs: CodecTables;
  /** What it was made with. */
  readonly parts: EngineParts;
  /** Sources that were looked at, as they were first seen. */
  readonly sourceLooks: Map<string, Look>;
  /** Sources that jobs wrote. */
  readonly writtenSources = new Set<string>();
  /** Frozen files and jobs that were met. */
  readonly frozen = new Set<string>();
  /** Marked files whose change did not count. */
  readonly noTrigger = new Set<string>();
  readonly #plain: PlainFiles;
  readonly #clean: CleanFiles;
  readonly #mayBeMade = new Map<string, "yes" | "maybe" | "no">();
  readonly #selector: Selector;
  readonly #marks: ReadonlyMap<string, "f" | "t">;
  readonly #waits = new WaitGraph();

  /** Starts a command. */
  constructor(parts: EngineParts) {
    this.parts = parts;
    this.files = parts.repo.files;
    this.sums = parts.repo.sums;
    this.codecs = parts.codecs;
    this.#marks = parts.repo.store.marks();
    this.#plain = new PlainFiles(parts.repo, parts.report, this.#marks);
    this.sourceLooks = this.#plain.looks;
    if (this.#marks.size > 0) parts.repo.memo.keep();
    this.#clean = new CleanFiles({
      plans: parts.repo.memo.plans,
      files: this.files,
      store: parts.repo.store,
      codecs: parts.codecs,
      source: (file) =>
        parts.repo.sources.has(file)
          ? this.#plain.source(file, true)
          : undefined,
      isBusy: (id) => parts.busy(id) !== undefined,
      systemHolds: ({ system }) =>
        parts.repo.system.changed(system) === undefined,
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
   * A file that needs nothing to be done; undefined if that is not sure.
   *
   * @throws {CancelledError} If the command is to end.
   */
  clean(file: string, onDisk: boolean): Outcome | undefined {
    const { signal, all } = this.parts.options;
    if (signal?.aborted) throw new CancelledError();
    // All that is missing is asked for: then knowing is not enough.
    return all ? undefined : this.#clean.outcome(file, onDisk);
  }

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
    const clean = this.clean(file, onDisk);
    if (clean) return clean;
    const selection = await this.#selector.select(file);
    switch (selection.kind) {
      case "source":
        return this.#plain.source(file, selection.listed);
      case "infinite":
        return this.#plain.failed(file, "infinite: its deps never end");
      case "none":
      case "jobs": {
        const uphill = await this.#uphill(selection, from);
        if (uphill !== undefined) {
          return this.#plain.none(file, [`${uphill} is a file`], uphill);
        }
        return selection.kind === "none"
          ? this.#plain.none(
            file,
            selection.near,
            undefined,
            selection.maybeUphill,
          )
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

  async #made(
    file: string,
    { groups, near, maybeUphill = [] }: Selection & { kind: "jobs" },
    onDisk: boolean,
    from: JobState | undefined,
  ): Promise<Outcome> {
    const unmade: string[] = [...near];
    for (const group of groups) {
      const sure = group.filter((maker) => maker.sure);
      if (sure.length > 1) return this.#plain.multi(file, sure);
      const results = await all(
        group.map(async ({ state }) => ({
          state,
          loop: await this.#settle(state, file, onDisk, from),
        })),
      );
      const loop = results.find((result) => result.loop);
      if (loop) return this.#plain.failed(file, loop.loop!);
      const makers = group.filter(({ state }) => this.#makes(state, file));
      if (makers.length > 1) return this.#plain.multi(file, makers);
      const [maker] = makers;
      if (maker) {
        const isOnly = group === groups[0] && group.length === 1;
        if (isOnly && await this.#selector.decides(maker.state, maybeUphill)) {
          this.#plan(maker.state, file);
        }
        return maker.state.outcomeOf(file);
      }
      for (const { state } of group) {
        unmade.push(
          state.isMissingStatic
            ? `${state.job.rule.name} misses a dep`
            : `${state.job.rule.name} does not produce it`,
        );
      }
    }
    return this.#plain.none(file, unmade);
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

  /** Whether a job that is settled stands for a file. */
  #makes(state: JobState, file: string): boolean {
    if (state.isMissingStatic) return false;
    const target = state.record?.targets.find((one) => one.file === file);
    if (target && target.sum !== "none") return true;
    const flags = target?.flags ?? state.officialFlags(file)?.flags ?? [];
    if (state.record && flags.includes("phony")) return true;
    // What failed might have made it.
    return state.failure !== undefined;
  }

  /** Has a job run if it has to, with all its own targets on disk. */
  async ensureJob(
    candidate: Pick<Candidate, "rule" | "stems">,
  ): Promise<Outcome> {
    const state = this.#selector.stateOf(candidate);
    const file = state.job.display;
    await this.#settle(state, file, false, undefined);
    for (const target of state.record?.targets ?? []) {
      if (target.official && target.sum !== "none") {
        await this.#restore(state, target.file);
      }
    }
    if (state.isMissingStatic) {
      return { file, sum: "none", buildable: false, near: ["it misses a dep"] };
    }
    return { ...state.outcomeOf(file), job: state };
  }

  /** See {@linkcode ServiceHost}. */
  async peek(file: string): Promise<Outcome | undefined> {
    const selection = await this.#selector.select(file);
    const makers = await this.#selector.makers(selection);
    if (makers.every(({ state }) => state.settled)) {
      return await this.ensure(file, false);
    }
    const state = makers[0]?.state;
    if (!state?.record || state.known) return undefined;
    const outcome = state.outcomeOf(file);
    if (state.record.status !== "ok") {
      outcome.failure = { file, text: "in error", causes: [] };
    }
    return outcome;
  }

  /** What is known of a file without a job being run: undefined if one has to. */
  async quick(file: string, from: JobState): Promise<Outcome | undefined> {
    const clean = this.clean(file, false);
    if (clean) return clean;
    const selection = await this.#selector.select(file);
    // What a job saw does not depend on whether it is still there.
    const outcome = this.ensure(file, false, from);
    const makers = await this.#selector.makers(selection);
    if (makers.length === 0) return await outcome;
    outcome.catch(() => {});
    return await Promise.race([
      outcome,
      ...makers.map(({ state }) => state.delayed.promise),
    ]);
  }

  // --- jobs

  /** Waits until it is known what a job makes. Returns a loop, if it is one. */
  async #settle(
    state: JobState,
    file: string,
    onDisk: boolean,
    from: JobState | undefined,
  ): Promise<string | undefined> {
    const loop = from && this.#waits.loop(from, state);
    if (loop) return loop;
    if (from) this.#waits.enter(from, state);
    try {
      if (!state.known) state.wantedBy = from;
      if (from) state.wantBy(from);
      state.known ??= this.#know(state);
      await state.known;
      if (onDisk || this.parts.options.all) await this.#restore(state, file);
      return undefined;
    } finally {
      if (from) this.#waits.leave(from, state);
    }
  }

  async #know(state: JobState): Promise<void> {
    try {
      if (await prepareAttributes(this, state)) {
        await this.#loop(state);
      }
    } finally {
      state.settle();
      this.#waits.undelay(state);
    }
  }

  /** Has a target on disk as its job made it. */
  async #restore(state: JobState, file: string): Promise<void> {
    const mine = state.busy.then(async () => {
      // Another job may have written or removed it since it was made.
      if (state.failure || state.isMissingStatic) return;
      const reason = () => diskReason(this, state, file);
      if (reason()) {
        await this.#loop(state, reason).finally(() =>
          this.#waits.undelay(state)
        );
      }
    });
    state.busy = mine.catch(() => {});
    await mine;
  }

  /**
   * Runs a job until its deps and what it read of them agree.
   *
   * @param onDisk Why its targets on disk have it run, if that is the matter.
   */
  async #loop(
    state: JobState,
    onDisk?: () => string | undefined,
  ): Promise<void> {
    const before = state.record;
    let why: string | undefined;
    for (;;) {
      // Another command runs it: what it was is no longer so.
      for (let other; (other = this.parts.busy(state.id));) await other;
      const view = await bringUp(this, state, false);
      if (this.#stops(state, view)) return;
      const reason = why ?? onDisk?.() ?? reasonToRun(this, state, view);
      if (!reason) {
        if (state.record && state.record.status !== "ok") {
          state.failure = jobFailure(state, "was in error");
        }
        return;
      }
      this.#waits.delay(state);
      this.#clean.forget(state.record?.targets.map((one) => one.file) ?? []);
      const present = await bringUp(this, state, true);
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
      ...jobFailure(state, "dep_error"),
      causes,
    };
  }

  /** Notes that a job failed. */
  fail(state: JobState, text: string): void {
    state.failure = jobFailure(state, text);
  }

  /** See {@linkcode ServiceHost}. */
  async verify(
    state: JobState,
    folded: Folded,
  ): Promise<"ok" | "error" | "changed"> {
    return await verifyDeps(this, state, folded);
  }
}

/** An error that a user can act on, as the text of a failure. */
export function problemText(error: unknown): string {
  if (error instanceof ClibsError) return error.message;
  throw error;
}
