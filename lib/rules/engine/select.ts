/** Finds out who makes a file: names and static deps only, nothing is run. */

import { NO_FILE } from "../../host/checksum.ts";
import type { DepSpec } from "../model.ts";
import type { Repo } from "../repo.ts";
import type { Candidate } from "../select.ts";
import { JobState } from "./state.ts";

/** A job that may make a file. */
export interface Maker {
  state: JobState;
  /** Whether it makes it for sure if it succeeds. */
  sure: boolean;
}

/** Who makes a file. */
export type Selection =
  | { kind: "source"; listed: boolean }
  | ({ kind: "jobs"; groups: Maker[][]; near: string[] } & Uphill)
  | ({ kind: "none"; near: string[]; uphill?: string } & Uphill)
  | { kind: "infinite" };

/** Folders above a file that only a run tells to be files themselves. */
interface Uphill {
  maybeUphill?: string[];
}

/** Whether a file can be had, as far as names tell. */
type Buildable = "yes" | "maybe" | "no" | "infinite";

/** Static deps that a function gives have to be worked out first. */
class NeedsDeps extends Error {
  readonly state: JobState;

  constructor(state: JobState) {
    super("deps not worked out");
    this.state = state;
  }
}

/** Selects the jobs that make files. */
export class Selector {
  readonly #repo: Repo;
  readonly #isFrozen: (file: string) => boolean;
  readonly #depsOf: (state: JobState) => Promise<DepSpec[]>;
  readonly #states = new Map<string, JobState>();
  readonly #selections = new Map<string, Selection>();
  readonly #statics = new Set<JobState>();

  /**
   * @param isFrozen Whether the user froze a file.
   * @param depsOf Works out the deps of a job that a function gives.
   */
  constructor(
    repo: Repo,
    isFrozen: (file: string) => boolean,
    depsOf: (state: JobState) => Promise<DepSpec[]>,
  ) {
    this.#repo = repo;
    this.#isFrozen = isFrozen;
    this.#depsOf = depsOf;
  }

  /** Who makes a file. */
  async select(file: string): Promise<Selection> {
    for (;;) {
      try {
        return this.#select(file, 0);
      } catch (error) {
        if (!(error instanceof NeedsDeps)) throw error;
        error.state.statics = this.#tracked(await this.#depsOf(error.state));
        this.#statics.add(error.state);
      }
    }
  }

  /** All jobs that were met, wanted or not. */
  get states(): Iterable<JobState> {
    return this.#states.values();
  }

  /** All jobs that have a say in what a file is. */
  async makers(selection: Selection): Promise<Maker[]> {
    const makers = selection.kind === "jobs" ? selection.groups.flat() : [];
    if (selection.kind === "jobs" || selection.kind === "none") {
      for (const dir of selection.maybeUphill ?? []) {
        makers.push(...await this.makers(await this.select(dir)));
      }
    }
    return makers;
  }

  /** Whether one job alone decides what folders above its file are. */
  async decides(state: JobState, dirs: readonly string[]): Promise<boolean> {
    for (const dir of dirs) {
      const selection = await this.select(dir);
      const isOwn = selection.kind === "jobs" &&
        selection.groups.flat().every((maker) => maker.state === state);
      if (!isOwn) return false;
    }
    return true;
  }

  /** The state of a rule's job. */
  stateOf(candidate: Pick<Candidate, "rule" | "stems">): JobState {
    const job = this.#repo.table.jobOf(candidate.rule, candidate.stems);
    const id = this.#repo.idOf(job);
    let state = this.#states.get(id);
    if (!state) {
      state = new JobState(job, id, this.#repo.store);
      this.#states.set(id, state);
      if (job.deps !== "dynamic") {
        state.statics = this.#tracked(job.deps);
        this.#statics.add(state);
      }
    }
    return state;
  }

  /** Deps outside the repo and its source dirs are none. */
  #tracked(deps: readonly DepSpec[]): DepSpec[] {
    return deps.flatMap((dep) => {
      const file = this.#repo.files.name(this.#repo.files.path(dep.pattern));
      return file === undefined ? [] : [{ ...dep, pattern: file }];
    });
  }

  #select(file: string, depth: number): Selection {
    const known = this.#selections.get(file);
    if (known) return known;
    if (depth > this.#repo.definition.config.maxDepDepth) {
      return { kind: "infinite" };
    }
    const found = this.#find(file, depth);
    // What came of too deep a search is not so for a search from elsewhere.
    if (found.kind !== "infinite" || depth === 0) {
      this.#selections.set(file, found);
    }
    return found;
  }

  #find(file: string, depth: number): Selection {
    const { sources, definition, table } = this.#repo;
    if (this.#isFrozen(file)) return { kind: "source", listed: true };
    if (sources.has(file)) return { kind: "source", listed: true };
    if (sources.dirOf(file) !== undefined) {
      return { kind: "source", listed: false };
    }
    if (file.length > definition.config.pathMax) {
      return {
        kind: "none",
        near: [`the name is longer than ${definition.config.pathMax}`],
      };
    }
    const maybeUphill: string[] = [];
    for (
      let at = file.lastIndexOf("/");
      at > 0;
      at = file.lastIndexOf("/", at - 1)
    ) {
      const uphill = file.slice(0, at);
      const buildable = this.#buildable(uphill, depth);
      if (buildable === "maybe") maybeUphill.push(uphill);
      else if (buildable !== "no") {
        return { kind: "none", near: [`${uphill} is a file`], uphill };
      }
    }
    const more = maybeUphill.length > 0 ? { maybeUphill } : {};
    const groups: Maker[][] = [];
    const near: string[] = [];
    for (const group of table.candidates(file)) {
      const special = group.find(({ rule }) => rule.kind !== "plain");
      if (special) {
        if (special.rule.kind === "source") {
          return { kind: "source", listed: true };
        }
        return { kind: "none", near: [`${special.rule.name} forbids it`] };
      }
      const makers: Maker[] = [];
      for (const candidate of group) {
        const maker = this.#maker(candidate, depth, near);
        if (maker === "infinite") return { kind: "infinite" };
        if (maker) makers.push(maker);
      }
      if (makers.length > 0) groups.push(makers);
    }
    return groups.length > 0
      ? { kind: "jobs", groups, near, ...more }
      : { kind: "none", near, ...more };
  }

  #maker(
    candidate: Candidate,
    depth: number,
    near: string[],
  ): Maker | "infinite" | undefined {
    const state = this.stateOf(candidate);
    if (!this.#statics.has(state)) throw new NeedsDeps(state);
    let sure = candidate.sure;
    for (const { pattern } of state.statics) {
      const buildable = this.#buildable(pattern, depth + 1);
      if (buildable === "infinite") return "infinite";
      if (buildable === "no") {
        const { name } = candidate.rule;
        near.push(`${name} misses ${pattern}${this.#whyNot(pattern)}`);
        return undefined;
      }
      if (buildable === "maybe") sure = false;
    }
    return { state, sure };
  }

  /** What to do about a file that is there and does not count. */
  #whyNot(file: string): string {
    return this.#repo.files.look(file).sum === NO_FILE
      ? ""
      : ` (dangling: git add ${file})`;
  }

  #buildable(file: string, depth: number): Buildable {
    const found = this.#select(file, depth);
    switch (found.kind) {
      case "infinite":
        return "infinite";
      case "none":
        return "no";
      case "source":
        return found.listed || this.#repo.files.look(file).sum !== NO_FILE
          ? "yes"
          : "no";
      case "jobs":
        return found.groups.some((group) => group.some(({ sure }) => sure))
          ? "yes"
          : "maybe";
    }
  }
}
