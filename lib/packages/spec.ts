/**
 * The parsed form of `pkg.yaml`.
 *
 * @module
 */

/** A place in a text file, both counted from 1. */
export interface Position {
  /** Line. */
  line: number;
  /** Column, in characters. */
  column: number;
}

/** Sources from a git repository. */
export interface GitSource {
  /** URL, scp-like address, or a path relative to pkg.yaml's folder. */
  repo: string;
  /** Branch, tag or commit id. */
  ref: string;
  /** Whether submodules are fetched too. Default in pkg.yaml: false. */
  submodules: boolean;
}

/** One file to download. */
export interface FileSource {
  /** https, http or file URL, or a path relative to pkg.yaml's folder. */
  url: string;
  /** Name of the saved file. Default in pkg.yaml: last URL segment. */
  filename: string;
  /** Expected SHA-256 in lower-case hex. */
  sha256?: string;
  /** Whether to unpack; undefined: if the content is a known archive. */
  extract?: boolean;
  /** Folder, relative to the source tree, to unpack or save below. Default: `.`. */
  dir: string;
  /** Leading folders to drop; `auto` drops a single top folder. */
  strip: "auto" | number;
  /** Further URLs of the same bytes, tried in order. */
  mirrors: string[];
}

/** What changes for the target triples that match `pattern`. */
export interface TargetOverride {
  /** Glob on the target triple. */
  pattern: string;
  /** Build command for those targets. */
  command?: string;
  /** Variables added to (or replacing) `build.env`. */
  env: Record<string, string>;
}

/** How a package is built. */
export interface BuildSpec {
  /** A bash script. */
  command: string;
  /** Variables for the command, in order. */
  env: Record<string, string>;
  /** Whether a build that installs nothing is fine. Default: false. */
  empty: boolean;
  /** Overrides, in the order written; the first that matches wins. */
  targets: TargetOverride[];
}

/** A package as described by its `pkg.yaml`. */
export interface PackageSpec {
  /** Absolute path of the pkg.yaml. */
  path: string;
  /** Absolute path of its folder. */
  dir: string;
  /** Default in pkg.yaml: the folder's name. */
  name: string;
  /** Version, as written. */
  version: string;
  /** Sources from git; excludes `files`. */
  git?: GitSource;
  /** Sources from files; excludes `git`. Empty: none. */
  files: FileSource[];
  /** Patch files, relative to `dir`, applied in order with strip 1. */
  patches: string[];
  /** Paths (with a slash) or names of other packages. */
  deps: string[];
  /** How it is built. */
  build: BuildSpec;
  /** A bash script that prints KEY=VALUE lines for consumers. */
  export?: string;
  /**
   * Where each value stands, by its path: `git.ref`, `files.0.url`, `deps.1`,
   * `build.command`, `build.targets.wasm32-*`; for messages written later.
   */
  positions: Readonly<Record<string, Position>>;
}
