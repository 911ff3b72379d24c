/** What rules look like in `Lmakefile.ts`. */

import type { Attributes } from "../model.ts";
import type { NameOf, Show, StaticStems, WithFlags } from "./infer.ts";
import type { JobModule } from "../job/types.ts";

/** Flags of a target, as {@linkcode RuleInput.targets} takes them. */
export type TargetFlagInput =
  | "essential"
  | "ignore"
  | "incremental"
  | "noWarning"
  | "optional"
  | "phony"
  | "sourceOk";

/** Flags of side targets; those of deps count if such a file is read. */
export type SideTargetFlagInput =
  | Exclude<TargetFlagInput, "optional" | "phony">
  | Exclude<DepFlagInput, "top">
  | "allow";

/** Flags of a static dep. */
export type DepFlagInput =
  | "critical"
  | "essential"
  | "ignoreError"
  | "readdirOk"
  | "required"
  | "top";

/** Flags of side deps. */
export type SideDepFlagInput = DepFlagInput | "ignore";

/** Regular expressions of stems, by name. */
export type StemTable = Readonly<Record<string, string | RegExp>>;
/** Targets by name. */
export type TargetTable = Readonly<Record<string, WithFlags<TargetFlagInput>>>;
/** Deps by name. */
export type DepTable = Readonly<Record<string, WithFlags<DepFlagInput>>>;
/** Resources by name. */
export type ResourceTable = Readonly<Record<string, number | string>>;

/** No names at all. */
export type None = Readonly<Record<never, never>>;

/** Stems and targets by name, as functions that give deps get them. */
export type Names<Targets, Target, Vars> = Show<
  & { readonly [Key in StaticStems<Targets[keyof Targets] | Target>]: string }
  & { readonly [Key in keyof Targets]: NameOf<Targets[Key]> }
  & ([Target] extends [never] ? unknown : {
    /** The target that gets what is written to stdout. */
    readonly target: string;
  })
  & {
    /** The rule's `vars`. */
    readonly vars: Vars;
  }
>;

/** Stems, targets and deps by name. */
export type NamesAndDeps<Targets, Target, Deps, Dep, Vars> = Show<
  & Names<Targets, Target, Vars>
  & { readonly [Key in keyof Deps]: string }
  & ([Dep] extends [never] ? unknown : {
    /** The dep that is stdin. */
    readonly dep: string;
  })
>;

/** What a `cmd` function gets. */
export type Job<Targets, Target, Deps, Dep, Resources, Vars> = Show<
  & NamesAndDeps<Targets, Target, Deps, Dep, Vars>
  & {
    readonly [Key in keyof Resources]: Resources[Key] extends number ? number
      : string;
  }
  & {
    /** The job module: `depend`, `target`, `runCc`, … */
    readonly lmake: JobModule;
  }
>;

/** A value, or a function that gives it for each job. */
export type Dynamic<Value, Given> =
  | Value
  | ((j: Given) => Value | Promise<Value>);

/** Attributes that are the same for all jobs of a rule. */
export type FixedAttributes = Partial<
  Omit<
    Attributes,
    DynamicAttribute | "interpreter" | "killSigs" | "retriedErrors"
  >
>;

/** Attributes that may be functions. */
export type DynamicAttribute =
  | "autodep"
  | "backend"
  | "environ"
  | "environAncillary"
  | "environResources"
  | "resources"
  | "shell"
  | "timeout";

/** Methods that find what a job reads and writes. */
export type AutodepMethod =
  | "auto"
  | "ld_preload"
  | "none"
  | "ptrace"
  | (string & Record<never, never>);

/** Where jobs run. */
export type BackendName = "local" | "slurm" | (string & Record<never, never>);

/** Attributes of {@linkcode rule}. */
export interface RuleInput<
  Stems extends StemTable,
  Targets extends TargetTable,
  Target extends WithFlags<TargetFlagInput>,
  Deps extends DepTable,
  Dep extends WithFlags<DepFlagInput>,
  Resources extends ResourceTable,
  Vars,
