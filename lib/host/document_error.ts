/** The error about a file that a person wrote and that is not as it should be. */

import { ClibsError, type ErrorCode } from "../errors.ts";
import { excerpt } from "./cite.ts";
import type { Problem } from "./document.ts";
import { inOrder } from "./schema.ts";

/** How many problems one message lists. */
const MAX_PROBLEMS = 10;

/** A file and what is wrong with it. */
export interface DocumentProblems {
  /** Code of the error. */
  code: ErrorCode;
  /** The file's path as it is shown. */
  shown: string;
  /** Its text. */
  text: string;
  /** What is wrong; at least one. */
  problems: readonly Problem[];
  /** What was thrown when it was read, if anything was. */
  cause?: unknown;
}

/**
 * Makes one error of all problems: the first in full, the others by place.
 *
 * @param hint What to do about a problem.
 */
export function documentError(
  { code, shown, text, problems, cause }: DocumentProblems,
  hint: (problem: Problem) => string,
): ClibsError {
  const [first, ...more] = inOrder(problems) as [Problem, ...Problem[]];
  const facts: Record<string, string> = {
    at: `${shown}:${first.place.line}:${first.place.column}`,
    line: excerpt(text, first.place),
  };
  if (first.nearest) facts.nearest = first.nearest;
  const listed = more.slice(0, MAX_PROBLEMS - 1).map((problem) =>
    `${problem.place.line}:${problem.place.column} ${problem.message}`
  );
  const rest = more.length - listed.length;
  if (rest > 0) listed.push(`and ${rest} more`);
  if (listed.length > 0) facts.also = listed.join("\n");
  return new ClibsError(code, `Cannot read ${shown}: ${first.message}`, {
    facts,
    hint: hint(first),
    cause,
  });
}
