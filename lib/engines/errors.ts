/** Failures of several engines at once. */

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
