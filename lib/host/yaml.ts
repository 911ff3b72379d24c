/** Reads YAML strictly, keeping the place of every value. */

import type { Document, Pair, Scalar } from "yaml";
import {
  type DocumentNode,
  LineIndex,
  type MapNode,
  type Problem,
  type ScalarNode,
} from "./document.ts";
import { quoted } from "./cite.ts";
import { syntaxProblem } from "./yaml_problems.ts";

/** How deep a document may nest. */
const MAX_DEPTH = 32;
/** Parser states that one level of nesting may need, and some to spare. */
const MAX_STACK = MAX_DEPTH * 4;
/** How many values aliases may add to those that are written out. */
const MAX_ALIASED = 1_000;

/** What was read: the root unless the text is empty, or what is wrong. */
export interface YamlResult {
  /** Absent for a text without a value, or with problems. */
  root?: DocumentNode;
  /** What is wrong; empty if nothing is. */
  problems: Problem[];
}

type Yaml = typeof import("yaml");

/**
 * Reads one YAML document.
 *
 * Duplicate keys, several documents, tags, keys that are not texts, cycles,
 * deep nests and aliases that multiply beyond measure are problems. Time and
 * memory grow with the length of the text, whatever it says.
 *
 * @param text YAML with `\n` as line ends.
 */
export async function readYaml(text: string): Promise<YamlResult> {
  const yaml = await import("yaml");
  const lines = new LineIndex(text);
  const parsed = parseDocuments(yaml, text);
  if ("tooDeepAt" in parsed) {
    return { problems: [tooDeep(lines, parsed.tooDeepAt)] };
  }
  const { first, second } = parsed;
  if (!first) return { problems: [] };
  const problems = [...first.errors, ...first.warnings].map((error) =>
    syntaxProblem(yaml, first, error, lines)
  );
  if (second) {
    problems.push({
      place: lines.place(second.range[0]),
      message: "a second document starts here",
      hint: "remove it: the file holds one document",
    });
  }
  if (problems.length > 0 || first.contents === null) return { problems };
  const converter = new Converter(yaml, lines);
  const { node: root } = converter.convert(first.contents, 0, 0);
  if (converter.problems.length > 0) return { problems: converter.problems };
  const isEmpty = root.kind === "scalar" && root.value === null;
  return isEmpty ? { problems: [] } : { root, problems: [] };
}

type Documents =
  | { first: Document.Parsed | undefined; second: Document.Parsed | undefined }
  | { tooDeepAt: number };

function parseDocuments(yaml: Yaml, text: string): Documents {
  const parser = new yaml.Parser();
  const tokens = [];
  for (const source of new yaml.Lexer().lex(text)) {
    tokens.push(...parser.next(source));
    // Composing is recursive, so a deep nest has to be stopped before.
    if (parser.stack.length > MAX_STACK) return { tooDeepAt: parser.offset };
  }
  tokens.push(...parser.end());
  // All scalars are texts to the library: directives then cannot change what
  // they mean. Its own check of unique keys takes quadratic time.
  const composer = new yaml.Composer({ schema: "failsafe", uniqueKeys: false });
  const documents = composer.compose(tokens, false, text.length);
  const first = documents.next().value ?? undefined;
  const second = documents.next().value ?? undefined;
  return { first, second };
}

function tooDeep(lines: LineIndex, offset: number): Problem {
  return {
    place: lines.place(offset),
    message: "it nests too deeply",
    hint: `nest at most ${MAX_DEPTH} levels`,
  };
}

/** A node, and how many values it stands for. */
interface Converted {
  node: DocumentNode;
  size: number;
}

class Converter {
  readonly problems: Problem[] = [];
  readonly #anchors = new Map<string, Converted>();
  #aliased = 0;
  #stopped = false;

  constructor(readonly yaml: Yaml, readonly lines: LineIndex) {}

