/** A graph in the language of Graphviz. */

import type { GraphState, RulesGraph } from "./types.ts";

const COLORS: Readonly<Record<GraphState, [fill: string, line: string]>> = {
  "up to date": ["#d9eedd", "#3c8a52"],
  "out of date": ["#fbeabf", "#b07d0c"],
  "in error": ["#f9d6d2", "#c4231c"],
  "never ran": ["#ffffff", "#8a8a84"],
  frozen: ["#d3e9f7", "#2c7db3"],
  source: ["#eeeeea", "#b9b9b2"],
  missing: ["#f9d6d2", "#c4231c"],
};

/** The graph; what is needed points to its users. */
export function graphDot(graph: RulesGraph): string {
  const names = new Map(graph.nodes.map(({ id }, i) => [id, `n${i}`]));
  const lines = graph.nodes.map((node) => {
    const [fill, line] = COLORS[node.state];
    const label = node.rule === undefined
      ? node.name
      : `${node.name}\n${node.rule}`;
    return `  ${names.get(node.id)} [label=${quoted(label)}, tooltip=${
      quoted(
        node.reason === undefined
          ? node.state
          : `${node.state}: ${node.reason}`,
      )
    }, fillcolor="${fill}", color="${line}"${
      node.kind === "file" ? ", shape=plaintext" : ""
    }];`;
  });
  const edges = graph.edges.map((edge) =>
    `  ${names.get(edge.to)} -> ${names.get(edge.from)}${
      edge.static ? "" : " [style=dashed]"
    };`
  );
  return `digraph ${quoted(graph.targets.join(" "))} {
  rankdir=LR;
  node [shape=box, style="filled,rounded", fontname="monospace"];
${[...lines, ...edges].join("\n")}
}
`;
}

function quoted(text: string): string {
  const escaped = text.replace(/["\\]/g, "\\$&").replaceAll("\n", "\\n");
  return `"${escaped}"`;
}
