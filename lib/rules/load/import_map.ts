/** Where imports of `Lmakefile.ts` lead: the user's, and our module. */

import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { ClibsError } from "../../errors.ts";
import { lstatIfExists, readTextIfExists } from "../../host/files.ts";

/** An import map, as the web has it. */
export interface ImportMap {
  imports: Record<string, string>;
  scopes?: Record<string, Record<string, string>>;
}

/** How Deno is to be set up in a repo. */
export interface DenoSetup {
  /** The import map, all of its addresses absolute. */
  importMap: ImportMap;
  /** The user's configuration of Deno that holds at the root, if any. */
  configFile?: string;
  /** The lock file beside it, if any. */
  lockFile?: string;
  /** Absolute names of the files that decide on this, also absent ones. */
  lookedAt: string[];
}

/**
 * The import map of a repo, which is its own with our module added.
 *
 * Deno takes one import map, so that the user's is read here.
 *
 * @param root Root of the repo.
 * @param lmakeModule What `@clibs/cli/lmake` is, as a URL.
 */
export function denoSetup(root: string, lmakeModule: string): DenoSetup {
  const lookedAt: string[] = [];
  const configFile = findConfig(root, lookedAt);
  const own = configFile === undefined
    ? { imports: {} }
    : readImportMap(configFile, lookedAt);
  const importMap = {
    ...own,
    imports: { ...own.imports, "@clibs/cli/lmake": lmakeModule },
  };
  if (configFile === undefined) return { importMap, lookedAt };
  const lockFile = join(dirname(configFile), "deno.lock");
  lookedAt.push(lockFile);
  const hasLock = lstatIfExists(lockFile) !== undefined;
  return { importMap, configFile, lookedAt, ...(hasLock ? { lockFile } : {}) };
}

function findConfig(root: string, lookedAt: string[]): string | undefined {
  for (let dir = root;; dir = dirname(dir)) {
    for (const name of ["deno.json", "deno.jsonc"]) {
      lookedAt.push(join(dir, name));
      if (lstatIfExists(join(dir, name))) return join(dir, name);
    }
    if (dir === dirname(dir)) return undefined;
  }
}

function readImportMap(configFile: string, lookedAt: string[]): ImportMap {
  const config = readJson(configFile);
  const other = config.importMap;
  // `importMap` counts only where `imports` and `scopes` are absent.
  const inOther = typeof other === "string" && !config.imports &&
    !config.scopes && !/^https?:/.test(other);
  const file = inOther ? join(dirname(configFile), other) : configFile;
  if (inOther) lookedAt.push(file);
  const map = inOther ? readJson(file) : config;
  const base = pathToFileURL(file);
  const scopes = Object.entries(asTable(map.scopes)).map(([scope, imports]) =>
    [absolute(scope, base), absoluteAll(imports, base)] as const
  );
  return {
    imports: absoluteAll(map.imports, base),
    ...(scopes.length === 0 ? {} : { scopes: Object.fromEntries(scopes) }),
  };
}

function absoluteAll(imports: unknown, base: URL): Record<string, string> {
  return Object.fromEntries(
    Object.entries(asTable(imports)).map(([key, address]) => [
      absolute(key, base),
      absolute(String(address), base),
    ]),
  );
}

function absolute(address: string, base: URL): string {
  return /^\.{0,2}\//.test(address) ? new URL(address, base).href : address;
}

function asTable(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null
    ? value as Record<string, unknown>
    : {};
}

function readJson(file: string): Record<string, unknown> {
  const text = readTextIfExists(file) ?? "{}";
  try {
    return asTable(JSON.parse(withoutComments(text)));
  } catch (error) {
    throw new ClibsError(
      "CLIBS_LMAKE_IMPORT_MAP",
      `Cannot read the imports of ${file}: ${(error as Error).message}`,
      { cause: error, hint: "Deno would not read it either; repair it" },
    );
  }
}

/** JSON with comments and commas at ends, as Deno allows them, as plain JSON. */
export function withoutComments(text: string): string {
  const token =
    /("(?:[^"\\]|\\.)*")|\/\/[^\n]*|\/\*[^]*?\*\/|,(?=(?:\s|\/\/[^\n]*|\/\*[^]*?\*\/)*[}\]])/g;
  return text.replace(token, (_, string?: string) => string ?? " ");
}
