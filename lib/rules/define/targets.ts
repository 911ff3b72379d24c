/** Reads stems, targets, and patterns that give flags. */

import { nearest } from "../../nearest.ts";
import type { DepFlag, DepSpec, TargetFlag, TargetSpec } from "../model.ts";
import { compilePattern } from "../pattern.ts";
import { parsePattern } from "../pattern_parse.ts";
import { BadValue, describe, plainObject } from "./check.ts";
import { type FlagPlace, readFlagged } from "./flags.ts";
import { checkKey } from "./names.ts";

/** Runs a check of one attribute; its failure names the attribute. */
export type Attribute = <Value>(name: string, check: () => Value) => Value;

/** Patterns of a rule, all of the same kind. */
export interface PatternGroup {
  /** The attribute they come from. */
  place: FlagPlace;
  /** The patterns. */
  patterns: readonly { key: string; pattern: string }[];
}

/** What the patterns of a rule have in common. */
export interface StemSummary {
  /** Regular expression of each stem that has a name. */
  stems: Record<string, string>;
  /** Static stems that have names. */
  statics: string[];
}

/** Reads the attribute `stems`. */
export function readStems(value: unknown): Record<string, string> {
  if (value === undefined) return {};
  const stems: Record<string, string> = {};
  for (const [name, regex] of Object.entries(plainObject(value))) {
    checkKey("stem", name);
    if (typeof regex === "string") stems[name] = regex;
    else if (regex instanceof RegExp) {
      const flags = regex.flags.replace(/[dgsuvy]/g, "");
      if (flags !== "") {
        throw new BadValue(
          `has the flag ${flags} on the regular expression of ${name}`,
          `flags of single stems have no effect; write (?${flags}:...) in it`,
        );
      }
      stems[name] = regex.source;
    } else {
      throw new BadValue(
        `must give ${name} a regular expression, not ${describe(regex)}`,
      );
    }
  }
  return stems;
}

/** Reads `target` and `targets`. */
export function readTargets(
  input: Record<string, unknown>,
  attribute: Attribute,
): TargetSpec<TargetFlag>[] {
  const targets: TargetSpec<TargetFlag>[] = [];
  if (input.target !== undefined) {
    attribute("target", () => {
      const one = readTarget<TargetFlag>("targets", "target", input.target);
      if (one.star) {
        throw new BadValue(
          "has star stems, and is one file that gets stdout",
          'use targets: { KEY: "..." } and write to the files',
        );
      }
      targets.push(one);
    });
  }
  const rest = attribute("targets", () => plainObject(input.targets ?? {}));
  for (const [key, value] of Object.entries(rest)) {
    attribute(`targets.${key}`, () => {
      checkKey("target", key);
      targets.push(readTarget("targets", key, value));
    });
  }
  return targets;
}

/** Reads `sideTargets`. */
export function readSideTargets(
  value: unknown,
  attribute: Attribute,
): TargetSpec[] {
  const table = attribute("sideTargets", () => plainObject(value ?? {}));
  return Object.entries(table).map(([key, one]) =>
    attribute(`sideTargets.${key}`, () => readTarget("sideTargets", key, one))
  );
}

/** Reads `sideDeps`. */
export function readSideDeps(value: unknown, attribute: Attribute): DepSpec[] {
  const table = attribute("sideDeps", () => plainObject(value ?? {}));
  return Object.entries(table).map(([key, one]) =>
    attribute(`sideDeps.${key}`, () => ({
      key,
      ...readFlagged<DepFlag>("sideDeps", one),
    }))
  );
}

function readTarget<Flag extends string>(
  place: FlagPlace,
  key: string,
  value: unknown,
): TargetSpec<Flag> {
  const { pattern, flags } = readFlagged<Flag>(place, value);
  const star = parsePattern(pattern).some((part) =>
    part.kind === "stem" && part.star
  );
  return { key, pattern, star, flags };
}

/**
 * Checks the patterns of a rule, each and all together.
 *
 * @param defined What `stems` says.
 * @param mustAgree Whether jobs come of them, which all stems must identify.
 */
