/**
 * `manifest.json` beside prebuilt files: their digests, and what they were
 * built for and from.
 */

import { join } from "node:path";
import { ClibsError } from "../errors.ts";
import { readTextIfExists, writeFileAtomic } from "../host/files.ts";
import type { Passport } from "../toolchain/passport.ts";

/** Name of the file. */
export const MANIFEST = "manifest.json";

/** What a file was built from, for those who have the sources too. */
export interface BuildOrigin {
  /** What counts besides files, such as flags, by label. */
  inputs: Record<string, string>;
  /** SHA-256 of the files below the project's root, by relative path. */
  files: Record<string, string>;
}

/** A manifest. */
export interface Manifest {
  /** Python's version, `3.13`; null if no Python is needed. */
  python_version: string | null;
  /** Tag of Python's binary interface; null if no Python is needed. */
  python_soabi: string | null;
  /** Operating system: `linux`. */
  system: string;
  /** Processor: `x86_64`. */
  machine: string;
  /** SHA-256 of each file, in lower-case hex, by name. */
  hashes: Record<string, string>;
  /** The readable key of the folder. Absent if another tool wrote it. */
  key?: string;
  /** Needs of each file, by name. Absent if another tool wrote it. */
  passports?: Record<string, Passport>;
  /** What each file was built from, by name. Absent if another tool wrote it. */
  builds?: Record<string, BuildOrigin>;
}

/**
 * Reads the manifest of a folder; undefined if there is none.
 *
 * @throws {ClibsError} `CLIBS_MANIFEST` if it is not a manifest: what vouches
 *   for binaries is never passed over in silence.
 */
export function readManifest(folder: string): Manifest | undefined {
  const path = join(folder, MANIFEST);
  const text = readTextIfExists(path);
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw invalid(path, (cause as Error).message, cause);
  }
  const problem = problemOf(value);
  if (problem) throw invalid(path, problem);
  return value as Manifest;
}

function invalid(path: string, problem: string, cause?: unknown): ClibsError {
  return new ClibsError(
    "CLIBS_MANIFEST",
    `Cannot use the prebuilts of a folder: its manifest is not valid`,
    {
      facts: { manifest: path, problem },
      hint: "restore the file, or remove the folder to build anew",
      cause,
    },
  );
}

function problemOf(value: unknown): string | undefined {
  if (!isRecord(value)) return "it is not an object";
  const { hashes, passports, builds } = value;
  if (!isRecord(hashes)) return '"hashes" is not an object';
  for (const [name, digest] of Object.entries(hashes)) {
    if (!isFileName(name)) return `${JSON.stringify(name)} is not a file name`;
    if (typeof digest !== "string" || !/^[0-9a-f]{64}$/i.test(digest)) {
      return `the digest of ${JSON.stringify(name)} is not 64 hex digits`;
    }
  }
  for (const [label, part] of Object.entries({ passports, builds })) {
    if (part === undefined) continue;
    if (!isRecord(part) || !Object.values(part).every(isRecord)) {
      return `"${label}" is not an object of objects`;
    }
  }
  const origins = Object.values(builds ?? {}) as Partial<BuildOrigin>[];
  if (!origins.every((o) => isRecord(o.inputs) && isRecord(o.files))) {
    return '"builds" lacks "inputs" or "files"';
  }
  const passes = Object.values(passports ?? {}) as Partial<Passport>[];
  const isWhole = passes.every((p) =>
    Array.isArray(p.needed) && Array.isArray(p.symbols) && Array.isArray(p.cpu)
  );
  return isWhole ? undefined : '"passports" lacks "needed", "symbols" or "cpu"';
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether a text names a file in a folder, and nothing outside of it. */
export function isFileName(text: string): boolean {
  return text !== "" && text !== "." && text !== ".." &&
    !/[/\\\0]/.test(text);
}

/** Writes the manifest of a folder; the folder's lock must be held. */
export function writeManifest(folder: string, manifest: Manifest): void {
  writeFileAtomic(
    join(folder, MANIFEST),
    `${JSON.stringify(manifest, undefined, 2)}\n`,
  );
}
