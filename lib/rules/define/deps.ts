/** Reads static deps, given as values or by functions. */

import type { DepFlag, DepSpec } from "../model.ts";
import { fileNameProblem } from "../pattern_parse.ts";
import {
  expandTemplate,
  parseTemplate,
  type TemplateValue,
} from "../pattern_template.ts";
import { BadValue, plainObject, within } from "./check.ts";
import { readFlagged } from "./flags.ts";
import { checkKey, type NameTable } from "./names.ts";
import type { Attribute } from "./targets.ts";

/** Gives the value of an attribute for one job. */
export type Evaluate = (j: Record<string, unknown>) => Promise<unknown>;

/**
 * Reads `dep` and `deps`.
 *
 * @param names Stems and targets; gets the deps.
 * @returns The deps, or what gives them: then names in them stand as they are.
 */
export function readDeps(
  input: Record<string, unknown>,
  names: NameTable,
  attribute: Attribute,
): DepSpec[] | Evaluate {
  const { dep, deps } = input;
  const before = names.copy();
  const single = dep === undefined || typeof dep === "function"
    ? []
    : [attribute("dep", () => readDep("dep", dep, before))];
  if (dep !== undefined) names.add("dep", "dep");
  const table: DepSpec[] = [];
  if (deps !== undefined && typeof deps !== "function") {
    const entries = attribute("deps", () => Object.entries(plainObject(deps)));
    for (const [key, value] of entries) {
      attribute(`deps.${key}`, () => {
        checkKey("dep", key);
        names.add("dep", key);
        table.push(readDep(key, value, before));
      });
    }
  }
  if (typeof deps !== "function" && typeof dep !== "function") {
    return [...single, ...table];
  }
  if (typeof deps === "function") names.isOpen = true;
  return async (j) => [
    ...typeof dep === "function"
      ? [readFinalDep("dep", await dep(j))]
      : single.map((one) => expandDep(one, j)),
    ...typeof deps === "function"
      ? Object.entries(plainObject(await deps(j))).map(([key, value]) =>
        within(`.${key}`, () => {
          checkKey("dep", key);
          return readFinalDep(key, value);
        })
      )
      : table.map((one) => expandDep(one, j)),
  ];
}

function readDep(key: string, value: unknown, names: NameTable): DepSpec {
  const { pattern, flags } = readFlagged<DepFlag>("deps", value);
  names.check(pattern);
  const name = parseTemplate(pattern).map((part) =>
    part.kind === "literal" ? part.text : "*"
  ).join("");
  refuseName(pattern, name);
  return { key, pattern, flags };
}

/** What a function gave: its braces are braces. */
function readFinalDep(key: string, value: unknown): DepSpec {
  const { pattern, flags } = readFlagged<DepFlag>("deps", value);
  refuseName(pattern, pattern);
  return { key, pattern, flags };
}

function refuseName(pattern: string, name: string): void {
  const problem = fileNameProblem(name, { outside: true });
  if (problem === undefined) return;
  throw new BadValue(
    `cannot be ${JSON.stringify(pattern)}: ${problem.cause}`,
    problem.hint,
  );
}

function expandDep(dep: DepSpec, j: Record<string, unknown>): DepSpec {
  const values = j as Record<string, TemplateValue>;
  return { ...dep, pattern: expandTemplate(dep.pattern, values) };
}
