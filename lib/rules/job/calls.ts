/** The functions of the job module that the runner answers. */

import { ask, jobError } from "./client.ts";
import type { Depend, JobModule, Target } from "./types.ts";

/** A mistake in the arguments of a call. */
export function argumentError(call: string, cause: string): Error {
  return jobError("CLIBS_JOB_ARGUMENT", `Cannot call ${call}: ${cause}`);
}

/** Declares deps; see {@linkcode JobModule.depend}. */
export const depend = (async (...args: unknown[]) => {
  const [files, options] = splitOptions("depend", args);
  return await ask("depend", { files, options }) ?? undefined;
}) as Depend;

/** Declares targets; see {@linkcode JobModule.target}. */
export const target = (async (...args: unknown[]) => {
  const [files, options] = splitOptions("target", args);
  await ask("target", { files, options });
}) as Target;

/** Has deps checked; see {@linkcode JobModule.checkDeps}. */
export const checkDeps = (async (delay = 0, sync = false) => {
  return await ask("checkDeps", { delay, sync }) ?? undefined;
}) as JobModule["checkDeps"];

/** Code of a value; see {@linkcode JobModule.encode}. */
export async function encode(
  file: string,
  ctx: string,
  val: unknown,
  minLength: number = 1,
): Promise<string> {
  return await ask("encode", {
    table: file,
    context: ctx,
    value: String(val),
    minLength,
  }) as string;
}

/** Value of a code; see {@linkcode JobModule.decode}. */
export async function decode(
  file: string,
  ctx: string,
  code: string,
): Promise<string> {
  return await ask("decode", { table: file, context: ctx, code }) as string;
}

/** Deps so far; see {@linkcode JobModule.listDeps}. */
export async function listDeps(
  dir?: string,
  regexpr?: string | RegExp,
): Promise<string[]> {
  return await ask("listDeps", listing(dir, regexpr)) as string[];
}

/** Targets so far; see {@linkcode JobModule.listTargets}. */
export async function listTargets(
  dir?: string,
  regexpr?: string | RegExp,
): Promise<string[]> {
  return await ask("listTargets", listing(dir, regexpr)) as string[];
}

/** A folder as the lists spell it; see {@linkcode JobModule.listRoot}. */
export async function listRoot(dir: string): Promise<string> {
  return await ask("listRoot", { dir }) as string;
}

/** Checksum of a text; see {@linkcode JobModule.xxhsum}. */
export async function xxhsum(text: string): Promise<string> {
  return await ask("xxhsum", { text }) as string;
}

/** Checksum of a file; see {@linkcode JobModule.xxhsumFile}. */
export async function xxhsumFile(file: string): Promise<string> {
  return await ask("xxhsumFile", { file }) as string;
}

/**
 * Takes off the object that the last argument may be.
 *
 * @returns The arguments before it, or the one array that they are.
 */
export function splitOptions(
  call: string,
  args: unknown[],
): [files: unknown[], options: Record<string, unknown>] {
  const last = args.at(-1);
  const hasOptions = args.length > 0 &&
    (last === undefined || last === null ||
      (typeof last === "object" && !Array.isArray(last)));
  const files = hasOptions ? args.slice(0, -1) : args;
  // A list that is missing is not one that is empty: undefined is the mistake
  // of somebody who misspelt a variable.
  if (hasOptions && files.length === 0 && !last) {
    throw argumentError(call, `there is no file, but ${last}`);
  }
  const list = files.length === 1 && Array.isArray(files[0]) ? files[0] : files;
  return [list, (hasOptions && last || {}) as Record<string, unknown>];
}

function listing(
  dir: string | undefined,
  regexpr: string | RegExp | undefined,
): Record<string, unknown> {
  return { dir, regexpr: regexpr instanceof RegExp ? regexpr.source : regexpr };
}
