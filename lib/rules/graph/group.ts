/** Draws alike nodes as one, so that a graph of many jobs can be taken in. */

import type { GraphEdge, GraphNode, RulesGraph } from "./types.ts";

/** A node as it is drawn: one, or several that are alike. */
export interface GroupNode extends GraphNode {
  /** The nodes that it stands for; one if it is no group. */
  members: GraphNode[];
}

/** A graph to be drawn. */
export interface GroupedGraph {
  /** The files that were asked for. */
  targets: string[];
  /** Users before what they need. */
  nodes: GroupNode[];
  /** Each pair of nodes once. */
  edges: GraphEdge[];
}

/** Graphs of so many nodes are drawn as they are. */
const FEW = 60;

/**
 * Puts nodes together which are needed by the same ones, and are of one rule
 * and state. Small graphs stay as they are.
 *
 * @param all Leaves all graphs as they are.
 */
export function groupGraph(graph: RulesGraph, all = false): GroupedGraph {
  if (all || graph.nodes.length <= FEW) {
    return {
      ...graph,
      nodes: graph.nodes.map((node) => ({ ...node, members: [node] })),
    };
  }
  const users = new Map<string, string[]>();
  for (const { from, to } of graph.edges) {
    const list = users.get(to);
    if (list) list.push(from);
    else users.set(to, [from]);
  }
  const roots = new Set(graph.targets);
  const groupOf = new Map<string, GroupNode>();
  const groups = new Map<string, GroupNode>();
  for (const node of graph.nodes) {
    const by = (users.get(node.id) ?? [])
      // Of a loop, the user may be later: it does not tell groups apart.
      .flatMap((id) => groupOf.get(id)?.id ?? []);
    const key = JSON.stringify([
      node.kind,
      node.rule,
      node.state,
      [...new Set(by)].sort(),
      // What was asked for stands by itself.
      node.files.some((file) => roots.has(file)) ? node.id : "",
    ]);
    let group = groups.get(key);
    if (group) group.members.push(node);
    else groups.set(key, group = { ...node, members: [node] });
    groupOf.set(node.id, group);
  }
  for (const group of groups.values()) {
    if (group.members.length === 1) continue;
    const { members } = group;
    group.name = namesAsOne(members.map(({ name }) => name));
    group.files = members.flatMap(({ files }) => files);
    if (members.some(({ reason }) => reason !== group.reason)) {
      delete group.reason;
    }
    if (group.durationMs !== undefined) {
      group.durationMs = members.reduce(
        (sum, { durationMs = 0 }) => sum + durationMs,
        0,
      );
    }
  }
  return {
    targets: graph.targets,
    nodes: [...groups.values()],
    edges: mergedEdges(graph.edges, groupOf),
  };
}

function mergedEdges(
  edges: readonly GraphEdge[],
  groupOf: ReadonlyMap<string, GroupNode>,
): GraphEdge[] {
  const merged = new Map<string, GraphEdge & { names: Set<string> }>();
  for (const edge of edges) {
    const from = groupOf.get(edge.from)!.id;
    const to = groupOf.get(edge.to)!.id;
    if (from === to) continue;
    const key = `${from}\0${to}`;
    let one = merged.get(key);
    if (!one) {
      one = { from, to, files: [], static: false, names: new Set() };
      merged.set(key, one);
    }
    one.static ||= edge.static;
    for (const file of edge.files) one.names.add(file);
  }
  return [...merged.values()].map(({ names, ...edge }) => ({
    ...edge,
    files: [...names],
  }));
}

/** What names have in common: `src/*.c`. */
export function namesAsOne(names: readonly string[]): string {
  const [first = "", ...others] = names;
  let head = first.length;
  let tail = first.length;
  for (const name of others) {
    let same = 0;
    while (same < head && name[same] === first[same]) same++;
    head = same;
    same = 0;
    while (
      same < Math.min(tail, name.length - head) &&
      name.at(-1 - same) === first.at(-1 - same)
    ) same++;
    tail = same;
  }
  tail = Math.min(tail, first.length - head);
  // Whole words only: what two names happen to begin with says nothing.
  const start = first.slice(0, head).replace(/[^/._-]+$/, "");
  const end = first.slice(first.length - tail).replace(/^[^/._-]+/, "");
  return `${start}*${end}`;
}
