/**
 * Rules as plain data: what `Lmakefile.ts` comes down to once it was read.
 * Everything here survives JSON; functions stay in the process that read it.
 */

/** Flags of a dep. */
export type DepFlag =
  | "critical"
  | "essential"
  | "ignore"
  | "ignoreError"
  | "noStar"
  | "readdirOk"
  | "required"
  | "top";

/** Flags of a target. */
export type TargetFlag =
  | "allow"
  | "essential"
  | "ignore"
  | "incremental"
  | "noWarning"
  | "optional"
  | "phony"
  | "sourceOk";

/** A target of a rule, or a pattern that gives flags to targets. */
export interface TargetSpec<Flag extends string = TargetFlag | DepFlag> {
  /** Name by which the command knows it; `target` for the one that gets stdout. */
  key: string;
  /** Name with stems in braces, such as `{F:.*}.o`. */
  pattern: string;
  /** Whether it has star stems. */
  star: boolean;
  /** Flags that are on. */
  flags: Flag[];
}

/** A dep of a rule, or a pattern that gives flags to deps. */
export interface DepSpec {
  /** Name by which the command knows it; `dep` for the one that is stdin. */
  key: string;
  /** Name with `{NAME}` for stems and targets. */
  pattern: string;
  /** Flags that are on; those of static deps are complete: `required`, mostly `essential`. */
  flags: DepFlag[];
}

/** What a job of a rule runs. */
export type CommandSpec =
  | {
    kind: "shell";
    /** Script with `{NAME}` for stems, targets, deps and resources. */
    text: string;
  }
  | {
    kind: "function";
    /** Source text of the function, as JavaScript. */
    text: string;
    /** Import statements that it needs, with absolute or bare specifiers. */
    imports: string[];
    /** Values of the rule's `vars`. */
    vars: unknown;
  };

/** Attributes that may be functions of stems, targets, deps and resources. */
export interface Attributes {
  /** Variables that are part of the command: a change runs the job again. */
  environ: Record<string, string>;
  /** Variables whose change runs a job again that was in error. */
  environResources: Record<string, string>;
  /** Variables whose change runs nothing. */
  environAncillary: Record<string, string>;
  /** What the job takes from the pools of its backend. Default: `{cpu: 1}`. */
  resources: Record<string, number | string>;
  /** The shell of a string command. Default: `["/bin/bash"]`. */
  shell: string[];
  /** Program and arguments that run a function. Default: the Deno in use. */
  interpreter: string[];
  /** How accesses are found. Default: `auto`. */
  autodep: string;
  /** Where jobs run. Default: `local`. */
  backend: string;
  /** Name of the result cache; empty: none. */
  cache: string;
  /** Level of compression in the cache, 0 to 9. */
  compression: number;
  /** Seconds until the job is killed; 0: none. */
  timeout: number;
  /** Runs at each command that needs the target. */
  force: boolean;
  /** Keeps the job's `$TMPDIR`. */
  keepTmp: boolean;
  /** Signals to end a job, one a second; 0 only waits; SIGKILL follows. */
  killSigs: number[];
  /** Ends what the job left running: its process group; if given as true, all of it. */
  killDaemons: boolean;
  /** Times a job may be started within one command. Default: 10. */
  maxSubmits: number;
  /** Times a job may be run within one command; 0: any number. */
  maxRuns: number;
  /** Times a lost job is tried again. Default: 1. */
  maxRetriesOnLost: number;
  /** Lines of stderr that are shown. Default: 100. */
  maxStderrLen: number;
  /** Seconds before a `start` line is shown. Default: 3. */
  startDelay: number;
  /** Output on stderr is no error. */
  stderrOk: boolean;
  /** Folders of the repo may be listed. */
  readdirOk: boolean;
  /** A `cd` into a folder that is not there creates it. */
  autoMkdir: boolean;
  /** Takes the root of the repo in what the job writes for an error. */
  checkAbsPaths: boolean;
  /** Writes a string command to a file instead of passing it as an argument. */
  useScript: boolean;
  /** Kinds of error that `-r` tries again, besides `err` and `timeout`; `-KIND` leaves one out. */
  retriedErrors: string[];
}

