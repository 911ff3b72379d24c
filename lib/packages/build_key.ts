/**
 * What the result of a build depends on.
 *
 * One function lists it; whether a build is up to date, the reason why not and
 * `clibs status` all read that list.
 */

import { join } from "node:path";
import { lstatIfExists } from "../host/files.ts";
import { sha256File, sha256Hex, treeDigest } from "../host/digest.ts";
import type { BuiltTree, Layout } from "./layout.ts";
import { readLockFile } from "./lock_file.ts";
import type { PackageSpec } from "./spec.ts";
import { BUILD_INFO, type BuildInfo, readInfo } from "./state.ts";

/** Label to value, in a fixed order. */
export type BuildKey = Record<string, string>;

/** What a build reads besides its package. */
export interface KeyContext {
  /** Digest of the artifact of each dep, by the dep's name. */
  deps: Readonly<Record<string, string>>;
  /** Reads a variable of the caller's environment. */
  env: (name: string) => string | undefined;
}

/** Variables of the caller that reach the build command and change its result. */
const FLAG_VARIABLES = ["CLIBS_BUILD_CFLAGS", "CLIBS_BUILD_LDFLAGS"];

const SOURCE = "sources";
const FOLDER = "package folder";

/**
 * Lists everything that the build of a package depends on.
 *
 * @param source Digest of the fetched sources; undefined if it fetches none.
 */
export function buildKey(
  layout: Layout,
  spec: PackageSpec,
  source: string | undefined,
  context: KeyContext,
): BuildKey {
  const labels = [
    source === undefined ? FOLDER : SOURCE,
    ...spec.patches.map((patch) => `patch ${patch}`),
    ...localFiles(spec).map((path) => `file ${path}`),
    ...Object.keys(context.deps).map((name) => `dep ${name}`),
    ...FLAG_VARIABLES,
  ];
  const key: BuildKey = {};
  for (const label of labels) {
    key[label] = label === SOURCE
      ? source ?? ""
      : valueOf(label, layout, context);
  }
  return key;
}

/** Files named by a path in `files`, which can change under an unchanged URL. */
export function localFiles(spec: PackageSpec): string[] {
  return spec.files.map((file) => file.url).filter((url) =>
    !/^[a-z][a-z0-9+.-]*:/i.test(url)
  );
}

function valueOf(label: string, layout: Layout, context: KeyContext): string {
  const [kind, rest] = splitLabel(label);
  if (label === FOLDER) return folderDigest(layout.dir);
  if (kind === "patch" || kind === "file") {
    return fileDigest(join(layout.dir, rest));
  }
  if (kind === "dep") return context.deps[rest] ?? "";
  return context.env(label) ?? "";
}

function splitLabel(label: string): [string, string] {
  const space = label.indexOf(" ");
  return space < 0
    ? [label, ""]
    : [label.slice(0, space), label.slice(space + 1)];
}

function fileDigest(path: string): string {
  return lstatIfExists(path) ? `sha256:${sha256File(path)}` : "absent";
}

/**
 * Digest of the files of a package that fetches nothing: its command may read
 * any of them. What clibs writes there, and packages below, do not count.
 */
function folderDigest(dir: string): string {
  const parts = [...Deno.readDirSync(dir)]
    .filter((entry) =>
      !/^[_.]/.test(entry.name) && entry.name !== "node_modules" &&
      entry.name !== "pkg.yaml" && entry.name !== "pkg.lock.json"
    )
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map((entry) => {
      const path = join(dir, entry.name);
      if (entry.isFile) return `${entry.name} ${sha256File(path)}`;
      if (!entry.isDirectory) return `${entry.name} other`;
      if (lstatIfExists(join(path, "pkg.yaml"))) return "";
      return `${entry.name} ${treeDigest(path)}`;
    });
  return `sha256:${sha256Hex(parts.join("\n"))}`;
}

/**
 * Why a built tree is out of date, or undefined if it is up to date.
 *
 * A prebuilt tree was made elsewhere, against deps of its own: only what says
 * which sources it was made from is compared.
 */
export function outOfDateReason(
  tree: BuiltTree,
  layout: Layout,
  hash: string,
  context: KeyContext,
): string | undefined {
  if (tree.state.ConfigHash !== hash) return "pkg.yaml changed";
  const info = readInfo<BuildInfo>(join(tree.dir, BUILD_INFO));
  if (!info) return undefined;
  for (const [label, old] of Object.entries(info.key)) {
    const [kind, rest] = splitLabel(label);
    if (label === SOURCE) {
      const locked = readLockFile(layout.lock)?.tree;
      if (locked !== undefined && locked !== old) {
        return "pkg.lock.json names other sources";
      }
      continue;
    }
    const isSource = label === FOLDER || kind === "patch" || kind === "file";
    if (tree.origin === "prebuilt" && !isSource) continue;
    if (valueOf(label, layout, context) === old) continue;
    if (label === FOLDER) return "a file of the package folder changed";
    if (kind === "dep") return `its dep ${rest} changed`;
    return `${rest === "" ? label : `${kind} ${rest}`} changed`;
  }
  return undefined;
}

/** The artifact digest of a built tree: what dependents depend on. */
export function artifactOf(tree: BuiltTree): string {
  const info = readInfo<BuildInfo>(join(tree.dir, BUILD_INFO));
  return info?.artifact ??
    `state:${tree.state.ConfigHash}-${tree.state.Timestamp}`;
}
