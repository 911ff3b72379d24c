/** Syntax errors of YAML in words that tell what to do. */

import type { Document, YAMLError, YAMLWarning } from "yaml";
import { escapeControls } from "../feedback/escape.ts";
import type { LineIndex, Problem } from "./document.ts";

/** An error of the YAML library as a problem with a place. */
export function syntaxProblem(
  yaml: typeof import("yaml"),
  document: Document.Parsed,
  error: YAMLError | YAMLWarning,
  lines: LineIndex,
): Problem {
  const { code } = error;
  if (code === "MISSING_CHAR" && /quote/.test(error.message)) {
    // The library points at the end of the file; the quote that opens helps.
    const start = lastQuote(yaml, document) ?? error.pos[0];
    return {
      place: lines.place(start),
      message: "the quote that opens here is never closed",
      hint: "close it",
    };
  }
  const place = lines.place(error.pos[0]);
  const known = words.find(([of, text]) =>
    of === code && text.test(error.message)
  );
  if (known) return { place, message: known[2], hint: known[3] };
  const [first = ""] = error.message.split("\n");
  const text = escapeControls(first.replace(/[.:]$/, ""));
  return { place, message: text.charAt(0).toLowerCase() + text.slice(1) };
}

const QUOTE_IT = "put the text in quotes";

/** Code and message of the library; ours, and the hint. */
const words: [string, RegExp, string, string][] = [
  [
    "TAG_RESOLVE_FAILED",
    /^Unresolved/,
    "there is a tag, and tags have no use here",
    "remove the tag; a text that starts with ! needs quotes",
  ],
  [
    "TAB_AS_INDENT",
    /./,
    "a tab is used to indent; YAML wants spaces",
    "indent with spaces",
  ],
  [
    "BLOCK_AS_IMPLICIT_KEY",
    /Nested mappings/,
    'a text without quotes has a ": " in it',
    `${QUOTE_IT}, or put it below after \`|\``,
  ],
  [
    "MULTILINE_IMPLICIT_KEY",
    /./,
    "a key has no colon, or a text goes on below its line",
    "write `key: value`",
  ],
  [
    "BAD_INDENT",
    /All mapping items/,
    "a key is indented unlike the keys it belongs to",
    "start all keys of one map in the same column",
  ],
  [
    "BAD_INDENT",
    /^Flow/,
    "a bracket or brace is still open, and this line is not indented below it",
    "close the bracket",
  ],
  [
    "BAD_SCALAR_START",
    /./,
    "a text without quotes starts with a character that YAML keeps for itself",
    QUOTE_IT,
  ],
];

function lastQuote(
  yaml: typeof import("yaml"),
  document: Document.Parsed,
): number | undefined {
  let start: number | undefined;
  yaml.visit(document, {
    Scalar(_, { type, range }) {
      if (type === "QUOTE_DOUBLE" || type === "QUOTE_SINGLE") {
        start = range?.[0];
      }
    },
  });
  return start;
}