> extends FixedAttributes {
  /** Unique name. */
  name: string;
  /** What a job is called in messages; `{STEM}` and the like are filled in. Default: its first target. */
  jobName?: string;
  /** Regular expression of each stem that patterns use by name. */
  stems?: Stems;
  /** Files that the command writes: patterns by name, with flags after them. */
  targets?: Targets;
  /** A target that gets what the command writes to stdout. */
  target?: Target;
  /** Flags for files that the command writes besides; these select no rule. */
  sideTargets?: Readonly<Record<string, WithFlags<SideTargetFlagInput>>>;
  /** Files that must be there before a job starts, or a function that names them. */
  deps?: Dynamic<Deps, Names<Targets, Target, Vars>>;
  /** A dep that is stdin of the command. */
  dep?: Dynamic<Dep, Names<Targets, Target, Vars>>;
  /** Flags for files that the command is found to read. */
  sideDeps?: Readonly<Record<string, WithFlags<SideDepFlagInput>>>;
  /** Higher is tried first. Default: 0. */
  prio?: number;
  /** Values for the command, as `j.vars`; a change runs the jobs again. */
  vars?: Vars;
  /** What a job takes from the pools of its backend. Default: `{ cpu: 1 }`. */
  resources?: Dynamic<
    Resources,
    NamesAndDeps<Targets, Target, Deps, Dep, Vars>
  >;
  /** Variables that belong to the command: a change runs the jobs again. */
  environ?: Dynamic<
    Readonly<Record<string, string>>,
    Job<Targets, Target, Deps, Dep, Resources, Vars>
  >;
  /** Variables whose change runs the jobs again that were in error. */
  environResources?: Dynamic<
    Readonly<Record<string, string>>,
    Job<Targets, Target, Deps, Dep, Resources, Vars>
  >;
  /** Variables whose change runs nothing. */
  environAncillary?: Dynamic<
    Readonly<Record<string, string>>,
    Job<Targets, Target, Deps, Dep, Resources, Vars>
  >;
  /** Shell of a string command, with arguments. Default: `/bin/bash`. */
  shell?: Dynamic<
    string | readonly string[],
    Job<Targets, Target, Deps, Dep, Resources, Vars>
  >;
  /** Program and arguments that run a function. Default: the Deno in use. */
  interpreter?: string | readonly string[];
  /** Seconds until the job is killed; 0: none. */
  timeout?: Dynamic<
    number,
    Job<Targets, Target, Deps, Dep, Resources, Vars>
  >;
  /** How accesses are found. Default: `auto`. */
  autodep?: Dynamic<
    AutodepMethod,
    Job<Targets, Target, Deps, Dep, Resources, Vars>
  >;
  /** Where jobs run. Default: `local`. */
  backend?: Dynamic<
    BackendName,
    Job<Targets, Target, Deps, Dep, Resources, Vars>
  >;
  /** Signals to end a job, one a second; 0 only waits; SIGKILL follows. */
  killSigs?: readonly number[];
  /** Kinds of error that `-r` tries again besides `job_error` and `timeout`; `-KIND` leaves one out. */
  retriedErrors?: readonly string[];
  /** What to run: a script with `{NAME}` filled in, or a function. */
  cmd:
    | string
    | ((j: Job<Targets, Target, Deps, Dep, Resources, Vars>) => unknown);
}

/** Attributes of {@linkcode antiRule} and {@linkcode sourceRule}. */
export interface PatternRuleInput {
  /** Unique name. Default: the kind of the rule and its first pattern. */
  name?: string;
  /** Regular expression of each stem that patterns use by name. */
  stems?: StemTable;
  /** The pattern. */
  target?: string;
  /** Patterns by name. */
  targets?: Readonly<Record<string, string>>;
  /** Higher is tried first. Default: plus infinity. */
  prio?: number;
}

/** Something that became a rule. */
export interface Rule {
  /** Its name. */
  readonly name: string;
}
