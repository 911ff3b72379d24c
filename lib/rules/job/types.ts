/** Types of the job module: what a job may call. */

import type { DepState } from "../services.ts";

export type { DepState };

/** Options of {@linkcode JobModule.depend}. */
export interface DependArguments {
  /** Follows links in the last component. Default: false. */
  followSymlinks?: boolean;
  /** Builds the deps before it returns. Default: false. */
  direct?: boolean;
  /** Returns state and checksum of each. Default: false. */
  verbose?: boolean;
  /** Counts as a read now. Default: false. */
  read?: boolean;
  /** Later deps hang on what is in these. Default: false. */
  critical?: boolean;
  /** Shown in graphs. Default: false. */
  essential?: boolean;
  /** Accesses from now on do not count. Default: false. */
  ignore?: boolean;
  /** Their errors do not count. Default: false. */
  ignoreError?: boolean;
  /** They may be listed. Default: false. */
  readdirOk?: boolean;
  /** They must be buildable. Default: true unless `readdirOk` or `ignore`. */
  required?: boolean;
  /** The files are regular expressions over whole names. Default: false. */
  regexpr?: boolean;
  /** Flags by regular expression do not apply to these. Default: true. */
  noStar?: boolean;
}

/** Options of {@linkcode JobModule.target}. */
export interface TargetArguments {
  /** Follows links in the last component. Default: false. */
  followSymlinks?: boolean;
  /** Counts as a write now. Default: false. */
  write?: boolean;
  /** The files are regular expressions over whole names. Default: false. */
  regexpr?: boolean;
  /** The job may write them. Default: true. */
  allow?: boolean;
  /** Shown in graphs. Default: false. */
  essential?: boolean;
  /** Accesses from now on do not count. Default: false. */
  ignore?: boolean;
  /** They are kept before a run, and reads of them do not count. Default: false. */
  incremental?: boolean;
  /** No warning if one of another job is unlinked. Default: false. */
  noWarning?: boolean;
  /** They may be sources. Default: false. */
  sourceOk?: boolean;
  /** As a dep: later deps hang on what is in these. Default: false. */
  critical?: boolean;
  /** As a dep: errors do not count. Default: false. */
  ignoreError?: boolean;
  /** As a dep: they may be listed. Default: false. */
  readdirOk?: boolean;
  /** As a dep: they must be buildable. Default: false. */
  required?: boolean;
  /** Flags by regular expression do not apply to these. Default: true. */
  noStar?: boolean;
}

/** Options of {@linkcode JobModule.runCc}. */
export interface RunCcOptions {
  /** File that stands for its folder. Default: `...`. */
  marker?: string;
  /** Text for stdin. Default: that of the job. */
  stdin?: string;
}

/** What {@linkcode JobModule.runCc} returns. */
export interface RunCcResult {
  /** Exit code, which is 0. */
  code: number;
  /** What the command printed on stdout. */
  stdout: string;
}

/** Names of files one by one, and options after them. */
export type FilesAnd<Options> = [...files: string[], options: Options];

/** {@linkcode JobModule.depend} in its forms. */
export interface Depend {
  /** Declares deps, and tells what is known of each, by name. */
  (
    ...args: FilesAnd<DependArguments & { verbose: true }>
  ): Promise<Record<string, DepState>>;
  /** Builds deps; whether all are well. */
  (...args: FilesAnd<DependArguments & { direct: true }>): Promise<boolean>;
  /** Declares deps. */
  (...args: FilesAnd<DependArguments>): Promise<void>;
  /** Declares deps. */
  (...files: string[]): Promise<void>;
  /** Declares deps, and tells what is known of each, by name. */
  (
    files: readonly string[],
    options: DependArguments & { verbose: true },
  ): Promise<Record<string, DepState>>;
  /** Builds deps; whether all are well. */
  (
    files: readonly string[],
    options: DependArguments & { direct: true },
  ): Promise<boolean>;
  /** Declares deps. */
  (files: readonly string[], options?: DependArguments): Promise<void>;
}

/** {@linkcode JobModule.target} in its forms. */
export interface Target {
  /** Declares targets. */
  (...args: FilesAnd<TargetArguments>): Promise<void>;
  /** Declares targets. */
  (...files: string[]): Promise<void>;
  /** Declares targets. */
  (files: readonly string[], options?: TargetArguments): Promise<void>;
}

