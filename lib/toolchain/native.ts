/**
 * Small C programs and libraries of clibs itself, compiled on first use by the
 * user's compiler: prebuilt, cache or build, as with engines.
 */

import { join } from "node:path";
import { readManifest } from "../artifacts/manifest.ts";
import { originsOf, type Policy } from "../artifacts/policy.ts";
import { ClibsError } from "../errors.ts";
import { type Feedback, runTask, silent } from "../feedback/bus.ts";
import { sha256File, sha256Hex } from "../host/digest.ts";
import { cacheDir } from "../host/dirs.ts";
import {
  readJsonIfExists,
  removeTree,
  writeFileAtomic,
} from "../host/files.ts";
import { withLock } from "../host/lock.ts";
import { findProgram, runProcess } from "../host/process.ts";
import { splitWords } from "../host/shell.ts";
import { hostLibc } from "./libc.ts";
import { hostTriple } from "./triple.ts";

/** Version of the folders in the cache; part of their name. */
const NATIVE_FORMAT = 1;

/** What to compile. */
export interface NativeUnit {
  /** File name of the result. */
  name: string;
  /** Sources and headers by file name; those in `.c` are compiled. */
  sources: Readonly<Record<string, string>>;
  /** Arguments of the compiler besides the sources and `-o`. */
  args: readonly string[];
}

/** How to obtain it. */
export interface NativeOptions {
  /** Where it may come from. Default: `prefer_cache`. */
  policy?: Policy;
  /** The user's environment. Default: this process's. */
  env?: (name: string) => string | undefined;
  /** Where a build is reported. Default: nowhere. */
  feedback?: Feedback;
}

/**
 * Path of a unit for this machine.
 *
 * Prebuilt units are looked for in `CLIBS_NATIVE_DIR`, whose `manifest.json`
 * must vouch for them: it names the digest of the file, and as its key that of
 * the sources (see {@linkcode nativeKey}). Built ones are kept in the user's
 * cache; one whose bytes are no longer those that were built is built anew.
 *
 * @throws {ClibsError} `CLIBS_NATIVE_COMPILER` without a compiler,
 *   `CLIBS_NATIVE_BUILD` if it refuses the sources.
 */
export async function obtainNative(
  unit: NativeUnit,
  options: NativeOptions = {},
): Promise<string> {
  const env = options.env ?? ((name) => Deno.env.get(name));
  const key = nativeKey(unit);
  const folder = join(
    cacheDir(env),
    `native-v${NATIVE_FORMAT}`,
    `${unit.name}-${key.slice(0, 16)}`,
  );
  for (const origin of originsOf(options.policy ?? "prefer_cache")) {
    const found = origin === "prebuilt"
      ? prebuilt(unit, key, env)
      : origin === "cache"
      ? cached(folder, unit)
      : await build(folder, unit, env, options.feedback ?? silent);
    if (found !== undefined) return found;
  }
  throw new ClibsError(
    "CLIBS_NATIVE_BUILD",
    `Cannot obtain ${unit.name}: the policy forbids a build, and there is none`,
    {
      facts: { policy: options.policy ?? "prefer_cache", key },
      hint: "set CLIBS_NATIVE_DIR to a folder that has it, or allow a build",
    },
  );
}

/** Digest of what a unit is made from, and of the ABI that it is made for. */
export function nativeKey(unit: NativeUnit): string {
  const sources = Object.entries(unit.sources).sort();
  return sha256Hex(
    JSON.stringify([
      NATIVE_FORMAT,
      hostTriple(),
      hostLibc(),
      unit.args,
      sources,
    ]),
  );
}

function prebuilt(
  unit: NativeUnit,
  key: string,
  env: (name: string) => string | undefined,
): string | undefined {
  const folder = env("CLIBS_NATIVE_DIR");
  if (!folder) return undefined;
  const manifest = readManifest(folder);
  if (manifest?.key !== key) return undefined;
  return isIntact(join(folder, unit.name), manifest.hashes[unit.name]);
}

/** The path, if its bytes are those that were vouched for. */
function isIntact(path: string, sha256: unknown): string | undefined {
  try {
    return sha256 === sha256File(path) ? path : undefined;
  } catch {
    return undefined;
  }
}

function cached(folder: string, unit: NativeUnit): string | undefined {
  const record = readJsonIfExists(`${folder}.json`);
  if (typeof record !== "object" || record === null) return undefined;
  const { sha256 } = record as { sha256?: unknown };
  return isIntact(join(folder, unit.name), sha256);
}

async function build(
  folder: string,
  unit: NativeUnit,
  env: (name: string) => string | undefined,
  feedback: Feedback,
): Promise<string> {
  const command = findCompiler(env);
  return await withLock(
    `${folder}.lock`,
    { doing: `building ${unit.name}`, feedback },
    async () => {
      const first = cached(folder, unit);
      if (first) return first;
      return await runTask(feedback, "build", unit.name, async () => {
        removeTree(folder);
        await compile(folder, unit, command);
        const path = join(folder, unit.name);
        const sha256 = sha256File(path);
        writeFileAtomic(`${folder}.json`, JSON.stringify({ sha256 }));
        return path;
      });
    },
  );
}

async function compile(
  folder: string,
  unit: NativeUnit,
  command: readonly string[],
): Promise<void> {
  const sources = join(folder, "src");
  Deno.mkdirSync(sources, { recursive: true });
  const names = Object.keys(unit.sources);
  for (const name of names) {
    Deno.writeTextFileSync(join(sources, name), unit.sources[name]!);
  }
  const result = await runProcess({
    command: command[0]!,
    args: [
      ...command.slice(1),
      ...unit.args,
      ...names.filter((name) => name.endsWith(".c")),
      "-o",
      join(folder, unit.name),
    ],
    cwd: sources,
    env: { LC_ALL: "C" },
  });
  if (result.ok) return;
  throw new ClibsError(
    "CLIBS_NATIVE_BUILD",
    `Cannot compile ${unit.name}: ${command.join(" ")} failed`,
    {
      facts: {
        sources,
        output: result.stderr.trim().split("\n").slice(0, 8).join("\n"),
      },
      hint: "set CC to a C compiler for this machine, such as gcc or clang",
    },
  );
}

/** The user's C compiler with its first flags. */
export function findCompiler(
  env: (name: string) => string | undefined,
): string[] {
  const [asked, ...flags] = splitWords(env("CC") ?? "");
  for (const name of asked === undefined ? ["cc", "gcc", "clang"] : [asked]) {
    const path = name.includes("/") ? name : findProgram(name, env("PATH"));
    if (path !== undefined) return [path, ...flags];
  }
  throw new ClibsError(
    "CLIBS_NATIVE_COMPILER",
    "Cannot compile a part of clibs: there is no C compiler",
    {
      facts: { tried: asked ?? "cc, gcc, clang" },
      hint: "install gcc or clang, or set CC",
    },
  );
}
