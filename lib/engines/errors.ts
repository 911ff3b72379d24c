/** Failures of engines that programs may want to tell apart. */

import { ClibsError } from "../errors.ts";

/** A loaded engine: its functions and constants by name. */
// deno-lint-ignore no-explicit-any
export type LoadedEngine = Record<string, any>;

/** Engines by name. */
export type Engines = Record<string, LoadedEngine>;

/** Some engines could not be loaded; the others were. */
export class EnginesError extends ClibsError {
  /** Name of the class. */
  override name = "EnginesError";
  /** Those that were loaded, by name. */
  readonly engines: Engines;
  /** Why each other was not, by name. */
  readonly failures: ReadonlyMap<string, ClibsError>;

  /**
   * Makes an error.
   *
   * @param engines Those that were loaded.
   * @param failures Why each other was not.
   */
  constructor(engines: Engines, failures: ReadonlyMap<string, ClibsError>) {
    const names = [...failures.keys()];
    const total = names.length + Object.keys(engines).length;
    super(
      "CLIBS_ENGINES_FAILED",
      `Cannot load ${names.length} of ${total} engines: ${names.join(", ")}`,
      {
        facts: Object.fromEntries(
          [...failures].map(([name, error]) => [name, error.message]),
        ),
        hint: "clibs engines build",
        cause: failures.values().next().value,
      },
    );
    this.engines = engines;
    this.failures = failures;
  }
}

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
