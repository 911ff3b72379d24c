/** Targets and deps with flags, as rules write them. */

import { nearest } from "../../nearest.ts";
import type { DepFlag, TargetFlag } from "../model.ts";
import { BadValue, describe } from "./check.ts";

/** Where flags stand. */
export type FlagPlace = "targets" | "sideTargets" | "deps" | "sideDeps";

const DEP_FLAGS = [
  "critical",
  "essential",
  "ignoreError",
  "readdirOk",
  "required",
  "top",
] as const;

const SIDE_TARGET_FLAGS = [
  "allow",
  "essential",
  "ignore",
  "incremental",
  "noWarning",
  "sourceOk",
  "critical",
  "ignoreError",
  "readdirOk",
  "required",
] as const;

/** The flags that make sense at each place. */
export const FLAGS: Readonly<
  Record<FlagPlace, readonly (DepFlag | TargetFlag)[]>
> = {
  targets: [
    "essential",
    "ignore",
    "incremental",
    "noWarning",
    "optional",
    "phony",
    "sourceOk",
  ],
  sideTargets: SIDE_TARGET_FLAGS,
  deps: DEP_FLAGS,
  sideDeps: [...DEP_FLAGS, "ignore"],
};

/** Flags that are on unless they are turned off. */
export const DEFAULT_FLAGS: Readonly<Record<FlagPlace, readonly DepFlag[]>> = {
  targets: [],
  sideTargets: [],
  deps: ["essential", "required"],
  sideDeps: [],
};

/** Why a known flag does not go with a place. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  allow: "it is for sideTargets, and for target() in a job",
  ignore: "a static dep must be there; sideDeps may have it",
  noStar: "it is for depend() and target() in a job",
  optional: "it is for targets, which select the rule",
  phony: "it is for targets, which select the rule",
  top: "it is for deps",
};

/** A pattern and its flags. */
export interface Flagged<Flag extends string> {
  /** The text before the flags. */
  pattern: string;
  /** Flags that are on, sorted. */
  flags: Flag[];
}

/**
 * Reads a pattern, or an array of a pattern and flags; `-flag` turns one off.
 *
 * @throws {BadValue} If it is something else.
 */
export function readFlagged<Flag extends string>(
  place: FlagPlace,
  value: unknown,
): Flagged<Flag> {
  const [pattern, ...given] = Array.isArray(value) ? value : [value];
  if (typeof pattern !== "string") {
    throw new BadValue(
      `must be a string, or an array of one and flags, not ${
        describe(Array.isArray(value) ? pattern : value)
      }`,
    );
  }
  const flags = new Set<string>(DEFAULT_FLAGS[place]);
  for (const word of given) {
    const isOff = typeof word === "string" && word.startsWith("-");
    const name = isOff ? word.slice(1) : word;
    checkFlag(place, name);
    if (isOff) flags.delete(name);
    else flags.add(name);
  }
  if (place === "deps" && !flags.has("required")) {
    throw new BadValue(
      "turns off required, which a static dep always is",
      "for a file that need not exist, call depend(file, { required: false }) in the job",
    );
  }
  return { pattern, flags: [...flags].sort() as Flag[] };
}

function checkFlag(place: FlagPlace, name: unknown): void {
  const known: readonly string[] = FLAGS[place];
  if (typeof name !== "string") {
    throw new BadValue(
      `has ${describe(name)} among its flags`,
      "flags are strings after the pattern",
    );
  }
  if (known.includes(name)) return;
  const why = ELSEWHERE[name];
  if (why !== undefined) {
    throw new BadValue(`has the flag ${name}, which does not go here`, why);
  }
  const likely = nearest(name, known);
  throw new BadValue(
    `has the unknown flag ${name}`,
    likely ? `did you mean ${likely}?` : `known: ${known.join(" ")}`,
  );
}
