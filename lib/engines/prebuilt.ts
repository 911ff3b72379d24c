/** Prebuilt engines: found, judged, and saved after a build. */

import { join } from "node:path";
import { loadableCopy, readBytes } from "../artifacts/loaded.ts";
import {
  type Manifest,
  readManifest,
  writeManifest,
} from "../artifacts/manifest.ts";
import { sha256Hex } from "../host/digest.ts";
import {
  lstatIfExists,
  sortedEntries,
  writeFileAtomic,
} from "../host/files.ts";
import { withLock } from "../host/lock.ts";
import { readElf } from "../toolchain/elf.ts";
import { hostAbi } from "../toolchain/host_abi.ts";
import {
  type Passport,
  passportOf,
  unmetNeeds,
} from "../toolchain/passport.ts";
import { hostNodeApi, libcVersion } from "./abi_key.ts";
import { cacheFolder, type Module } from "./cache.ts";
import { extensionOf } from "./flags.ts";
import type { EngineContext } from "./options.ts";
import { makeStateDir } from "./project.ts";
import { probe } from "./probe.ts";
import {
  foreignOrigin,
  interfacePath,
  originOf,
  outOfDateReason,
  readRecord,
  recordPath,
} from "./record.ts";
import { interfaceOf } from "./types_of.ts";
import { readVerdict, type VerdictSubject, writeVerdict } from "./verdicts.ts";
import type { Plan } from "./workshop.ts";

/** A prebuilt that was not used. */
export interface Rejection {
  /** Its path, absolute. */
  path: string;
  /** Why not. */
  reason: string;
  /** Whether it is as it should be, but for an older source. */
  isOld: boolean;
}

/** A file that may be the prebuilt of an engine. */
interface Candidate {
  path: string;
  /** Folder and name of the file, if it is in a folder for an ABI. */
  folder?: string;
  file: string;
  manifest?: Manifest;
}

/**
 * Finds a prebuilt that may be used: in the folder of this ABI, in those of
 * others, or directly in `assets/binaries`.
 *
 * @param rejected Gets each one that may not be used, with the reason.
 */
export async function findPrebuilt(
  plan: Plan,
  context: EngineContext,
  rejected: (rejection: Rejection) => void,
): Promise<Module | undefined> {
  for (const candidate of candidates(plan)) {
    const bytes = readBytes(candidate.path);
    if (!bytes) continue;
    const sha256 = sha256Hex(bytes);
    const module = { path: candidate.path, bytes, sha256 };
    const mistrust = mismatch(plan, context, candidate, sha256);
    const old = mistrust ??
      madeFromElse(plan, candidate.file, candidate.manifest, sha256);
    const reason = old ?? await unloadable(plan, context, candidate, module);
    if (reason === undefined) return module;
    const isOld = mistrust === undefined && old !== undefined;
    rejected({ path: candidate.path, reason, isOld });
  }
  return undefined;
}

function candidates(plan: Plan): Candidate[] {
  const { binaries } = plan.engine.project;
  const exact = plan.key.dir;
  const others = folderNames(binaries).filter((name) => name !== exact);
  return [
    ...[exact, ...others].flatMap((folder) =>
      inFolder(plan, join(binaries, folder), folder)
    ),
    ...inFolder(plan, binaries),
  ];
}

function inFolder(plan: Plan, dir: string, folder?: string): Candidate[] {
  const names = fileNames(plan).concat(foreignPythonFiles(plan, dir));
  const files = [...new Set(names)].filter((file) =>
    lstatIfExists(join(dir, file))
  );
  if (files.length === 0) return [];
  const manifest = readManifest(dir);
  return files.map((file) => ({
    path: join(dir, file),
    folder,
    file,
    manifest,
  }));
}

function fileNames({ engine, python, file }: Plan): string[] {
  return [
    file,
    engine.name + extensionOf({ kind: engine.kind }),
    ...(python ? [`${engine.name}.abi3.so`] : []),
  ];
}

/** Modules of the same engine for other Pythons: to be told about. */
function foreignPythonFiles({ engine }: Plan, dir: string): string[] {
  if (engine.kind !== "pybind11") return [];
  return fileEntries(dir).filter((file) =>
    file.startsWith(`${engine.name}.cpython-`) && file.endsWith(".so")
  );
}