/** A rule. */
export interface RuleSpec {
  /** Unique name. */
  name: string;
  /** Makes files, says that there is no way to make them, or that they are sources. */
  kind: "plain" | "anti" | "source";
  /** Higher is tried first; `null` stands for plus infinity. Default: 0. */
  prio: number | null;
  /** Shown instead of the first target; a pattern over the stems. */
  jobName?: string;
  /** Regular expression of each stem that is defined by name. */
  stems: Record<string, string>;
  /** What its jobs make, which is also what selects it. */
  targets: TargetSpec<TargetFlag>[];
  /** Flags for files that its jobs write besides. */
  sideTargets: TargetSpec[];
  /** Static deps; `"dynamic"` if a function gives them. */
  deps: DepSpec[] | "dynamic";
  /** Flags for deps that its jobs find. */
  sideDeps: DepSpec[];
  /** What to run; absent for anti and source rules. */
  cmd?: CommandSpec;
  /** Attributes given as values; defaults are left out. */
  attributes: Partial<Attributes>;
  /** Attributes, and `deps`, that are functions; see {@linkcode Evaluator}. */
  dynamic: string[];
  /** Where it was defined, such as `Lmakefile.ts:12`. */
  place: string;
  /**
   * Folder of the sub-repo that it is from, whose root its names are seen from.
   * Absent: that of the repo.
   */
  sub?: string;
}

/** How jobs are given to Slurm. */
export interface SlurmSettings {
  /** Arguments of each `sbatch`, such as `["--partition=short"]`. */
  args?: string[];
  /** Name by which nodes know this machine, for calls of jobs that run there. */
  address?: string;
  /** Seconds between two questions about all jobs. Default: 2. */
  interval?: number;
  /** Most jobs that Slurm has at once. Default: twice the CPUs it has. */
  jobs?: number;
  /** Seconds that Slurm may be silent until waiting jobs fail. Default: 120. */
  patience?: number;
}

/** Settings of a repo: `lmake.config`, with defaults filled in. */
export interface Config {
  /** Pools of each backend: `cpu`, `mem` and `tmp` in MB, any counter. */
  backends: Record<string, Record<string, number | string>>;
  /** How jobs are given to Slurm. */
  slurm?: SlurmSettings;
  /** Sources by name; a name with a last slash is a source dir. Default: asked of `Manifest` or git. */
  sources?: string[];
  /** File that lists the sources. Default: `Manifest`. */
  manifest?: string;
  /** Folders that are repos of their own. */
  subRepos: string[];
  /** Longest name of a file. Default: 200. */
  pathMax: number;
  /** Deepest chain of static deps. Default: 100. */
  maxDepDepth: number;
  /** What becomes of reads outside the repo. Default: `package`. */
  systemDeps: "ignore" | "package" | "file";
  /** Milliseconds within which two dates may be the same. Default: 10. */
  diskDatePrecision: number;
  /** Whether the server watches the repo's files instead of looking at each. Default: false. */
  watch?: boolean;
  /** Lines in the tree of errors. Default: 100. */
  maxErrorLines: number;
  /** What lines show. */
  console: {
    /** Whether lines begin with the time of day. Default: true. */
    date: boolean;
    /** Whether lines tell how long a job took. Default: true. */
    time: boolean;
    /** Whether the host of a job is shown. Default: false. */
    host: boolean;
  };
  /** Result caches by name. */
  caches: Record<string, { dir: string; size?: string }>;
}

/** What `Lmakefile.ts` says. */
export interface Definition {
  /** The rules, in the order in which they were defined. */
  rules: RuleSpec[];
  /** Settings. */
  config: Config;
}

/** Evaluates attributes that are functions, in the process that read them. */
export interface Evaluator {
  /**
   * Calls an attribute of a rule.
   *
   * @param context Stems, targets, deps and resources by name, as the
   *   function gets them.
   * @returns Its value, normalised as in {@linkcode RuleSpec} but final: braces
   *   in it are braces (`deps` is `DepSpec[]` with names as patterns). Absolute
   *   names of the files read meanwhile, and variables of the caller's
   *   environment that were not asked for before.
   */
  evaluate(
    rule: string,
    attribute: string,
    context: Record<string, unknown>,
  ): Promise<
    {
      value: unknown;
      files: string[];
      environ: Record<string, string | null>;
    }
  >;
  /** Ends the process. */
  close(): Promise<void>;
}
