/** Draws a graph as SVG. */

import { durationText, escapeHtml } from "../profile/html.ts";
import style from "./graph.css" with { type: "text" };
import type { GroupedGraph, GroupNode } from "./group.ts";
import { placeGraph, type Point, type Size } from "./place.ts";
import type { GraphState } from "./types.ts";

/** Width of a character of the names, and of the small lines. */
const CHAR = 7.3, SMALL = 5.5;
/** Names are cut in the middle at so many characters. */
const LONGEST = 44;
/** Room around the drawing, and below it for the legend. */
const MARGIN = 24, LEGEND = 34;
const ONE_LINE = 24, TWO_LINES = 38;

/** What the legend says, in its order. */
const STATES: readonly GraphState[] = [
  "up to date",
  "out of date",
  "in error",
  "never ran",
  "frozen",
  "source",
  "missing",
];

/**
 * The drawing as an SVG element: sources to the left, the files that were
 * asked for to the right. Its colours follow the reader's preference for
 * light or dark.
 */
export function graphSvg(graph: GroupedGraph): string {
  const boxes = graph.nodes.map(boxOf);
  const index = new Map(graph.nodes.map(({ id }, i) => [id, i]));
  const edges = graph.edges.map(({ from, to }) =>
    [index.get(from)!, index.get(to)!] as const
  );
  const placed = placeGraph(boxes, edges);
  const legend = legendOf(graph.nodes);
  const width = Math.ceil(Math.max(placed.width, legend.width) + 2 * MARGIN);
  const height = Math.ceil(placed.height + 2 * MARGIN + LEGEND);
  const asked = new Set(graph.targets);
  const title = `What ${graph.targets.join(" ")} is made of`;
  return `<svg xmlns="http://www.w3.org/2000/svg" class="graph" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">
<title>${escapeHtml(title)}</title>
<style>
${style.trim()}
</style>
<g class="drawing" transform="translate(${MARGIN} ${MARGIN})">
<g class="edges">
${
    graph.edges.map((edge, i) =>
      `<path class="${edge.static ? "static" : "found"}" data-edge="${
        edges[i]!.join(" ")
      }" d="${curve(placed.edges[i]!)}"><title>${
        escapeHtml(listText(edge.files))
      }</title></path>`
    ).join("\n")
  }
</g>
${
    graph.nodes.map((node, i) =>
      nodeSvg(node, i, boxes[i]!, placed.nodes[i]!, asked)
    ).join("\n")
  }
</g>
<g class="legend" transform="translate(${MARGIN} ${
    height - LEGEND
  })">${legend.svg}</g>
</svg>
`;
}

interface Box extends Size {
  name: string;
  detail: string;
}

function boxOf(node: GroupNode): Box {
  const name = shortened(node.name);
  const details = [
    ...(node.rule === undefined ? [] : [shortened(node.rule)]),
    ...(node.members.length > 1
      ? [
        `${node.members.length.toLocaleString("en")} ${
          node.kind === "job" ? "jobs" : "files"
        }`,
      ]
      : []),
    ...(node.durationMs === undefined ? [] : [durationText(node.durationMs)]),
  ];
  const detail = details.join(" · ");
  return {
    name,
    detail,
    width: Math.ceil(
      20 + Math.max(columns(name) * CHAR, columns(detail) * SMALL),
    ),
    height: detail === "" ? ONE_LINE : TWO_LINES,
  };
}

function nodeSvg(
  node: GroupNode,
  index: number,
  box: Box,
  { x, y }: Point,
  asked: ReadonlySet<string>,
): string {
  const { width, height, name, detail } = box;
  const classes = ["node", classOf(node.state)];
  if (node.files.some((file) => asked.has(file))) classes.push("asked");
  const rect = (name: string, dx: number, dy: number) =>
    `<rect class="${name}" x="${dx}" y="${dy}" width="${width}" height="${height}" rx="${
      node.kind === "job" ? 5 : 12
    }"/>`;
  const back = node.members.length > 1 ? rect("back", 4, 4) : "";
  const line = (text: string, at: number, soft = false) =>
    `<text x="10" y="${at}"${soft ? ' class="soft"' : ""}>${
      escapeHtml(text)
    }</text>`;
  return `<g class="${
    classes.join(" ")
  }" data-node="${index}" transform="translate(${fixed(x)} ${
    fixed(y - height / 2)
  })"><title>${escapeHtml(titleOf(node))}</title>` +
    back + rect("face", 0, 0) + line(name, 16) +
    (detail === "" ? "" : line(detail, 31, true)) + "</g>";
}

/** What is told about a node where there is room for it. */
export function titleOf(node: GroupNode): string {
  return [
    node.kind === "job" ? `${node.rule}: ${node.state}` : node.state,
    ...(node.reason === undefined ? [] : [node.reason]),
    listText(
      node.members.length > 1
        ? node.members.map(({ name }) => name)
        : [...new Set([node.name, ...node.files])],
    ),
  ].join("\n");
}

function listText(names: readonly string[]): string {
  const shown = names.slice(0, 12);
  const rest = names.length - shown.length;
  return shown.join("\n") + (rest > 0 ? `\n… and ${rest} more` : "");
}

/** Name of a state as a class. */
export function classOf(state: GraphState): string {
  return state.replaceAll(" ", "-");
}

function legendOf(
  nodes: readonly GroupNode[],
): { svg: string; width: number } {
  let x = 0;
  const parts = STATES.filter((state) =>
    nodes.some((node) => node.state === state)
  ).map((state) => {
    const at = x;
    x += 28 + state.length * SMALL + 14;
    return `<g class="${classOf(state)}" transform="translate(${
      fixed(at)
    } 0)"><rect width="18" height="12" rx="3"/><text class="soft" x="24" y="10">${state}</text></g>`;
  });
  for (
    const [name, text] of [["static", "named by the rule"], [
      "found",
      "found when it ran",
    ]] as const
  ) {
    parts.push(
      `<g transform="translate(${
        fixed(x)
      } 0)"><path class="${name}" d="M0 6H24"/><text class="soft" x="30" y="10">${text}</text></g>`,
    );
    x += 34 + text.length * SMALL + 14;
  }
  return { svg: parts.join(""), width: x };
}

/** A line through some points, level at each of them. */
function curve(points: readonly Point[]): string {
  const [first, ...others] = points;
  let text = `M${fixed(first!.x)} ${fixed(first!.y)}`;
  let last = first!;
  for (const point of others) {
    if (point.y === last.y) text += `H${fixed(point.x)}`;
    else {
      const middle = fixed((last.x + point.x) / 2);
      text += `C${middle} ${fixed(last.y)} ${middle} ${fixed(point.y)} ${
        fixed(point.x)
      } ${fixed(point.y)}`;
    }
    last = point;
  }
  return text;
}

function fixed(number: number): string {
  return String(+number.toFixed(1));
}

function shortened(text: string): string {
  const plain = text.replace(/\s/g, " ");
  if (columns(plain) <= LONGEST) return plain;
  const characters = [...plain];
  // The end of a name tells more than its middle.
  return `${characters.slice(0, 14).join("")}…${
    characters.slice(15 - LONGEST).join("")
  }`;
}

/** Width of a text in characters; those of East Asian scripts are twice as wide. */
function columns(text: string): number {
  let width = 0;
  for (const character of text) {
    width += character.codePointAt(0)! >= 0x1100 ? 2 : 1;
  }
  return width;
}
