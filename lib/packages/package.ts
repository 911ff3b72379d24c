/** A package as the graph sees it: cheap facts now, its parsed spec on demand. */

import { basename, dirname, join, resolve } from "node:path";
import { ClibsError } from "../errors.ts";
import { isAbsent } from "../host/files.ts";
import {
  builtTrees,
  type Layout,
  PACKAGE_FILE,
  packageLayout,
} from "./layout.ts";
import type { PackageSpec } from "./spec.ts";
import { BUILD_INFO, type BuildInfo, configHash, readInfo } from "./state.ts";

/** What is needed of a package without its spec. */
export interface PackageFacts {
  /** Its name. */
  name: string;
  /** Its version. */
  version: string;
  /** Its deps, as written. */
  deps: readonly string[];
}

/** Largest pkg.yaml that is read; whoever parses it says so. */
const MAX_SPEC_BYTES = 1 << 20;

/**
 * The bytes of a pkg.yaml, cut right behind the limit: a pipe or a huge file
 * under that name must not stop every command.
 */
function readSpecFile(path: string): Uint8Array {
  const { isFile, size } = Deno.statSync(path);
  if (!isFile) throw new Deno.errors.NotFound(`${path} is not a file`);
  if (size <= MAX_SPEC_BYTES) return Deno.readFileSync(path);
  using file = Deno.openSync(path);
  const bytes = new Uint8Array(MAX_SPEC_BYTES + 1);
  let length = 0;
  for (let n; (n = file.readSync(bytes.subarray(length)));) length += n;
  return bytes.subarray(0, length);
}

/** One package of a build. */
export class Package {
  /** Where its files are. */
  readonly layout: Layout;
  /** MD5 of its pkg.yaml, as it was when this object was made. */
  readonly hash: string;
  readonly #bytes: Uint8Array;
  #facts: PackageFacts | undefined;
  #spec: Promise<PackageSpec> | undefined;

  /**
   * Reads the pkg.yaml of a package, without parsing it.
   *
   * @param path Folder of the package, or its pkg.yaml.
   * @throws {ClibsError} `CLIBS_PKG_MISSING` if there is none.
   */
  constructor(path: string) {
    const absolute = resolve(path);
    const dir = basename(absolute) === PACKAGE_FILE
      ? dirname(absolute)
      : absolute;
    this.layout = packageLayout(dir);
    try {
      this.#bytes = readSpecFile(this.layout.file);
    } catch (error) {
      if (!isAbsent(error)) throw error;
      throw new ClibsError(
        "CLIBS_PKG_MISSING",
        `Cannot read ${this.layout.file}: there is no such file`,
        { cause: error, hint: "run `clibs init` there to write one" },
      );
    }
    this.hash = configHash(this.#bytes);
  }

  /** Whether pkg.yaml still has the bytes that this object was made from. */
  isUnchanged(): boolean {
    try {
      return configHash(Deno.readFileSync(this.layout.file)) === this.hash;
    } catch {
      return false;
    }
  }

  /** The parsed pkg.yaml. */
  spec(): Promise<PackageSpec> {
    return this.#spec ??= import("./parse_spec.ts").then((module) =>
      module.parsePackageSpec(this.#bytes, this.layout.file)
    );
  }

  /**
   * Name, version and deps; from the info of a build of this same pkg.yaml if
   * there is one, because reading YAML takes longer than everything else in a
   * build that has nothing to do.
   */
  async facts(target: string): Promise<PackageFacts> {
    return this.#facts ??= this.#factsFromBuild(target) ?? await this.spec();
  }

  #factsFromBuild(target: string): PackageFacts | undefined {
    for (const tree of builtTrees(this.layout.dir, target)) {
      if (tree.state.ConfigHash !== this.hash) continue;
      return readInfo<BuildInfo>(join(tree.dir, BUILD_INFO));
    }
    return undefined;
  }
}
