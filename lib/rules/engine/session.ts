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

  /** Dynamic flags of a dep at some place; `ignore` counts from its call on. */
  depFlags(file: string, at: number): Set<DepFlag> {
    const flags = new Set<DepFlag>();
    const isExplicit = this.depends.some(({ files, flags }) =>
      files.includes(file) && flags.has("noStar")
    );
    for (const note of [...this.depends, ...this.targets]) {
      const isNamed = note.files.includes(file);
      const isMatched = !isExplicit &&
        note.patterns.some((pattern) => pattern.test(file));
      if (!isNamed && !isMatched) continue;
      for (const flag of note.flags) {
        if (flag === "ignore" && note.at > at) continue;
        flags.add(flag as DepFlag);
      }
    }
    return flags;
  }

  /** The first declaration of a target; undefined if there is none. */
  targetFlags(
    file: string,
  ):
    | { at: number; flags: Set<TargetFlag | DepFlag>; write: boolean }
    | undefined {
    const isExplicit = this.targets.some(({ files, flags }) =>
      files.includes(file) && flags.has("noStar")
    );
    const notes = this.targets.filter(({ files, patterns }) =>
      files.includes(file) ||
      !isExplicit && patterns.some((pattern) => pattern.test(file))
    );
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
}
