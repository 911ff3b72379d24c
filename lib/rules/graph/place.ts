/** Gives the nodes of a layered graph their places. */

import { type LayeredNode, makeLayers } from "./layers.ts";

/** A box to be placed. */
export interface Size {
  width: number;
  height: number;
}

/** A point of the drawing. */
export interface Point {
  x: number;
  y: number;
}

/** A drawing without style. */
export interface Placed {
  /** Whole size. */
  width: number;
  height: number;
  /** Middle of the left side of each node, in the order they were given. */
  nodes: Point[];
  /** For each edge, from what is needed to its user: ends of boxes, and bends. */
  edges: Point[][];
}

/** Room between two boxes of a layer, and between lines that pass. */
const GAP = 10, LINE_GAP = 6;
/** Room between two layers: more where many lines cross it. */
const LEAST_AISLE = 40, MOST_AISLE = 480;
/** How often places are evened out. */
const ROUNDS = 12;

/**
 * Places a graph: what is needed to the left, users to the right.
 *
 * @param sizes Sizes of the nodes.
 * @param edges Pairs of nodes: the user, and what it needs.
 */
export function placeGraph(
  sizes: readonly Size[],
  edges: readonly (readonly [from: number, to: number])[],
): Placed {
  const { layers, paths } = makeLayers(sizes.length, edges);
  const heightOf = ({ node }: LayeredNode) =>
    node < 0 ? 0 : sizes[node]!.height;
  const ys = evenOut(layers, heightOf);
  const widths = layers.map((layer) =>
    most(layer.map(({ node }) => node < 0 ? 0 : sizes[node]!.width))
  );
  const xs = columnsOf(layers, widths);
  const nodes: Point[] = [];
  const xOf = new Map<LayeredNode, number>();
  layers.forEach((layer, i) => {
    for (const node of layer) {
      xOf.set(node, xs[i]!);
      // Boxes of a layer end where their users are.
      if (node.node < 0) continue;
      const { width } = sizes[node.node]!;
      nodes[node.node] = { x: xs[i]! + widths[i]! - width, y: ys.get(node)! };
    }
  });
  const widthOf = new Map(
    layers.flatMap((layer, i) => layer.map((node) => [node, widths[i]!])),
  );
  const drawn = paths.map((path) =>
    path.toReversed().flatMap((node, i): Point[] => {
      const y = ys.get(node)!;
      const right = xOf.get(node)! + widthOf.get(node)!;
      if (i === 0) return [{ x: right, y }];
      if (i === path.length - 1) return [{ x: nodes[node.node]!.x, y }];
      return [{ x: xOf.get(node)!, y }, { x: right, y }];
    })
  );
  const all = layers.flat();
  return {
    width: most(layers.map((_, i) => xs[i]! + widths[i]!)),
    height: most(all.map((node) => ys.get(node)! + heightOf(node) / 2)),
    nodes,
    edges: drawn,
  };
}

/** The greatest of numbers; `Math.max()` takes only so many. */
function most(numbers: readonly number[], least = 0): number {
  return numbers.reduce((a, b) => Math.max(a, b), least);
}

/** Left sides of the layers; the last layer is the leftmost. */
function columnsOf(
  layers: readonly LayeredNode[][],
  widths: readonly number[],
): number[] {
  const xs: number[] = [];
  let x = 0;
  for (let i = layers.length - 1; i >= 0; i--) {
    xs[i] = x;
    const lines = layers[i]!.reduce((sum, { users }) => sum + users.length, 0);
    x += widths[i]! +
      Math.min(MOST_AISLE, LEAST_AISLE + 8 * Math.sqrt(lines));
  }
  return xs;
}

/**
 * Heights of the middles of all nodes: in the order of their layers, apart,
 * and as near to the middle of their neighbours as can be.
 */
function evenOut(
  layers: readonly LayeredNode[][],
  heightOf: (node: LayeredNode) => number,
): Map<LayeredNode, number> {
  const ys = new Map<LayeredNode, number>();
  for (const layer of layers) spread(layer, heightOf, () => 0, ys);
  for (let round = 0; round < ROUNDS; round++) {
    const isDown = round % 2 === 0;
    for (const layer of isDown ? layers : layers.toReversed()) {
      spread(layer, heightOf, (node) => wantedY(node, isDown, ys), ys);
    }
  }
  const top = -most(
    layers.flat().map((node) => heightOf(node) / 2 - ys.get(node)!),
    -Infinity,
  );
  for (const [node, y] of ys) ys.set(node, y - top);
  return ys;
}

function wantedY(
  { users, needs, node }: LayeredNode,
  isDown: boolean,
  ys: ReadonlyMap<LayeredNode, number>,
): number | undefined {
  const side = isDown ? users : needs;
  const other = isDown ? needs : users;
  // A line that passes wants to go on straight both ways.
  const near = side.length === 0 || node < 0 ? [...side, ...other] : side;
  if (near.length === 0) return undefined;
  return near.reduce((sum, one) => sum + ys.get(one)!, 0) / near.length;
}

/**
 * Places a layer where its nodes want to be, as far as they fit: neighbours
 * that would overlap become a block, which moves to where they want to be on
 * average (pool adjacent violators).
 */
function spread(
  layer: readonly LayeredNode[],
  heightOf: (node: LayeredNode) => number,
  wanted: (node: LayeredNode) => number | undefined,
  ys: Map<LayeredNode, number>,
): void {
  const offsets: number[] = [];
  const blocks: { sum: number; count: number; from: number }[] = [];
  layer.forEach((node, i) => {
    const last = layer[i - 1];
    offsets[i] = last === undefined
      ? 0
      : offsets[i - 1]! + (heightOf(last) + heightOf(node)) / 2 +
        (last.node < 0 && node.node < 0 ? LINE_GAP : GAP);
    // As if all boxes had no height: with offsets taken away, order is all.
    const y = (wanted(node) ?? ys.get(node) ?? 0) - offsets[i]!;
    blocks.push({ sum: y, count: 1, from: i });
    for (;;) {
      const block = blocks.at(-1)!;
      const before = blocks.at(-2);
      if (!before || before.sum / before.count <= block.sum / block.count) {
        break;
      }
      before.sum += block.sum;
      before.count += block.count;
      blocks.pop();
    }
  });
  for (const { sum, count, from } of blocks) {
    for (let i = from; i < from + count; i++) {
      ys.set(layer[i]!, sum / count + offsets[i]!);
    }
  }
}
