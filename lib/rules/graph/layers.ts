/**
 * Puts the nodes of a graph into layers, and orders each layer so that few
 * edges cross: the first two steps of the method of Sugiyama, Tagawa and Toda
 * (1981).
 */

/** A node of the graph as it is laid out: one of it, or a bend of an edge. */
export interface LayeredNode {
  /** Its place among the nodes of the graph; -1 for a bend. */
  node: number;
  /** Nodes of the layer before that it is tied to: its users. */
  users: LayeredNode[];
  /** Nodes of the layer after that it is tied to: what it needs. */
  needs: LayeredNode[];
  /** Place in its layer. */
  at: number;
}

/** A graph in layers. */
export interface Layers {
  /** Layers, users first; each in its order. */
  layers: LayeredNode[][];
  /** For each edge, the nodes that it passes, its ends included. */
  paths: LayeredNode[][];
}

/** How often layers are ordered anew; each time costs a look at all edges. */
const SWEEPS = 24;
/** Edges, bends counted, beyond which fewer sweeps have to do. */
const MANY = 20_000;

/**
 * Makes layers.
 *
 * @param count Number of nodes.
 * @param edges Pairs of nodes: the user, and what it needs.
 */
export function makeLayers(
  count: number,
  edges: readonly (readonly [from: number, to: number])[],
): Layers {
  const ranks = ranksOf(count, edges);
  const nodes = ranks.map((_, node): LayeredNode => newNode(node));
  const layers: LayeredNode[][] = [];
  ranks.forEach((rank, i) => (layers[rank] ??= []).push(nodes[i]!));
  // Edges with the same end share their bends: what many need has one line.
  const bends = new Map<string, LayeredNode>();
  const paths = edges.map(([from, to]) => {
    const path = [nodes[from]!];
    const [low, high] = [ranks[from]!, ranks[to]!];
    for (let rank = low + 1; rank < high; rank++) {
      const key = `${to} ${rank}`;
      let bend = bends.get(key);
      if (!bend) {
        bends.set(key, bend = newNode(-1));
        layers[rank]!.push(bend);
      }
      path.push(bend);
    }
    path.push(nodes[to]!);
    for (let i = 1; i < path.length; i++) tie(path[i - 1]!, path[i]!);
    return path;
  });
  for (const layer of layers) number(layer);
  order(layers);
  return { layers, paths };
}

function newNode(node: number): LayeredNode {
  return { node, users: [], needs: [], at: 0 };
}

function tie(user: LayeredNode, need: LayeredNode): void {
  if (user.needs.includes(need)) return;
  user.needs.push(need);
  need.users.push(user);
}

/**
 * How far each node is from the farthest node that needs it. Of a loop, the
 * edge that closes it does not count.
 */
export function ranksOf(
  count: number,
  edges: readonly (readonly [number, number])[],
): number[] {
  const needs: number[][] = Array.from({ length: count }, () => []);
  const waits = new Array<number>(count).fill(0);
  for (const [from, to] of edges) {
    needs[from]!.push(to);
    waits[to]!++;
  }
  const ranks = new Array<number>(count).fill(0);
  const ready: number[] = [];
  for (let i = 0; i < count; i++) if (waits[i] === 0) ready.push(i);
  const done = new Set<number>();
  for (let next = 0; done.size < count;) {
    // Nobody is free: break the loop at the first that is not done.
    if (next === ready.length) {
      for (let i = 0; i < count; i++) {
        if (done.has(i)) continue;
        ready.push(i);
        break;
      }
    }
    const at = ready[next++]!;
    if (done.has(at)) continue;
    done.add(at);
    for (const to of needs[at]!) {
      if (done.has(to)) continue;
      ranks[to] = Math.max(ranks[to]!, ranks[at]! + 1);
      if (--waits[to]! === 0) ready.push(to);
    }
  }
  return ranks;
}

function number(layer: LayeredNode[]): void {
  layer.forEach((node, at) => node.at = at);
}

/** Moves nodes between their neighbours until crossings do not get fewer. */
function order(layers: LayeredNode[][]): void {
  const ties = layers.flat().reduce((sum, { needs }) => sum + needs.length, 0);
  const sweeps = ties > MANY ? 6 : SWEEPS;
  let best = layers.map((layer) => [...layer]);
  let fewest = crossings(layers);
  for (let sweep = 0; sweep < sweeps && fewest > 0; sweep++) {
    const isDown = sweep % 2 === 0;
    const inTurn = isDown ? layers.slice(1) : layers.slice(0, -1).reverse();
    for (const layer of inTurn) {
      sortByNeighbours(layer, isDown ? "users" : "needs");
    }
    const now = crossings(layers);
    if (now >= fewest) continue;
    fewest = now;
    best = layers.map((layer) => [...layer]);
  }
  best.forEach((layer, i) => {
    layers[i] = layer;
    number(layer);
  });
}

/** Sorts a layer by where the neighbours are on average; who has none stays. */
function sortByNeighbours(
  layer: LayeredNode[],
  side: "users" | "needs",
): void {
  const wanted = new Map(layer.map((node) => {
    const near = node[side];
    const sum = near.reduce((total, { at }) => total + at, 0);
    return [node, near.length === 0 ? undefined : sum / near.length];
  }));
  const moving = layer.filter((node) => wanted.get(node) !== undefined)
    .sort((a, b) => wanted.get(a)! - wanted.get(b)! || a.at - b.at);
  for (let i = 0, next = 0; i < layer.length; i++) {
    if (wanted.get(layer[i]!) !== undefined) layer[i] = moving[next++]!;
  }
  number(layer);
}

/** Number of pairs of edges that cross. */
export function crossings(layers: readonly LayeredNode[][]): number {
  let count = 0;
  for (const [i, layer] of layers.entries()) {
    const width = layers[i + 1]?.length ?? 0;
    // How many edges end at each place so far, as a binary indexed tree.
    const tree = new Array<number>(width + 1).fill(0);
    let seen = 0;
    for (const { needs } of layer) {
      for (const { at } of needs) {
        let before = 0;
        for (let k = at + 1; k > 0; k -= k & -k) before += tree[k]!;
        count += seen - before;
      }
      for (const { at } of needs) {
        for (let k = at + 1; k <= width; k += k & -k) tree[k]!++;
        seen++;
      }
    }
  }
  return count;
}
