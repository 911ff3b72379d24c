/** One run of a job, from taking resources to whether its outcome stands. */

import { CancelledError } from "../../errors.ts";
import type { JobRecord, JobStatus, TargetRecord } from "../state/record.ts";
import { absolutePaths } from "./abs_paths.ts";
import { isIgnored } from "./deps.ts";
import { type Engine, problemText } from "./engine.ts";
import type { RunResult } from "./execute.ts";
import { judge, type Judgement } from "./judge.ts";
import { prepareTargets, removeTarget } from "./prepare.ts";
import { isSteady, logOf } from "./run_record.ts";
import { settleSums, UNSTABLE } from "./sums.ts";
import type { JobState, Outcome } from "./state.ts";
import { WINDOW, Window } from "./window.ts";

/**
 * Runs a job's process with resources of its own.
 *
 * @param prepare Called once resources are there, just before the start.
 * @throws {ClibsError} If it can never have what it needs.
 */
export type RunJob = (
  state: JobState,
  prepare: () => void,
) => Promise<RunResult>;

let ownName: string | undefined;

/** How a run ended by itself, before its deps are looked at. */
interface Ending {
  status: JobStatus;
  /** What went wrong, in sentences. */
  messages: string[];
  /** Why it has to run again at once. */
  again?: string;
}

/**
 * Runs a job.
 *
 * @param before Its record before this command first ran it.
 * @param present Its deps as they were brought up to date for this run.
 * @returns Why it has to run again; undefined if its outcome stands, or it
 *   is in error.
 */
export async function runOnce(
  engine: Engine,
  state: JobState,
  reason: string,
  before: JobRecord | undefined,
  present: Judgement,
): Promise<string | undefined> {
  const limit = limitReached(engine, state);
  if (limit) return giveUp(engine, state, limit, reason);
  const { results } = engine.parts;
  if (await results?.take(engine, state, reason, before)) return undefined;
  state.submits++;
  const run = new Run(engine, state, reason, before, present);
  return await run.run();
}

function limitReached(
  { parts }: Engine,
  state: JobState,
): JobStatus | undefined {
  const { maxRuns, maxSubmits } = { ...state.attributes!, ...parts.options };
  if (maxRuns > 0 && state.submits >= maxRuns) return "run_loop";
  const limit = Math.max(maxSubmits, maxRuns);
  return state.submits >= limit ? "submit_loop" : undefined;
}

function giveUp(
  engine: Engine,
  state: JobState,
  word: JobStatus,
  reason: string,
): undefined {
  const { rule, display } = state.job;
  const text = `ran ${state.submits} times, and still: ${reason}`;
  engine.parts.report.job(word, rule.name, display, { messages: [text] });
  if (state.record) {
    const record = { ...state.record, status: word, unreliable: text };
    engine.parts.repo.store.putJob(record);
  }
  state.ran = true;
  engine.fail(state, `${word}: ${text}`);
}

class Run {
  readonly #engine: Engine;
  readonly #state: JobState;
  readonly #reason: string;
  readonly #before: JobRecord | undefined;
  readonly #present: Judgement;

  constructor(
    engine: Engine,
    state: JobState,
    reason: string,
    before: JobRecord | undefined,
    present: Judgement,
  ) {
    this.#engine = engine;
    this.#state = state;
    this.#reason = reason;
    this.#before = before;
    this.#present = present;
    state.present = present.outcomes;
  }

