/**
 * Patterns: names of files with stems in braces, as rules have them.
 *
 * A static stem has one value per job, a star stem varies within one job.
 */

import { ClibsError } from "../errors.ts";
import { nearest } from "../nearest.ts";
import {
  fileNameProblem,
  parsePattern,
  patternError,
  type PatternPart,
} from "./pattern_parse.ts";
import {
  compile,
  embedRegex,
  escapeRegex,
  regexProblem,
} from "./pattern_regex.ts";

/** A compiled pattern. */
export interface Pattern {
  /** As it was written. */
  readonly text: string;
  /** Its pieces; every stem has its regular expression. */
  readonly parts: readonly PatternPart[];
  /** Names of the static stems, in order of appearance. */
  readonly stems: readonly string[];
  /** Names of the star stems, in order of appearance; `*0` has none of its own. */
  readonly starStems: readonly string[];
  /** Text with which every name begins. */
  readonly prefix: string;
  /** Text with which every name ends. */
  readonly suffix: string;
  /** Whether it is one name, without stems. */
  readonly isLiteral: boolean;
  /** Values of the static stems if the whole name matches. */
  match(name: string): Record<string, string> | undefined;
  /**
   * The name for values of the static stems.
   *
   * @throws {TypeError} If there are star stems, or a value is missing.
   */
  expand(stems: Readonly<Record<string, string>>): string;
  /** Fills in the static stems; what is left are the star stems. */
  bind(stems: Readonly<Record<string, string>>): BoundPattern;
}

/** A pattern of which only the star stems are open. */
export interface BoundPattern {
  /** Matches whole names. */
  readonly regex: RegExp;
  /** Text with which every name begins. */
  readonly prefix: string;
  /** Such as `parts/{N*}.txt`. */
  readonly display: string;
  /** Names of the star stems, in order of appearance. */
  readonly starStems: readonly string[];
  /**
   * The name for values of the star stems, by name or in order.
   *
   * @throws {ClibsError} `CLIBS_LMAKE_STEM` if a value is missing or does not
   *   match its stem.
   */
  expand(values: Readonly<Record<string, string>> | readonly string[]): string;
  /** Values of the star stems if the whole name matches. */
  match(name: string): Record<string, string> | undefined;
}

/** Options of {@linkcode compilePattern}. */
export interface PatternOptions {
  /** Files outside the repo may be meant, as deps may be. Default: false. */
  outside?: boolean;
}

/**
 * Compiles a pattern.
 *
 * @param text Such as `{F:.*}.o`.
 * @param stems Regular expressions of stems that are defined by name.
 * @throws {ClibsError} `CLIBS_LMAKE_PATTERN` if something is wrong with it.
 */
export function compilePattern(
  text: string,
  stems: Readonly<Record<string, string>> = {},
  options: PatternOptions = {},
): Pattern {
  const parts = withDefinitions(text, parsePattern(text), stems);
  const problem = fileNameProblem(
    parts.map((part) => part.kind === "literal" ? part.text : "*").join(""),
    options,
  );
  if (problem) throw patternError(text, problem.cause, problem.hint);
  const named = (star: boolean) => [
    ...new Set(
      parts.flatMap((part) =>
        part.kind === "stem" && part.star === star ? [part.name] : []
      ),
    ),
  ];
  const first = parts[0];
  const last = parts.at(-1);
  const prefix = first?.kind === "literal" ? first.text : "";
  const suffix = last?.kind === "literal" ? last.text : "";
  const isLiteral = parts.every((part) => part.kind === "literal");
  const statics = named(false);
  const stars = named(true);
  const groups: string[] = [];
  const regex = toRegex(text, parts, groups);
  // A literal must not begin and end the same few characters of a name.
  const least = isLiteral ? prefix.length : prefix.length + suffix.length;
  return {
    text,
    parts,
    stems: statics,
    starStems: stars,
    prefix,
    suffix,
    isLiteral,
    match(name) {
      if (isLiteral) return name === prefix ? {} : undefined;
      if (name.length < least) return undefined;
      if (!name.startsWith(prefix) || !name.endsWith(suffix)) return undefined;
      return pick(statics, groups, regex.exec(name));
    },
    expand(values) {
      if (stars.length > 0) {
        throw new TypeError(`${text} has star stems: bind it first`);
      }
      return parts.map((part) => valueOf(text, part, values)).join("");
    },
    bind: (values) => bind(text, fill(text, parts, values), stars),
  };
}

