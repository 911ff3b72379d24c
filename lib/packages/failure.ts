/** What is told about a build command that failed. */

import { ClibsError } from "../errors.ts";
import type { OutputDigest } from "../jobs/output.ts";

/** What is known about a failed build command. */
export interface BuildFailure {
  /** Package. */
  name: string;
  /** Target triple. */
  target: string;
  /** Exit code. */
  code: number;
  /** The command of pkg.yaml. */
  command: string;
  /** Its output. */
  output: OutputDigest;
  /** Path of the whole output. */
  log: string;
  /** Path of the script that runs it again. */
  rerun: string;
}

/** The error of a failed build command, with all that helps to mend it. */
export function buildFailure(failure: BuildFailure): ClibsError {
  const { output } = failure;
  return new ClibsError(
    "CLIBS_BUILD_COMMAND",
    `Cannot build ${failure.name} for ${failure.target}: the build command failed with exit code ${failure.code}`,
    {
      facts: {
        command: failure.command.trim(),
        ...(output.firstError ? { "first error": output.firstError } : {}),
        ...(output.tail.length > 0
          ? { "last lines": output.tail.join("\n") }
          : {}),
        log: failure.log,
      },
      hint: `run it again by hand with: bash ${failure.rerun}`,
    },
  );
}
