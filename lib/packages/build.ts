/** Builds packages and what they depend on. */

import { resolve } from "node:path";
import { CancelledError, type ClibsError, toClibsError } from "../errors.ts";
import { lstatIfExists } from "../host/files.ts";
import { hostTriple, parseTriple } from "../toolchain/triple.ts";
import type { BuiltDep } from "./build_env.ts";
import { consumable } from "./consume.ts";
import { discoverPackages } from "./discover.ts";
import { type GraphNode, loadGraph } from "./graph.ts";
import { targetLayout } from "./layout.ts";
import {
  type FetchContext,
  fetchContext,
  type FetchOptions,
} from "./options.ts";
import { schedule } from "./schedule.ts";
import { findUpToDate } from "./up_to_date.ts";

/** Options of {@linkcode buildPackages}. */
export interface BuildOptions extends FetchOptions {
  /** Target triples. Default: `CLIBS_BUILD_TARGET`, else the host's. */
  targets?: readonly string[];
  /** How many jobs may run at once. Default: the number of CPUs. */
  jobs?: number;
  /** Build the packages asked for even if up to date. Default: false. */
  force?: boolean;
  /** Keep the working copy of builds that succeed. Default: false. */
  keepWork?: boolean;
}

/** What became of one package for one target. */
export interface PackageResult {
  /** Name of the package. */
  name: string;
  /** Version, as pkg.yaml says. */
  version: string;
  /** Target triple. */
  target: string;
  /** Absolute path of the built tree; of the one it would have if it failed. */
  dir: string;
  /** Absolute path of the folder with the libraries. */
  libDir: string;
  /** Absolute path of the folder with the headers. */
  includeDir: string;
  /** Whether the tree is a prebuilt one. */
  origin: "prebuilt" | "build";
  /** What happened. */
  status: "up-to-date" | "built" | "failed";
  /** Why it was built, or failed; empty if it was up to date. */
  reason: string;
  /** Time taken, in milliseconds. */
  durationMs: number;
  /** Absolute path of the build command's output. */
  log: string;
  /** Set if it failed itself, and not one of its deps. */
  error?: ClibsError;
}

/** Result of {@linkcode buildPackages}. */
export interface BuildReport {
  /** Version of this form. */
  version: 1;
  /** One entry for each package and target, deps first. */
  packages: PackageResult[];
}

/** The target triples to use: those asked for, or the default. */
export function chosenTargets(
  targets: readonly string[] | undefined,
  env: (name: string) => string | undefined,
): string[] {
  const chosen = targets && targets.length > 0
    ? [...new Set(targets)]
    : [env("CLIBS_BUILD_TARGET") || hostTriple()];
  for (const target of chosen) parseTriple(target);
  return chosen;
}

/**
 * Fetches and builds every package at and below some folders, and what they
 * depend on, wherever it is out of date.
 *
 * A failure stops only the packages that depend on it.
 *
 * @param paths Folders, or paths of pkg.yaml files.
 * @throws {ClibsError} If the packages cannot be loaded or ordered; a failed
 *   build is reported in the result instead.
 *
 * @example Build everything below a folder
 * ```ts ignore
 * import { buildPackages } from "@clibs/cli";
 *
 * const { packages } = await buildPackages(["deps"]);
 * for (const { name, status } of packages) console.log(name, status);
 * ```
 */
export async function buildPackages(
  paths: readonly string[],
  options: BuildOptions = {},
): Promise<BuildReport> {
  return await buildDirs(discoverPackages(paths), options);
}

/**
 * Fetches and builds one package, and what it depends on, if out of date.
 *
 * @param path Folder of the package, or its pkg.yaml.
 * @returns What became of it.
 * @throws {ClibsError} If it cannot be built.
 *
 * @example Build a library and load it
 * ```ts ignore
 * import { buildPackage } from "@clibs/cli";
 *
 * const { libDir } = await buildPackage("./deps/zlib");
 * const zlib = Deno.dlopen(`${libDir}/libz.so`, {
 *   zlibVersion: { parameters: [], result: "pointer" },
 * });
 * ```
 */
export async function buildPackage(
  path: string,
  options: Omit<BuildOptions, "targets"> & { target?: string } = {},
): Promise<PackageResult> {
  const { target, ...rest } = options;
  const dir = resolve(path).replace(/[\\/]pkg\.yaml$/, "");
  const report = await buildDirs([dir], {
    ...rest,
    targets: target === undefined ? undefined : [target],
  });
  // In the order of building: a dep's failure comes before what it caused.
  const error = report.packages.find((result) => result.error)?.error;
  if (error) throw error;
  return report.packages.at(-1) as PackageResult;
}