/** What can be told without looking into the file. */
function mismatch(
  plan: Plan,
  context: EngineContext,
  { file, manifest }: Candidate,
  sha256: string,
): string | undefined {
  const expected = manifest?.hashes[file]?.toLowerCase();
  if (expected !== undefined && expected !== sha256) {
    return `its SHA-256 is not that of manifest.json: expected ${expected}, found ${sha256}`;
  }
  const { engine, python } = plan;
  const mayTrust = engine.config.allow_unverified ?? context.allowUnverified;
  if (expected === undefined && !mayTrust) {
    return "no manifest.json has a digest for it (--allow-unverified, or " +
      '"allow_unverified" in engines.json, uses it nevertheless)';
  }
  if (engine.kind === "pybind11") {
    const [, soabi] = /\.(cpython-[^.]+)\.so$/.exec(file) ?? [];
    const built = soabi ?? manifest?.python_soabi ?? undefined;
    if (built !== undefined && built !== python?.soabi) {
      return `built for ${built}, this Python is ${python?.soabi}`;
    }
  }
  const [, level] = /(?:^|-)napi(\d+)/.exec(manifest?.key ?? "") ?? [];
  if (engine.kind === "napi" && Number(level ?? 0) > hostNodeApi()) {
    return `built for Node-API ${level}, this runtime has ${hostNodeApi()}`;
  }
  return undefined;
}

/** Whether the sources that are here are others than it was built from. */
function madeFromElse(
  plan: Plan,
  file: string,
  manifest: Manifest | undefined,
  sha256: string,
): string | undefined {
  const { engine } = plan;
  // A program that is delivered without sources has nothing to compare with.
  if (engine.sources.length === 0) return undefined;
  // The cache knows more about what was built here: all headers, for one.
  const record = readRecord(recordPath(cacheFolder(plan), engine.name));
  if (record?.sha256 === sha256 && plan.compiler) {
    return outOfDateReason(record, plan.inputs);
  }
  const origin = manifest?.builds?.[file];
  return origin &&
    foreignOrigin(origin, plan.portable, engine.project.root);
}

/** What its needs, or a first load in a child process, tell. */
async function unloadable(
  plan: Plan,
  context: EngineContext,
  candidate: Candidate,
  module: Module,
): Promise<string | undefined> {
  const subject = await subjectOf(plan, module);
  const known = readVerdict(context.userCache, subject);
  if (known) return known.ok ? undefined : `${known.reason} (remembered)`;
  const unmet = unmetOf(candidate, module);
  if (unmet !== undefined) return unmet;
  const reason = await firstLoad(plan, context, candidate, module);
  writeVerdict(context.userCache, subject, {
    ok: reason === undefined,
    ...(reason === undefined ? {} : { reason }),
  });
  return reason;
}

async function subjectOf(
  { engine, python }: Plan,
  { sha256 }: Module,
): Promise<VerdictSubject> {
  const runtime = python
    ? `Python ${python.version} ${python.executable}`
    : `Deno ${Deno.version.deno}`;
  const { smoke: call } = engine.config;
  const smoke = call ? JSON.stringify(call) : "";
  return { sha256, libc: await libcVersion(), runtime, smoke };
}

function unmetOf(
  { manifest, file }: Candidate,
  { bytes }: Module,
): string | undefined {
  let passport: Passport;
  try {
    // Read anew, not believed; only the processor's features are not in it.
    passport = passportOf(readElf(bytes), manifest?.passports?.[file]?.cpu);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return error.message;
  }
  const unmet = unmetNeeds(passport, hostAbi());
  return unmet.length > 0 ? unmet.join("; ") : undefined;
}

async function firstLoad(
  plan: Plan,
  context: EngineContext,
  candidate: Candidate,
  module: Module,
): Promise<string | undefined> {
  const { engine, python } = plan;
  const { feedback, signal } = context;
  feedback.emit(
    "info",
    "note",
    `${engine.name}: trying ${candidate.path} in a process of its own`,
    { about: "engine.probe", path: candidate.path },
  );
  const api = engine.kind === "ffi"
    ? await interfaceOf(plan, context, module).catch(() => undefined)
    : undefined;
  return await probe({
    name: engine.name,
    kind: engine.kind,
    path: loadablePath(plan, context, module),
    ...(api ? { api } : {}),
    ...(engine.config.smoke ? { smoke: engine.config.smoke } : {}),
    ...(python ? { python: python.executable } : {}),
  }, { signal });
}

