/** Settings of a dir table: `LMAKE/config.ts` or `LMAKE/config.json` in it. */

import { join } from "node:path";
import { readTextIfExists } from "../../host/files.ts";
import { nearest } from "../../nearest.ts";
import { configError } from "./errors.ts";

/** What is synced so that other hosts see what this one made. */
export type FileSync = "none" | "dir" | "sync";
/** Who may use the table besides its owner, whatever the umask says. */
export type Perm = "none" | "group" | "other";

/** Settings of a dir table. */
export interface DirConfig {
  /**
   * `none` trusts the file system; `dir` syncs folders after an entry was made
   * in them, which network file systems need; `sync` syncs values as well.
   */
  fileSync: FileSync;
  /** Default: `none`, the umask alone decides. */
  perm: Perm;
}

const CHOICES: Record<string, readonly string[]> = {
  file_sync: ["none", "dir", "sync"],
  perm: ["none", "group", "other"],
};

/**
 * Reads the settings of the table in a folder.
 *
 * The folder is shared with others, so that `config.ts` is read and never run:
 * `export const NAME = "word"` is all that it may hold.
 *
 * @throws {ClibsError} `CLIBS_CODEC_CONFIG`
 */
export function readDirConfig(root: string): DirConfig {
  const script = join(root, "LMAKE/config.ts");
  const json = join(root, "LMAKE/config.json");
  const text = readTextIfExists(script);
  const path = text === undefined ? json : script;
  const entries = text === undefined
    ? fromJson(json, readTextIfExists(json) ?? "{}")
    : fromScript(script, text);
  const config: Record<string, string> = { file_sync: "dir", perm: "none" };
  for (const [name, value] of entries) {
    const key = name === "fileSync" ? "file_sync" : name;
    const choices = CHOICES[key];
    if (!choices) {
      const near = nearest(key, Object.keys(CHOICES));
      throw configError(
        path,
        `${name} is no setting${near ? `; did you mean ${near}?` : ""}`,
      );
    }
    if (typeof value !== "string" || !choices.includes(value)) {
      throw configError(
        path,
        `${name} is ${JSON.stringify(value)}, not one of ${choices.join(", ")}`,
      );
    }
    config[key] = value;
  }
  return {
    fileSync: config.file_sync as FileSync,
    perm: config.perm as Perm,
  };
}

function fromJson(path: string, text: string): [string, unknown][] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw configError(path, (error as Error).message);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw configError(path, "it is not an object");
  }
  return Object.entries(value);
}

const STATEMENT =
  /\s*(?:export\s+)?const\s+(\w+)\s*(?::\s*[^=;]+)?=\s*(["'])(\w*)\2(?:\s+as\s+const)?\s*(?:;|(?=\n)|$)\s*/y;

function fromScript(path: string, text: string): [string, string][] {
  const code = text.replace(/\/\*[^]*?\*\/|\/\/.*/g, "").trim();
  const entries: [string, string][] = [];
  STATEMENT.lastIndex = 0;
  while (STATEMENT.lastIndex < code.length) {
    const start = STATEMENT.lastIndex;
    const match = STATEMENT.exec(code);
    if (!match) {
      const [line] = code.slice(start).trim().split("\n");
      throw configError(path, `this is no setting: ${line}`);
    }
    entries.push([match[1]!, match[3]!]);
  }
  return entries;
}
