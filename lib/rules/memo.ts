/** What the server of a repo remembers between commands, besides the store. */

import type { JobRecord } from "./state/record.ts";
import type { Sources } from "./engine/sources.ts";
import type { RuleTable } from "./select.ts";

/** Who makes a file, as long as rules, sources and marks stay as they are. */
export type Plan =
  | { kind: "none" }
  | {
    kind: "job";
    /** Name of the job in the store. */
    id: string;
    /** Its run, which was found to be right but for the state of its deps. */
    record: JobRecord;
  };

/** Plans by file, and what they are good for. */
export class RepoMemo {
  /** The saved definition of some status of its file, and its rules. */
  definition: { stamp: string; saved: unknown; table: RuleTable } | undefined;
  /** Sources as some files listed them. */
  sources: { stamp: string; sources: Sources } | undefined;
  /** Plans; emptied by {@linkcode keep} when they may be wrong. */
  readonly plans = new Map<string, Plan>();
  #kept: readonly unknown[] = [];

  /** Drops all plans unless everything they depend on is the same as before. */
  keep(...dependsOn: unknown[]): void {
    const isSame = dependsOn.length === this.#kept.length &&
      dependsOn.every((value, i) => value === this.#kept[i]);
    if (!isSame) this.plans.clear();
    this.#kept = dependsOn;
  }
}
