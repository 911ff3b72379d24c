/** Defines rules within a test. */

import { fileURLToPath } from "node:url";
import { ClibsError } from "../../lib/errors.ts";
import {
  beginSession,
  newSession,
  type Session,
} from "../../lib/rules/define/session.ts";
import type { RuleSpec } from "../../lib/rules/model.ts";

/** Folder of the tests, which stands for the root of the repo. */
export const ROOT = fileURLToPath(new URL(".", import.meta.url)).slice(0, -1);

/** Rules that a function defines. */
export function defined(
  define: () => void,
  environ: Record<string, string> = {},
): { rules: RuleSpec[]; session: Session } {
  const session = newSession({ root: ROOT, environ });
  beginSession(session);
  try {
    define();
  } finally {
    beginSession(newSession());
  }
  const rules = [...session.rules.values()].map(({ spec }) => spec);
  return { rules, session };
}

/** What is thrown, as it is shown: message, facts by line, hint. */
export function failureOf(define: () => void): string {
  try {
    defined(define);
  } catch (error) {
    if (error instanceof ClibsError) return shown(error);
    throw error;
  }
  throw new Error("nothing was thrown");
}

/** An error as it is shown; numbers of lines may be left out. */
export function shown(
  { code, message, facts, hint }: ClibsError,
  hidesLines = true,
): string {
  return [
    `${code} ${message}`,
    ...Object.entries(facts).map(([key, value]) =>
      `  ${key} ${hidesLines ? value.replace(/(\.ts):\d+/g, "$1:N") : value}`
    ),
    ...(hint === undefined ? [] : [`hint: ${hint}`]),
  ].join("\n");
}
