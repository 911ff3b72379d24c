/** Names of files as a job asks for them, and hears of them. */

import { relative, resolve } from "node:path";
import { ClibsError } from "../../errors.ts";
import type { Files } from "./files.ts";

/** Which files a job wants to hear of. */
export interface ListOptions {
  /** Folder that names are relative to. */
  cwd: string;
  /** Folder that they are in. Default: any. */
  dir: string | undefined;
  /** What their whole names match. Default: anything. */
  regexpr: string | undefined;
}

/** Names of files as a job in a folder spells them. */
export function listed(
  files: Files,
  names: Iterable<string>,
  { cwd, dir, regexpr }: ListOptions,
): string[] {
  const pattern = regexpr === undefined ? undefined : wholeName(regexpr);
  const folder = dir === undefined || dir === ""
    ? undefined
    : `${resolve(cwd, dir)}/`.replace(/\/+$/, "/");
  return [...names]
    .filter((name) =>
      folder === undefined || files.path(name).startsWith(folder)
    )
    .map((name) => spelled(files, name, cwd))
    .filter((name) => pattern === undefined || pattern.test(name));
}

/** A file as a job in a folder spells it. */
export function spelled(files: Files, name: string, cwd: string): string {
  const { root } = files;
  const isInside = cwd === root || cwd.startsWith(`${root}/`);
  const path = files.path(name);
  if (name.startsWith("/") || !isInside) return path;
  return relative(cwd, path) || ".";
}

/**
 * A regular expression that a whole name has to match.
 *
 * @throws {ClibsError} `CLIBS_JOB_ARGUMENT` if it is none.
 */
export function wholeName(text: string): RegExp {
  try {
    return new RegExp(`^(?:${text})$`, "su");
  } catch (cause) {
    throw new ClibsError(
      "CLIBS_JOB_ARGUMENT",
      `Cannot use ${JSON.stringify(text)} as a regular expression: ${
        (cause as Error).message
      }`,
      { cause },
    );
  }
}
