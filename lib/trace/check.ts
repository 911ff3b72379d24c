/** Says whether a saved trace still holds. */

import { type Checksums, loadChecksums, NO_FILE } from "../host/checksum.ts";
import { stampText } from "../host/statx.ts";
import {
  envDigest,
  type Fact,
  factOf,
  isFolderThere,
  isKernels,
  listDigest,
  look,
} from "./facts.ts";
import type { Trace } from "./trace.ts";

/** A fact that is no longer so. */
export interface BrokenFact {
  /** What the fact is about. */
  kind:
    | "dep"
    | "absent"
    | "target"
    | "removed"
    | "folder"
    | "listed"
    | "env"
    | "unstable";
  /** Path, or name of the variable. */
  name: string;
  /** What it was. */
  was: string;
  /** What it is. */
  now: string;
}

/** Whether a trace holds. */
export interface CheckReport {
  /** Whether the command would find everything as it found or left it. */
  holds: boolean;
  /** The first fact that does not hold. */
  broken?: BrokenFact;
  /** How many facts were looked at. */
  checked: number;
  /** How many files had to be read again. */
  reread: number;
}

/**
 * Looks at every fact of a trace until one does not hold.
 *
 * A file whose size, times, mode and inode are as they were is not read.
 */
export async function checkTrace(
  trace: Trace,
  env: (name: string) => string | undefined,
): Promise<CheckReport> {
  const checking = new Checking(trace, env, await loadChecksums());
  for (const broken of checking.brokenFacts()) {
    if (broken) return { holds: false, broken, ...checking.counts };
  }
  return { holds: true, ...checking.counts };
}

class Checking {
  readonly counts = { checked: 0, reread: 0 };
  readonly #trace: Trace;
  readonly #env: (name: string) => string | undefined;
  readonly #checksums: Checksums;

  constructor(
    trace: Trace,
    env: (name: string) => string | undefined,
    checksums: Checksums,
  ) {
    this.#trace = trace;
    this.#env = env;
    this.#checksums = checksums;
  }

  /** One item for each fact, in order; undefined if it holds. */
  *brokenFacts(): Generator<BrokenFact | undefined> {
    const trace = this.#trace;
    for (const name of trace.unstable) {
      yield {
        kind: "unstable",
        name,
        was: "one thing when it was read",
        now: "another: it changed during the run",
      };
    }
    for (const fact of trace.deps) yield this.#compare("dep", fact);
    for (const path of trace.absent) yield this.#isGone("absent", path);
    for (const path of trace.folders) yield this.#isFolder(path);
    for (const fact of trace.targets) yield this.#compare("target", fact);
    for (const path of trace.removed) yield this.#isGone("removed", path);
    const targets = new Set(trace.targets.map(({ path }) => path));
    for (const fact of trace.listed) yield this.#isListed(fact, targets);
    for (const [name, digest] of Object.entries(trace.env)) {
      this.counts.checked++;
      const now = envDigest(this.#env(name));
      yield now === digest
        ? undefined
        : broken("env", name, digest ?? "not set", now ?? "not set");
    }
  }

  #compare(kind: "dep" | "target", fact: Fact): BrokenFact | undefined {
    const { path, digest } = fact;
    if (isKernels(path)) return undefined;
    this.counts.checked++;
    const stat = look(path);
    if (isFolderThere(stat)) return broken(kind, path, digest, "folder");
    if (typeof stat === "object") {
      if (fact.stamp === stampText(stat)) return undefined;
      this.counts.reread++;
    }
    const now = factOf(path, stat, this.#checksums).digest;
    return now === digest ? undefined : broken(kind, path, digest, now);
  }

  #isGone(kind: "absent" | "removed", path: string): BrokenFact | undefined {
    if (isKernels(path)) return undefined;
    this.counts.checked++;
    // To the command, what may not be looked at is as good as absent.
    return typeof look(path) === "object"
      ? broken(kind, path, NO_FILE, "present")
      : undefined;
  }

  #isFolder(path: string): BrokenFact | undefined {
    if (isKernels(path)) return undefined;
    this.counts.checked++;
    const stat = look(path);
    if (isFolderThere(stat)) return undefined;
    return broken("folder", path, "folder", stat ? "file" : NO_FILE);
  }

  #isListed(fact: Fact, targets: ReadonlySet<string>): BrokenFact | undefined {
    const { path, digest } = fact;
    if (isKernels(path)) return undefined;
    this.counts.checked++;
    const now = listDigest(path, targets) ?? NO_FILE;
    return now === digest ? undefined : broken("listed", path, digest, now);
  }
}

function broken(
  kind: BrokenFact["kind"],
  name: string,
  was: string,
  now: string,
): BrokenFact {
  return { kind, name, was, now };
}
