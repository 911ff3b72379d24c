/** Reads the text of a pattern: literals, and stems in braces. */

import { ClibsError } from "../errors.ts";

/** A piece of a pattern. */
export type PatternPart =
  | { kind: "literal"; text: string }
  | {
    kind: "stem";
    /** Its name; one without a name gets its kind and number, such as `:0` or `*1`. */
    name: string;
    /** Whether it varies within one job. */
    star: boolean;
    /** Regular expression that stands in the pattern. */
    regex?: string;
  };

/** Names of stems, targets and deps. */
export const NAME = /^(?!__proto__$)[A-Za-z_]\w*$/;

/**
 * Makes the error of a pattern.
 *
 * @param text The whole pattern.
 * @param cause What is wrong with it.
 * @param hint What to do.
 */
export function patternError(
  text: string,
  cause: string,
  hint?: string,
): ClibsError {
  return new ClibsError(
    "CLIBS_LMAKE_PATTERN",
    `Cannot read the pattern ${JSON.stringify(text)}: ${cause}`,
    { hint },
  );
}

/**
 * Splits a pattern into literals and stems.
 *
 * @throws {ClibsError} `CLIBS_LMAKE_PATTERN` if braces do not match or a stem
 *   has no proper name.
 */
export function parsePattern(text: string): PatternPart[] {
  const parts: PatternPart[] = [];
  let literal = "";
  let unnamed = 0;
  for (let at = 0; at < text.length;) {
    const char = text[at]!;
    if (char !== "{" && char !== "}") {
      literal += char;
      at++;
    } else if (text[at + 1] === char) {
      literal += char;
      at += 2;
    } else if (char === "}") {
      throw patternError(
        text,
        `the brace at character ${at + 1} closes nothing`,
        "write }} for a brace that belongs to the name",
      );
    } else {
      if (literal !== "") parts.push({ kind: "literal", text: literal });
      literal = "";
      const end = closingBrace(text, at);
      const stem = parseStem(text, text.slice(at + 1, end));
      if (stem.name === "") {
        stem.name = `${stem.star ? "*" : ":"}${unnamed++}`;
      }
      parts.push(stem);
      at = end + 1;
    }
  }
  if (literal !== "") parts.push({ kind: "literal", text: literal });
  return parts;
}

/** Where the brace at `open` is closed; those in a regular expression pair up. */
function closingBrace(text: string, open: number): number {
  let depth = 0;
  for (let at = open; at < text.length; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === "{") depth++;
    else if (text[at] === "}" && --depth === 0) return at;
  }
  throw patternError(
    text,
    `the brace at character ${open + 1} is not closed`,
    "braces in a regular expression must pair up, or be written \\{ and \\}; " +
      "{{ is a brace that belongs to the name",
  );
}

function parseStem(
  text: string,
  inside: string,
): PatternPart & { kind: "stem" } {
  const colon = inside.indexOf(":");
  const head = colon < 0 ? inside : inside.slice(0, colon);
  const star = head.endsWith("*");
  const name = star ? head.slice(0, -1) : head;
  if (name !== "" && !NAME.test(name)) {
    throw patternError(
      text,
      `${JSON.stringify(name)} is no name of a stem`,
      "names consist of letters, digits and _, and begin with no digit; " +
        "write {{ and }} for braces that belong to the name",
    );
  }
  if (colon < 0) {
    if (name !== "") return { kind: "stem", name, star };
    throw patternError(
      text,
      `{${inside}} has no name and no regular expression`,
      star ? "write {*:.*}, say" : "write {:.*}, say, or {{}} for two braces",
    );
  }
  return { kind: "stem", name, star, regex: inside.slice(colon + 1) };
}

/** Options of {@linkcode fileNameProblem}. */
export interface FileNameOptions {
  /** Names outside the repo, as source dirs have, are fine. */
  outside?: boolean;
}

/**
 * Why a name with wildcards cannot be that of a file; undefined if it can.
 *
 * @param name The name, with any other character for each stem.
 */
export function fileNameProblem(
  name: string,
  { outside = false }: FileNameOptions = {},
): { cause: string; hint: string } | undefined {
  if (name === "") return { cause: "it is empty", hint: "name a file" };
  if (name.includes("\0")) {
    return { cause: "it has a NUL character", hint: "remove it" };
  }
  if (name.startsWith("/") && !outside) {
    return {
      cause: "it is absolute",
      hint: "names are relative to the root of the repo",
    };
  }
  if (name.endsWith("/")) {
    return {
      cause: "it ends with /",
      hint: "folders are no targets; name a file in it",
    };
  }
  const parts = name.split("/");
  if (outside) {
    while (parts[0] === "..") parts.shift();
    if (parts[0] === "") parts.shift();
  }
  const bad = parts.find((part) =>
    part === "" || part === "." || part === ".."
  );
  if (bad === undefined) return undefined;
  return {
    cause: bad === "" ? "it has an empty part (//)" : `it has the part ${bad}`,
    hint: "write the name as it is seen from the root of the repo",
  };
}
