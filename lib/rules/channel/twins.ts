/**
 * What the twins of the job module do: `ldepend`, `ltarget`, `lcheck_deps`,
 * `lencode`, `ldecode`, `lrun_cc`, `xxhsum`. The programs themselves only
 * carry arguments and answers, see `lib/rules/native/launch.c`.
 */

import { ClibsError } from "../../errors.ts";
import type { JobServices } from "../services.ts";
import type { Twin, TwinRequest, TwinResult } from "./twin.ts";
import {
  parseTwinArguments,
  twinUsage,
  TwinUsageError,
} from "./twin_options.ts";
import { depsTwins } from "./twins_deps.ts";
import { valueTwins } from "./twins_values.ts";

export type { TwinRequest, TwinResult };

/** Exit code if the command line is wrong. */
const USAGE = 11;

const twins: Readonly<Record<string, Twin>> = { ...depsTwins, ...valueTwins };

/** Names of the twins. */
export const TWINS: readonly string[] = Object.keys(twins);

/**
 * Does what a twin was called for.
 *
 * @returns What it is to print and return; failures are among that.
 */
export async function runTwin(
  services: JobServices,
  request: TwinRequest,
): Promise<TwinResult> {
  const { program } = request;
  const twin = Object.hasOwn(twins, program) ? twins[program] : undefined;
  if (!twin) {
    return failed(USAGE, `${program}: the runner knows no such program`);
  }
  const help = () => twinUsage(program, twin.rest, twin.options);
  try {
    const parsed = parseTwinArguments(
      twin.options,
      request.args,
      twin.stopsAtFirst,
    );
    if (parsed.options.help) return { code: 0, stdout: help(), stderr: "" };
    return {
      code: 0,
      stdout: "",
      stderr: "",
      ...await twin.run(services, { ...request, ...parsed }),
    };
  } catch (error) {
    if (error instanceof TwinUsageError) {
      return failed(USAGE, `${program}: ${error.message}\n${help().trimEnd()}`);
    }
    if (!(error instanceof ClibsError)) {
      return failed(2, `${program}: ${(error as Error)?.message ?? error}`);
    }
    const hint = error.hint === undefined ? "" : `\nhint: ${error.hint}`;
    return failed(1, `${program}: ${error.message}${hint}`);
  }
}

function failed(code: number, text: string): TwinResult {
  return { code, stdout: "", stderr: `${text}\n` };
}
