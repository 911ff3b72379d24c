/** Checks of what jobs pass to the calls of {@linkcode JobServices}. */

import { ClibsError } from "../../errors.ts";
import { nearest } from "../../nearest.ts";
import type { DepFlag, TargetFlag } from "../model.ts";
import type { DependOptions, TargetOptions } from "../services.ts";

/** Flags of `depend` and what they are if nothing is said. */
const DEPEND_FLAGS: Partial<Record<DepFlag, boolean>> = {
  critical: false,
  essential: false,
  ignore: false,
  ignoreError: false,
  noStar: true,
  readdirOk: false,
  required: true,
};

const DEPEND_MODES = [
  "read",
  "followSymlinks",
  "direct",
  "verbose",
  "regexpr",
] as const;

/** Flags of `target` and what they are if nothing is said. */
const TARGET_FLAGS: Partial<Record<TargetFlag | DepFlag, boolean>> = {
  allow: true,
  essential: false,
  ignore: false,
  incremental: false,
  noWarning: false,
  sourceOk: false,
  critical: false,
  ignoreError: false,
  noStar: true,
  readdirOk: false,
  required: false,
};

const TARGET_MODES = ["write", "followSymlinks", "regexpr"] as const;

/** A mistake in the arguments of a call. */
export function argumentError(call: string, cause: string): ClibsError {
  return new ClibsError("CLIBS_JOB_ARGUMENT", `Cannot call ${call}: ${cause}`);
}

/**
 * Options of `depend` as the runner takes them.
 *
 * @throws {ClibsError} `CLIBS_JOB_ARGUMENT`.
 */
export function dependOptions(options: unknown): DependOptions {
  const given = switches("depend", options, DEPEND_FLAGS, DEPEND_MODES);
  // Who lists a folder, or ignores a file, does not ask for it to be built.
  const required = given.required ?? !(given.readdirOk || given.ignore);
  const flags = flagsOf(DEPEND_FLAGS, { ...given, required });
  exclude("depend", given, "regexpr", DEPEND_MODES.slice(0, 4));
  exclude("depend", given, "verbose", ["direct"]);
  return { flags, ...modesOf(DEPEND_MODES, given) };
}

/**
 * Options of `target` as the runner takes them.
 *
 * @throws {ClibsError} `CLIBS_JOB_ARGUMENT`.
 */
export function targetOptions(options: unknown): TargetOptions {
  const given = switches("target", options, TARGET_FLAGS, TARGET_MODES);
  exclude("target", given, "regexpr", ["write"]);
  return {
    flags: flagsOf(TARGET_FLAGS, given),
    ...modesOf(TARGET_MODES, given),
  };
}

/**
 * The names of files, or the patterns, of a call.
 *
 * @throws {ClibsError} `CLIBS_JOB_ARGUMENT`.
 */
export function fileNames(
  call: string,
  files: unknown,
  isPattern = false,
): string[] {
  if (!Array.isArray(files)) {
    throw argumentError(call, "the files are not a list");
  }
  for (const file of files) {
    checkName(call, file);
    if (isPattern) checkRegexpr(call, file);
  }
  return files;
}

/**
 * The name of a file.
 *
 * @throws {ClibsError} `CLIBS_JOB_ARGUMENT`.
 */
export function checkName(call: string, file: unknown): string {
  if (typeof file !== "string") {
    throw argumentError(
      call,
      `the name of a file is a string, not ${JSON.stringify(file) ?? file}`,
    );
  }
  if (file === "") throw argumentError(call, "the name of a file is empty");
  if (file.includes("\0")) {
    throw argumentError(call, "the name of a file has a NUL byte");
  }
  return file;
}

/**
 * A regular expression as text.
 *
 * @throws {ClibsError} `CLIBS_JOB_ARGUMENT`.
 */
export function checkRegexpr(call: string, text: unknown): string {
  if (typeof text !== "string") {
    throw argumentError(call, "the regular expression is not a string");
  }
  try {
    new RegExp(text);
  } catch (error) {
    throw argumentError(call, (error as Error).message);
  }
  return text;
}

/** Options that are true, false or left out, and no others. */
function switches(
  call: string,
  options: unknown,
  flags: Record<string, boolean>,
  modes: readonly string[],
): Record<string, boolean | undefined> {
  if (options === undefined || options === null) return {};
  if (typeof options !== "object" || Array.isArray(options)) {
    throw argumentError(call, "the options are not an object");
  }
  const known = [...Object.keys(flags), ...modes];
  for (const [name, value] of Object.entries(options)) {
    if (!known.includes(name)) {
      const near = nearest(name, known);
      throw argumentError(
        call,
        `there is no option "${name}"` +
          (near === undefined ? "" : ` (nearest: ${near})`),
      );
    }
    if (typeof value !== "boolean" && value !== undefined && value !== null) {
      throw argumentError(call, `option ${name} is true or false`);
    }
  }
  return options as Record<string, boolean | undefined>;
}

function flagsOf<Flag extends string>(
  defaults: Partial<Record<Flag, boolean>>,
  given: Record<string, boolean | undefined>,
): Flag[] {
  return (Object.keys(defaults) as Flag[])
    .filter((flag) => given[flag] ?? defaults[flag]);
}

function modesOf<Mode extends string>(
  modes: readonly Mode[],
  given: Record<string, boolean | undefined>,
): Partial<Record<Mode, boolean>> {
  const result: Partial<Record<Mode, boolean>> = {};
  for (const mode of modes) if (given[mode]) result[mode] = true;
  return result;
}

function exclude(
  call: string,
  given: Record<string, boolean | undefined>,
  option: string,
  others: readonly string[],
): void {
  if (!given[option]) return;
  const other = others.find((name) => given[name]);
  if (other !== undefined) {
    throw argumentError(call, `option ${option} cannot go with ${other}`);
  }
}
