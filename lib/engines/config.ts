/** Reads and checks engines.json. */

import { basename, dirname, join } from "node:path";
import type { Policy } from "../artifacts/policy.ts";
import type { ClibsError } from "../errors.ts";
import type { DocumentNode, Problem } from "../host/document.ts";
import { readTextIfExists } from "../host/files.ts";
import { checkDocument, jsonSchema } from "../host/schema.ts";
import { enginesSchema } from "./config_schema.ts";
import type { EngineKind } from "./kind.ts";

/** Name of the file. */
export const ENGINES_FILE = "engines.json";

/** Overrides for one engine; all that may be there is in engines.schema.json. */
export interface EngineConfig {
  /** Where it is taken from. */
  policy?: Policy;
  /** How it is loaded. */
  kind?: EngineKind;
  /** C++ compiler and its first flags. */
  compiler?: string;
  /** C++ standard. */
  std?: string;
  /** More source files, relative to the file's folder. */
  sources?: string[];
  /** Folders to search for headers, relative to the file's folder. */
  include_dirs?: string[];
  /** Folders of clibs packages, relative to the file's folder. */
  packages?: string[];
  /** More flags for the compiler. */
  extra_compile_args?: string[];
  /** More flags for the linker. */
  extra_link_args?: string[];
  /** Python that a pybind11 engine is for. */
  python?: string;
  /** A call that must succeed when a prebuilt is first loaded on a machine. */
  smoke?: SmokeCall;
  /** Functions that run on another thread. */
  nonblocking?: string[];
  /** Whether a prebuilt without a digest may be used. */
  allow_unverified?: boolean;
}

/** A call that shows that an engine works. */
export interface SmokeCall {
  /** Name of the function. */
  call: string;
  /** Its arguments. Default: none. */
  args?: (string | number | boolean)[];
}

/**
 * Reads the engines.json of a folder; empty if there is none.
 *
 * @throws {ClibsError} `CLIBS_ENGINES_JSON` if it is not JSON,
 *   `CLIBS_ENGINES_SCHEMA` if it holds something else than overrides.
 */
export async function readEnginesFile(
  sourceDir: string,
): Promise<Record<string, EngineConfig>> {
  const path = join(sourceDir, ENGINES_FILE);
  const text = readTextIfExists(path)?.replace(/^\uFEFF/, "");
  if (text === undefined) return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw await syntaxError(path, text, cause as Error);
  }
  if (
    hasRepeatedKey(text) ||
    checkDocument(enginesSchema, nodeOf(value)).problems.length > 0
  ) {
    throw await schemaError(path, text);
  }
  return typed(value as Record<string, EngineConfig>);
}

/** `smoke` may be a bare name. */
function typed(
  value: Record<string, EngineConfig>,
): Record<string, EngineConfig> {
  for (const config of Object.values(value)) {
    const smoke: unknown = config.smoke;
    if (typeof smoke === "string") config.smoke = { call: smoke };
  }
  return value;
}

/** The JSON Schema of engines.json, draft 2020-12. */
export function enginesJsonSchema(): Record<string, unknown> {
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "engines.json",
    ...jsonSchema(enginesSchema),
  };
}

/** A value without its places: enough to find out whether all is well. */
function nodeOf(value: unknown): DocumentNode {
  const place = { line: 1, column: 1 };
  if (Array.isArray(value)) {
    return { kind: "list", place, items: value.map(nodeOf) };
  }
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).map(([key, item]) => ({
      key,
      place,
      value: nodeOf(item),
    }));
    return { kind: "map", place, entries };
  }
  const scalar = value as string | number | boolean | null;
  return { kind: "scalar", place, value: scalar, text: String(scalar) };
}

/** JSON.parse() takes the last of two equal keys and says nothing. */
function hasRepeatedKey(text: string): boolean {
  const open: Set<string>[] = [];
  const tokens = /("(?:\\.|[^"\\])*")\s*(:?)|[{}]/g;
  for (const [token, string, colon] of text.matchAll(tokens)) {
    if (token === "{") open.push(new Set());
    else if (token === "}") open.pop();
    else if (colon && string !== undefined) {
      const key: string = JSON.parse(string);
      const keys = open.at(-1);
      if (keys?.has(key)) return true;
      keys?.add(key);
    }
  }
  return false;
}

/** JSON is YAML, whose reader knows the place of each value. */
async function schemaError(path: string, text: string): Promise<ClibsError> {
  const { readYaml } = await import("../host/yaml.ts");
  // Tabs may indent JSON but not YAML; the columns stay true.
  const { root, problems } = await readYaml(text.replaceAll("\t", " "));
  const found = problems.length > 0 || !root
    ? problems
    : checkDocument(enginesSchema, root).problems;
  return configError("CLIBS_ENGINES_SCHEMA", path, text, found);
}

async function syntaxError(
  path: string,
  text: string,
  cause: Error,
): Promise<ClibsError> {
  const { LineIndex } = await import("../host/document.ts");
  const message = cause.message
    .replace(/,? (\.\.\.)?".*| in JSON at .*/s, "");
  const place = new LineIndex(text).place(firstWrong(text));
  const problem = { place, message: `it is not JSON: ${message}` };
  return configError("CLIBS_ENGINES_JSON", path, text, [problem], cause);
}

/**
 * Where a text stops being JSON; its length if it only ends too early.
 *
 * V8 does not always tell. What it says of a text up to there is that the end
 * is missing, and of one that goes on something else.
 */
function firstWrong(text: string): number {
  let good = 0;
  let wrong = text.length + 1;
  while (wrong - good > 1) {
    const middle = (good + wrong) >> 1;
    if (isUnfinished(text.slice(0, middle))) good = middle;
    else wrong = middle;
  }
  return good;
}

function isUnfinished(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch (error) {
    const { message } = error as Error;
    const [, at] = /at position (\d+)/.exec(message) ?? [];
    return message.includes("Unexpected end") || Number(at) === text.length;
  }
}

async function configError(
  code: "CLIBS_ENGINES_JSON" | "CLIBS_ENGINES_SCHEMA",
  path: string,
  text: string,
  problems: readonly Problem[],
  cause?: Error,
): Promise<ClibsError> {
  const { documentError } = await import("../host/document_error.ts");
  const shown = join(basename(dirname(path)), ENGINES_FILE);
  return documentError(
    { code, shown, text, problems, cause },
    (problem) =>
      problem.hint ??
        (problem.nearest
          ? `did you mean "${problem.nearest}"?`
          : `\`clibs explain ${code}\` tells what an engines.json may hold`),
  );
}