async function buildDirs(
  dirs: readonly string[],
  options: BuildOptions,
): Promise<BuildReport> {
  const context = fetchContext(options);
  const packages: PackageResult[] = [];
  for (const target of chosenTargets(options.targets, context.env)) {
    const nodes = await loadGraph(dirs, target);
    const build = new TargetBuild(target, new Set(dirs), options, context);
    const limit = options.jobs ?? navigator.hardwareConcurrency;
    await schedule(
      nodes,
      limit,
      (node, beside) =>
        build.run(node, Math.max(1, Math.floor(limit / beside))),
    );
    packages.push(...nodes.map((node) => build.resultOf(node)));
  }
  return { version: 1, packages };
}

/** The builds of one graph for one target. */
class TargetBuild {
  #target: string;
  #asked: ReadonlySet<string>;
  #options: BuildOptions;
  #context: FetchContext;
  #results = new Map<GraphNode, { result: PackageResult; artifact?: string }>();

  constructor(
    target: string,
    asked: ReadonlySet<string>,
    options: BuildOptions,
    context: FetchContext,
  ) {
    this.#target = target;
    this.#asked = asked;
    this.#options = options;
    this.#context = context;
  }

  resultOf(node: GraphNode): PackageResult {
    const done = this.#results.get(node);
    if (!done) throw new Error(`${node.name} was never run`);
    return done.result;
  }

  /** Brings one package up to date; its deps have been run. */
  async run(node: GraphNode, jobs: number): Promise<void> {
    const started = performance.now();
    const { layout } = node.package;
    const paths = targetLayout(layout.dir, this.#target);
    const finish = (
      fields: Pick<PackageResult, "status" | "reason" | "error">,
      tree?: { dir: string; origin: PackageResult["origin"] },
      artifact?: string,
    ) => {
      const found = consumable(tree?.dir ?? paths.build, this.#target);
      const result: PackageResult = {
        name: node.name,
        version: node.version,
        target: this.#target,
        ...found,
        origin: tree?.origin ?? "build",
        ...fields,
        durationMs: Math.round(performance.now() - started),
        log: paths.log,
      };
      this.#results.set(node, { result, artifact });
    };
    const broken = node.needs.find((need) =>
      !this.#results.get(need)?.artifact
    );
    if (broken) {
      return finish({
        status: "failed",
        reason: `its dep ${broken.name} failed`,
      });
    }
    const key = { deps: this.#artifacts(node), env: this.#context.env };
    const force = (this.#options.force ?? false) &&
      this.#asked.has(layout.dir);
    let reason = "forced";
    try {
      if (!force) {
        const found = findUpToDate(node.package, this.#target, key);
        if (found.tree && !lstatIfExists(paths.running)) {
          return finish(
            { status: "up-to-date", reason: "" },
            found.tree,
            found.artifact,
          );
        }
        // A killed build left something: it is put right under the lock.
        reason = found.reason ?? "an earlier build was interrupted";
      }
      const { buildOne } = await import("./build_one.ts");
      const built = await buildOne({
        package: node.package,
        target: this.#target,
        force,
        keepWork: this.#options.keepWork ?? false,
        jobs,
        deps: node.needs.map((need) => this.#builtDep(need)),
        allDeps: [...allNeeds(node)].map((need) => this.#builtDep(need)),
        key,
        fetch: this.#context,
      });
      finish(
        built.built
          ? { status: "built", reason }
          : { status: "up-to-date", reason: "" },
        built.tree,
        built.artifact,
      );
    } catch (error) {
      if (error instanceof CancelledError) throw error;
      const known = toClibsError(error);
      finish({ status: "failed", reason: known.message, error: known });
    }
  }

  #artifacts(node: GraphNode): Record<string, string> {
    return Object.fromEntries(
      node.needs.map((
        need,
      ) => [need.name, this.#results.get(need)?.artifact ?? ""]),
    );
  }

  #builtDep(node: GraphNode): BuiltDep {
    return { name: node.name, dir: this.resultOf(node).dir };
  }
}

/** What a node needs, and what that needs in turn, each once, nearest first. */
export function allNeeds(node: GraphNode): Set<GraphNode> {
  const found = new Set<GraphNode>(node.needs);
  // A Set's iteration reaches what is added while it runs.
  for (const need of found) for (const next of need.needs) found.add(next);
  return found;
}
