/**
 * Small C programs and libraries of clibs itself, compiled on first use by the
 * user's compiler: prebuilt, cache or build, as with engines.
 */

import { join } from "node:path";
import {
  MANIFEST,
  readManifest,
  writeManifest,
} from "../artifacts/manifest.ts";
import { originsOf, type Policy } from "../artifacts/policy.ts";
import { ClibsError } from "../errors.ts";
import { type Feedback, runTask, silent } from "../feedback/bus.ts";
import { sha256File, sha256Hex } from "../host/digest.ts";
import { cacheDir } from "../host/dirs.ts";
import { removeTree } from "../host/files.ts";
import { withLock } from "../host/lock.ts";
import { hostLibc } from "./libc.ts";
import { compileNative, type NativeUnit } from "./native_build.ts";
import { hostTriple } from "./triple.ts";

export type { NativeUnit };

/** Version of the folders in the cache; part of their name. */
const NATIVE_FORMAT = 2;

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
 * Built ones are kept in `native-v…` in the user's cache, each in a folder of
 * its own beside a `manifest.json`, which vouches for it: it holds the digest
 * of the file, and the key of what it was made from ({@linkcode nativeKey}).
 * One whose bytes are no longer those is built anew. `CLIBS_NATIVE_DIR` may
 * name a copy of such a folder from a machine of the same kind.
 *
 * If the cache cannot be written, a private folder in `TMPDIR` stands in.
 *
 * @throws {ClibsError} `CLIBS_NATIVE_COMPILER` without a compiler,
 *   `CLIBS_NATIVE_BUILD` if none makes the unit, or no folder can hold it,
 *   `CLIBS_MANIFEST` if what vouches for a prebuilt is damaged.
 */
export async function obtainNative(
  unit: NativeUnit,
  options: NativeOptions = {},
): Promise<string> {
  const env = options.env ?? ((name) => Deno.env.get(name));
  const policy = options.policy ?? "prefer_cache";
  const request: Request = {
    unit,
    key: nativeKey(unit),
    env,
    feedback: options.feedback ?? silent,
    folders: [
      join(cacheDir(env), `native-v${NATIVE_FORMAT}`),
      join(
        env("TMPDIR") || "/tmp",
        `clibs-native-v${NATIVE_FORMAT}-${Deno.uid() ?? 0}`,
      ),
    ],
    rebuild: policy === "build_only",
  };
  for (const origin of originsOf(policy)) {
    const found = origin === "prebuilt"
      ? prebuilt(request)
      : origin === "cache"
      ? cached(request)
      : await build(request);
    if (found !== undefined) return found;
  }
  throw new ClibsError(
    "CLIBS_NATIVE_BUILD",
    `Cannot obtain ${unit.name}: the policy forbids a build, and there is none`,
    {
      facts: { policy, key: request.key },
      hint: "set CLIBS_NATIVE_DIR to a folder that has it, or allow a build",
    },
  );
}

interface Request {
  unit: NativeUnit;
  key: string;
  env: (name: string) => string | undefined;
  feedback: Feedback;
  /** Where built units may be, the best place first. */
  folders: readonly string[];
  /** Whether one that is there already will not do. */
  rebuild: boolean;
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

/** Where a unit lies in a folder of units. */
function placeIn(folder: string, { unit, key }: Request): string {
  return join(folder, `${unit.name}-${key.slice(0, 16)}`);
}

function prebuilt(request: Request): string | undefined {
  const folder = request.env("CLIBS_NATIVE_DIR");
  if (!folder) return undefined;
  const place = placeIn(folder, request);
  const manifest = readManifest(place);
  // That of another release is no mistake.
  if (manifest?.key !== request.key) return undefined;
  const path = intact(place, request);
  if (path === undefined) {
    request.feedback.emit(
      "warn",
      "note",
      `not used: ${join(place, request.unit.name)} is not what ${
        join(place, MANIFEST)
      } says`,
      { about: "native" },
    );
  }
  return path;
}

function cached(request: Request): string | undefined {
  for (const folder of request.folders) {
    if (folder !== request.folders[0] && !isPrivate(folder)) continue;
    const path = intact(placeIn(folder, request), request);
    if (path !== undefined) return path;
  }
  return undefined;
}

/** The unit in a folder, if its bytes are those that were vouched for. */
function intact(place: string, { unit, key }: Request): string | undefined {
  const path = join(place, unit.name);
  try {
    const manifest = readManifest(place);
    const isIt = manifest?.key === key &&
      manifest.hashes[unit.name] === sha256File(path);
    return isIt ? path : undefined;
  } catch {
    // Damaged, or unreadable: as good as none.
    return undefined;
  }
}

/** Whether nobody else can write to a folder; others may know its name. */
function isPrivate(folder: string): boolean {
  try {
    const { isDirectory, uid, mode } = Deno.lstatSync(folder);
    return isDirectory && uid === Deno.uid() && ((mode ?? 0) & 0o077) === 0;
  } catch {
    return false;
  }
}

async function build(request: Request): Promise<string> {
  const facts: Record<string, string> = {};
  for (const folder of request.folders) {
    try {
      if (folder === request.folders[0]) {
        Deno.mkdirSync(folder, { recursive: true });
      } else if (!isPrivate(folder)) Deno.mkdirSync(folder, { mode: 0o700 });
      return await buildIn(folder, request);
    } catch (error) {
      // Permissions, a read-only or full file system, no folder, …
      if (error instanceof ClibsError) throw error;
      facts[folder] = (error as Error).message;
    }
  }
  throw new ClibsError(
    "CLIBS_NATIVE_BUILD",
    `Cannot build ${request.unit.name}: no folder can hold it`,
    { facts, hint: "set CLIBS_CACHE_DIR to a folder that can be written" },
  );
}

async function buildIn(folder: string, request: Request): Promise<string> {
  const { unit, key, env, feedback, rebuild } = request;
  const place = placeIn(folder, request);
  return await withLock(
    `${place}.lock`,
    { doing: `building ${unit.name}`, feedback },
    async () => {
      const first = rebuild ? undefined : intact(place, request);
      if (first) return first;
      return await runTask(feedback, "build", unit.name, async () => {
        removeTree(place);
        await compileNative(unit, place, env);
        const path = join(place, unit.name);
        writeManifest(place, {
          python_version: null,
          python_soabi: null,
          system: Deno.build.os,
          machine: Deno.build.arch,
          hashes: { [unit.name]: sha256File(path) },
          key,
        });
        return path;
      });
    },
  );
}
