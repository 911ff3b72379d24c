/** Runs a C compiler in a job. */

import { DEFAULT_MARKER, markersOf } from "../channel/cc_folders.ts";
import { argumentError, checkDeps, depend, splitOptions } from "./calls.ts";
import { assertInJob, jobError } from "./client.ts";
import type { RunCcResult } from "./types.ts";

/** Runs a compiler; see {@linkcode JobModule.runCc}. */
export async function runCc(args: unknown[]): Promise<RunCcResult> {
  assertInJob("runCc");
  const [words, options] = splitOptions("runCc", args);
  const command = checkCommand(words.flat());
  const { marker, stdin } = checkOptions(options);
  const markers = markersOf(command, marker);
  if (markers.length > 0) {
    await depend(markers, { read: true, required: false });
  }
  if (!await checkDeps(0, true)) {
    throw commandError(
      `Cannot run ${command[0]}: a dep of the job is in error`,
    );
  }
  return await run(command, stdin);
}

async function run(
  command: string[],
  stdin: string | undefined,
): Promise<RunCcResult> {
  const [program, ...args] = command as [string, ...string[]];
  let child: Deno.ChildProcess;
  try {
    child = new Deno.Command(program, {
      args,
      stdin: stdin === undefined ? "inherit" : "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
  } catch (error) {
    throw commandError(`Cannot run ${program}: ${(error as Error).message}`);
  }
  if (stdin !== undefined) {
    const writer = child.stdin.getWriter();
    // A command may end before it has read everything.
    void writer.write(new TextEncoder().encode(stdin)).catch(() => {});
    void writer.close().catch(() => {});
  }
  const { code, signal, stdout } = await child.output();
  if (signal !== null) {
    throw commandError(`${program} was ended by ${signal}`);
  }
  if (code !== 0) {
    throw commandError(`${program} failed with exit code ${code}`);
  }
  return { code, stdout: new TextDecoder().decode(stdout) };
}

/** The command has said itself what is wrong: where it was run from is no news. */
function commandError(message: string): Error {
  return Object.assign(jobError("CLIBS_JOB_COMMAND", message), {
    isStackless: true,
  });
}

function checkCommand(words: unknown[]): string[] {
  if (words.length === 0) throw argumentError("runCc", "there is no command");
  for (const word of words) {
    if (typeof word !== "string") {
      throw argumentError("runCc", `${JSON.stringify(word)} is not a string`);
    }
  }
  return words as string[];
}

function checkOptions(
  options: Record<string, unknown>,
): { marker: string; stdin: string | undefined } {
  const { marker = DEFAULT_MARKER, stdin, ...others } = options;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) {
    throw argumentError(
      "runCc",
      `there is no option "${unknown}" (there are: marker, stdin)`,
    );
  }
  if (typeof marker !== "string" || marker === "") {
    throw argumentError("runCc", "marker is not the name of a file");
  }
  if (stdin !== undefined && stdin !== null && typeof stdin !== "string") {
    throw argumentError("runCc", "stdin is not a text");
  }
  return { marker, stdin: stdin ?? undefined };
}
