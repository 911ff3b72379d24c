/** Strings of rules in which `{NAME}` stands for a value. */

import { ClibsError } from "../errors.ts";
import { nearest } from "../nearest.ts";
import { NAME } from "./pattern_parse.ts";

/** What a name in a template may stand for. */
export type TemplateValue =
  | string
  | number
  | ((...stems: string[]) => string);

/** An argument of a star target in a template. */
export type TemplateArgument =
  | { kind: "text"; text: string }
  | { kind: "name"; name: string };

/** A piece of a template. */
export type TemplatePart =
  | { kind: "literal"; text: string }
  | {
    kind: "name";
    name: string;
    /** Present in `{OUT('x')}`. */
    args?: TemplateArgument[];
  };

const HINT = "write {{ and }} for braces that are meant as such";

/**
 * Splits a template into literals and names.
 *
 * @throws {ClibsError} `CLIBS_LMAKE_TEMPLATE` if a brace is not closed, closes
 *   nothing or holds no name.
 */
export function parseTemplate(text: string): TemplatePart[] {
  const parts: TemplatePart[] = [];
  let literal = "";
  const piece = /\{\{|\}\}|[{}]|[^{}]+/g;
  for (let found = piece.exec(text); found; found = piece.exec(text)) {
    const [token] = found;
    if (token === "{{" || token === "}}") literal += token[0];
    else if (token === "}") {
      throw templateError(text, found.index, "a brace closes nothing");
    } else if (token === "{") {
      if (literal !== "") parts.push({ kind: "literal", text: literal });
      literal = "";
      const end = closing(text, found.index);
      parts.push(
        parseName(text, found.index, text.slice(found.index + 1, end)),
      );
      piece.lastIndex = end + 1;
    } else literal += token;
  }
  if (literal !== "") parts.push({ kind: "literal", text: literal });
  return parts;
}

/** Where a brace is closed; quoted braces do not count. */
function closing(text: string, open: number): number {
  const rest = /^\{(?:'[^']*'|"[^"]*"|[^{}'"])*\}/.exec(text.slice(open));
  if (rest) return open + rest[0].length - 1;
  // Not a name, then: find some end for the message.
  const end = text.indexOf("}", open);
  if (end >= 0) return end;
  throw templateError(text, open, "a brace is not closed");
}

function parseName(text: string, at: number, inside: string): TemplatePart {
  if (NAME.test(inside)) return { kind: "name", name: inside };
  const call = /^([A-Za-z_]\w*)\(([^]*)\)$/.exec(inside);
  const args = call && parseArguments(call[2]!);
  if (!call || !args) {
    throw templateError(text, at, `{${inside}} is no name`);
  }
  return { kind: "name", name: call[1]!, args };
}

function parseArguments(text: string): TemplateArgument[] | undefined {
  if (text.trim() === "") return [];
  const args: TemplateArgument[] = [];
  const argument = /\s*(?:'([^']*)'|"([^"]*)"|([A-Za-z_]\w*))\s*(,|$)/y;
  while (true) {
    const found = argument.exec(text);
    if (!found) return undefined;
    const [, single, double, name, comma] = found;
    args.push(
      name === undefined
        ? { kind: "text", text: single ?? double ?? "" }
        : { kind: "name", name },
    );
    if (comma === "") return args;
  }
}

function templateError(text: string, at: number, cause: string): ClibsError {
  const lines = text.slice(0, at).split("\n");
  const line = text.split("\n")[lines.length - 1]!.trim();
  return new ClibsError(
    "CLIBS_LMAKE_TEMPLATE",
    `Cannot read ${JSON.stringify(shorten(line))}: ${cause}`,
    { hint: HINT },
  );
}

function shorten(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 57)}...`;
}

/**
 * Checks that a template uses only names that there are.
 *
 * @param known Names, with whether each is a function of star stems.
 * @throws {ClibsError} `CLIBS_LMAKE_TEMPLATE` or `CLIBS_LMAKE_NAME`.
 */
export function checkTemplate(
  text: string,
  known: ReadonlyMap<string, boolean>,
): void {
  for (const part of parseTemplate(text)) {
    if (part.kind === "literal") continue;
    requireName(part.name, known.keys());
    const isFunction = known.get(part.name)!;
    if (isFunction !== (part.args !== undefined)) {
      throw callError(part.name, isFunction);
    }
    for (const argument of part.args ?? []) {
      if (argument.kind === "name") requireName(argument.name, known.keys());
    }
  }
}

/**
 * Puts values in the place of names.
 *
 * @param values By name: text, numbers, or for star targets functions of the
 *   values of their star stems.
 * @throws {ClibsError} `CLIBS_LMAKE_TEMPLATE` if the template is malformed,
 *   `CLIBS_LMAKE_NAME` if it uses an unknown name.
 */
export function expandTemplate(
  text: string,
  values: Readonly<Record<string, TemplateValue>>,
): string {
  const valueOf = (name: string): TemplateValue => {
    requireName(name, Object.keys(values));
    return values[name]!;
  };
  return parseTemplate(text).map((part) => {
    if (part.kind === "literal") return part.text;
    const value = valueOf(part.name);
    const isFunction = typeof value === "function";
    if (isFunction !== (part.args !== undefined)) {
      throw callError(part.name, isFunction);
    }
    if (!isFunction) return String(value);
    return value(
      ...part.args!.map((argument) =>
        argument.kind === "text"
          ? argument.text
          : String(valueOf(argument.name))
      ),
    );
  }).join("");
}

function requireName(name: string, known: Iterable<string>): void {
  const names = [...known];
  if (names.includes(name)) return;
  const likely = nearest(name, names);
  throw new ClibsError(
    "CLIBS_LMAKE_NAME",
    `Cannot expand {${name}}: no stem, target, dep or resource has that name`,
    {
      facts: { known: names.join(" ") || "none" },
      hint: likely === undefined
        ? `${HINT}: {{${name}}}`
        : `did you mean {${likely}}?`,
    },
  );
}

function callError(name: string, isFunction: boolean): ClibsError {
  return new ClibsError(
    "CLIBS_LMAKE_NAME",
    isFunction
      ? `Cannot expand {${name}}: it has star stems, so it stands for many files`
      : `Cannot expand {${name}(...)}: it is not a star target`,
    {
      hint: isFunction
        ? `name one of them, such as {${name}('x')}`
        : `write {${name}}`,
    },
  );
}
