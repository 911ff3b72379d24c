/** What clibs and the process that reads `Lmakefile.ts` say to each other: lines of JSON. */

import type { ErrorInfo } from "../../errors.ts";
import type { Place } from "../define/place.ts";
import type { Definition } from "../model.ts";

/**
 * Descriptors of the process: it writes lines to one and reads them from the
 * other. Standard input, output and error belong to the user's code.
 */
export const ANSWER_FD = 8;
/** See {@linkcode ANSWER_FD}. */
export const REQUEST_FD = 9;

/** The first line for the process. */
export interface Start {
  /** Absolute name of `Lmakefile.ts`. */
  file: string;
  /** Root of the repo. */
  root: string;
  /** Root of the outermost repo. */
  topRoot: string;
  /** Environment of the caller. */
  environ: Record<string, string>;
}

/** Further lines for the process. */
export interface Request {
  /** Comes back with the answer. */
  id: number;
  /** Name of a rule. */
  rule: string;
  /** An attribute of it that is a function. */
  attribute: string;
  /** Stems, targets, deps and resources by name. */
  context: Record<string, unknown>;
}

/** How the user's code failed. */
export type Failure =
  | { kind: "clibs"; error: ErrorInfo }
  | {
    kind: "thrown";
    /** Name of the error's class; empty if no error was thrown. */
    name: string;
    /** Its message. */
    message: string;
    /** Where, if it is in a file of the user. */
    place?: Place;
  }
  | { kind: "exit"; code: number; place?: Place };

/** Lines from the process. */
export type Answer =
  | {
    kind: "defined";
    definition: Definition;
    environUsed: Record<string, string | null>;
    /** Absolute names of the files with the rules whose commands are functions. */
    files: Record<string, string>;
  }
  | { kind: "failed"; failure: Failure }
  | {
    kind: "value";
    id: number;
    value: unknown;
    files: string[];
    environ: Record<string, string | null>;
  }
  | { kind: "error"; id: number; failure: Failure };
