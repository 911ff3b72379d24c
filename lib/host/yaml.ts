/** Reads YAML strictly, keeping the place of every value. */

import type { DocumentNode, Place, Problem } from "./document.ts";

/** How deep a document may nest. */
const MAX_DEPTH = 32;
/** How many nodes a document may have once its aliases are followed. */
const MAX_NODES = 20_000;

/** What was read: the root unless the text is empty, or what is wrong. */
export interface YamlResult {
  /** Absent for a text without a value, or with problems. */
  root?: DocumentNode;
  /** What is wrong; empty if nothing is. */
  problems: Problem[];
}

/**
 * Reads one YAML document.
 *
 * Duplicate keys, several documents, tags, keys that are not texts, cycles and
 * aliases that multiply beyond measure are problems.
 */
export async function readYaml(text: string): Promise<YamlResult> {
  const yaml = await import("yaml");
  const lines = new yaml.LineCounter();
  const documents = yaml.parseAllDocuments(text, {
    lineCounter: lines,
    uniqueKeys: true,
    prettyErrors: false,
    version: "1.2",
  });
  const place = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const list = Array.isArray(documents) ? documents : [];
  const first = list[0];
  if (!first) return { problems: [] };
  const problems: Problem[] = list.flatMap((document) =>
    [...document.errors, ...document.warnings].map((error) => ({
      place: place(error.pos[0]),
      message: describe(error.code, error.message),
    }))
  );
  if (list.length > 1) {
    problems.push({
      place: place(list[1]?.range[0] ?? 0),
      message: "a second document starts here",
    });
  }
  if (problems.length > 0) return { problems };
  let count = 0;
  const fail = (offset: number, message: string): DocumentNode => {
    problems.push({ place: place(offset), message });
    return { kind: "scalar", place: place(offset), value: null, text: "" };
  };
  const convert = (node: unknown, depth: number, at: number): DocumentNode => {
    const offset = (node as { range?: number[] } | null)?.range?.[0] ?? at;
    if (++count > MAX_NODES) {
      if (problems.length > 0) return fail(offset, "too many values");
      return fail(offset, "its aliases multiply to too many values");
    }
    if (depth > MAX_DEPTH) return fail(offset, "it nests too deeply");
    if (problems.length > 0) {
      return { kind: "scalar", place: place(offset), value: null, text: "" };
    }
    if (yaml.isAlias(node)) {
      const target = node.resolve(first);
      return target === undefined
        ? fail(offset, `there is no anchor "${node.source}"`)
        : convert(target, depth + 1, offset);
    }
    if (yaml.isMap(node)) {
      return {
        kind: "map",
        place: place(offset),
        entries: node.items.map((pair) => {
          const keyAt = (pair.key as { range?: number[] })?.range?.[0] ??
            offset;
          const key = yaml.isScalar(pair.key) ? scalarText(pair.key) : "";
          if (!yaml.isScalar(pair.key)) fail(keyAt, "a key is not a text");
          return {
            key,
            place: place(keyAt),
            value: convert(pair.value, depth + 1, keyAt),
          };
        }),
      };
    }
    if (yaml.isSeq(node)) {
      return {
        kind: "list",
        place: place(offset),
        items: node.items.map((item) => convert(item, depth + 1, offset)),
      };
    }
    if (yaml.isScalar(node)) {
      return {
        kind: "scalar",
        place: place(offset),
        value: node.value,
        text: scalarText(node),
      };
    }
    return { kind: "scalar", place: place(offset), value: null, text: "" };
  };
  if (first.contents === null) return { problems };
  const root = convert(first.contents, 0, 0);
  if (root.kind === "scalar" && root.value === null && problems.length === 0) {
    return { problems };
  }
  return problems.length > 0 ? { problems } : { root, problems };
}

function scalarText(node: { value: unknown; source?: string }): string {
  if (typeof node.value === "string") return node.value;
  return node.source ?? (node.value === null ? "" : String(node.value));
}

/** The parser's words where they help, ours where they do not. */
function describe(code: string, message: string): string {
  const first = (message.split("\n")[0] ?? "").replace(/[.:]$/, "");
  switch (code) {
    case "DUPLICATE_KEY":
      return "a key is given twice";
    case "TAB_AS_INDENT":
      return "a tab is used to indent; YAML wants spaces";
    case "MULTIPLE_DOCS":
      return "a second document starts here";
    default:
      return first.charAt(0).toLowerCase() + first.slice(1);
  }
}
