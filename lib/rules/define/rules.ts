/** The functions by which `Lmakefile.ts` defines rules. */

import { ClibsError } from "../../errors.ts";
import { BadValue, isPlainObject } from "./check.ts";
import type { WithFlags } from "./infer.ts";
import { readPatternRule, readRule } from "./normalize.ts";
import { callerPlace, showPlace } from "./place.ts";
import { checked, type Subject } from "./report.ts";
import { type DefinedRule, session } from "./session.ts";
import type { Attribute } from "./targets.ts";
import type {
  DepFlagInput,
  DepTable,
  None,
  PatternRuleInput,
  ResourceTable,
  Rule,
  RuleInput,
  StemTable,
  TargetFlagInput,
  TargetTable,
} from "./types.ts";

/**
 * Defines a rule: how files whose names match its targets are made.
 *
 * @throws {ClibsError} If something is wrong with it, with the line.
 */
export function rule<
  const Targets extends TargetTable = None,
  const Target extends WithFlags<TargetFlagInput> = never,
  const Deps extends DepTable = None,
  const Dep extends WithFlags<DepFlagInput> = never,
  const Resources extends ResourceTable = { readonly cpu: number },
  Vars = undefined,
>(
  input: RuleInput<StemTable, Targets, Target, Deps, Dep, Resources, Vars>,
): Rule {
  return define("rule", input, readRule);
}

/**
 * Says that files whose names match its targets cannot be made, before any
 * plain rule is asked.
 *
 * @throws {ClibsError} If something is wrong with it, with the line.
 */
export function antiRule(input: PatternRuleInput): Rule {
  return define(
    "antiRule",
    withName("AntiRule", input),
    (given, ...rest) => readPatternRule("anti", given, ...rest),
  );
}

/**
 * Says that files whose names match its targets are sources, which must be
 * there.
 *
 * @throws {ClibsError} If something is wrong with it, with the line.
 */
export function sourceRule(input: PatternRuleInput): Rule {
  return define(
    "sourceRule",
    withName("SourceRule", input),
    (given, ...rest) => readPatternRule("source", given, ...rest),
  );
}

function withName(
  kind: string,
  input: PatternRuleInput,
): Record<string, unknown> {
  const { name, target, targets } = { ...input };
  if (name !== undefined) return { ...input };
  const pattern = target ?? Object.values(targets ?? {})[0];
  return {
    ...input,
    name: pattern === undefined ? kind : `${kind} ${pattern}`,
  };
}

function define(
  called: string,
  input: unknown,
  read: (
    input: Record<string, unknown>,
    place: string,
    attribute: Attribute,
  ) => DefinedRule,
): Rule {
  const { root, rules } = session();
  const place = callerPlace();
  const shown = place ? showPlace(place, root) : "unknown";
  const name = isPlainObject(input) ? input.name : undefined;
  const subject: Subject = {
    what: typeof name === "string" && name !== ""
      ? `the rule ${name}`
      : "a rule",
    code: "CLIBS_LMAKE_RULE",
    place,
  };
  const attribute: Attribute = (attribute, check) =>
    checked("define", subject, attribute, check);
  const defined = checked("define", subject, undefined, () => {
    if (isPlainObject(input)) return read(input, shown, attribute);
    throw new BadValue(
      "is not given as one object with its attributes",
      `write ${called}({ name: "...", ... })`,
    );
  });
  const before = rules.get(defined.spec.name);
  if (before) {
    throw new ClibsError(
      "CLIBS_LMAKE_RULE",
      `Cannot define ${subject.what}: there is one of that name`,
      {
        facts: { first: before.spec.place, at: shown },
        hint: "give one of them another name",
      },
    );
  }
  rules.set(defined.spec.name, { ...defined, file: place?.file });
  return { name: defined.spec.name };
}
