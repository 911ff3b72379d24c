/** Engines in the cache: up to date or built anew, under the engine's lock. */

import { join } from "node:path";
import { type FileFact, fileFact } from "../artifacts/facts.ts";
import { readBytes } from "../artifacts/loaded.ts";
import { ClibsError } from "../errors.ts";
import { runTask } from "../feedback/bus.ts";
import { sha256Hex } from "../host/digest.ts";
import { removeTree, writeFileAtomic } from "../host/files.ts";
import { withLock } from "../host/lock.ts";
import { findProgram, runProcess } from "../host/process.ts";
import { cpuFeaturesOfMacros } from "../toolchain/cpu.ts";
import { readElf } from "../toolchain/elf.ts";
import { passportOf } from "../toolchain/passport.ts";
import {
  type Compiled,
  compileEngine,
  compileRequest,
  removeWork,
} from "./compile.ts";
import { shadowingPaths } from "./depfile.ts";
import { readInterface } from "./ffi/interface.ts";
import type { EngineContext } from "./options.ts";
import { makeStateDir } from "./project.ts";
import {
  type BuildRecord,
  factsSince,
  interfacePath,
  outOfDateReason,
  readRecord,
  recordPath,
  writeRecord,
} from "./record.ts";
import { compilerOf, type Plan } from "./workshop.ts";

/** A module with the bytes whose digest was checked. */
export interface Module {
  /** Where it was read from. */
  path: string;
  /** Its content. */
  bytes: Uint8Array;
  /** Digest of the content, in lower-case hex. */
  sha256: string;
  /** What the cache knows about it. */
  record?: BuildRecord;
}

/** A module of the cache, or why there is none. */
export type CacheLookup = { module: Module } | { reason: string };

/** Folder of the cache that an engine is kept in. */
export function cacheFolder(plan: Plan): string {
  return join(plan.engine.project.cache, plan.key.dir);
}

/** Looks for an engine in the cache, without waiting for anybody. */
export function lookUpCached(plan: Plan): CacheLookup {
  const folder = cacheFolder(plan);
  const record = readRecord(recordPath(folder, plan.engine.name));
  if (!record) return { reason: "never built here" };
  const reason = outOfDateReason(record, plan.inputs);
  if (reason) return { reason };
  const path = join(folder, plan.file);
  const bytes = readBytes(path);
  if (!bytes) return { reason: `${path} is missing` };
  const sha256 = sha256Hex(bytes);
  if (sha256 !== record.sha256) {
    return { reason: `${path} is not the file that was built` };
  }
  return { module: { path, bytes, sha256, record } };
}

/**
 * Builds an engine, unless another process does so first.
 *
 * @param force Build even what is up to date.
 * @returns The module; `built` is false if another process was first.
 */
export async function buildInCache(
  plan: Plan,
  context: EngineContext,
  force: boolean,
): Promise<{ module: Module; built: boolean }> {
  const { engine } = plan;
  const folder = cacheFolder(plan);
  requireHeaders(plan);
  compilerOf(plan);
  makeStateDir(engine.project);
  Deno.mkdirSync(folder, { recursive: true });
  const lock = {
    doing: `building ${engine.name}`,
    feedback: context.feedback,
    signal: context.signal,
  };
  return await withLock(
    join(folder, `.${engine.name}.lock`),
    lock,
    async () => {
      removeWork(folder, engine.name);
      const present = force ? undefined : lookUpCached(plan);
      if (present && "module" in present) {
        return { module: present.module, built: false };
      }
      return { module: await build(plan, context, folder), built: true };
    },
  );
}

async function build(
  plan: Plan,
  context: EngineContext,
  folder: string,
): Promise<Module> {
  const { engine } = plan;
  const startedMs = Date.now();
  return await runTask(
    context.feedback,
    "build",
    engine.name,
    async (_, task) => {
      const request = compileRequest(plan, context, task);
      const before = engine.sources.map(fileFact)
        .filter((fact) => fact !== undefined);
      const compiled = await compileEngine(request);
      try {
        return await publish(plan, folder, compiled, before, startedMs);
      } finally {
        removeTree(compiled.work);
      }
    },
  );
}

/** Puts the result of a compile into the cache, the record last. */
async function publish(
  plan: Plan,
  folder: string,
  compiled: Compiled,
  before: readonly FileFact[],
  startedMs: number,
): Promise<Module> {
  const { engine, flags } = plan;
  const { facts, changed } = factsSince(compiled.read, before, startedMs);
  if (changed !== undefined) {
    throw new ClibsError(
      "CLIBS_ENGINE_CHANGED",
      `Cannot use the build of ${engine.name}: ${changed} changed while it ran`,
      { hint: "run the same command again" },
    );
  }
  const own = new Set(
    // What the user wrote lies in the project; all else is the system's.
    compiled.read.filter((path) => path.startsWith(`${engine.project.root}/`)),
  );
  const headers = compiled.read.filter((path) =>
    !/\.(so|a|o)(\.|$)/.test(path)
  );
  if (engine.kind === "ffi") {
    const api = readInterface(Deno.readFileSync(compiled.library));
    const text = `${JSON.stringify(api, undefined, 2)}\n`;
    writeFileAtomic(interfacePath(folder, engine.name), text);
    await strip(plan, compiled.library);
  }
  const bytes = Deno.readFileSync(compiled.library);
  const sha256 = sha256Hex(bytes);
  const elf = readElf(bytes);
  const path = join(folder, plan.file);
  Deno.renameSync(compiled.library, path);
  const record: BuildRecord = {
    file: plan.file,
    sha256,
    inputs: plan.inputs,
    portable: plan.portable,
    facts,
    absent: shadowingPaths(headers, flags.includeDirs, (file) => own.has(file)),
    passport: passportOf(elf, cpuFeaturesOfMacros(compiled.macros)),
    durationMs: compiled.durationMs,
  };
  // Before the record: whoever finds one has nothing to put right.
  removeTree(compiled.work);
  writeRecord(recordPath(folder, engine.name), record);
  return { path, bytes, sha256, record };
}

/** Removes the debug information that nobody but clibs asked for. */
async function strip({ engine }: Plan, path: string): Promise<void> {
  const wanted = engine.config.extra_compile_args ?? [];
  if (wanted.some((flag) => /^-g(?!0)/.test(flag))) return;
  const program = findProgram("strip");
  if (!program) return;
  // Without it the module is larger, and as good.
  await runProcess({ command: program, args: ["--strip-debug", path] });
}

/** A compiler's "Python.h: No such file" does not say what to install. */
function requireHeaders(plan: Plan): void {
  const { python, engine } = plan;
  if (!python || python.hasHeaders && python.pybind11 !== undefined) return;
  const missing = python.hasHeaders ? "pybind11" : "Python";
  throw new ClibsError(
    "CLIBS_ENGINE_HEADERS",
    `Cannot build ${engine.name}: the headers of ${missing} are not installed`,
    {
      facts: { python: `${python.executable} (${python.version})` },
      hint: python.hasHeaders
        ? `${python.executable} -m pip install pybind11, or apt-get install pybind11-dev`
        : "apt-get install python3-dev",
    },
  );
}
