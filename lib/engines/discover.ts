/** Which engines a source folder has. */

import { join, relative, resolve } from "node:path";
import type { Policy } from "../artifacts/policy.ts";
import { ClibsError, UsageError } from "../errors.ts";
import { lstatIfExists, sortedEntries } from "../host/files.ts";
import { nearest } from "../nearest.ts";
import { type EngineConfig, ENGINES_FILE, readEnginesFile } from "./config.ts";
import { ENGINE_NAME } from "./config_schema.ts";
import { detectKind, type EngineKind } from "./kind.ts";
import { findProject, type Project } from "./project.ts";

/** One engine, before anything was compiled. */
export interface Engine {
  /** Its name: that of its source file, without the end. */
  name: string;
  /** How it is loaded. */
  kind: EngineKind;
  /** Its sources, absolute, the engine's own file first; empty if only prebuilt. */
  sources: string[];
  /** Its overrides in engines.json. */
  config: EngineConfig;
  /** Its project. */
  project: Project;
}

/** An engine as {@linkcode discoverEngines} lists it. */
export interface DiscoveredEngine {
  /** Its name. */
  name: string;
  /** How it is loaded. */
  kind: EngineKind;
  /** Its sources, relative to the root of the project. */
  sources: string[];
  /** Its policy in engines.json, if it has one. */
  policy?: Policy;
}

/**
 * Lists the engines of a folder: each `NAME.cpp`, and what engines.json names.
 *
 * @param sourceDir Default: `core/engines`.
 * @throws {ClibsError} `CLIBS_ENGINE_SOURCES` if there is no such folder,
 *   `CLIBS_ENGINE_KIND` if a source does not tell its kind.
 */
export async function discoverEngines(
  sourceDir?: string,
): Promise<DiscoveredEngine[]> {
  const engines = await findEngines(findProject(sourceDir));
  return engines.map(({ name, kind, sources, config, project }) => ({
    name,
    kind,
    sources: sources.map((path) => relative(project.root, path)),
    ...(config.policy ? { policy: config.policy } : {}),
  }));
}

/** The engines of a project, by name; only some if names are given. */
export async function findEngines(
  project: Project,
  names: readonly string[] = [],
): Promise<Engine[]> {
  if (names.length === 0 && !lstatIfExists(project.sourceDir)) {
    throw noFolder("engines", project);
  }
  const configs = await readEnginesFile(project.sourceDir);
  const present = sourceNames(project, configs);
  const known = new Set([...present, ...Object.keys(configs)]);
  const wanted = names.length > 0 ? [...new Set(names)] : [...known].sort();
  return wanted.map((name) => engineOf(project, name, configs, present));
}

function engineOf(
  project: Project,
  name: string,
  configs: Record<string, EngineConfig>,
  present: ReadonlySet<string>,
): Engine {
  const config = Object.hasOwn(configs, name) ? configs[name]! : {};
  const own = join(project.sourceDir, `${name}.cpp`);
  if (!present.has(name)) {
    // A program may be delivered with binaries and without sources.
    const kind = config.kind ?? prebuiltKind(project, name);
    if (kind) return { name, kind, sources: [], config, project };
    throw unknownEngine(project, name, present, Object.hasOwn(configs, name));
  }
  const sources = [
    own,
    ...(config.sources ?? []).map((path) => resolve(project.sourceDir, path)),
  ];
  const kind = config.kind ?? detectKind(Deno.readTextFileSync(own));
  if (kind) return { name, kind, sources, config, project };
  throw new ClibsError(
    "CLIBS_ENGINE_KIND",
    `Cannot tell how ${name} is loaded: its source shows no kind of engine`,
    {
      facts: {
        source: own,
        "looked for": 'PYBIND11_MODULE, NODE_API_MODULE, extern "C"',
      },
      hint: `declare functions as extern "C", or set "kind" in ${ENGINES_FILE}`,
    },
  );
}

/** Names of the sources that are engines, not parts of one. */
function sourceNames(
  project: Project,
  configs: Record<string, EngineConfig>,
): ReadonlySet<string> {
  const parts = new Set(
    Object.values(configs).flatMap((config) => config.sources ?? [])
      .map((path) => resolve(project.sourceDir, path)),
  );
  const names = new Set<string>();
  for (const entry of filesOf(project.sourceDir)) {
    const path = join(project.sourceDir, entry);
    if (!entry.endsWith(".cpp") || parts.has(path)) continue;
    const name = entry.slice(0, -".cpp".length);
    if (!new RegExp(`^${ENGINE_NAME}$`).test(name)) {
      throw new ClibsError(
        "CLIBS_ENGINE_NAME",
        `Cannot use ${
          JSON.stringify(entry)
        } as an engine: its name is not an identifier`,
        {
          facts: { source: path },
          hint:
            'use letters, digits and _ only; or list it under another engine\'s "sources"',
        },
      );
    }
    names.add(name);
  }
  return names;
}

function filesOf(dir: string): string[] {
  return sortedEntries(dir).filter((entry) => !entry.isDirectory)
    .map(({ name }) => name);
}

/** The kind of a prebuilt, by the end of its name. */
function prebuiltKind(project: Project, name: string): EngineKind | undefined {
  const folders = [project.binaries];
  if (lstatIfExists(project.binaries)) {
    for (const entry of Deno.readDirSync(project.binaries)) {
      if (entry.isDirectory) folders.push(join(project.binaries, entry.name));
    }
  }
  for (const file of folders.flatMap(filesOf)) {
    if (file === `${name}.node`) return "napi";
    if (file === `${name}.so`) return "ffi";
    if (file.startsWith(`${name}.cpython-`)) return "pybind11";
  }
  return undefined;
}

function unknownEngine(
  project: Project,
  name: string,
  present: ReadonlySet<string>,
  isConfigured: boolean,
): ClibsError {
  const near = nearest(name, [...present]);
  if (!lstatIfExists(project.sourceDir)) {
    return noFolder(`the engine ${name}`, project);
  }
  return new UsageError(
    "CLIBS_ENGINE_UNKNOWN",
    isConfigured
      ? `Cannot use the engine ${name} of ${ENGINES_FILE}: it has no source`
      : `Cannot find the engine ${name}: it has neither a source nor a prebuilt`,
    {
      facts: {
        source: join(project.sourceDir, `${name}.cpp`),
        ...(near ? { nearest: near } : {}),
      },
      hint: near ? `did you mean ${near}?` : "`clibs engines list` lists them",
    },
  );
}

function noFolder(what: string, { sourceDir }: Project): ClibsError {
  return new ClibsError(
    "CLIBS_ENGINE_SOURCES",
    `Cannot find ${what}: there is no folder ${sourceDir}`,
    { hint: "name the folder with --source-dir (sourceDir)" },
  );
}
