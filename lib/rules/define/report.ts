/** Errors of what `Lmakefile.ts` says, with the place where it says so. */

import { ClibsError, type ErrorCode } from "../../errors.ts";
import { BadValue, Within } from "./check.ts";
import { type Place, showPlace } from "./place.ts";
import { session } from "./session.ts";

/** What is being read. */
export interface Subject {
  /** Such as `the rule Cc`. */
  what: string;
  /** Code of errors that have none of their own. */
  code: ErrorCode;
  /** Where the user says it. */
  place?: Place;
}

/**
 * Turns the failure of a check into an error that names subject, attribute
 * and place; errors that have all that are thrown on as they are.
 *
 * @param action Such as `define`.
 */
export function checked<Value>(
  action: string,
  subject: Subject,
  attribute: string | undefined,
  check: () => Value,
): Value {
  try {
    return check();
  } catch (error) {
    throw named(action, subject, attribute, error);
  }
}

/** The error that {@linkcode checked} throws for another. */
export function named(
  action: string,
  subject: Subject,
  attribute: string | undefined,
  error: unknown,
): unknown {
  const at = subject.place &&
    { at: showPlace(subject.place, session().root) };
  if (error instanceof BadValue) {
    const path = error instanceof Within ? error.path : "";
    const inside = attribute === undefined
      ? path.slice(1) || "it"
      : attribute + path;
    return new ClibsError(
      subject.code,
      `Cannot ${action} ${subject.what}: ${inside} ${error.message}`,
      { facts: at, hint: error.hint },
    );
  }
  if (error instanceof ClibsError && !("at" in error.facts) && at) {
    const facts: Record<string, string> = { ...error.facts, in: subject.what };
    if (attribute !== undefined) facts.attribute = attribute;
    return new ClibsError(error.code, error.message, {
      facts: { ...facts, ...at },
      hint: error.hint,
    });
  }
  return error;
}
