/**
 * Lines of a file table: TAB code TAB context TAB value, each escaped.
 *
 * A line that was appended while a command runs starts with `+`: one that was
 * cut by a power failure can then be told from one that a user wrote without a
 * newline at the end of the file.
 */

import { bytesToPath, pathToBytes } from "../../host/bytes_path.ts";

/** That a code stands for a value in a context. */
export interface Association {
  /** Codes of different contexts have nothing to do with each other. */
  context: string;
  /** Not empty. */
  code: string;
  /** Text; bytes that are not UTF-8 are lone surrogates. */
  value: string;
}

const ESCAPES: Record<string, string> = {
  "\n": "\\n",
  "\t": "\\t",
  "\r": "\\r",
  "\\": "\\\\",
};

/** Read as well, though we write them as `\xNN`. */
const UNESCAPES: Record<string, string> = {
  n: "\n",
  t: "\t",
  r: "\r",
  "\\": "\\",
  a: "\x07",
  b: "\b",
  e: "\x1b",
  f: "\f",
  v: "\v",
};

/** A field of a line; it holds no TAB, newline or other control character. */
export function escapeField(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/[\\\x00-\x1f\x7f\ud800-\udfff]/gu, (character) => {
    const known = ESCAPES[character];
    if (known !== undefined) return known;
    return Array.from(
      pathToBytes(character),
      (byte) => `\\x${byte.toString(16).padStart(2, "0")}`,
    ).join("");
  });
}

/** The text of a field; undefined if its escapes are none of ours. */
export function unescapeField(field: string): string | undefined {
  if (!field.includes("\\")) return field;
  if (!/^(?:[^\\]|\\(?:[ntr\\abefv]|x[0-9a-fA-F]{2}))*$/s.test(field)) {
    return undefined;
  }
  return normalText(
    field.replace(/\\(?:x(..)|(.))/gs, (_, hex, letter) => {
      if (hex === undefined) return UNESCAPES[letter]!;
      const byte = parseInt(hex, 16);
      return String.fromCharCode(byte < 0x80 ? byte : 0xdc00 + byte);
    }),
  );
}

/** The one text that stands for the same bytes. */
export function normalText(text: string): string {
  return text.isWellFormed() ? text : bytesToPath(pathToBytes(text));
}

/** A line with its newline. */
export function formatLine({ code, context, value }: Association): string {
  return `\t${escapeField(code)}\t${escapeField(context)}\t${
    escapeField(value)
  }\n`;
}

/** A line as it is appended; it must start on a line of its own. */
export function formatAppended(association: Association): string {
  return `+${formatLine(association)}`;
}

/**
 * The associations of a table's text.
 *
 * What is none is left out: empty lines, marks of a merge conflict, a cut line.
 */
export function parseLines(text: string): Association[] {
  const lines = text.split("\n");
  const found: Association[] = [];
  for (const [index, line] of lines.entries()) {
    if (line.startsWith("+") && index === lines.length - 1) continue;
    const association = parseLine(line);
    if (association) found.push(association);
  }
  return found;
}

function parseLine(line: string): Association | undefined {
  if (line === "") return undefined;
  // We never write one of those: it is of an editor or of git.
  const end = line.endsWith("\r") ? line.slice(0, -1) : line;
  const fields = end.split("\t");
  if (fields.length !== 4 || (fields[0] !== "" && fields[0] !== "+")) {
    return undefined;
  }
  const [code, context, value] = fields.slice(1).map(unescapeField);
  if (!code || context === undefined || value === undefined) return undefined;
  return { code, context, value };
}
