/** What a job runs: its command line, its environment, and digests of them. */

import { join } from "node:path";
import { sha256Hex } from "../../host/digest.ts";
import type { CommandSpec } from "../model.ts";
import { compilePattern } from "../pattern.ts";
import { expandTemplate, type TemplateValue } from "../pattern_template.ts";
import { nameInside } from "../sub_repo.ts";
import type { JobDescription, StarTarget } from "../job/description.ts";
import { pythonPath } from "../python/place.ts";
import type { JobState } from "./state.ts";

/** Where programs of the system are. */
const SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin";

/** Stems, targets, deps and resources by name, as templates see them. */
export function templateValues(
  state: JobState,
): Record<string, TemplateValue> {
  const values: Record<string, TemplateValue> = {
    ...state.attributes?.resources,
    ...state.job.values,
  };
  const { sub } = state.job.rule;
  for (const { key, pattern } of state.statics) {
    values[key] ??= nameInside(sub, pattern);
  }
  return values;
}

/** The script of a shell command, or the text of a function. */
export function commandText(state: JobState): string {
  const { cmd } = state.job.rule;
  if (!cmd) return "";
  if (cmd.kind === "function") return cmd.text;
  return expandTemplate(cmd.text, templateValues(state));
}

/** Digest of everything whose change makes the job run again. */
export function commandDigest(state: JobState): string {
  const { cmd } = state.job.rule;
  const { environ, shell, interpreter } = state.attributes!;
  return digest([
    cmd?.kind === "function"
      ? [cmd.text, cmd.imports, cmd.vars, interpreter, functionValues(state)]
      : [commandText(state), shell],
    Object.entries(environ).sort(),
    state.statics.filter(({ key }) => key === "dep").map((dep) => dep.pattern),
  ]);
}

/** Digest of what makes a failed job run again. */
export function resourcesDigest(state: JobState): string {
  const { resources, environResources } = state.attributes!;
  return digest([
    Object.entries(resources).sort(),
    Object.entries(environResources).sort(),
  ]);
}

function digest(value: unknown): string {
  return sha256Hex(JSON.stringify(value)).slice(0, 16);
}

function functionValues(state: JobState): JobDescription["values"] {
  const stems = Object.fromEntries(
    Object.entries(state.job.stems).filter(([name]) => !name.startsWith(":")),
  );
  const { rule } = state.job;
  const targets: Record<string, string | StarTarget> = {};
  state.job.targets.forEach(({ key, file }, i) => {
    targets[key] = file === undefined
      ? starOf(state, i)
      : nameInside(rule.sub, file);
  });
  const deps = Object.fromEntries(
    state.statics.map((
      { key, pattern },
    ) => [key, nameInside(rule.sub, pattern)]),
  );
  return { stems, targets, deps, resources: state.attributes!.resources };
}

/** The pieces of a star target's name, its static stems filled in. */
function starOf(state: JobState, index: number): StarTarget {
  const { rule, stems } = state.job;
  const { pattern } = rule.targets[index]!;
  const star: StarTarget["star"] = [];
  for (const part of compilePattern(pattern, rule.stems).parts) {
    if (part.kind === "literal") star.push(part.text);
    else if (part.star) {
      star.push({
        stem: part.name.startsWith("*") ? "" : part.name,
        regexp: part.regex ?? ".*",
      });
    } else star.push(stems[part.name] ?? "");
  }
  return { star };
}

/** What a function job is to do. */
export function describeFunction(
  state: JobState,
  cmd: CommandSpec & { kind: "function" },
  root: string,
): JobDescription {
  return {
    rule: state.job.rule.name,
    functionText: cmd.text,
    imports: cmd.imports,
    vars: cmd.vars,
    values: functionValues(state),
    root: jobRoot(state, root),
    topRoot: root,
  };
}

/** Root of the sub-repo that a job is of, which is where it runs. */
export function jobRoot(state: JobState, root: string): string {
  const { sub } = state.job.rule;
  return sub === undefined ? root : join(root, sub);
}

/** What the environment of a job is made from. */
export interface EnvironmentOptions {
  root: string;
  tools: string;
  tmp: string;
  smallId: number;
  sequenceId: number;
}

/** What a job knows of its user; asking the system takes long. */
let caller: { UID: string; USER: string } | undefined;

/** The environment of a job; that of the user is hidden. */
export function jobEnvironment(
  state: JobState,
  options: EnvironmentOptions,
): Record<string, string> {
  const { environ, environResources, environAncillary } = state.attributes!;
  const values: Record<string, string> = {
    REPO_ROOT: jobRoot(state, options.root),
    TOP_REPO_ROOT: options.root,
    TMPDIR: options.tmp,
    SMALL_ID: String(options.smallId),
    SEQUENCE_ID: String(options.sequenceId),
  };
  const fill = (text: string) =>
    text.replace(
      /\$(?:\{(\w+)\}|(\w+))/g,
      (all, braced, plain) => values[braced ?? plain] ?? all,
    );
  const given = { ...environAncillary, ...environResources, ...environ };
  const all: Record<string, string> = {
    HOME: options.root,
    PATH: `${options.tools}:${SYSTEM_PATH}`,
    TMPDIR: options.tmp,
    ...(caller ??= {
      UID: String(Deno.uid() ?? 0),
      USER: Deno.env.get("USER") ?? "",
    }),
    ...Object.fromEntries(
      Object.entries(given).map(([name, value]) => [name, fill(String(value))]),
    ),
  };
  all["PYTHONPATH"] = pythonPath(options.root, all["PYTHONPATH"]);
  return all;
}
