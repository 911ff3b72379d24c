/** Rules and bases of rules that many repos need. */

import { ClibsError } from "../../errors.ts";
import { isPlainObject } from "./check.ts";
import type { WithFlags } from "./infer.ts";
import { callerPlace, showPlace } from "./place.ts";
import { rule } from "./rules.ts";
import { session } from "./session.ts";
import type {
  DepFlagInput,
  DepTable,
  None,
  ResourceTable,
  Rule,
  RuleInput,
  StemTable,
  TargetFlagInput,
  TargetTable,
} from "./types.ts";

/** Options of {@linkcode dirRule}. */
export interface DirRuleInput {
  /** Unique name. Default: `DirRule`. */
  name?: string;
  /** File that stands for its folder. Default: `...`. */
  marker?: string;
}

/**
 * Defines a rule that makes `DIR/...`, an empty file, for any folder: who
 * depends on it is sure that the folder exists. `runCc` does so for the
 * folders in which a compiler looks for headers and libraries.
 */
export function dirRule(input: DirRuleInput = {}): Rule {
  const { name = "DirRule", marker = "...", ...unknown } = input;
  const literal = String(marker).replace(/[{}]/g, "$&$&");
  return rule({ ...unknown, name, target: `{Dir:.+}/${literal}`, cmd: "" });
}

/** Options of {@linkcode aliasRule}. */
export interface AliasRuleInput {
  /** Unique name. */
  name: string;
  /** Name to ask for. Default: `name`. */
  target?: string;
  /** What is made then: names, or names by key. */
  deps: readonly WithFlags<DepFlagInput>[] | DepTable;
  /** Regular expression of each stem that `target` uses by name. */
  stems?: StemTable;
  /** Higher is tried first. Default: 0. */
  prio?: number;
}

/**
 * Defines a name for a group of files: `clibs make NAME` makes them all. No
 * file of that name is written.
 */
export function aliasRule(input: AliasRuleInput): Rule {
  const { target, deps, ...rest } = { ...input };
  return rule({
    ...rest,
    targets: { ALIAS: [target ?? input.name, "phony"] },
    deps: Array.isArray(deps)
      ? Object.fromEntries(deps.map((dep, index) => [`DEP${index}`, dep]))
      : deps as DepTable,
    cmd: "",
  });
}

/**
 * Defines a rule, as {@linkcode rule} does, whose `$HOME` is the empty folder
 * of each run: what tools keep in the home folder is neither seen nor left.
 */
export function homelessRule<
  const Targets extends TargetTable = None,
  const Target extends WithFlags<TargetFlagInput> = never,
  const Deps extends DepTable = None,
  const Dep extends WithFlags<DepFlagInput> = never,
  const Resources extends ResourceTable = { readonly cpu: number },
  Vars = undefined,
>(
  input: RuleInput<StemTable, Targets, Target, Deps, Dep, Resources, Vars>,
): Rule {
  const environ = input?.environ;
  const HOME = "$TMPDIR";
  return rule({
    ...input,
    environ: typeof environ === "function"
      ? async (j) => ({ HOME, ...await environ(j) })
      : environ === undefined || isPlainObject(environ)
      ? { HOME, ...environ }
      : environ,
  });
}

/**
 * Defines a rule, as {@linkcode rule} does, whose script is traced: each
 * command is written to the log of the job before it runs.
 */
export function traceRule<
  const Targets extends TargetTable = None,
  const Target extends WithFlags<TargetFlagInput> = never,
  const Deps extends DepTable = None,
  const Dep extends WithFlags<DepFlagInput> = never,
  const Resources extends ResourceTable = { readonly cpu: number },
  Vars = undefined,
>(
  input: RuleInput<StemTable, Targets, Target, Deps, Dep, Resources, Vars>,
): Rule {
  const cmd: unknown = input?.cmd;
  if (typeof cmd === "function") {
    const place = callerPlace();
    throw new ClibsError(
      "CLIBS_LMAKE_RULE",
      `Cannot define the rule ${input.name}: traceRule() traces scripts, and cmd is a function`,
      {
        facts: place && { at: showPlace(place, session().root) },
        hint: "use rule(), and console.log() in the function",
      },
    );
  }
  if (typeof cmd !== "string") return rule(input);
  // Where stdout is a target, stderr is the only log there is.
  if (input.target !== undefined) {
    return rule({ ...input, stderrOk: true, cmd: `set -x\n${cmd}` });
  }
  return rule({ ...input, cmd: `exec 7>&1\nBASH_XTRACEFD=7\nset -x\n${cmd}` });
}
