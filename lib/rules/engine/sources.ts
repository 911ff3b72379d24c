/** Which files are sources: listed in a manifest, known to git, or configured. */

import { join } from "node:path";
import { ClibsError } from "../../errors.ts";
import { readTextIfExists } from "../../host/files.ts";
import { findProgram, runProcess } from "../../host/process.ts";
import type { Config } from "../model.ts";

/** Name of the file that lists sources, unless the config names another. */
export const MANIFEST = "Manifest";

/** The sources of a repo. */
export interface Sources {
  /** Whether a name is listed. */
  has(name: string): boolean;
  /** The source dir that a name is in, as it was declared; undefined if none. */
  dirOf(name: string): string | undefined;
  /** Listed names, without source dirs. */
  names: ReadonlySet<string>;
  /** Source dirs, without their last slash. */
  dirs: readonly string[];
}

/**
 * Finds out which files are sources.
 *
 * @throws {ClibsError} `CLIBS_LMAKE_SOURCES` if nothing says so.
 */
export async function findSources(
  root: string,
  config: Config,
): Promise<Sources> {
  if (config.sources) return sourcesOf(config.sources);
  const manifest = config.manifest ?? MANIFEST;
  const text = readTextIfExists(join(root, manifest));
  if (text !== undefined) return sourcesOf(parseManifest(text));
  if (config.manifest !== undefined) {
    throw noSources(root, `${config.manifest} is not there`);
  }
  if (findProgram("git") === undefined) {
    throw noSources(root, `there is no ${MANIFEST}, and git is not on PATH`);
  }
  const result = await runProcess({
    command: "git",
    args: ["ls-files", "-z", "--cached", "--recurse-submodules"],
    cwd: root,
  });
  if (!result.ok) {
    throw noSources(root, `there is no ${MANIFEST}, and git does not know it`);
  }
  return sourcesOf(result.stdout.split("\0").filter((name) => name !== ""));
}

function noSources(root: string, problem: string): ClibsError {
  return new ClibsError(
    "CLIBS_LMAKE_SOURCES",
    "Cannot tell which files are sources: nothing lists them",
    {
      facts: { repo: root, problem },
      hint: `git init && git add, or write ${MANIFEST}: one name a line`,
    },
  );
}

/** Names in a manifest: one a line; `#` begins a comment. */
export function parseManifest(text: string): string[] {
  return text.split("\n")
    .map((line) => line.replace(/(^|\s)#.*$/, "").trim())
    .filter((line) => line !== "");
}

/** Sources from their names; a last slash makes a source dir. */
export function sourcesOf(names: readonly string[]): Sources {
  const plain = new Set<string>();
  const dirs: string[] = [];
  for (const name of names) {
    const clean = name.replace(/^(\.\/)+/, "");
    if (clean.endsWith("/")) dirs.push(clean.replace(/\/+$/, ""));
    else plain.add(clean);
  }
  return {
    names: plain,
    dirs,
    has: (name) => plain.has(name),
    dirOf: (name) =>
      dirs.find((dir) => name === dir || name.startsWith(`${dir}/`)),
  };
}
