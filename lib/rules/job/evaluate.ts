/** Makes a function, and the object that it gets, from a description. */

import type { JobDescription, StarTarget } from "./description.ts";

/** Blanks and comments. */
const GAP = String.raw`(?:\s|/\*[^]*?\*/|//[^\n]*\n)*`;

/** How the text of a function begins that stands by itself: an arrow, or `function`. */
const EXPRESSION = new RegExp(
  `^(?:async\\b(?!${GAP}=>))?${GAP}(?:function\\b|\\(|[\\p{L}_$][\\p{L}\\p{N}_$]*${GAP}=>)`,
  "u",
);

/**
 * The text of a function as an expression.
 *
 * `toString()` of a method, as of `{ async cmd(j) {…} }`, is none by itself.
 */
export function asExpression(functionText: string): string {
  if (EXPRESSION.test(functionText)) return `(${functionText}\n)`;
  return `Object.values({${functionText}\n})[0]`;
}

/** A module, and where in it the function begins. */
export interface JobSource {
  /** Address to import; the function is its default export. */
  url: string;
  /** Number of lines before the first one of the function. */
  offset: number;
}

/** The module around a function. */
export function jobSource(
  { functionText, imports }: Pick<JobDescription, "functionText" | "imports">,
): JobSource {
  const head = imports.map((line) => `${line};\n`).join("");
  const text = `${head}export default ${asExpression(functionText)};\n`;
  return {
    url: `data:text/javascript,${encodeURIComponent(text)}`,
    offset: head.split("\n").length - 1,
  };
}

/** Stems, targets, deps, resources and `vars` in one object. */
export function jobValues(
  { values, vars }: Pick<JobDescription, "values" | "vars">,
): Record<string, unknown> {
  const { stems, targets, deps, resources } = values;
  const named = Object.entries(targets).map(([key, target]) =>
    [
      key,
      typeof target === "string" ? target : starTarget(key, target),
    ] as const
  );
  return {
    ...stems,
    ...deps,
    ...resources,
    ...Object.fromEntries(named),
    vars,
  };
}

/** The function that makes names of a star target. */
function starTarget(
  key: string,
  { star }: StarTarget,
): (...values: unknown[]) => string {
  const stems = star.filter((piece) => typeof piece !== "string");
  // One that occurs again has the same value; one without a name never does.
  const order = stems.filter(({ stem }, i) =>
    stem === "" || stems.findIndex((other) => other.stem === stem) === i
  );
  return (...given) => {
    const [first] = given;
    // By name as well: `OUT({ N: "a" })`.
    const values = given.length === 1 && typeof first === "object" && first
      ? order.map(({ stem }) => (first as Record<string, unknown>)[stem])
        .filter((value) => value !== undefined)
      : given;
    if (values.length !== order.length) {
      throw new TypeError(
        `Cannot name target ${key}: it has ${order.length} star stem${
          order.length === 1 ? "" : "s"
        }, not ${values.length}`,
      );
    }
    const texts = values.map(String);
    order.forEach(({ regexp }, i) => {
      if (new RegExp(`^(?:${regexp})$`, "su").test(texts[i]!)) return;
      throw new TypeError(
        `Cannot name target ${key}: "${texts[i]}" does not match ${regexp}`,
      );
    });
    return star.map((piece) => {
      if (typeof piece === "string") return piece;
      const at = piece.stem === ""
        ? order.indexOf(piece)
        : order.findIndex(({ stem }) => stem === piece.stem);
      return texts[at];
    }).join("");
  };
}
