/** The result caches of one command: takes runs from them, and gives them runs. */

import { join } from "node:path";
import { ClibsError, systemErrorCode } from "../../errors.ts";
import type { Feedback } from "../../feedback/bus.ts";
import { commandText, jobEnvironment } from "../engine/command.ts";
import type { Engine } from "../engine/engine.ts";
import { isSteady } from "../engine/run_record.ts";
import type { JobState, Outcome } from "../engine/state.ts";
import { functionCommand } from "../job/command.ts";
import type { Repo } from "../repo.ts";
import { PRIVATE } from "../root.ts";
import type { JobLog, JobRecord, TargetRecord } from "../state/record.ts";
import { type CacheMethod, cachePlaces } from "./config.ts";
import { depsDigest, type Entry } from "./format.ts";
import { entryOf, isCacheable, type KeptRun } from "./keep.ts";
import { keyOf } from "./key.ts";
import { type Match, matchEntry } from "./match.ts";
import { placeTargets } from "./place.ts";
import { ResultCache } from "./store.ts";

/** How the caches of a command are used. */
export interface ResultsOptions {
  /** Default: `plain`. */
  method?: CacheMethod;
  /** Whether jobs keep their `$TMPDIR`, which only a run has. */
  keepTmp?: boolean;
  /** Where warnings go. */
  feedback?: Feedback;
  /** Gets the standard output of a job whose output is shown. */
  onStdout?: (state: JobState, bytes: Uint8Array) => void;
}

/** A run of a job that did not take place. */
interface Hit {
  cache: ResultCache;
  entry: Entry;
  match: Match;
  targets: TargetRecord[];
  reason: string;
  startedMs: number;
}

/** The result caches of one command. */
export class Results {
  readonly #repo: Repo;
  readonly #options: ResultsOptions;
  readonly #method: CacheMethod;
  readonly #caches = new Map<string, ResultCache>();
  /** Caches that something was said about. */
  readonly #warned = new Set<string>();
  /** Caches that cannot be read, or written. */
  readonly #unusable = new Set<string>();
  readonly #unwritable = new Set<string>();