/** Gives each stem its regular expression. */
function withDefinitions(
  text: string,
  parts: PatternPart[],
  stems: Readonly<Record<string, string>>,
): PatternPart[] {
  const known = new Map(Object.entries(stems));
  const kinds = new Map<string, boolean>();
  for (const part of parts) {
    if (part.kind === "literal") continue;
    const { name, regex, star } = part;
    if ((kinds.get(name) ?? star) !== star) {
      throw patternError(
        text,
        `${name} is a static stem and a star stem at once`,
        "give one of them another name",
      );
    }
    kinds.set(name, star);
    if (regex === undefined) continue;
    const before = known.get(name);
    if (before !== undefined && before !== regex) {
      throw patternError(
        text,
        `the stem ${name} is defined as ${regex} and as ${before}`,
        "define it once; further uses need only its name",
      );
    }
    known.set(name, regex);
  }
  return parts.map((part) => {
    if (part.kind === "literal") return part;
    const regex = known.get(part.name);
    if (regex !== undefined) return { ...part, regex };
    const likely = nearest(part.name, known.keys());
    throw patternError(
      text,
      `the stem ${part.name} is not defined`,
      likely === undefined
        ? `define it: {${part.name}${
          part.star ? "*" : ""
        }:.*}, or stems: {${part.name}: ".*"}`
        : `did you mean ${likely}?`,
    );
  });
}

/** Builds the regular expression; `groups` gets the stems in order of their groups. */
function toRegex(
  text: string,
  parts: readonly PatternPart[],
  groups: string[],
): RegExp {
  let source = "";
  let captured = 0;
  for (const part of parts) {
    if (part.kind === "literal") {
      source += escapeRegex(part.text);
      continue;
    }
    const id = groups.indexOf(part.name);
    if (id >= 0) {
      source += `\\k<s${id}>`;
      continue;
    }
    captured++;
    const own = groups.push(part.name) - 1;
    try {
      const inner = embedRegex(part.regex!, captured, own);
      captured += inner.groups;
      source += `(?<s${own}>${inner.source})`;
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      throw patternError(
        text,
        `the regular expression of ${part.name} (${part.regex}) is wrong: ` +
          regexProblem(error),
        "stems use the regular expressions of JavaScript, with the flags s and u",
      );
    }
  }
  return compile(`^(?:${source})$`);
}

/** The groups of some stems from a match. */
function pick(
  names: readonly string[],
  groups: readonly string[],
  found: RegExpExecArray | null,
): Record<string, string> | undefined {
  if (!found) return undefined;
  const values: Record<string, string> = {};
  for (const name of names) {
    values[name] = found.groups![`s${groups.indexOf(name)}`]!;
  }
  return values;
}

function valueOf(
  text: string,
  part: PatternPart,
  values: Readonly<Record<string, string>>,
): string {
  if (part.kind === "literal") return part.text;
  const value = values[part.name];
  if (value === undefined) {
    throw new TypeError(`${text} needs a value for ${part.name}`);
  }
  return value;
}

/** Puts values in the place of static stems. */
function fill(
  text: string,
  parts: readonly PatternPart[],
  values: Readonly<Record<string, string>>,
): PatternPart[] {
  const filled: PatternPart[] = [];
  for (const part of parts) {
    if (part.kind === "stem" && part.star) {
      filled.push(part);
      continue;
    }
    const value = valueOf(text, part, values);
    const before = filled.at(-1);
    if (before?.kind === "literal") {
      filled[filled.length - 1] = {
        kind: "literal",
        text: before.text + value,
      };
    } else filled.push({ kind: "literal", text: value });
  }
  return filled;
}

function bind(
  text: string,
  parts: readonly PatternPart[],
  stars: readonly string[],
): BoundPattern {
  const groups: string[] = [];
  const regex = toRegex(text, parts, groups);
  const first = parts[0];
  const prefix = first?.kind === "literal" ? first.text : "";
  const display = parts.map((part) =>
    part.kind === "literal"
      ? part.text
      : part.name.startsWith("*")
      ? "{*}"
      : `{${part.name}*}`
  ).join("");
  const match = (name: string) =>
    name.startsWith(prefix) ? pick(stars, groups, regex.exec(name)) : undefined;
  return {
    regex,
    prefix,
    display,
    starStems: stars,
    match,
    expand(given) {
      const values = Array.isArray(given)
        ? Object.fromEntries(given.map((value, i) => [stars[i] ?? "", value]))
        : given as Readonly<Record<string, string>>;
      const count = Array.isArray(given) ? given.length : stars.length;
      const missing = stars.find((name) => values[name] === undefined);
      if (missing !== undefined || count !== stars.length) {
        throw stemError(
          display,
          `it has ${countOf(stars.length)}, not ${
            Array.isArray(given) ? given.length : Object.keys(given).length
          }`,
        );
      }
      const name = parts.map((part) => valueOf(text, part, values)).join("");
      if (match(name) !== undefined) return name;
      throw stemError(
        display,
        `${JSON.stringify(name)} does not match ${text}`,
      );
    },
  };
}

function countOf(stems: number): string {
  return stems === 1 ? "1 star stem" : `${stems} star stems`;
}

function stemError(display: string, cause: string): ClibsError {
  return new ClibsError(
    "CLIBS_LMAKE_STEM",
    `Cannot name a file of ${display}: ${cause}`,
    { hint: "give a value that fits for each star stem, in their order" },
  );
}
