/**
 * Errors that a user can act on.
 *
 * @module
 */

/** A stable, greppable name of one kind of failure; `clibs explain CODE` tells more. */
export type ErrorCode = `CLIBS_${string}`;

/** Options of a {@linkcode ClibsError}. */
export interface ClibsErrorOptions extends ErrorOptions {
  /** What is known about the failure, in the order in which it is shown. */
  facts?: Readonly<Record<string, string>>;
  /** One next step which the reader can paste or do. */
  hint?: string;
}

/** A {@linkcode ClibsError} as plain data, as `--json` prints it. */
export interface ErrorInfo {
  /** Stable code of the failure. */
  code: ErrorCode;
  /** The attempted action, then the cause. */
  message: string;
  /** What is known about the failure. */
  facts: Readonly<Record<string, string>>;
  /** One next step. */
  hint?: string;
}

/** A failure the user can act on; anything else is a bug in clibs. */
export class ClibsError extends Error {
  /** Name of the class. */
  override name = "ClibsError";
  /** Stable code of the failure. */
  readonly code: ErrorCode;
  /** What is known about the failure, in the order in which it is shown. */
  readonly facts: Readonly<Record<string, string>>;
  /** One next step which the reader can paste or do. */
  readonly hint: string | undefined;

  /**
   * Makes an error.
   *
   * @param code Stable code; each has an entry in `lib/explain`.
   * @param message The attempted action, then the cause, without a full stop.
   * @param options Facts, hint and cause.
   */
  constructor(
    code: ErrorCode,
    message: string,
    options: ClibsErrorOptions = {},
  ) {
    super(message, options);
    this.code = code;
    this.facts = options.facts ?? {};
    this.hint = options.hint;
  }

  /** Returns the error as plain data. */
  toJSON(): ErrorInfo {
    return {
      code: this.code,
      message: this.message,
      facts: this.facts,
      ...(this.hint === undefined ? {} : { hint: this.hint }),
    };
  }
}

/** The command line, or the arguments of a call, were wrong: exit code 2. */
export class UsageError extends ClibsError {
  /** Name of the class. */
  override name = "UsageError";
}

/** The work was interrupted by its caller's signal: exit code 130. */
export class CancelledError extends ClibsError {
  /** Name of the class. */
  override name = "CancelledError";

  /**
   * Makes an error.
   *
   * @param message What was interrupted.
   */
  constructor(message = "Interrupted") {
    super("CLIBS_CANCELLED", message);
  }
}

/**
 * Turns anything thrown into a {@linkcode ClibsError}.
 *
 * File system errors keep their text under codes of their own; what is not
 * known here is reported as a bug.
 *
 * @param error Whatever was thrown.
 * @returns The same object if it is a {@linkcode ClibsError} already.
 */
export function toClibsError(error: unknown): ClibsError {
  if (error instanceof ClibsError) return error;
  if (!(error instanceof Error)) {
    return new ClibsError("CLIBS_BUG", `Unexpected failure: ${String(error)}`);
  }
  if (error.name === "AbortError") return new CancelledError();
  const known = systemErrors.find(([test]) => test(error));
  if (known) {
    const [, code, hint] = known;
    return new ClibsError(code, `System call failed: ${error.message}`, {
      cause: error,
      hint,
    });
  }
  return new ClibsError("CLIBS_BUG", `Unexpected failure: ${error.message}`, {
    cause: error,
    hint: "this is a bug in clibs; run again with --verbose for the stack",
  });
}

/** Node's and Deno's error code of a failed system call, such as `ENOSPC`. */
export function systemErrorCode(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === "string" ? code : undefined;
}

const systemErrors: [(error: Error) => boolean, ErrorCode, string][] = [
  [
    (e) => systemErrorCode(e) === "ENOSPC" || systemErrorCode(e) === "EDQUOT",
    "CLIBS_DISK_FULL",
    "free some space (`clibs clean --dry-run` shows what clibs can free) and run the command again",
  ],
  [
    (e) => systemErrorCode(e) === "EROFS",
    "CLIBS_READ_ONLY",
    "the file system is mounted read-only; build in a copy of the folder",
  ],
  [
    (e) => systemErrorCode(e) === "EMFILE" || systemErrorCode(e) === "ENFILE",
    "CLIBS_TOO_MANY_FILES",
    "raise the limit with `ulimit -n 4096` and run the command again",
  ],
  [
    (e) =>
      e instanceof Deno.errors.PermissionDenied ||
      e instanceof Deno.errors.NotCapable,
    "CLIBS_PERMISSION",
    "check the owner and mode of the path; under Deno, check the --allow flags",
  ],
];
