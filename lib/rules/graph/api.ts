/** Graphs of what files are made of; what makes them is loaded at first use. */

import type { RulesOptions } from "../companions/types.ts";
import type { GraphFormat, RulesGraph } from "./types.ts";

/**
 * Finds what files are made of: the jobs behind them, what those read, and so
 * on down to the sources. Changes nothing.
 *
 * @throws {ClibsError} `CLIBS_LMAKE_REPO` if there is no repo, and what is
 *   wrong with its rules.
 */
export async function graphOf(options: RulesOptions): Promise<RulesGraph> {
  return await (await import("./collect.ts")).collectGraph(options);
}

/**
 * Draws a graph as a picture (`svg`), a page to look around in (`html`), or
 * text for Graphviz (`dot`). No other program is needed.
 *
 * In pictures and pages of many nodes, alike ones are drawn as one.
 *
 * @param options.all Draws each node by itself. Default: false.
 */
export async function drawGraph(
  graph: RulesGraph,
  format: GraphFormat,
  { all = false }: { all?: boolean } = {},
): Promise<string> {
  if (format === "dot") return (await import("./dot.ts")).graphDot(graph);
  const { groupGraph } = await import("./group.ts");
  const grouped = groupGraph(graph, all);
  return format === "svg"
    ? (await import("./svg.ts")).graphSvg(grouped)
    : (await import("./page.ts")).graphPage(grouped);
}
