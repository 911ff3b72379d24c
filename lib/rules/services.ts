/**
 * What a running job may ask of its runner. The functions of the job module,
 * and the programs `ldepend`, `ltarget`, …, all come down to these calls.
 */

import type { DepFlag, TargetFlag } from "./model.ts";

/** Options of {@linkcode JobServices.depend}. */
export interface DependOptions {
  /** Flags that are on for these files. `required` unless said otherwise. */
  flags: DepFlag[];
  /** Counts as a read now. */
  read?: boolean;
  /** Follows links in the last component. */
  followSymlinks?: boolean;
  /** Builds them before it returns. */
  direct?: boolean;
  /** Tells state and checksum of each. */
  verbose?: boolean;
  /** The files are regular expressions over whole names. */
  regexpr?: boolean;
}

/** What is known of a dep. */
export interface DepState {
  /** False: in error. Absent: outside the repo, or not built yet. */
  ok?: boolean;
  /** As {@linkcode JobServices.xxhsumFile}. */
  checksum?: string;
}

/** Options of {@linkcode JobServices.target}. */
export interface TargetOptions {
  /** Flags that are on; `allow` among them unless it was turned off. */
  flags: (TargetFlag | DepFlag)[];
  /** Counts as a write now. */
  write?: boolean;
  /** Follows links in the last component. */
  followSymlinks?: boolean;
  /** The files are regular expressions over whole names. */
  regexpr?: boolean;
}

/**
 * The runner's side of one job. `cwd` is the caller's, absolute; file names
 * are relative to it or absolute.
 *
 * Arguments were checked by the caller as to types and combinations; what
 * depends on the repo (a table that is no source, …) is refused here with a
 * ClibsError.
 */
export interface JobServices {
  /** Declares deps; answers with states in the order of `files` if `verbose`, or one `{ok}` if `direct`. */
  depend(
    cwd: string,
    files: string[],
    options: DependOptions,
  ): Promise<DepState[]>;
  /** Declares targets. */
  target(cwd: string, files: string[], options: TargetOptions): Promise<void>;
  /**
   * Has all deps so far checked. Answers at once unless `sync`; a job with
   * deps that are out of date is killed and gets no answer.
   *
   * @param delay Seconds to wait before the check.
   */
  checkDeps(delay: number, sync: boolean): Promise<boolean>;
  /** Deps so far in order of time; relative to `cwd` if that is in the repo. */
  listDeps(cwd: string, dir?: string, regexpr?: string): Promise<string[]>;
  /** Targets that exist, in order of time. */
  listTargets(cwd: string, dir?: string, regexpr?: string): Promise<string[]>;
  /** A folder as {@linkcode listDeps} spells it, `.` for `cwd`. */
  listRoot(cwd: string, dir: string): Promise<string>;
  /** Code of a value in a table, new if need be. */
  encode(
    cwd: string,
    table: string,
    context: string,
    value: string,
    minLength: number,
  ): Promise<string>;
  /** Value of a code in a table. */
  decode(
    cwd: string,
    table: string,
    context: string,
    code: string,
  ): Promise<string>;
  /** Checksum of a text, or of its bytes as UTF-8: 16 lower-case hex digits. */
  xxhsum(text: string | Uint8Array): Promise<string>;
  /** Checksum of a file, which becomes a dep: `none`, `empty-R`, `…-R`, `…-L`. */
  xxhsumFile(cwd: string, file: string): Promise<string>;
}
