import assert from "node:assert/strict";
import { drawGraph } from "../../lib/rules/graph/api.ts";
import { groupGraph, namesAsOne } from "../../lib/rules/graph/group.ts";
import { crossings, makeLayers } from "../../lib/rules/graph/layers.ts";
import { placeGraph } from "../../lib/rules/graph/place.ts";
import type { GraphNode, RulesGraph } from "../../lib/rules/graph/types.ts";
import { isWellFormed, randomNumbers } from "./markup.ts";

type Pair = readonly [number, number];

/** A graph of jobs by name, and of what each needs. */
function graphOf(needs: Record<string, string[]>): RulesGraph {
  const names = new Set([
    ...Object.keys(needs),
    ...Object.values(needs).flat(),
  ]);
  return {
    targets: [Object.keys(needs)[0]!],
    nodes: [...names].map((name): GraphNode => ({
      id: name,
      kind: needs[name] ? "job" : "file",
      name,
      files: [name],
      state: needs[name] ? "up to date" : "source",
      ...(needs[name] ? { rule: name.replace(/\d+/g, "") } : {}),
    })),
    edges: Object.entries(needs).flatMap(([from, all]) =>
      all.map((to) => ({ from, to, files: [to], static: true }))
    ),
  };
}

/** A program of some objects, each of one source and all of the headers. */
function program(objects: number, headers: number): RulesGraph {
  const all = Array.from({ length: objects }, (_, i) => `o${i}`);
  const common = Array.from({ length: headers }, (_, i) => `inc/${i}.h`);
  return graphOf({
    prog: all,
    ...Object.fromEntries(
      all.map((name) => [name, [`src/${name}.c`, ...common]]),
    ),
  });
}

function randomEdges(random: () => number, count: number): Pair[] {
  return Array.from({ length: count * 2 }, (): Pair => {
    const a = Math.floor(random() * count);
    const b = Math.floor(random() * count);
    return [Math.min(a, b), Math.max(a, b)];
  }).filter(([a, b]) => a !== b);
}

Deno.test("users are in layers before what they need", () => {
  const random = randomNumbers(1);
  for (let round = 0; round < 50; round++) {
    const edges = randomEdges(random, 2 + round);
    const { layers, paths } = makeLayers(2 + round, edges);
    const layerOf = new Map(
      layers.flatMap((layer, i) => layer.map((node) => [node, i])),
    );
    edges.forEach(([from, to], i) => {
      const path = paths[i]!;
      assert.equal(path[0]!.node, from);
      assert.equal(path.at(-1)!.node, to);
      for (let k = 1; k < path.length; k++) {
        assert.equal(layerOf.get(path[k]!), layerOf.get(path[k - 1]!)! + 1);
      }
    });
    for (const layer of layers) {
      layer.forEach((node, at) => assert.equal(node.at, at));
    }
  }
});

Deno.test("a loop has its place as well", () => {
  const edges: Pair[] = [[0, 1], [1, 2], [2, 1], [2, 3]];
  const { layers, paths } = makeLayers(4, edges);
  const nodes = layers.flat().map(({ node }) => node).filter((n) => n >= 0);
  assert.deepEqual(nodes.sort(), [0, 1, 2, 3]);
  assert.equal(paths.length, 4);
});

Deno.test("crossings() counts as looking at each pair of edges does", () => {
  const random = randomNumbers(2);
  for (let round = 0; round < 30; round++) {
    const { layers } = makeLayers(12, randomEdges(random, 12));
    let expected = 0;
    for (const layer of layers) {
      const edges = layer.flatMap((node) =>
        node.needs.map((need) => [node.at, need.at] as const)
      );
      for (const [a, b] of edges) {
        for (const [c, d] of edges) if (a < c && b > d) expected++;
      }
    }
    assert.equal(crossings(layers), expected);
  }
});

Deno.test("edges that need not cross do not", () => {
  // Two trees, mixed.
  const edges: Pair[] = [
    [0, 2],
    [1, 3],
    [0, 4],
    [1, 5],
    [2, 7],
    [3, 6],
    [4, 8],
    [5, 9],
  ];
  assert.equal(crossings(makeLayers(10, edges).layers), 0);
});

Deno.test("boxes do not overlap, and lines run from left to right", () => {
  const random = randomNumbers(3);
  for (let round = 0; round < 40; round++) {
    const count = 3 + round * 2;
    const sizes = Array.from({ length: count }, () => ({
      width: 20 + Math.floor(random() * 200),
      height: random() < 0.5 ? 24 : 38,
    }));
    const edges = randomEdges(random, count);
    const placed = placeGraph(sizes, edges);
    for (let i = 0; i < count; i++) {
      const a = { ...placed.nodes[i]!, ...sizes[i]! };
      assert.ok(a.x >= 0 && a.y - a.height / 2 >= -1e-6);
      assert.ok(a.x + a.width <= placed.width + 1e-6);
      assert.ok(a.y + a.height / 2 <= placed.height + 1e-6);
      for (let k = 0; k < i; k++) {
        const b = { ...placed.nodes[k]!, ...sizes[k]! };
        const isApart = a.x + a.width <= b.x || b.x + b.width <= a.x ||
          Math.abs(a.y - b.y) >= (a.height + b.height) / 2 - 1e-6;
        assert.ok(isApart, `round ${round}: ${i} and ${k} overlap`);
      }
    }
    for (const points of placed.edges) {
      for (let k = 1; k < points.length; k++) {
        assert.ok(points[k]!.x >= points[k - 1]!.x);
      }
    }
  }
});

