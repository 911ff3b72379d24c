/** Checks whether the engines of a folder can be built and loaded here. */

import { join } from "node:path";
import { MANIFEST, readManifest } from "../artifacts/manifest.ts";
import { ClibsError } from "../errors.ts";
import { sha256File } from "../host/digest.ts";
import {
  lstatIfExists,
  removeFile,
  sortedEntries,
  temporaryBeside,
} from "../host/files.ts";
import { readElf } from "../toolchain/elf.ts";
import { hostAbi } from "../toolchain/host_abi.ts";
import { passportOf, unmetNeeds } from "../toolchain/passport.ts";
import { type Engine, findEngines } from "./discover.ts";
import {
  type EngineContext,
  engineContext,
  type EngineOptions,
} from "./options.ts";
import { Workshop } from "./workshop.ts";

/** One check. */
export interface HealthCheck {
  /** What was checked. */
  name: string;
  /** Whether it is as it should be. */
  ok: boolean;
  /** What was found. */
  why: string;
  /** What to do about it; absent if `ok`. */
  fix?: string;
}

/** Result of {@linkcode healthcheck}. */
export interface HealthReport {
  /** Version of this form. */
  version: 1;
  /** Whether all checks are. */
  ok: boolean;
  /** The checks. */
  checks: HealthCheck[];
}

/** Checks sources, tools, prebuilts and cache; builds and loads nothing. */
export async function healthcheck(
  options: EngineOptions = {},
): Promise<HealthReport> {
  const context = engineContext(options);
  const checks: HealthCheck[] = [];
  const engines = await sourceChecks(context, checks);
  const workshop = new Workshop(context);
  for (const engine of engines) {
    checks.push(await engineCheck(engine, workshop));
  }
  checks.push(
    cacheCheck(context),
    ...prebuiltChecks(context),
    await ffiCheck(),
  );
  return { version: 1, ok: checks.every((check) => check.ok), checks };
}

async function sourceChecks(
  { project }: EngineContext,
  checks: HealthCheck[],
): Promise<Engine[]> {
  const name = "sources";
  try {
    const engines = await findEngines(project);
    const found = engines.map((engine) => `${engine.name} (${engine.kind})`);
    checks.push(
      engines.length > 0 ? { name, ok: true, why: found.join(", ") } : {
        name,
        ok: false,
        why: `there is no engine in ${project.sourceDir}`,
        fix: "write NAME.cpp there, or name the folder with --source-dir",
      },
    );
    return engines;
  } catch (error) {
    checks.push(failed(name, error));
    return [];
  }
}

/** Whether an engine could be built, if it had to be. */
async function engineCheck(
  engine: Engine,
  workshop: Workshop,
): Promise<HealthCheck> {
  const name = `engine ${engine.name}`;
  try {
    const missing = engine.sources.find((path) => !lstatIfExists(path));
    if (missing !== undefined) {
      return {
        name,
        ok: false,
        why: `there is no ${missing}`,
        fix: "mend its sources in engines.json",
      };
    }
    const { compiler, python, key } = await workshop.plan(engine);
    if (!compiler && engine.sources.length > 0) {
      return {
        name,
        ok: false,
        why: "there is no C++ compiler",
        fix: "install g++, or set $CXX",
      };
    }
    if (python && !python.hasHeaders) {
      return {
        name,
        ok: false,
        why: `${python.executable} has no headers`,
        fix: "apt-get install python3-dev",
      };
    }
    if (python && !python.pybind11) {
      return {
        name,
        ok: false,
        why: `${python.executable} has no pybind11`,
        fix: "apt-get install pybind11-dev, or pip install pybind11",
      };
    }
    return { name, ok: true, why: key.text };
  } catch (error) {
    return failed(name, error);
  }
}

function cacheCheck({ project }: EngineContext): HealthCheck {
  const name = "cache";
  try {
    Deno.mkdirSync(project.cache, { recursive: true });
    const probe = temporaryBeside(join(project.cache, "probe"));
    Deno.writeTextFileSync(probe, "");
    removeFile(probe);
    return { name, ok: true, why: project.cache };
  } catch (error) {
    return {
      name,
      ok: false,
      why: `${project.cache} cannot be written: ${(error as Error).message}`,
      fix: "make it writable",
    };
  }
}

function prebuiltChecks({ project }: EngineContext): HealthCheck[] {
  return sortedEntries(project.binaries).filter((entry) => entry.isDirectory)
    .map(({ name }) => prebuiltCheck(name, join(project.binaries, name)));
}

/** Digests, and whether this machine could load what is meant for it. */
function prebuiltCheck(folder: string, path: string): HealthCheck {
  const name = "prebuilts";
  const fix = "clibs engines build --policy build_only makes them anew";
  try {
    const manifest = readManifest(path);
    if (!manifest) {
      const why = `${folder}: there is no ${MANIFEST}`;
      return { name, ok: false, why, fix };
    }
    const problems: string[] = [];
    for (const [file, digest] of Object.entries(manifest.hashes)) {
      const whole = join(path, file);
      if (!lstatIfExists(whole)) problems.push(`${file} is missing`);
      else if (sha256File(whole) !== digest.toLowerCase()) {
        problems.push(`${file} is not the file that was saved`);
      }
    }
    for (const { name: file } of sortedEntries(path)) {
      const isModule = /\.(so|node)$/.test(file);
      if (isModule && !Object.hasOwn(manifest.hashes, file)) {
        problems.push(`${file} has no digest`);
      }
    }
    if (problems.length > 0) {
      return { name, ok: false, why: `${folder}: ${problems.join("; ")}`, fix };
    }
    const why = `${folder}: ${usability(path, manifest.hashes)}`;
    return { name, ok: true, why };
  } catch (error) {
    return failed(name, error);
  }
}

/** Prebuilts for other machines are as they should be: they are only told. */
function usability(path: string, hashes: Record<string, string>): string {
  const host = hostAbi();
  const modules = Object.keys(hashes).filter((f) => /\.(so|node)$/.test(f));
  const unmet = modules.flatMap((file) => {
    try {
      const elf = readElf(Deno.readFileSync(join(path, file)));
      return unmetNeeds(passportOf(elf), host).slice(0, 1)
        .map((need) => `${file} ${need}`);
    } catch (error) {
      if (error instanceof SyntaxError) return [`${file}: ${error.message}`];
      throw error;
    }
  });
  const count = `${modules.length} module${
    modules.length === 1 ? "" : "s"
  }, digests match`;
  return unmet.length > 0
    ? `${count}; not for here: ${unmet.join("; ")}`
    : count;
}

/** Deno asks for permission to load libraries. */
async function ffiCheck(): Promise<HealthCheck> {
  const name = "permission to load";
  const { state } = await Deno.permissions.query({ name: "ffi" });
  return state === "granted" ? { name, ok: true, why: "granted" } : {
    name,
    ok: false,
    why: `--allow-ffi is ${state}`,
    fix: "run the program with --allow-ffi, or with -A",
  };
}

function failed(name: string, error: unknown): HealthCheck {
  if (!(error instanceof ClibsError)) throw error;
  return {
    name,
    ok: false,
    why: error.message,
    fix: error.hint ?? `clibs explain ${error.code}`,
  };
}
