/** Works out the attributes of a job: given ones, functions, defaults. */

import { ClibsError } from "../../errors.ts";
import { METHODS } from "../../trace/methods.ts";
import type { Attributes, DepSpec } from "../model.ts";
import { expandTemplate } from "../pattern_template.ts";
import { nameInside, nameOutside } from "../sub_repo.ts";
import { commandDigest, resourcesDigest, templateValues } from "./command.ts";
import type { Engine } from "./engine.ts";
import { parseAmounts } from "./resources.ts";
import { DEFAULTS, type JobState } from "./state.ts";

/** Attributes whose strings are templates. */
const TEMPLATES = [
  "environ",
  "environResources",
  "environAncillary",
  "resources",
] as const;

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
    for (const name of order(rule.dynamic)) {
      await evaluate(engine, state, attributes, name);
    }
    const values = templateValues(state);
    for (const name of TEMPLATES) {
      attributes[name] = Object.fromEntries(
        Object.entries(attributes[name]).map(([key, value]) => [
          key,
          typeof value === "string" ? expandTemplate(value, values) : value,
        ]),
      ) as Record<string, string>;
    }
    attributes.resources = parseAmounts(attributes.resources);
    checkNames(attributes);
    state.command = commandDigest(state);
    state.resources = resourcesDigest(state);
  } catch (error) {
    if (!(error instanceof ClibsError)) throw error;
    state.problem = error.message;
  }
  return state.problem;
}

/** Deps come first, then resources: other attributes may use them. */
function order(names: readonly string[]): string[] {
  const rank = (name: string) =>
    name === "deps" || name === "dep" ? 0 : name === "resources" ? 1 : 2;
  return [...names].sort((a, b) => rank(a) - rank(b));
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
