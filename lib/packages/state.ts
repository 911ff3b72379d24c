/**
 * State files: what a download or a build was made from.
 *
 * `_download_hash` and `_build_hash` have the form that other tools of this
 * layout write and read. What clibs knows beyond it stands beside them, in
 * `_download_info.json` and `_build_info.json`, and moves with the folder; a
 * tree without it is accepted on its hash alone.
 */

import { join } from "node:path";
import { md5Hex } from "../host/digest.ts";
import { readJsonIfExists, writeFileAtomic } from "../host/files.ts";

/** Content of `_download_hash` and `_build_hash`. */
export interface StateFile {
  /** MD5 of pkg.yaml's bytes, in lower-case hex. */
  ConfigHash: string;
  /** Seconds since the epoch. */
  Timestamp: number;
}

/** Name of the state file in `_download`. */
export const DOWNLOAD_HASH = "_download_hash";
/** Name of the state file in `_build/<target>` and `_prebuilt/<target>`. */
export const BUILD_HASH = "_build_hash";
/** What clibs knows about a download beyond its hash. */
export const DOWNLOAD_INFO = "_download_info.json";
/** What clibs knows about a build beyond its hash. */
export const BUILD_INFO = "_build_info.json";

/** Entries of `_download` that are not sources. */
export const DOWNLOAD_STATE: readonly string[] = [DOWNLOAD_HASH, DOWNLOAD_INFO];
/** Entries of a built tree that are not artifacts. */
export const BUILD_STATE: readonly string[] = [BUILD_HASH, BUILD_INFO];

/** The value of `ConfigHash` for a pkg.yaml. */
export function configHash(bytes: Uint8Array): string {
  return md5Hex(bytes);
}

/** Reads a state file; undefined if it is absent or not of this form. */
export function readState(path: string): StateFile | undefined {
  const value = readJsonIfExists(path) as Partial<StateFile> | undefined;
  return typeof value?.ConfigHash === "string" &&
      typeof value.Timestamp === "number"
    ? { ConfigHash: value.ConfigHash, Timestamp: value.Timestamp }
    : undefined;
}

/** Writes a state file; it is the last thing written into its folder. */
export function writeState(path: string, hash: string): void {
  const state: StateFile = {
    ConfigHash: hash,
    Timestamp: Math.floor(Date.now() / 1000),
  };
  writeFileAtomic(path, JSON.stringify(state));
}

/**
 * Version of the info files.
 *
 * Bump it when their meaning changes, and add a line here. An info file of
 * another version is as good as none: the tree stands on its hash alone.
 */
const INFO_FORMAT = 1;

/** What clibs knows about a download. */
export interface DownloadInfo {
  /** Digest of the sources before patches, as in pkg.lock.json. */
  source: string;
  /** Digest of the tree after patches, as it was left. */
  tree: string;
  /** Digests of the patch files, and of local files that were copied. */
  inputs: Record<string, string>;
}

/** What clibs knows about a build. */
export interface BuildInfo {
  /** Name and version, and deps as written, so that a no-op reads no YAML. */
  name: string;
  version: string;
  deps: string[];
  /** Whether the package fetches its sources, or works from its own folder. */
  fetches: boolean;
  /** What the result depends on, by label; see build_key.ts. */
  key: Record<string, string>;
  /** Digest of the artifacts: dependents are rebuilt when it changes. */
  artifact: string;
  /** The compiler that was there, for `clibs status`. */
  compiler: string;
  /** How long the build command took. */
  durationMs: number;
}

/** Reads an info file; undefined if absent, torn or of another version. */
export function readInfo<T extends DownloadInfo | BuildInfo>(
  path: string,
): T | undefined {
  const value = readJsonIfExists(path) as { format?: number } | undefined;
  return value?.format === INFO_FORMAT ? value as unknown as T : undefined;
}

/** Writes an info file. */
export function writeInfo(
  folder: string,
  name: string,
  info: DownloadInfo | BuildInfo,
): void {
  const text = JSON.stringify({ format: INFO_FORMAT, ...info }, null, 1);
  writeFileAtomic(join(folder, name), text);
}
