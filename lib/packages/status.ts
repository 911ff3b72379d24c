/** What is up to date and what is not, without changing anything. */

import { consumable } from "./consume.ts";
import { chosenTargets } from "./build.ts";
import { discoverPackages } from "./discover.ts";
import { fetchesSources, sourceOutOfDateReason } from "./source_state.ts";
import { type GraphNode, loadGraph } from "./graph.ts";
import { targetLayout } from "./layout.ts";
import { fetchContext, type FetchOptions } from "./options.ts";
import { findUpToDate } from "./up_to_date.ts";

/** State of one package for one target. */
export interface PackageStatus {
  /** Name of the package. */
  name: string;
  /** Version, as pkg.yaml says. */
  version: string;
  /** Target triple. */
  target: string;
  /** Absolute path of the package's folder. */
  packageDir: string;
  /** Absolute path of the tree that is used, or would be built. */
  dir: string;
  /** Absolute path of the folder with the libraries. */
  libDir: string;
  /** Absolute path of the folder with the headers. */
  includeDir: string;
  /** Whether `clibs build` would have nothing to do. */
  upToDate: boolean;
  /** Where the tree that is used comes from. */
  origin?: "prebuilt" | "build";
  /** Why the package would be built. */
  reason?: string;
  /** Why its sources would be fetched; absent if they would not. */
  fetchReason?: string;
  /** Names of the packages it depends on. */
  deps: string[];
}

/** Result of {@linkcode packageStatus}. */
export interface StatusReport {
  /** Version of this form. */
  version: 1;
  /** One entry for each package and target, deps first. */
  packages: PackageStatus[];
}

/** Options of {@linkcode packageStatus}. */
export interface StatusOptions extends Pick<FetchOptions, "env"> {
  /** Target triples. Default: `CLIBS_BUILD_TARGET`, else the host's. */
  targets?: readonly string[];
}

/**
 * Tells of every package at and below some folders, and of their deps, whether
 * it is up to date.
 *
 * @param paths Folders, or paths of pkg.yaml files.
 * @throws {ClibsError} If the packages cannot be loaded or ordered.
 */
export async function packageStatus(
  paths: readonly string[],
  options: StatusOptions = {},
): Promise<StatusReport> {
  const { env } = fetchContext(options);
  const dirs = discoverPackages(paths);
  const packages: PackageStatus[] = [];
  for (const target of chosenTargets(options.targets, env)) {
    const artifacts = new Map<GraphNode, string>();
    for (const node of await loadGraph(dirs, target)) {
      packages.push(await statusOf(node, target, artifacts, env));
    }
  }
  return { version: 1, packages };
}

async function statusOf(
  node: GraphNode,
  target: string,
  artifacts: Map<GraphNode, string>,
  env: (name: string) => string | undefined,
): Promise<PackageStatus> {
  const { package: pkg } = node;
  const waiting = node.needs.find((need) => !artifacts.has(need));
  const deps = Object.fromEntries(
    node.needs.map((need) => [need.name, artifacts.get(need) ?? ""]),
  );
  // With a dep yet to be built it is unknown whether its artifact will differ.
  const known = findUpToDate(pkg, target, {
    deps: waiting ? knownDeps(deps) : deps,
    env,
  });
  const paths = targetLayout(pkg.layout.dir, target);
  const base = {
    name: node.name,
    version: node.version,
    target,
    packageDir: pkg.layout.dir,
    ...consumable(known.tree?.dir ?? paths.build, target),
    deps: node.needs.map((need) => need.name),
  };
  if (known.tree && !waiting) {
    artifacts.set(node, known.artifact);
    return { ...base, upToDate: true, origin: known.tree.origin };
  }
  const spec = await pkg.spec();
  const fetchReason = fetchesSources(spec)
    ? sourceOutOfDateReason(pkg, spec)
    : undefined;
  const reason = known.tree || known.reason.startsWith("its dep")
    ? `its dep ${waiting?.name} is out of date`
    : known.reason;
  return { ...base, upToDate: false, reason, fetchReason };
}

function knownDeps(deps: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(deps).filter(([, v]) => v !== ""));
}