/** {@linkcode JobModule.runCc} in its forms. */
export interface RunCc {
  /** Runs a compiler. */
  (...args: FilesAnd<RunCcOptions>): Promise<RunCcResult>;
  /** Runs a compiler. */
  (...command: string[]): Promise<RunCcResult>;
}

/** A scope within which accesses are recorded, or are not. */
export interface AutodepScope extends Disposable {
  /** Whether accesses are recorded within it. */
  readonly active: boolean;
}

/** Makes scopes: `using _ = new Autodep(false);`. */
export interface AutodepConstructor {
  /** Enters a scope, which ends when the result is disposed. */
  new (active: boolean): AutodepScope;
  /** Calls a function in a scope, which ends however the function does. */
  run<Result>(
    active: boolean,
    call: () => Result | Promise<Result>,
  ): Promise<Result>;
}

/**
 * The functions for a job.
 *
 * File names are relative to the current folder. Whatever is wrong, arguments
 * included, is thrown, or rejects what the call returned.
 */
export interface JobModule {
  /** Scopes of {@linkcode JobModule.setAutodep}. */
  Autodep: AutodepConstructor;
  /** Switches the recording of accesses on or off: this process, and those it starts meanwhile. */
  setAutodep(active: boolean): void;
  /** Whether accesses are recorded. */
  getAutodep(): boolean;
  /**
   * Has all deps so far checked; the job is ended and run again if one is out
   * of date.
   *
   * @param delay Seconds until the check. Default: 0.
   * @param sync Whether to wait for it. Default: false.
   * @returns If `sync`: whether no dep is in error.
   */
  checkDeps(delay?: number, sync?: false): Promise<undefined>;
  /** The same, and waits: whether no dep is in error. */
  checkDeps(delay: number | undefined, sync: true): Promise<boolean>;
  /** The same; waits if `sync`. */
  checkDeps(delay?: number, sync?: boolean): Promise<boolean | undefined>;
  /** Declares deps as parallel to each other. */
  depend: Depend;
  /** Declares files that the job may write besides its targets. */
  target: Target;
  /**
   * Code of a value in a table, which gets a new one if it has none.
   *
   * @param val Anything but a string is converted to one.
   * @param minLength Digits that a new code has at least, 1 to 16. Default: 1.
   */
  encode(
    file: string,
    ctx: string,
    val: unknown,
    minLength?: number,
  ): Promise<string>;
  /** Value of a code in a table. */
  decode(file: string, ctx: string, code: string): Promise<string>;
  /**
   * Deps so far, in order of time.
   *
   * @param dir Only those below it.
   * @param regexpr Only those whose whole name, as returned, matches.
   */
  listDeps(dir?: string, regexpr?: string | RegExp): Promise<string[]>;
  /** Targets that exist, in order of time; as {@linkcode JobModule.listDeps}. */
  listTargets(dir?: string, regexpr?: string | RegExp): Promise<string[]>;
  /** A folder as the lists spell it. */
  listRoot(dir: string): Promise<string>;
  /** Copies targets below a folder to another one. */
  cpTargetTree(
    fromDir: string,
    toDir: string,
    regexpr?: string | RegExp,
  ): Promise<void>;
  /** Moves targets below a folder to another one. */
  mvTargetTree(
    fromDir: string,
    toDir: string,
    regexpr?: string | RegExp,
  ): Promise<void>;
  /** Removes targets below a folder. */
  rmTargetTree(dir: string, regexpr?: string | RegExp): Promise<void>;
  /**
   * Declares what the import of a module looked at.
   *
   * @param moduleName Its last component counts. Default: none, only folders.
   * @param path Folders that were searched. Default: the root of the repo.
   * @param moduleSuffixes Tried in local folders. Default: those of Deno.
   */
  reportImport(
    moduleName?: string,
    path?: readonly string[],
    moduleSuffixes?: readonly string[],
  ): Promise<void>;
  /** Runs a C compiler once the folders on its command line surely exist. */
  runCc: RunCc;
  /** Checksum of a text: 16 digits, never equal to that of a file. */
  xxhsum(text: string): Promise<string>;
  /** Checksum of a file, which becomes a dep: `none`, `empty-R`, `…-R`, `…-L`. */
  xxhsumFile(file: string): Promise<string>;
}
