/** Reads the `Lmakefile.ts` of a test. */

import { ClibsError } from "../../lib/errors.ts";
import {
  loadDefinition,
  type Loaded,
  type LoadOptions,
} from "../../lib/rules/load/load.ts";
import { TempDir } from "../support/temp.ts";
import { shown } from "./define_support.ts";

const IMPORT = `import * as all from "@clibs/cli/lmake";
const { rule, lmake } = all;
`;

/** Lines before the text of {@linkcode load}. */
export const LINES_BEFORE = 2;

/** A repo with files; `Lmakefile.ts` gets an import of the module. */
export function repo(files: string | Record<string, string>): TempDir {
  const dir = new TempDir();
  dir.write(
    typeof files === "string" ? { "Lmakefile.ts": IMPORT + files } : files,
  );
  return dir;
}

/** Reads it; the evaluator is closed at once. */
export async function load(
  files: string | Record<string, string>,
  options: Partial<LoadOptions> = {},
): Promise<Loaded> {
  using dir = repo(files);
  const loaded = await loadDefinition({ root: dir.path, ...options });
  await loaded.evaluator.close();
  return loaded;
}

/** The failure of reading it, as it is shown; `ROOT` stands for its folder. */
export async function loadFailure(
  files: string | Record<string, string>,
  options: Partial<LoadOptions> = {},
): Promise<string> {
  using dir = repo(files);
  try {
    const { evaluator } = await loadDefinition({ root: dir.path, ...options });
    await evaluator.close();
  } catch (error) {
    if (!(error instanceof ClibsError)) throw error;
    return shown(error, false).replaceAll(dir.path, "ROOT");
  }
  throw new Error("nothing was thrown");
}
