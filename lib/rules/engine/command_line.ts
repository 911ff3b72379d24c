/** The words of a job's command, and where its program is. */

import { join } from "node:path";
import { ClibsError } from "../../errors.ts";
import { findProgram } from "../../host/process.ts";
import { functionCommand } from "../job/command.ts";
import { commandText, describeFunction } from "./command.ts";
import type { JobState } from "./state.ts";

/** File that tells a function job what to do. */
const DESCRIPTION = "job.json";

/** What a job runs. */
export interface CommandLine {
  /** Words of the command. */
  argv: string[];
  /** Text of its command. */
  cmd: string;
  /** Variables that it needs and is not told of. */
  extraEnv: Record<string, string>;
}

/**
 * What a job runs.
 *
 * @param folder For files that it needs.
 */
export function jobCommandLine(
  folder: string,
  state: JobState,
  { root, denoDir }: { root: string; denoDir: string },
): CommandLine {
  const { shell, interpreter, useScript } = state.attributes!;
  const { cmd } = state.job.rule;
  const text = commandText(state);
  if (cmd?.kind === "function") {
    const description = join(folder, DESCRIPTION);
    Deno.writeTextFileSync(
      description,
      JSON.stringify(describeFunction(state, cmd, root)),
    );
    const deno = interpreter.length > 0 ? interpreter : [Deno.execPath()];
    return {
      argv: functionCommand(deno, description),
      cmd: text,
      extraEnv: {
        DENO_DIR: denoDir,
        DENO_NO_UPDATE_CHECK: "1",
        NO_COLOR: "1",
        // What Deno itself looks for is no dep; the job switches it on.
        CLIBS_TRACE_OFF: "1",
      },
    };
  }
  // Longer than one argument may be.
  if (!useScript && text.length < 100_000) {
    return { argv: [...shell, "-c", text], cmd: text, extraEnv: {} };
  }
  const script = join(folder, "cmd");
  Deno.writeTextFileSync(script, text);
  return { argv: [...shell, script], cmd: text, extraEnv: {} };
}

/**
 * Path of a program; a name without a folder is looked for as shells do.
 *
 * @throws {ClibsError} `CLIBS_JOB_START` if there is none.
 */
export function programOf(
  name: string,
  env: Readonly<Record<string, string>>,
): string {
  if (name.includes("/")) return name;
  const found = findProgram(name, env["PATH"]);
  if (found !== undefined) return found;
  throw new ClibsError(
    "CLIBS_JOB_START",
    `Cannot run ${name}: it is not on the job's PATH`,
    { facts: { PATH: env["PATH"] ?? "" } },
  );
}