/**
 * Path of a copy of a module, from which it is loaded: in the project's cache,
 * or in the user's if the project cannot be written.
 */
export function loadablePath(
  { engine }: Plan,
  { userCache }: EngineContext,
  { bytes, sha256 }: Module,
): string {
  const end = engine.kind === "napi" ? ".node" : ".so";
  try {
    makeStateDir(engine.project);
    const dir = join(engine.project.cache, "loaded");
    return loadableCopy(dir, bytes, sha256, end);
  } catch {
    // Read-only, full, or somebody else's: the next error counts.
    return loadableCopy(join(userCache, "loaded-v1"), bytes, sha256, end);
  }
}

/**
 * Saves a module that was built or found in the cache as the prebuilt of this
 * ABI, with its digest. A folder that cannot be written is reported only.
 */
export async function savePrebuilt(
  plan: Plan,
  context: EngineContext,
  module: Module,
): Promise<void> {
  const { engine, key, file } = plan;
  const folder = join(engine.project.binaries, key.dir);
  try {
    if (isSaved(plan, folder, module)) return;
    Deno.mkdirSync(folder, { recursive: true });
    const lock = join(engine.project.cache, ".prebuilts.lock");
    await withLock(
      lock,
      { doing: `saving ${file}` },
      () => Promise.resolve(save(plan, folder, module)),
    );
    // Built here and for here: it need not be tried in another process.
    writeVerdict(context.userCache, await subjectOf(plan, module), {
      ok: true,
    });
  } catch (error) {
    context.feedback.emit(
      "warn",
      "note",
      `${engine.name}: no prebuilt was saved: ${(error as Error).message}`,
      { about: "engine.prebuilt.unsaved", path: join(folder, file) },
    );
  }
}

function isSaved(plan: Plan, folder: string, module: Module): boolean {
  const { file, engine } = plan;
  const manifest = readManifest(folder);
  if (manifest?.hashes[file] !== module.sha256) return false;
  const { record } = module;
  const same = (a: unknown, b: unknown) =>
    JSON.stringify(a) === JSON.stringify(b);
  return lstatIfExists(join(folder, file))?.size === module.bytes.length &&
    (!record ||
      same(manifest.passports?.[file], record.passport) &&
        same(manifest.builds?.[file], originOf(record, engine.project.root)));
}

function save(plan: Plan, folder: string, module: Module): void {
  const { engine, file, key, python } = plan;
  const old = readManifest(folder);
  const { record } = module;
  writeFileAtomic(join(folder, file), module.bytes, { mode: 0o755 });
  const api = interfacePath(cacheFolder(plan), engine.name);
  const described = engine.kind === "ffi" ? readBytes(api) : undefined;
  const sidecar = `${engine.name}.interface.json`;
  if (described) writeFileAtomic(join(folder, sidecar), described);
  writeManifest(folder, {
    python_version: python
      ? python.version.split(".").slice(0, 2).join(".")
      : null,
    python_soabi: python?.soabi ?? null,
    system: Deno.build.os,
    machine: Deno.build.arch,
    hashes: {
      ...old?.hashes,
      [file]: module.sha256,
      ...(described ? { [sidecar]: sha256Hex(described) } : {}),
    },
    key: key.text,
    passports: {
      ...old?.passports,
      ...(record ? { [file]: record.passport } : {}),
    },
    builds: {
      ...old?.builds,
      ...(record ? { [file]: originOf(record, engine.project.root) } : {}),
    },
  });
}

function folderNames(dir: string): string[] {
  return sortedEntries(dir).filter((entry) => entry.isDirectory)
    .map(({ name }) => name);
}

function fileEntries(dir: string): string[] {
  return sortedEntries(dir).filter((entry) => !entry.isDirectory)
    .map(({ name }) => name);
}
