/** From what `rule()` was given to plain data. */

import type { Attributes, RuleSpec } from "../model.ts";
import { compilePattern } from "../pattern.ts";
import {
  ATTRIBUTES,
  DYNAMIC_ATTRIBUTES,
  PATTERN_RULE_KEYS,
  RULE_KEYS,
  TEMPLATE_ATTRIBUTES,
} from "./attributes.ts";
import {
  BadValue,
  describe,
  expected,
  refuseUnknownKeys,
  someText,
  within,
} from "./check.ts";
import { type Evaluate, readDeps } from "./deps.ts";
import { readCommand } from "./functions.ts";
import { checkKey, NameTable } from "./names.ts";
import type { DefinedRule } from "./session.ts";
import {
  type Attribute,
  checkPatterns,
  readSideDeps,
  readSideTargets,
  readStems,
  readTargets,
} from "./targets.ts";

/**
 * Reads a rule.
 *
 * @param input What `rule()` was given.
 * @param place Where, as {@linkcode RuleSpec.place}.
 * @param attribute Wraps the check of each attribute.
 */
export function readRule(
  input: Record<string, unknown>,
  place: string,
  attribute: Attribute,
): DefinedRule {
  refuseUnknownKeys(input, RULE_KEYS, "attribute");
  const name = attribute("name", () => someText(input.name));
  const defined = attribute("stems", () => readStems(input.stems));
  const targets = someTargets(input, attribute);
  const sideTargets = readSideTargets(input.sideTargets, attribute);
  const sideDeps = readSideDeps(input.sideDeps, attribute);
  const { stems, statics } = checkPatterns(
    defined,
    [
      { place: "targets", patterns: targets },
      { place: "sideTargets", patterns: sideTargets },
      { place: "sideDeps", patterns: sideDeps },
    ],
    attribute,
    true,
  );
  const names = new NameTable();
  for (const stem of statics) names.add("stem", stem);
  for (const { key, star } of targets) names.add("target", key, star);
  const jobName = input.jobName === undefined
    ? {}
    : { jobName: readJobName(input.jobName, names, attribute) };

  const functions: Record<string, Evaluate> = {};
  const deps = readDeps(input, names, attribute);
  if (typeof deps === "function") functions.deps = deps;
  const attributes = readAttributes(input, names, functions, attribute);
  if (input.vars !== undefined && typeof input.cmd === "string") {
    throw new BadValue(
      "has vars, which only functions get, and a string as cmd",
      "write the values into cmd, which may be a template literal of TypeScript",
    );
  }
  const cmd = readCommand(input.cmd, input.vars, attribute);
  if (cmd.kind === "shell") attribute("cmd", () => names.check(cmd.text));
  const spec: RuleSpec = {
    name,
    kind: "plain",
    prio: attribute("prio", () => readPriority(input.prio, 0)),
    ...jobName,
    stems,
    targets,
    sideTargets,
    deps: typeof deps === "function" ? "dynamic" : deps,
    sideDeps,
    cmd,
    attributes,
    dynamic: Object.keys(functions),
    place,
  };
  const stars = targets.filter(({ star }) => star).map(({ key, pattern }) => ({
    key,
    pattern: compilePattern(pattern, stems),
  }));
  return { spec, functions, stars, vars: input.vars };
}

/** Reads an anti or a source rule, whose patterns have nothing to agree on. */
export function readPatternRule(
  kind: "anti" | "source",
  input: Record<string, unknown>,
  place: string,
  attribute: Attribute,
): DefinedRule {
  refuseUnknownKeys(input, PATTERN_RULE_KEYS, "attribute");
  const name = attribute("name", () => someText(input.name));
  const defined = attribute("stems", () => readStems(input.stems));
  const targets = someTargets(input, attribute);
  const { stems } = checkPatterns(
    defined,
    [{ place: "targets", patterns: targets }],
    attribute,
    false,
  );
  const spec: RuleSpec = {
    name,
    kind,
    prio: attribute("prio", () => readPriority(input.prio, null)),
    stems,
    targets,
    sideTargets: [],
    deps: [],
    sideDeps: [],
    attributes: {},
    dynamic: [],
    place,
  };
  return { spec, functions: {}, stars: [], vars: undefined };
}

function someTargets(
  input: Record<string, unknown>,
  attribute: Attribute,
): ReturnType<typeof readTargets> {
  const targets = readTargets(input, attribute);
  if (targets.length > 0) return targets;
  throw new BadValue(
    "has no target",
    'give target: "NAME", or targets: { KEY: "NAME" }',
  );
}

function readJobName(
  value: unknown,
  names: NameTable,
  attribute: Attribute,
): string {
  return attribute("jobName", () => {
    const template = someText(value);
    names.check(template);
    return template;
  });
}

/** A priority; null is plus infinity, for which JSON has no word. */
function readPriority(value: unknown, byDefault: number | null): number | null {
  if (value === undefined) return byDefault;
  if (value === Infinity) return null;
  if (typeof value === "number" && value > -Infinity) return value;
  throw expected("a number", value);
}

/** Reads the attributes that are in {@linkcode ATTRIBUTES}. */
function readAttributes(
  input: Record<string, unknown>,
  names: NameTable,
  functions: Record<string, Evaluate>,
  attribute: Attribute,
): Partial<Attributes> {
  const attributes: Partial<Attributes> = {};
  const keys = Object.keys(ATTRIBUTES) as (keyof Attributes)[];
  // First, as the others may use the names of resources.
  const ordered = [
    "resources" as const,
    ...keys.filter((k) => k !== "resources"),
  ];
  for (const key of ordered) {
    const value = input[key];
    if (value !== undefined) {
      attribute(key, () => {
        if (typeof value === "function") {
          functions[key] = evaluator(key, value as Evaluate);
        } else setAttribute(attributes, key, value, names);
      });
    }
    if (key === "resources") attribute(key, () => addResources(value, names));
  }
  return attributes;
}

function setAttribute<Key extends keyof Attributes>(
  attributes: Partial<Attributes>,
  key: Key,
  value: unknown,
  names: NameTable,
): void {
  const checked = ATTRIBUTES[key](value);
  attributes[key] = checked as Attributes[Key];
  if (!TEMPLATE_ATTRIBUTES.includes(key)) return;
  for (const [name, one] of Object.entries(checked)) {
    within(`.${name}`, () => {
      if (typeof one === "string") names.check(one);
    });
  }
}

function addResources(value: unknown, names: NameTable): void {
  if (typeof value === "function") {
    names.isOpen = true;
    return;
  }
  for (const name of Object.keys(value ?? { cpu: 1 })) {
    checkKey("resource", name);
    names.add("resource", name);
  }
}

function evaluator(key: keyof Attributes, call: Evaluate): Evaluate {
  if (!DYNAMIC_ATTRIBUTES.includes(key)) {
    throw new BadValue(
      `must be a value, not ${describe(call)}`,
      `functions may be: deps dep ${DYNAMIC_ATTRIBUTES.join(" ")}`,
    );
  }
  return async (j) => ATTRIBUTES[key](await call(j));
}
