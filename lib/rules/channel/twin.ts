/** What a twin is, and what they have in common. */

import { ClibsError } from "../../errors.ts";
import type { JobServices } from "../services.ts";
import { type TwinOption, TwinUsageError } from "./twin_options.ts";

/** A call of a twin. */
export interface TwinRequest {
  /** Name of the program. */
  program: string;
  /** Its arguments. */
  args: string[];
  /** Its current folder, absolute. */
  cwd: string;
  /** What it read on stdin, if it is one that reads it. */
  stdin: Uint8Array;
}

/** What the program is to print and return. */
export interface TwinResult {
  /** Exit code. */
  code: number;
  /** For its stdout. */
  stdout: string;
  /** For its stderr. */
  stderr: string;
  /** Command that it becomes, the last ones of its arguments. */
  run?: string[];
}

/** Options of a command line. */
export type Values = Record<string, string | true>;

/** A twin. */
export interface Twin {
  /** What follows the options. */
  rest: string;
  /** Its options. */
  options: TwinOption[];
  /** Whether the first argument that is no option begins another command line. */
  stopsAtFirst?: boolean;
  /** Does its work; what it leaves out is 0 or empty. */
  run(
    services: JobServices,
    call: TwinRequest & { options: Values; rest: string[] },
  ): Promise<Partial<TwinResult>>;
}

/** An option without a value. */
export const flag = (
  letters: string,
  name: string,
  long: string,
  help: string,
): TwinOption => ({ letters, name, long: [long], help });

/** The option that every twin has. */
export const HELP: TwinOption = flag("h", "help", "help", "show this");

/** Refuses arguments that are no options. */
export function refuseRest(rest: readonly string[]): void {
  if (rest.length > 0) {
    throw new TwinUsageError(`nothing may follow the options: ${rest[0]}`);
  }
}

/** Has mistakes that the calls find count as ones of the command line. */
export function usage<Result>(check: () => Result): Result {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof ClibsError)) throw error;
    throw new TwinUsageError(error.message.replace(/^Cannot call \w+: /, ""));
  }
}
