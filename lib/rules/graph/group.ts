/** Draws alike nodes as one, so that a graph of many jobs can be taken in. */

import { ranksOf } from "./layers.ts";
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

/** So many nodes can be taken in. */
const FEW = 60;
/** Nodes are put together if there are so many alike: tried in this order. */
const SIZES = [64, 32, 16, 12, 8, 6, 5, 4, 3, 2];

/**
 * Puts nodes together which are needed by the same ones, and are of one rule,
 * or folder, and state: as few as it takes for the graph to be taken in. Small graphs
 * stay as they are.
 *
 * @param all Leaves all graphs as they are.
 */
export function groupGraph(graph: RulesGraph, all = false): GroupedGraph {
  if (all || graph.nodes.length <= FEW) return grouped(graph, Infinity);
  let result: GroupedGraph;
  for (const byFolder of [true, false]) {
    for (const least of SIZES) {
      result = grouped(graph, least, byFolder);
      if (result.nodes.length <= FEW) return result;
    }
  }
  return result!;
}

/**
 * @param least Fewer alike nodes are left apart.
 * @param byFolder Files of different folders, or kinds by name, are not alike.
 */
function grouped(
  graph: RulesGraph,
  least: number,
  byFolder = true,
): GroupedGraph {
  const index = new Map(graph.nodes.map(({ id }, i) => [id, i]));
  const users: number[][] = graph.nodes.map(() => []);
  const edges = graph.edges.map(({ from, to }) =>
    [index.get(from)!, index.get(to)!] as const
  );
  for (const [from, to] of edges) users[to]!.push(from);
  const ranks = ranksOf(graph.nodes.length, edges);
  const byRank: number[][] = [];
  ranks.forEach((rank, i) => (byRank[rank] ??= []).push(i));
  const roots = new Set(graph.targets);
  const groupOf = new Map<string, GroupNode>();
  const groups: GroupNode[] = [];
  // Users have their groups before what they need is looked at.
  for (const rank of byRank) {
    const alike = new Map<string, GraphNode[]>();
    for (const i of rank) {
      const node = graph.nodes[i]!;
      const by = users[i]!.flatMap((user) =>
        groupOf.get(graph.nodes[user]!.id)?.id ?? []
      );
      const key = JSON.stringify([
        node.kind,
        node.rule,
        node.state,
        byFolder && node.kind === "file"
          ? node.name.replace(/[^/]*?(\.[^./]*)?$/, "$1")
          : "",
        [...new Set(by)].sort(),
        // What was asked for stands by itself.
        node.files.some((file) => roots.has(file)) ? node.id : "",
      ]);
      const list = alike.get(key);
      if (list) list.push(node);
      else alike.set(key, [node]);
    }
    for (const nodes of alike.values()) {
      const parts = nodes.length >= least ? [nodes] : nodes.map((one) => [one]);
      for (const members of parts) {
        const group = { ...members[0]!, members };
        groups.push(group);
        for (const { id } of members) groupOf.set(id, group);
      }
    }
  }
  for (const group of groups) {
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
    nodes: groups,
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
