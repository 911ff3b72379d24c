/** Declares what the import of a module looked at. */

import { Autodep } from "./autodep.ts";
import { argumentError, depend } from "./calls.ts";
import { assertInJob } from "./client.ts";
import { repoRoot, topRepoRoot } from "./root.ts";

/** Ends of names under which Deno, or a bundler, finds a module. */
export const MODULE_SUFFIXES: readonly string[] = ["", "/mod", "/index"]
  .flatMap((stem) =>
    [".ts", ".tsx", ".mts", ".js", ".jsx", ".mjs", ".cjs"]
      .map((suffix) => stem + suffix)
  );

/** Declares deps of an import; see {@linkcode JobModule.reportImport}. */
export async function reportImport(
  moduleName?: string,
  path?: readonly string[],
  moduleSuffixes?: readonly string[],
): Promise<void> {
  assertInJob("reportImport");
  const folders = strings("path", path) ?? [repoRoot()];
  const suffixes = strings("moduleSuffixes", moduleSuffixes) ??
    MODULE_SUFFIXES;
  if (typeof (moduleName ?? "") !== "string") {
    throw argumentError("reportImport", "moduleName is not a string");
  }
  const dirs = folders.map((dir) => dir.replace(/(?<=.)\/+$/, "") || ".");
  const local = dirs.filter(isLocal);
  if (local.length > 0) {
    await depend(local, { readdirOk: true, required: false });
  }
  const name = moduleName?.split(".").at(-1);
  if (!name) return;
  for (const dir of dirs) {
    const tracked = isLocal(dir);
    for (const suffix of tracked ? suffixes : MODULE_SUFFIXES) {
      const file = dir === "." ? name + suffix : `${dir}/${name}${suffix}`;
      if (tracked) await depend(file, { read: true, required: false });
      if (isFile(file)) return;
    }
  }
}

/** Whether a folder is in the repo, by its name. */
function isLocal(dir: string): boolean {
  const root = topRepoRoot();
  const parts: string[] = [];
  const full = dir.startsWith("/") ? dir : `${Deno.cwd()}/${dir}`;
  for (const part of full.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}/`.startsWith(root === "/" ? root : `${root}/`);
}

function isFile(path: string): boolean {
  // The dep is declared already, with the accesses that matter.
  using _scope = new Autodep(false);
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** A list of strings; undefined if it is left out, or empty. */
function strings(
  name: string,
  list: readonly string[] | undefined | null,
): readonly string[] | undefined {
  if (list === undefined || list === null) return undefined;
  if (!Array.isArray(list) || list.some((item) => typeof item !== "string")) {
    throw argumentError("reportImport", `${name} is not an array of strings`);
  }
  return list.length > 0 ? list : undefined;
}
