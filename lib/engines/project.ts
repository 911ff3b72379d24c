/** Where the files of a project with engines are. */

import { dirname, join, resolve } from "node:path";
import { lstatIfExists } from "../host/files.ts";

/** Folders of a project, absolute, links resolved. */
export interface Project {
  /** Root of the project. */
  root: string;
  /** Folder with the engines' sources; it need not exist. */
  sourceDir: string;
  /** Folder of the cache. */
  cache: string;
  /** Folder of the prebuilts. */
  binaries: string;
}

/** Default of `sourceDir`. */
export const SOURCE_DIR = "core/engines";

/** Names that mark the root of a project. */
const MARKERS = ["assets", "pyproject.toml", "deno.json"];

/**
 * Finds the project of a source folder: its nearest parent with `assets/`,
 * `pyproject.toml` or `deno.json`, else the parent of the source folder.
 */
export function findProject(sourceDir: string = SOURCE_DIR): Project {
  const source = realPath(resolve(sourceDir));
  const root = markedParent(dirname(source)) ?? dirname(source);
  return {
    root,
    sourceDir: source,
    cache: join(root, ".clibs", "cache"),
    binaries: realPath(join(root, "assets", "binaries")),
  };
}

/** Makes the folder of the cache, which version control and tools pass over. */
export function makeStateDir({ root }: Project): void {
  const ignore = join(root, ".clibs", ".gitignore");
  if (lstatIfExists(ignore)) return;
  Deno.mkdirSync(dirname(ignore), { recursive: true });
  Deno.writeTextFileSync(ignore, "*\n");
}

function markedParent(start: string): string | undefined {
  for (let dir = start;; dir = dirname(dir)) {
    if (MARKERS.some((name) => lstatIfExists(join(dir, name)))) return dir;
    if (dirname(dir) === dir) return undefined;
  }
}

/** The path with links resolved as far as it exists. */
function realPath(path: string): string {
  try {
    return Deno.realPathSync(path);
  } catch {
    const parent = dirname(path);
    return parent === path
      ? path
      : join(realPath(parent), path.slice(parent.length));
  }
}