  /** Converts a node; `at` is its offset if it has none, being empty. */
  convert(node: unknown, depth: number, at: number): Converted {
    const { yaml } = this;
    const offset = (node as { range?: number[] } | null)?.range?.[0] ?? at;
    if (this.#stopped || !yaml.isNode(node)) return this.#nothing(offset);
    if (depth > MAX_DEPTH) return this.#stop(tooDeep(this.lines, offset));
    if (yaml.isAlias(node)) return this.#alias(node.source, offset);
    if (node.tag !== undefined) this.#tag(offset);
    let converted: Converted;
    if (yaml.isMap(node)) {
      converted = this.#map(node.items as Pair[], depth, offset);
    } else if (yaml.isSeq(node)) {
      const items = node.items.map((item) =>
        this.convert(item, depth + 1, offset)
      );
      converted = {
        node: {
          kind: "list",
          place: this.lines.place(offset),
          items: items.map((item) => item.node),
        },
        size: items.reduce((sum, item) => sum + item.size, 1),
      };
    } else {
      converted = { node: this.#scalar(node as Scalar, offset), size: 1 };
    }
    const anchor = node.anchor;
    if (anchor !== undefined) this.#anchor(anchor, converted, offset);
    return converted;
  }

  #map(pairs: readonly Pair[], depth: number, offset: number): Converted {
    const entries: MapNode["entries"] = [];
    const seen = new Map<string, number>();
    let size = 1;
    for (const pair of pairs) {
      const keyAt = (pair.key as { range?: number[] } | null)?.range?.[0] ??
        offset;
      const place = this.lines.place(keyAt);
      if (!this.yaml.isScalar(pair.key)) {
        this.problems.push({ place, message: "a key is not a text" });
        continue;
      }
      const key = String(pair.key.value ?? "");
      const before = seen.get(key);
      if (before !== undefined) {
        this.problems.push({
          place,
          message: `the key ${quoted(key)} is given twice`,
          hint: `keep one of the two; the other is in line ${before}`,
        });
        continue;
      }
      seen.set(key, place.line);
      const value = this.convert(pair.value, depth + 1, keyAt);
      size += value.size;
      entries.push({ key, place, value: value.node });
    }
    const place = this.lines.place(offset);
    return { node: { kind: "map", place, entries }, size };
  }

  #scalar(node: Scalar, offset: number): ScalarNode {
    const text = String(node.value ?? "");
    return {
      kind: "scalar",
      place: this.lines.place(offset),
      value: node.type === "PLAIN" ? plainValue(text) : text,
      text,
    };
  }

  #anchor(name: string, converted: Converted, offset: number): void {
    if (this.#anchors.has(name)) {
      this.problems.push({
        place: this.lines.place(offset),
        message: `the anchor ${quoted(name)} is set twice`,
      });
    }
    this.#anchors.set(name, converted);
  }

  #alias(name: string, offset: number): Converted {
    // An anchor is only known behind its value, so there are no cycles.
    const target = this.#anchors.get(name);
    const place = this.lines.place(offset);
    if (!target) {
      this.problems.push({
        place,
        message: `there is no anchor ${quoted(name)} before its alias`,
        hint: "a text that starts with * needs quotes",
      });
      return this.#nothing(offset);
    }
    this.#aliased += target.size;
    if (this.#aliased <= MAX_ALIASED) return target;
    return this.#stop({
      place,
      message: "its aliases multiply to too many values",
      hint: "write the values out",
    });
  }

  #tag(offset: number): void {
    this.problems.push({
      place: this.lines.place(offset),
      message: "there is a tag, and tags have no use here",
      hint: "remove the tag; a text that starts with ! needs quotes",
    });
  }

  #stop(problem: Problem): Converted {
    this.#stopped = true;
    this.problems.push(problem);
    return { node: { ...EMPTY, place: problem.place }, size: 1 };
  }

  #nothing(offset: number): Converted {
    return { node: { ...EMPTY, place: this.lines.place(offset) }, size: 1 };
  }
}

const EMPTY = { kind: "scalar", value: null, text: "" } as const;

/** A text without quotes as YAML 1.2's core schema reads it. */
export function plainValue(text: string): ScalarNode["value"] {
  if (/^(?:|~|null|Null|NULL)$/.test(text)) return null;
  if (/^(?:true|True|TRUE)$/.test(text)) return true;
  if (/^(?:false|False|FALSE)$/.test(text)) return false;
  if (/^(?:0o[0-7]+|0x[0-9a-fA-F]+)$/.test(text)) return Number(text);
  if (/^[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?$/.test(text)) {
    return Number(text);
  }
  if (/^[-+]?\.(?:inf|Inf|INF)$/.test(text)) {
    return text.startsWith("-") ? -Infinity : Infinity;
  }
  return /^\.(?:nan|NaN|NAN)$/.test(text) ? NaN : text;
}
