/** What can go wrong with engines in Python. */

import { ClibsError } from "../../errors.ts";

/** What Python tells about an exception. */
export interface PythonFailure {
  /** Its type, such as `ValueError`. */
  type: string;
  /** Its message. */
  message: string;
  /** Where it was raised, as Python prints it. */
  traceback: string;
}

/** A function of a pybind11 engine raised an exception. */
export class PythonError extends ClibsError {
  /** Name of the class. */
  override name = "PythonError";
  /** Type of the exception, such as `ValueError`. */
  readonly pythonType: string;
  /** Where it was raised, as Python prints it. */
  readonly traceback: string;

  /**
   * Makes an error.
   *
   * @param call What was called: `cpu.get_usage()`.
   * @param failure What Python told.
   */
  constructor(call: string, failure: PythonFailure) {
    const { type, message, traceback } = failure;
    const what = message === "" ? type : `${type}: ${message}`;
    super("CLIBS_PYTHON_EXCEPTION", `${call} failed: ${what}`, {
      facts: { traceback },
    });
    this.pythonType = type;
    this.traceback = traceback;
  }
}

/** The error of every call that was running when Python ended. */
export function hostDied(
  call: string,
  status: Deno.CommandStatus,
  lastWords: string,
): ClibsError {
  const how = status.signal ?? `exit code ${status.code}`;
  return new ClibsError(
    "CLIBS_PYTHON_DIED",
    `${call} failed: the Python process ended (${how})`,
    {
      facts: lastWords === "" ? {} : { "last words": lastWords },
      hint: "the next call starts a new one; look for a crash in the engine",
    },
  );
}