  async run(): Promise<string | undefined> {
    const { parts } = this.#engine;
    const { store } = parts.repo;
    let result: RunResult;
    try {
      result = await parts.run(
        this.#state,
        () =>
          prepareTargets(
            this.#state,
            this.#engine.files,
            store,
            parts.report,
            (file) => this.#engine.isSource(file),
            parts.options.noIncremental,
          ),
      );
    } catch (error) {
      if (error instanceof CancelledError) throw error;
      const text = problemText(error);
      this.#line("failed", undefined, [text]);
      this.#engine.fail(this.#state, text);
      this.#state.ran = true;
      return undefined;
    }
    const settled = settleSums(this.#engine, this.#state, result.folded.deps);
    const ending = this.#ending(result);
    const record: JobRecord = {
      id: this.#state.id,
      rule: this.#state.job.rule.name,
      stems: this.#state.job.stems,
      name: this.#state.job.display,
      command: this.#state.command,
      resources: this.#state.resources,
      status: ending.status,
      reason: this.#reason,
      deps: settled.deps,
      targets: result.folded.targets,
      ...(result.system === undefined ? {} : { system: result.system }),
      startedMs: result.startedMs,
      durationMs: result.durationMs,
    };
    this.#noteTargets(record.targets);
    const save = (unreliable?: string) => {
      if (unreliable === undefined) delete record.unreliable;
      else record.unreliable = unreliable;
      store.putJob({ ...record }, logOf(result, ending.messages));
    };
    if (result.end.killed && parts.options.signal?.aborted) {
      save("was killed");
      this.#line("killed", result.durationMs);
      throw new CancelledError();
    }
    if (settled.overwritten !== undefined) {
      const text =
        `overwritten: ${settled.overwritten} was written while it was used`;
      save(`dep overwritten: ${settled.overwritten}`);
      this.#line("dep_error", result.durationMs, [text]);
      this.#state.ran = true;
      this.#engine.fail(this.#state, text);
      return undefined;
    }
    return await this.#judge(result, ending, record, save);
  }

  async #judge(
    result: RunResult,
    ending: Ending,
    record: JobRecord,
    save: (unreliable?: string) => void,
  ): Promise<string | undefined> {
    const { judged, pending } = await this.#quickly(record);
    if (judged.changed !== undefined || ending.again !== undefined) {
      const again = judged.changed === undefined
        ? ending.again!
        : changeOf(record, judged.changed);
      save(again);
      this.#line(
        judged.changed === undefined && isLost(ending) ? "lost" : "rerun",
        result.durationMs,
        ending.again === undefined ? [] : ending.messages,
      );
      return again;
    }
    // Errors of deps that are known already count; the others come first.
    if (pending.length === 0) {
      return await this.#conclude(judged, result, ending, save, "");
    }
    save("its deps are not verified");
    this.#line("may_rerun", result.durationMs);
    const window = new Window();
    for (const [i, file] of pending.entries()) {
      window.add(
        this.#engine.ensure(file, false, this.#state).then((outcome) => {
          judged.outcomes.set(file, outcome);
        }),
      );
      if (!window.isFull) continue;
      this.#state.unasked = pending.length - i - 1;
      await window.next();
      if (window.hasFailed) break;
    }
    this.#state.unasked = 0;
    await window.end();
    const late = judge(this.#engine, record.deps, judged.outcomes);
    if (late.changed !== undefined) {
      const again = changeOf(record, late.changed);
      save(again);
      return again;
    }
    return await this.#conclude(late, result, ending, save, "was_");
  }

  /** Judges deps as far as they are known at once. */
  async #quickly(
    record: JobRecord,
  ): Promise<{ judged: Judgement; pending: string[] }> {
    const outcomes = new Map<string, Outcome>();
    const pending: string[] = [];
    for (const dep of record.deps) {
      const { file } = dep;
      if (dep.codec || isIgnored(this.#engine, dep)) continue;
      const known = this.#present.outcomes.get(file);
      // Enough have to be waited for.
      if (pending.length >= WINDOW && !known?.source) {
        pending.push(file);
        continue;
      }
      const outcome = known?.source
        ? known
        : await this.#engine.quick(file, this.#state);
      if (outcome) outcomes.set(file, outcome);
      else pending.push(file);
    }
    return { judged: judge(this.#engine, record.deps, outcomes), pending };
  }

  async #conclude(
    judged: Judgement,
    result: RunResult,
    ending: Ending,
    save: (unreliable?: string) => void,
    prefix: "" | "was_",
  ): Promise<string | undefined> {
    const state = this.#state;
    const [failure] = judged.failures;
    if (failure) {
      save(`dep in error: ${failure.file}`);
      state.ran = true;
      this.#engine.failDeps(state, judged.failures);
      return undefined;
    }
    if (ending.messages.length > 0) {
      return this.#failed(result, ending, save, prefix);
    }
    save();
    state.ran = true;
    const record = state.record!;
    const word = isSteady(this.#before, record) ? "steady" : "done";
    const { results } = this.#engine.parts;
    const run = { result, record, judged };
    const said = await results?.keep(this.#engine, state, run) ?? [];
    this.#line(`${prefix}${word}`, result.durationMs, said, result.stderr);
    return undefined;
  }

  #failed(
    result: RunResult,
    ending: Ending,
    save: (unreliable?: string) => void,
    prefix: "" | "was_",
  ): string | undefined {
    const state = this.#state;
    if (isLost(ending)) {
      const { maxRetriesOnLost } = state.attributes!;
      if (result.end.blameless || state.lost++ < maxRetriesOnLost) {
        save("was lost");
        this.#line("lost", result.durationMs, ending.messages);
        return "was lost";
      }
      save("was lost");
      this.#line("lost_err", result.durationMs, ending.messages);
    } else if (
      isRetried(state, ending.status) &&
      state.retries++ < this.#engine.parts.options.retries
    ) {
      save();
      this.#line("retry", result.durationMs, ending.messages, result.stderr);
      return "retry";
    } else {
      save();
      this.#line(
        `${prefix}failed`,
        result.durationMs,
        // Once is enough: the tree of errors shows what it said.
        ending.messages,
      );
    }
    state.ran = true;
    this.#engine.fail(state, ending.messages[0] ?? "failed");
    return undefined;
  }

  /** What the run itself came to. */
  #ending({ end, folded, stderr, notes, unseen, lost }: RunResult): Ending {
    const attributes = this.#state.attributes!;
    const messages: string[] = [];
    if (notes.outOfDate) {
      return {
        status: "chk_deps",
        messages,
        again: "dep check requires rerun",
      };
    }
    if (end.killed) return { status: "killed", messages };
    if (folded.preexisting.length > 0) {
      for (const file of folded.preexisting) this.#remove(file);
      const first = folded.preexisting[0]!;
      return {
        status: "bad_target",
        messages: folded.preexisting.map((file) =>
          `target pre-existed: ${file}`
        ),
        again: `target pre-existed: ${first}`,
      };
    }
    let status: JobStatus = "ok";
    if (end.timedOut) {
      status = "timeout";
      messages.push(`timeout: not done after ${attributes.timeout} s`);
    } else if (end.lost !== undefined) {
      return { status: "lost", messages: [`lost: ${end.lost}`] };
    } else if (end.signal === "SIGKILL" || end.signal === "SIGTERM") {
      return { status: "lost", messages: [`lost: ended by ${end.signal}`] };
    } else if (end.signal !== undefined) {
      status = "err";
      messages.push(`ended by ${end.signal}`);
    } else if (end.code !== 0) {
      status = "err";
      messages.push(`exit code ${end.code}`);
    }
    if (stderr !== "" && !attributes.stderrOk && messages.length === 0) {
      messages.push("wrote to standard error: set stderrOk if that is fine");
    }
    // What a job must not do, as against what it does not bring about.
    const isForbidden = messages.length === 0 &&
      folded.problems.some((text) => !text.startsWith("missing target"));
    messages.push(...folded.problems);
    if (attributes.checkAbsPaths) {
      messages.push(...absolutePaths(this.#engine.files, folded.targets));
    }
    for (const program of unseen) {
      messages.push(
        `cannot trace ${program} with ${attributes.autodep}: set autodep to "auto" or "ptrace"`,
      );
    }
    if (lost) {
      messages.push("accesses could not be recorded: is the disk full?");
    }
    if (messages.length > 0 && status === "ok") {
      status = isForbidden ? "forbidden" : "err";
    }
    return { status, messages };
  }

  #remove(file: string): void {
    const { repo, report } = this.#engine.parts;
    removeTarget(file, this.#state, this.#engine.files, repo.store, report);
  }

  #noteTargets(targets: readonly TargetRecord[]): void {
    const { store } = this.#engine.parts.repo;
    for (const { file, sum } of targets) {
      const look = this.#engine.files.look(file);
      if (this.#engine.isSource(file)) {
        this.#engine.sourceLooks.delete(file);
        this.#engine.writtenSources.add(file);
        continue;
      }
      store.putFile(file, {
        sum,
        stamp: look.sum === sum ? this.#engine.files.safeStamp(look) : "",
        writer: this.#state.id,
      });
    }
  }

  #line(
    word: string,
    durationMs: number | undefined,
    messages: readonly string[] = [],
    stderr = "",
  ): void {
    const { rule, display } = this.#state.job;
    const { backend, maxStderrLen } = this.#state.attributes!;
    this.#engine.parts.report.job(word, rule.name, display, {
      ...(durationMs === undefined ? {} : { durationMs }),
      reason: this.#reason,
      messages,
      stderr,
      host: backend === "local" ? ownName ??= Deno.hostname() : backend,
      maxLines: maxStderrLen,
    });
  }
}

/** Why a dep makes a job run again. */
function changeOf({ deps }: JobRecord, file: string): string {
  const isUnstable = deps.some((dep) =>
    dep.file === file && dep.sum === UNSTABLE
  );
  return `dep ${isUnstable ? "unstable" : "out of date"}: ${file}`;
}

function isLost({ status }: Ending): boolean {
  return status === "lost";
}

/** Whether `-r` has a job tried again that ended so. */
function isRetried(state: JobState, status: JobStatus): boolean {
  const { retriedErrors } = state.attributes!;
  if (retriedErrors.includes(`-${status}`)) return false;
  return status === "err" || status === "timeout" ||
    retriedErrors.includes(status);
}