Deno.test("graphs of nothing and of one node are drawn, too", async () => {
  const empty = { targets: [], nodes: [], edges: [] };
  assert.ok(isWellFormed(await drawGraph(empty, "svg")));
  assert.match(await drawGraph(graphOf({ a: [] }), "svg"), />a</);
});

Deno.test("few nodes are drawn one by one, many alike ones as one", () => {
  const few = groupGraph(program(10, 5));
  assert.equal(few.nodes.length, 26);
  assert.ok(few.nodes.every(({ members }) => members.length === 1));
  const many = groupGraph(program(1000, 100));
  assert.deepEqual(
    many.nodes.map(({ name, members }) => [name, members.length]),
    [["prog", 1], ["*", 1000], ["src/*.c", 1000], ["inc/*.h", 100]],
  );
  assert.deepEqual(
    many.edges.map(({ from, to }) => [from, to]),
    [["prog", "o0"], ["o0", "src/o0.c"], ["o0", "inc/0.h"]],
  );
  assert.equal(groupGraph(program(1000, 100), true).nodes.length, 2101);
});

Deno.test("only as much is drawn as one as it takes", () => {
  const needs: Record<string, string[]> = { prog: [] };
  for (const lib of ["a", "b", "c"]) {
    needs.prog!.push(`lib${lib}`);
    needs[`lib${lib}`] = Array.from({ length: 30 }, (_, i) => `o${lib}${i}`);
    for (const object of needs[`lib${lib}`]!) needs[object] = [`${object}.c`];
  }
  const { nodes } = groupGraph(graphOf(needs));
  assert.deepEqual(
    nodes.filter(({ name }) => name.startsWith("lib")).map(({ name }) => name),
    ["liba", "libb", "libc"],
  );
  assert.equal(nodes.length, 10);
});

Deno.test("what is in another state is not drawn with the rest", () => {
  const graph = program(100, 3);
  graph.nodes.find(({ name }) => name === "o7")!.state = "in error";
  const { nodes } = groupGraph(graph);
  const bad = nodes.filter(({ state }) => state === "in error");
  assert.deepEqual(bad.map(({ name }) => name), ["o7"]);
  // Its source is needed by it alone.
  assert.ok(nodes.some(({ name }) => name === "src/o7.c"));
});

Deno.test("namesAsOne() keeps whole words at both ends", () => {
  const cases: [string[], string][] = [
    [["src/a.c", "src/b.c"], "src/*.c"],
    [["src/main.c", "src/mail.c"], "src/*.c"],
    [["a", "b"], "*"],
    [["x/a.o", "y/a.o"], "*/a.o"],
    [["gen/v1-a.h", "gen/v1-b.h"], "gen/v1-*.h"],
    [["aa", "aaa"], "*"],
  ];
  for (const [names, expected] of cases) {
    assert.equal(namesAsOne(names), expected);
  }
});

Deno.test("drawings are well-formed whatever the names are", async () => {
  const evil = `</title></script><script>alert("x")</script>&]]>\x01'\\\n`;
  const graph = graphOf({ [evil]: ["a & b", "漢字".repeat(40), "<i>"] });
  for (const node of graph.nodes) node.reason = evil;
  const svg = await drawGraph(graph, "svg");
  assert.ok(isWellFormed(svg), svg);
  assert.ok(!/[^\t\n\x20-\uffff]/.test(svg), "control characters");
  const page = await drawGraph(graph, "html");
  assert.equal(page.match(/<script/g)!.length, 2);
  const data = /id="data">(.*?)<\/script>/s.exec(page)![1]!;
  assert.equal(JSON.parse(data).nodes[0].name, evil);
  assert.equal(JSON.parse(data).nodes.length, 4);
  const dot = await drawGraph(graph, "dot");
  assert.ok(dot.includes('\\"x\\"'));
  assert.ok(dot.includes("\\\\\\n"), "backslash and newline");
});

Deno.test("drawings load nothing from anywhere", async () => {
  const graph = program(3, 2);
  for (const format of ["svg", "html"] as const) {
    const text = (await drawGraph(graph, format))
      .replaceAll("http://www.w3.org/2000/svg", "");
    assert.doesNotMatch(text, /https?:|@import|url\(|src=|href=/);
  }
});

Deno.test("text for Graphviz has all nodes and edges", async () => {
  const dot = await drawGraph(program(100, 2), "dot");
  assert.equal(dot.match(/^ {2}n\d+ \[/gm)!.length, 203);
  assert.equal(dot.match(/^ {2}n\d+ -> n\d+/gm)!.length, 400);
});
