/** Files that no single job makes: sources, what nobody makes, what several do. */

import type { Repo } from "../repo.ts";
import type { FileRecord } from "../state/store.ts";
import type { Look } from "./files.ts";
import type { Reporter, SourceWord } from "./report.ts";
import type { Maker } from "./select.ts";
import type { Failure, Outcome } from "./state.ts";

/** Tells what such files are, in one command. */
export class PlainFiles {
  /** Sources that were looked at, as they were first seen. */
  readonly looks = new Map<string, Look>();
  readonly #repo: Repo;
  readonly #report: Reporter;
  readonly #marks: ReadonlyMap<string, "f" | "t">;
  readonly #dangling = new Set<string>();

  /** Starts a command. */
  constructor(
    repo: Repo,
    report: Reporter,
    marks: ReadonlyMap<string, "f" | "t">,
  ) {
    this.#repo = repo;
    this.#report = report;
    this.#marks = marks;
  }

  /** A source, as it was first seen in this command. */
  source(file: string, listed: boolean): Outcome {
    let look = this.looks.get(file);
    if (!look) {
      const before = this.#repo.store.file(file);
      if (this.#marks.get(file) === "f") look = this.#repo.files.look(file);
      else {
        look = this.#repo.files.lookAtSource(file);
        const word = wordOfSource(before, look, listed);
        if (word) this.#report.source(word, file);
      }
      this.looks.set(file, look);
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

  /** A file that nothing makes. */
  none(
    file: string,
    near: readonly string[],
    uphill?: string,
    maybeUphill: readonly string[] = [],
  ): Outcome {
    let { sum } = this.#repo.files.look(file);
    // What is seen through a link has another name.
    if (sum !== "none" && this.#repo.files.isBeyondLink(file)) sum = "none";
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
      const { memo, sources } = this.#repo;
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
    const report = this.#report;
    const { store } = this.#repo;
    const known = store.file(file);
    if (!known?.writer || known.sum !== sum) return false;
    // What a job writes besides its own targets no rule names anyhow.
    const target = store.job(known.writer)?.targets
      .find((one) => one.file === file);
    if (target && !target.official) return false;
    this.#repo.files.remove(file);
    store.removeFile(file);
    report.file("unlink", file);
    return true;
  }

  #tellDangling(file: string): void {
    if (this.#dangling.has(file)) return;
    this.#dangling.add(file);
    this.#report.file("dangling", file);
  }

  /** A file that cannot be had. */
  failed(file: string, text: string, causes: Failure[] = []): Outcome {
    return {
      file,
      sum: this.#repo.files.look(file).sum,
      buildable: true,
      failure: { file, text, causes },
    };
  }

  /** A file that several rules make for sure. */
  multi(file: string, makers: readonly Maker[]): Outcome {
    const names = makers.map(({ state }) => state.job.rule.name).join(", ");
    this.#report.file("multi", file, `made by ${names}`);
    return this.failed(file, `multi: several rules make it: ${names}`);
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
