/** What is asked of git, and what comes back. */

import type { Feedback } from "../../feedback/bus.ts";

/** Asks for the sources at one ref of a repository. */
export interface GitRequest {
  /** Name of the package, for messages. */
  what: string;
  /** Where the ref is written, as `bdwgc/pkg.yaml:6`; for messages. */
  asked?: string;
  /** https, http, ssh, git or file URL, scp-like address or absolute path. */
  repo: string;
  /** Branch, tag, or commit id, full or abbreviated. */
  ref: string;
  /** Exactly this commit, whatever `ref` stands for now. */
  commit?: string;
  /** Whether submodules are fetched too. */
  submodules: boolean;
  /** Empty or absent folder for the work tree, which gets no `.git`. */
  into: string;
  /** Folder of the cache; bare repositories are below `git-v1`. */
  cache: string;
  /** Uses the cache only. Default: false. */
  offline?: boolean;
  /** Gives up after so many milliseconds without progress. Default: 60,000. */
  stallMs?: number;
  /** Interrupts the work. */
  signal?: AbortSignal;
  /** Where progress and warnings go. Default: nowhere. */
  feedback?: Feedback;
}

/** What a ref is. */
export type GitRefKind = "branch" | "tag" | "commit";

/** A submodule that was checked out. */
export interface GitSubmodule {
  /** Path below the work tree. */
  path: string;
  /** Its commit id. */
  commit: string;
  /** Its address, without user and password. */
  url: string;
}

/** What was checked out. */
export interface GitResult {
  /** Commit id: 40 or 64 lower-case hex digits. */
  commit: string;
  /** The ref, as asked. */
  ref: string;
  /** What the ref is; "commit" as well when a locked commit spared the look. */
  refKind: GitRefKind;
  /** All submodules, also nested ones, in the order of their checkout. */
  submodules: GitSubmodule[];
}
