/** A graph as a page that needs no other file: to zoom, search and follow. */

import { durationText, escapeHtml } from "../profile/html.ts";
import type { GroupedGraph } from "./group.ts";
import style from "./page.css" with { type: "text" };
import script from "./page.js" with { type: "text" };
import { graphSvg } from "./svg.ts";

/** The page, as HTML. */
export function graphPage(graph: GroupedGraph): string {
  const title = `What ${graph.targets.join(" ")} is made of`;
  const index = new Map(graph.nodes.map(({ id }, i) => [id, i]));
  const data = {
    nodes: graph.nodes.map((node) => ({
      name: node.name,
      rule: node.rule,
      state: node.state,
      reason: node.reason,
      files: node.files,
      ...(node.durationMs === undefined
        ? {}
        : { time: durationText(node.durationMs) }),
      ...(node.members.length > 1
        ? { members: node.members.map(({ name }) => name) }
        : {}),
    })),
    edges: graph.edges.map(({ from, to }) => [index.get(from), index.get(to)]),
  };
  const jobs = count(graph, "job", "job");
  const files = count(graph, "file", "source");
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>
${style.trim()}
</style>
</head>
<body>
<header>
<h1>${escapeHtml(graph.targets.join(" "))}</h1>
<span>${jobs}, ${files}</span>
<input type="search" placeholder="Find a file or rule" aria-label="Find a file or rule">
<button id="fit" type="button">Show all</button>
</header>
<main>
${graphSvg(graph).trim()}
<aside hidden></aside>
</main>
<script type="application/json" id="data">${
    // Nothing in it can end the element.
    JSON.stringify(data).replaceAll("<", "\\u003c")}</script>
<script>
${script.trim()}
</script>
</body>
</html>
`;
}

function count(graph: GroupedGraph, kind: string, word: string): string {
  const number = graph.nodes
    .filter((node) => node.kind === kind)
    .reduce((sum, { members }) => sum + members.length, 0);
  return `${number.toLocaleString("en")} ${word}${number === 1 ? "" : "s"}`;
}
