/** What a running job declares to its runner, and when. */

import type { DepFlag, TargetFlag } from "../model.ts";

/** Deps that one call declared. */
export interface DependNote {
  /** Place in the order of the run. */
  at: number;
  /** Names from the repo's root. */
  files: string[];
  /** Whole names, if the call was about patterns. */
  patterns: RegExp[];
  /** Flags that are on. */
  flags: Set<DepFlag>;
  /** Whether they count as read. */
  read: boolean;
  /** Checksums at that moment of what was read. */
  seen: Map<string, string>;
}

/** Targets that one call declared. */
export interface TargetNote {
  /** Place in the order of the run. */
  at: number;
  /** Names from the repo's root. */
  files: string[];
  /** Whole names, if the call was about patterns. */
  patterns: RegExp[];
  /** Flags that are on. */
  flags: Set<TargetFlag | DepFlag>;
  /** Whether they count as written. */
  write: boolean;
}

/** An association that a job asked for. */
export interface CodecNote {
  /** Place in the order of the run. */
  at: number;
  /** Key of the association. */
  key: string;
  /** Its answer. */
  answer: string;
}

/** Everything that a running job declared so far. */
export class JobNotes {
  /** Calls of `depend()`. */
  readonly depends: DependNote[] = [];
  /** Calls of `target()`. */
  readonly targets: TargetNote[] = [];
  /** Calls of `encode()` and `decode()`. */
  readonly codecs: CodecNote[] = [];
  /** Links that were followed to get at declared files, with their places. */
  readonly links: { at: number; file: string; sum: string }[] = [];
  /** What verbose calls told, by file. */
  readonly told = new Map<string, string>();
  /** Calls that were refused and make the job fail even if it goes on. */
  readonly problems: string[] = [];
  /** Set when the runner ends the job because deps are out of date. */
  outOfDate = false;

  /** Calls by the files that they name, and those about patterns. */
  readonly #named = new Map<string, Calls>();
  readonly #patterns = emptyCalls();
  #indexed = { depends: 0, targets: 0 };

  /** Dynamic flags of a dep at some place; `ignore` counts from its call on. */
  depFlags(file: string, at: number): Set<DepFlag> {
    const flags = new Set<DepFlag>();
    const { depends, targets } = this.#callsOn(file, "depends");
    for (const note of depends) addFlags(flags, note, at);
    for (const note of targets) addFlags(flags, note, at);
    return flags;
  }

  /** The first declaration of a target; undefined if there is none. */
  targetFlags(
    file: string,
  ):
    | { at: number; flags: Set<TargetFlag | DepFlag>; write: boolean }
    | undefined {
    const notes = this.#callsOn(file, "targets").targets;
    if (notes.length === 0) return undefined;
    const flags = new Set(notes.flatMap((note) => [...note.flags]));
    const allowing = notes.filter((note) => note.flags.has("allow"));
    return {
      at: Math.min(
        ...(allowing.length > 0 ? allowing : notes).map(({ at }) => at),
      ),
      flags,
      write: notes.some(({ write }) => write),
    };
  }

  /**
   * Calls that are about a file, in order.
   *
   * @param kind Where `noStar` of a call that names it shuts out patterns.
   */
  #callsOn(file: string, kind: "depends" | "targets"): Calls {
    this.#index();
    const named = this.#named.get(file) ?? NO_CALLS;
    const hasPatterns = this.#patterns.depends.length > 0 ||
      this.#patterns.targets.length > 0;
    if (!hasPatterns || named[kind].some(({ flags }) => flags.has("noStar"))) {
      return named;
    }
    return {
      depends: this.#joined(file, this.depends, named.depends),
      targets: this.#joined(file, this.targets, named.targets),
    };
  }

  #joined<T extends DependNote | TargetNote>(
    file: string,
    all: readonly T[],
    named: readonly T[],
  ): T[] {
    return all.filter((note) =>
      named.includes(note) ||
      note.patterns.some((pattern) => pattern.test(file))
    );
  }

  /** Takes in the calls that came since the last time. */
  #index(): void {
    const { depends, targets } = this.#indexed;
    for (const note of this.depends.slice(depends)) {
      this.#add("depends", note);
    }
    for (const note of this.targets.slice(targets)) {
      this.#add("targets", note);
    }
    this.#indexed = {
      depends: this.depends.length,
      targets: this.targets.length,
    };
  }

  #add(kind: "depends" | "targets", note: DependNote | TargetNote): void {
    if (note.patterns.length > 0) this.#patterns[kind].push(note as never);
    for (const file of new Set(note.files)) {
      let calls = this.#named.get(file);
      if (!calls) this.#named.set(file, calls = emptyCalls());
      calls[kind].push(note as never);
    }
  }
}

/** Calls about one file. */
interface Calls {
  depends: DependNote[];
  targets: TargetNote[];
}

const emptyCalls = (): Calls => ({ depends: [], targets: [] });
const NO_CALLS = emptyCalls();

function addFlags(
  to: Set<DepFlag>,
  note: DependNote | TargetNote,
  at: number,
): void {
  for (const flag of note.flags) {
    if (flag === "ignore" && note.at > at) continue;
    to.add(flag as DepFlag);
  }
}
