/** Works out the attributes of a job: given ones, functions, defaults. */

import { resolve } from "node:path";
import { ClibsError } from "../../errors.ts";
import { METHODS } from "../../trace/methods.ts";
import type { Attributes, DepSpec } from "../model.ts";
import { expandTemplate } from "../pattern_template.ts";
import { nameInside, nameOutside } from "../sub_repo.ts";
import {
  commandDigest,
  jobRoot,
  resourcesDigest,
  templateValues,
} from "./command.ts";
import type { Engine } from "./engine.ts";
import { parseAmounts } from "./resources.ts";
import { DEFAULTS, type JobState } from "./state.ts";

/** Attributes whose strings are templates, besides `resources`. */
const TEMPLATES = ["environ", "environResources", "environAncillary"] as const;

/** What other attributes may use, in the order in which it is worked out. */
const EARLY: readonly string[] = ["deps", "dep", "resources"];

/**
 * Works out attributes, static deps and digests of a job, once; again after
 * {@linkcode JobState.forgetAttributes}.
 *
 * @returns What is wrong with them, if the job cannot run.
 */
export async function settleAttributes(
  engine: Engine,
  state: JobState,
): Promise<string | undefined> {
  if (state.attributes) return state.problem;
  const { rule } = state.job;
  const attributes: Attributes = {
    ...DEFAULTS,
    ...rule.attributes,
    resources: { ...DEFAULTS.resources, ...rule.attributes.resources },
  };
  state.attributes = attributes;
  try {
    const [early, late] = [true, false].map((isEarly) =>
      rule.dynamic.filter((name) => EARLY.includes(name) === isEarly)
    ) as [string[], string[]];
    for (const name of early.sort(inOrder)) {
      await evaluate(engine, state, attributes, name);
    }
    expand(state, attributes, "resources");
    attributes.resources = parseAmounts(attributes.resources);
    for (const name of late) await evaluate(engine, state, attributes, name);
    for (const name of TEMPLATES) expand(state, attributes, name);
    checkNames(attributes);
    noteProgram(engine, state, attributes);
    state.command = commandDigest(state);
    state.resources = resourcesDigest(state);
  } catch (error) {
    if (!(error instanceof ClibsError)) throw error;
    state.problem = error.message;
  }
  return state.problem;
}

function inOrder(a: string, b: string): number {
  return EARLY.indexOf(a) - EARLY.indexOf(b);
}

/** Fills in names, but for what a function gave: its braces are braces. */
function expand(
  state: JobState,
  attributes: Attributes,
  name: typeof TEMPLATES[number] | "resources",
): void {
  if (state.job.rule.dynamic.includes(name)) return;
  const values = templateValues(state);
  attributes[name] = Object.fromEntries(
    Object.entries(attributes[name]).map(([key, value]) => [
      key,
      typeof value === "string" ? expandTemplate(value, values) : value,
    ]),
  ) as Record<string, string>;
}

/** A shell of the repo's own has to be there before the job starts. */
function noteProgram(
  { files }: Engine,
  state: JobState,
  { shell, interpreter }: Attributes,
): void {
  const { cmd } = state.job.rule;
  const [program] = cmd?.kind === "function" ? interpreter : shell;
  if (program === undefined || !program.includes("/")) return;
  const path = resolve(jobRoot(state, files.root), program);
  const file = files.name(path);
  if (file) state.attributeFiles.set(file, files.look(file).sum);
}

async function evaluate(
  engine: Engine,
  state: JobState,
  attributes: Attributes,
  name: string,
): Promise<void> {
  const evaluator = await engine.parts.repo.evaluator();
  const context: Record<string, unknown> = {};
  const values = name === "deps" || name === "resources"
    ? state.job.values
    : { ...attributes.resources, ...state.job.values };
  for (const [key, value] of Object.entries(values)) {
    // Star targets are made into functions over there.
    if (typeof value !== "function") context[key] = value;
  }
  const { sub } = state.job.rule;
  for (const { key, pattern } of state.statics) {
    context[key] ??= nameInside(sub, pattern);
  }
  const { value, files } = await evaluator.evaluate(
    state.job.rule.name,
    name,
    context,
  );
  for (const path of files) {
    const file = engine.files.name(path);
    if (!file) continue;
    // Before what is done with it: a change after this counts as one.
    state.attributeFiles.set(file, engine.files.look(file).sum);
  }
  if (name === "deps") {
    state.statics = (value as DepSpec[]).map((dep) => ({
      ...dep,
      pattern: nameOutside(sub, dep.pattern, dep.flags),
    }));
  } else (attributes as unknown as Record<string, unknown>)[name] = value;
}

function checkNames({ autodep, backend }: Attributes): void {
  if (!METHODS.some((method) => method === autodep)) {
    throw new ClibsError(
      "CLIBS_TRACE_METHOD",
      `Cannot trace with the method ${
        JSON.stringify(autodep)
      }: there is none of that name`,
    );
  }
  if (backend !== "local" && backend !== "slurm") {
    throw new ClibsError(
      "CLIBS_LMAKE_BACKEND",
      `Cannot run on the backend ${
        JSON.stringify(backend)
      }: there is none of that name`,
    );
  }
}