  /**
   * Opens the caches that the rules of a repo name.
   *
   * @throws {ClibsError} `CLIBS_LMAKE_CACHE` if their settings are wrong.
   */
  constructor(repo: Repo, options: ResultsOptions = {}) {
    this.#repo = repo;
    this.#options = options;
    this.#method = options.method ?? "plain";
    for (const [name, place] of cachePlaces(repo.definition, repo.root)) {
      if (this.#method === "none") continue;
      const { dir, limit } = place;
      try {
        const cache = new ResultCache(name, dir, limit, (path, problem) => {
          const text = `refused an entry of the cache ${name}: ${problem}`;
          this.#warn(name, text, { path, problem });
        });
        this.#caches.set(name, cache);
      } catch (error) {
        this.#giveUp(name, error, "use");
      }
    }
  }

  /**
   * Takes the outcome of a job from its cache.
   *
   * @param reason Why it has to run.
   * @param before Its record before this command first ran it.
   * @returns Whether it was there, so that the job need not run.
   */
  async take(
    engine: Engine,
    state: JobState,
    reason: string,
    before: JobRecord | undefined,
  ): Promise<boolean> {
    const cache = this.#caches.get(state.attributes!.cache);
    if (!cache || this.#unusable.has(cache.name)) return false;
    if (this.#method === "check" || !isCacheable(state)) return false;
    if (this.#options.keepTmp || state.attributes!.keepTmp) return false;
    const startedMs = Date.now();
    const known = new Map<string, Outcome>();
    try {
      for (const found of cache.entries(keyOf(state, this.#repo.root))) {
        const { entry } = found;
        const match = await matchEntry(engine, state, entry, known);
        if (!match) continue;
        const targets = await placeTargets(engine, state, cache, found);
        if (!targets) continue;
        cache.use(found);
        const hit = { cache, entry, match, targets, reason, startedMs };
        this.#conclude(engine, state, hit, before);
        return true;
      }
    } catch (error) {
      this.#giveUp(cache.name, error, "use");
    }
    return false;
  }

  #conclude(
    engine: Engine,
    state: JobState,
    hit: Hit,
    before: JobRecord | undefined,
  ): void {
    const { store } = this.#repo;
    const { cache, entry, match, targets, reason, startedMs } = hit;
    const nowMs = Date.now();
    const record: JobRecord = {
      id: state.id,
      rule: state.job.rule.name,
      stems: state.job.stems,
      name: state.job.display,
      command: state.command,
      resources: state.resources,
      status: "ok",
      reason,
      deps: match.deps,
      targets,
      ...systemOf(this.#repo, entry),
      // As if it had run until now: how long it takes is what matters later.
      startedMs: nowMs - entry.durationMs,
      durationMs: entry.durationMs,
    };
    for (const { file, sum } of targets) {
      const stamp = engine.files.safeStamp(engine.files.look(file));
      store.putFile(file, { sum, stamp, writer: state.id });
    }
    const log = this.#logOf(state, entry);
    store.putJob(record, log);
    state.ran = true;
    this.#show(state, entry, log);
    const word = isSteady(before, record) ? "hit_steady" : "hit_done";
    engine.parts.report.job(
      match.late ? `was_${word}` : word,
      record.rule,
      record.name,
      {
        durationMs: nowMs - startedMs,
        reason,
        cache: cache.name,
        stderr: entry.stderr,
        maxLines: state.attributes!.maxStderrLen,
      },
    );
  }

  /** What would have run, so that it can be shown, and run by hand. */
  #logOf(state: JobState, { stdout, stderr }: Entry): JobLog {
    const { root, files } = this.#repo;
    const run = join(root, PRIVATE, "run");
    const { shell, interpreter, useScript } = state.attributes!;
    const cmd = commandText(state);
    const isFunction = state.job.rule.cmd?.kind === "function";
    const stdin = state.statics.find(({ key }) => key === "dep")?.pattern;
    const stdoutTarget = state.job.targets
      .find(({ key, file }) => key === "target" && file !== undefined)?.file;
    const deno = interpreter.length > 0 ? interpreter : [Deno.execPath()];
    return {
      cmd,
      env: jobEnvironment(state, {
        root,
        tools: join(root, PRIVATE, "bin"),
        tmp: join(run, "hit", "tmp"),
        smallId: 0,
        sequenceId: 0,
      }),
      problems: [],
      exit: 0,
      stdout,
      stderr,
      autodep: "cache",
      granted: {},
      argv: isFunction
        ? functionCommand(deno, join(run, "hit", "job.json"))
        : useScript
        ? [...shell, join(run, "hit", "cmd")]
        : [...shell, "-c", cmd],
      stdin: stdin === undefined ? "/dev/null" : files.path(stdin),
      ...(stdoutTarget === undefined ? {} : { stdoutTarget }),
    };
  }

  #show(state: JobState, { stdout }: Entry, { stdoutTarget }: JobLog): void {
    const { onStdout } = this.#options;
    if (!onStdout) return;
    const bytes = stdoutTarget === undefined
      ? new TextEncoder().encode(stdout)
      : Deno.readFileSync(this.#repo.files.path(stdoutTarget));
    if (bytes.length > 0) onStdout(state, bytes);
  }

  /**
   * Gives a run that stands to the cache of its job.
   *
   * @returns What is to be said about it.
   */
  async keep(
    engine: Engine,
    state: JobState,
    run: KeptRun,
  ): Promise<string[]> {
    const cache = this.#caches.get(state.attributes!.cache);
    if (!cache || this.#method === "download") return [];
    if (this.#unusable.has(cache.name)) return [];
    try {
      const made = await entryOf(engine, state, cache.blobs, run);
      if (!made) return [];
      const key = keyOf(state, this.#repo.root);
      const digest = depsDigest(made.entry);
      if (cache.names(key).some((name) => name.startsWith(digest))) {
        return this.#method === "check"
          ? this.#compare(cache, key, made.entry)
          : [];
      }
      if (this.#unwritable.has(cache.name)) return [];
      await cache.add(key, made.entry, made.contents);
    } catch (error) {
      this.#unwritable.add(cache.name);
      this.#giveUp(cache.name, error, "write to");
    }
    return [];
  }

  /** Compares a run with what the cache has of another one with the same deps. */
  #compare(cache: ResultCache, key: string, made: Entry): string[] {
    const digest = depsDigest(made);
    for (const { entry } of cache.entries(key)) {
      if (depsDigest(entry) !== digest) continue;
      const differing = differences(entry, made);
      if (differing.length === 0) return [];
      return [
        `the cache ${cache.name} has other content of ${differing.join(", ")}`,
      ];
    }
    return [];
  }

  /** Goes on without a cache that the system does not let us use. */
  #giveUp(name: string, error: unknown, action: "use" | "write to"): void {
    if (error instanceof ClibsError || systemErrorCode(error) === undefined) {
      throw error;
    }
    if (action === "use") this.#unusable.add(name);
    const { message } = error as Error;
    this.#warn(name, `cannot ${action} the cache ${name}: ${message}`, {});
  }

  /** Says something about a cache, once a command. */
  #warn(name: string, text: string, facts: Record<string, string>): void {
    if (this.#warned.has(name)) return;
    this.#warned.add(name);
    const fields = { about: "rules.cache", cache: name, ...facts };
    this.#options.feedback?.emit("warn", "note", text, fields);
  }
}

/** Names of the targets in which two entries differ. */
function differences(left: Entry, right: Entry): string[] {
  const texts = ({ targets }: Entry) =>
    new Map(targets.map(({ flags: _, ...target }) => [
      target.file,
      JSON.stringify(target),
    ]));
  const one = texts(left);
  const other = texts(right);
  return [...new Set([...one.keys(), ...other.keys()])]
    .filter((file) => one.get(file) !== other.get(file)).sort();
}

/** What a run that did not take place would have used of the system. */
function systemOf({ system }: Repo, entry: Entry): Pick<JobRecord, "system"> {
  const id = system.isOn ? system.noteEntries(entry.system ?? []) : undefined;
  return id === undefined ? {} : { system: id };
}
