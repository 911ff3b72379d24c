/**
 * Finds out at once that a file is up to date, as most are: without promises,
 * and with one look at each file that matters. Whatever is not sure is left to
 * the engine.
 */

import type { CodecTables } from "../codec/tables.ts";
import type { Plan } from "../memo.ts";
import type { JobRecord } from "../state/record.ts";
import type { FileRecord, Store } from "../state/store.ts";
import type { CommandWatch } from "../watch/command.ts";
import { differs, type Files } from "./files.ts";
import type { Outcome } from "./state.ts";

/** What is needed to find out. */
export interface CleanParts {
  plans: ReadonlyMap<string, Plan>;
  files: Files;
  store: Store;
  codecs: CodecTables;
  /** A source as this command sees it; undefined for what is none. */
  source(file: string): Outcome | undefined;
  /** Whether somebody works on a job. */
  isBusy(id: string): boolean;
  /** Whether the system that a job used is still the same. */
  systemHolds(record: Pick<JobRecord, "system">): boolean;
}

/** Deeper chains of deps are left to the engine: our stack has an end. */
const MAX_DEPTH = 1000;

/** Answers for the files of one command. */
export class CleanFiles {
  readonly #parts: CleanParts;
  /** By file; null: not sure, or being found out. */
  readonly #known = new Map<string, Outcome | null>();
  /** Names of the sets of what the jobs that were met used of the system. */
  readonly #systems = new Set<string>();

  /** Starts a command. */
  constructor(parts: CleanParts) {
    this.#parts = parts;
  }

  /**
   * What a file is, if nothing has to be done for it.
   *
   * @param onDisk Whether it must be there as its job made it.
   */
  outcome(file: string, onDisk: boolean): Outcome | undefined {
    const { watch } = this.#parts.files;
    return watch
      ? watch.asOfNow(() => this.#watched(watch, file, onDisk))
      : this.#outcome(file, onDisk);
  }

  /** The same in a repo that is watched: another command may have had it. */
  #watched(
    watch: CommandWatch,
    file: string,
    onDisk: boolean,
  ): Outcome | undefined {
    const plan = this.#parts.plans.get(file);
    if (!onDisk || !plan) return this.#outcome(file, onDisk);
    const answer = watch.answer(
      file,
      plan,
      (name, sum) => this.#sameSource(name, sum),
    );
    const holds = (system: string) => this.#parts.systemHolds({ system });
    if (answer && [...answer.systems].every(holds)) {
      return { ...answer.outcome };
    }
    const outcome = this.#outcome(file, onDisk);
    if (outcome) {
      watch.keep(file, { outcome, plan, systems: this.#systems });
    }
    return outcome;
  }

  /** The record of a source that was written and is what it was. */
  #sameSource(name: string, sum: string): FileRecord | undefined {
    const { plans, store } = this.#parts;
    if (plans.has(name)) return undefined;
    const source = this.#parts.source(name);
    const isSame = source && !source.failure && source.sum === sum;
    const record = isSame ? store.file(name) : undefined;
    return record?.sum === sum ? record : undefined;
  }

  #outcome(file: string, onDisk: boolean): Outcome | undefined {
    const found = this.#find(file, 0);
    if (!found) return undefined;
    return !onDisk || found.source || this.#isOnDisk(file, found)
      ? found
      : undefined;
  }

  /** Forgets what was found of a job's files: it runs. */
  forget(files: Iterable<string>): void {
    for (const file of files) this.#known.set(file, null);
  }

  #find(file: string, depth: number): Outcome | undefined {
    const known = this.#known.get(file);
    if (known !== undefined) {
      return known && this.#standsStill(file) ? known : undefined;
    }
    this.#known.set(file, null);
    if (depth > MAX_DEPTH) return undefined;
    const outcome = this.#compute(file, depth);
    if (outcome) this.#known.set(file, outcome);
    return outcome;
  }

  #compute(file: string, depth: number): Outcome | undefined {
    const plan = this.#parts.plans.get(file);
    if (!plan) {
      const source = this.#parts.source(file);
      return source?.failure ? undefined : source;
    }
    if (plan.kind === "none") {
      return this.#parts.files.glance(file).stamp === ""
        ? { file, sum: "none", buildable: false }
        : undefined;
    }
    const { record } = plan;
    if (!this.#standsStill(file)) return undefined;
    if (!this.#depsHold(record, depth)) return undefined;
    const target = record.targets.find((one) => one.file === file);
    if (!target) return undefined;
    return { file, sum: target.sum, buildable: true, upToDate: true };
  }

  /** Whether nobody has run the job of a file, or does. */
  #standsStill(file: string): boolean {
    const plan = this.#parts.plans.get(file);
    return plan?.kind !== "job" ||
      this.#parts.store.job(plan.id) === plan.record &&
        !this.#parts.isBusy(plan.id);
  }

  #depsHold(record: JobRecord, depth: number): boolean {
    for (const dep of record.deps) {
      if (dep.told !== undefined) return false;
      if (dep.codec) {
        this.#parts.files.watch?.cannotTell();
        const answer = this.#parts.codecs.answer(dep.file) ?? "none";
        if (answer !== dep.sum) return false;
        continue;
      }
      const outcome = this.#find(dep.file, depth + 1);
      if (!outcome || differs(dep.sum, outcome.sum, dep.kinds)) return false;
      const isNeeded = dep.key !== undefined || dep.flags.includes("required");
      if (isNeeded && !outcome.buildable) return false;
    }
    if (record.system !== undefined) this.#systems.add(record.system);
    return this.#parts.systemHolds(record);
  }

  #isOnDisk(file: string, { sum }: Outcome): boolean {
    const { files, store } = this.#parts;
    const known = store.file(file);
    // A file that nobody wrote is one that need not be there.
    if (sum === "none") return files.glance(file).stamp === "";
    return known !== undefined && known.sum === sum &&
      files.glance(file).sum === sum;
  }
}