export function checkPatterns(
  defined: Readonly<Record<string, string>>,
  groups: readonly PatternGroup[],
  attribute: Attribute,
  mustAgree: boolean,
): StemSummary {
  const stems = { ...defined };
  const all = groups.flatMap(({ place, patterns }) =>
    patterns.map(({ key, pattern }) => ({
      place,
      pattern,
      name: key === "target" && place === "targets"
        ? "target"
        : `${place}.${key}`,
    }))
  );
  for (const { name, pattern } of all) {
    attribute(name, () => addDefinitions(pattern, stems));
  }
  let first: { name: string; stems: readonly string[] } | undefined;
  const kinds = new Map<string, { star: boolean; name: string }>();
  for (const { name, place, pattern } of all) {
    attribute(name, () => {
      const compiled = compilePattern(pattern, stems, {
        outside: place === "sideDeps",
      });
      if (!mustAgree) return;
      refuseBothKinds(name, compiled.stems, false, kinds);
      refuseBothKinds(name, compiled.starStems, true, kinds);
      first ??= { name, stems: compiled.stems };
      if (place === "targets") sameStems(compiled.stems, first);
      else onlyStems(compiled.stems, first);
      const unnamed = compiled.stems.some((stem) => stem.startsWith(":"));
      if (unnamed && (place !== "targets" || groups[0]!.patterns.length > 1)) {
        throw new BadValue(
          "has a static stem without a name, which other patterns cannot share",
          "give it a name: {F:...}; or make it a star stem: {*:...}",
        );
      }
    });
  }
  return {
    stems,
    statics: (first?.stems ?? []).filter((stem) => !stem.startsWith(":")),
  };
}

/** Adds the stems that a pattern defines. */
function addDefinitions(pattern: string, stems: Record<string, string>): void {
  for (const part of parsePattern(pattern)) {
    if (part.kind === "literal" || part.regex === undefined) continue;
    if (/^[:*]/.test(part.name)) continue;
    const before = stems[part.name];
    if (before !== undefined && before !== part.regex) {
      throw new BadValue(
        `defines the stem ${part.name} as ${part.regex}, and it is ${before} already`,
        `define it once; write {${part.name}${part.star ? "*" : ""}} here`,
      );
    }
    checkKey("stem", part.name);
    stems[part.name] = part.regex;
  }
}

function refuseBothKinds(
  name: string,
  stems: readonly string[],
  star: boolean,
  kinds: Map<string, { star: boolean; name: string }>,
): void {
  for (const stem of stems) {
    const before = kinds.get(stem);
    if (before === undefined) kinds.set(stem, { star, name });
    else if (before.star !== star && !/^[:*]/.test(stem)) {
      throw new BadValue(
        `has ${stem} as a ${kindOf(star)}, and it is a ${
          kindOf(before.star)
        } in ${before.name}`,
        "give one of them another name",
      );
    }
  }
}

function kindOf(star: boolean): string {
  return star ? "star stem" : "static stem";
}

function sameStems(
  stems: readonly string[],
  first: { name: string; stems: readonly string[] },
): void {
  if ([...stems].sort().join() === [...first.stems].sort().join()) return;
  throw new BadValue(
    `has ${listOf(stems)}, and ${first.name} has ${listOf(first.stems)}`,
    "all targets of a job are known by the same static stems; " +
      "make one that varies a star stem: {N*:...}",
  );
}

function onlyStems(
  stems: readonly string[],
  first: { name: string; stems: readonly string[] },
): void {
  const extra = stems.find((stem) =>
    !first.stems.includes(stem) && !stem.startsWith(":")
  );
  if (extra === undefined) return;
  const likely = nearest(extra, first.stems);
  throw new BadValue(
    `has the static stem ${extra}, which ${first.name} has not`,
    likely
      ? `did you mean {${likely}}?`
      : `make it a star stem: {${extra}*}, if it varies within a job`,
  );
}

function listOf(stems: readonly string[]): string {
  return stems.length === 0
    ? "no static stems"
    : `the static stems ${
      stems.map((stem) => stem.startsWith(":") ? "{:...}" : stem).join(", ")
    }`;
}
