/** Packages in the order in which they must be built. */

import { basename, dirname, join, resolve } from "node:path";
import { ClibsError } from "../errors.ts";
import { lstatIfExists } from "../host/files.ts";
import { nearest } from "../nearest.ts";
import { PACKAGE_FILE } from "./layout.ts";
import { Package, type PackageFacts } from "./package.ts";

/** One package with its place in the graph. */
export interface GraphNode extends PackageFacts {
  /** The package. */
  package: Package;
  /** The packages it needs, in the order in which pkg.yaml names them. */
  needs: GraphNode[];
}

/**
 * Loads packages and everything they depend on.
 *
 * @param dirs Folders of the packages asked for.
 * @param target Target triple, of which built trees may know the deps.
 * @returns Each package once, after all its deps.
 * @throws {ClibsError} `CLIBS_DEP_MISSING`, `CLIBS_DEP_CYCLE` or
 *   `CLIBS_NAME_CLASH`, naming the packages.
 */
export async function loadGraph(
  dirs: readonly string[],
  target: string,
): Promise<GraphNode[]> {
  const nodes = new Map<string, GraphNode>();
  const asked = new Map<string, string>();
  const load = async (dir: string): Promise<GraphNode> => {
    const known = nodes.get(dir);
    if (known) return known;
    const loaded = new Package(dir);
    const facts = await loaded.facts(target);
    const node = { ...facts, package: loaded, needs: [] };
    nodes.set(dir, node);
    return node;
  };
  for (const dir of dirs) {
    const node = await load(dir);
    clash(asked.get(node.name), dir, node.name);
    asked.set(node.name, dir);
  }
  // A Map's iteration reaches the nodes that are added while it runs.
  for (const [dir, node] of nodes) {
    for (const [index, dep] of node.deps.entries()) {
      const depDir = await locateDep(dir, dep, asked, target) ??
        await missingDep(node, index, dep, asked, target);
      node.needs.push(await load(depDir));
    }
  }
  const byName = new Map<string, string>();
  for (const [dir, node] of nodes) {
    clash(byName.get(node.name), dir, node.name);
    byName.set(node.name, dir);
  }
  return sorted([...nodes.values()]);
}

function clash(first: string | undefined, second: string, name: string): void {
  if (first === undefined || first === second) return;
  throw new ClibsError(
    "CLIBS_NAME_CLASH",
    `Cannot build two packages of one name: ${name}`,
    {
      facts: { first, second },
      hint: "set a different `name:` in one of the two pkg.yaml",
    },
  );
}

async function locateDep(
  from: string,
  dep: string,
  asked: ReadonlyMap<string, string>,
  target: string,
): Promise<string | undefined> {
  if (dep.includes("/") || dep.startsWith(".")) {
    const dir = resolve(from, dep);
    const exact = basename(dir) === PACKAGE_FILE ? dirname(dir) : dir;
    return lstatIfExists(join(exact, PACKAGE_FILE)) ? exact : undefined;
  }
  const known = asked.get(dep);
  if (known) return known;
  const siblings = siblingsOf(from);
  const sameName = siblings.find((dir) => basename(dir) === dep);
  const candidates = sameName ? [sameName, ...siblings] : siblings;
  for (const dir of candidates) {
    if ((await new Package(dir).facts(target)).name === dep) return dir;
  }
  return undefined;
}

function siblingsOf(dir: string): string[] {
  const parent = dirname(dir);
  return [...Deno.readDirSync(parent)]
    .filter((entry) => entry.isDirectory)
    .map((entry) => join(parent, entry.name))
    .filter((path) =>
      path !== dir && lstatIfExists(join(path, PACKAGE_FILE)) !== undefined
    )
    .sort();
}

async function missingDep(
  node: GraphNode,
  index: number,
  dep: string,
  asked: ReadonlyMap<string, string>,
  target: string,
): Promise<never> {
  const file = node.package.layout.file;
  const spec = await node.package.spec();
  const at = spec.positions[`deps.${index}`];
  const names = new Set(asked.keys());
  for (const dir of siblingsOf(node.package.layout.dir)) {
    names.add((await new Package(dir).facts(target)).name);
  }
  names.delete(node.name);
  const close = nearest(dep, [...names]);
  throw new ClibsError(
    "CLIBS_DEP_MISSING",
    `Cannot build ${node.name}: there is no package for its dep "${dep}"`,
    {
      facts: {
        asked: at ? `${file}:${at.line}:${at.column}` : file,
        ...(close ? { nearest: close } : {}),
      },
      hint: close
        ? `write "${close}" there`
        : "name a folder with a pkg.yaml, such as ../zlib, or a package in a folder beside this one",
    },
  );
}

/** Depth first, so that each node comes after those it needs. */
function sorted(nodes: readonly GraphNode[]): GraphNode[] {
  const order: GraphNode[] = [];
  const state = new Map<GraphNode, "open" | "done">();
  const path: GraphNode[] = [];
  const visit = (node: GraphNode): void => {
    if (state.get(node) === "done") return;
    path.push(node);
    if (state.get(node) === "open") throw cycle(path);
    state.set(node, "open");
    for (const needed of node.needs) visit(needed);
    state.set(node, "done");
    path.pop();
    order.push(node);
  };
  for (const node of nodes) visit(node);
  return order;
}

function cycle(path: readonly GraphNode[]): ClibsError {
  const last = path[path.length - 1] as GraphNode;
  const loop = path.slice(path.indexOf(last));
  return new ClibsError(
    "CLIBS_DEP_CYCLE",
    `Cannot order the packages: ${
      loop.map((node) => node.name).join(" -> ")
    } is a cycle`,
    {
      facts: Object.fromEntries(
        loop.slice(1).map((node) => [node.name, node.package.layout.file]),
      ),
      hint: "remove one of these deps",
    },
  );
}
