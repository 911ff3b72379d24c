/** The catalogue of error codes: one entry for each, for `clibs explain`. */

import type { ErrorCode } from "../errors.ts";

/** What is known about one error code. */
export interface Explanation {
  /** One line: what has gone wrong. */
  title: string;
  /** Why it happens and what to do, in Markdown paragraphs. */
  text: string;
}

/** Entries of one area of the program. */
export type Explanations = Readonly<Record<ErrorCode, Explanation>>;
