/** `clibs trace`. */

import { dirname } from "node:path";
import {
  ClibsError,
  perfettoTrace,
  type Trace,
  traceCommand,
  UsageError,
} from "../mod.ts";
import type { CommandContext } from "./command.ts";
import type { Flags } from "./commands.ts";
import { passSignals } from "./interrupt.ts";
import { renderTrace } from "./render_trace.ts";
import { shortPath } from "./paths.ts";

/** Exit codes of a shell for a command that it cannot run. */
const REFUSED: Record<string, number> = {
  CLIBS_TRACE_PROGRAM: 127,
  CLIBS_TRACE_EXEC: 126,
};

/** Runs the command; returns the exit code of the command that it traced. */
export async function run(
  context: CommandContext,
  args: string[],
  flags: Flags<"trace">,
): Promise<number> {
  assertFaithful(args);
  assertPlace("--save", flags.save);
  assertPlace("--perfetto", flags.perfetto);
  const signals = passSignals();
  try {
    const { code, signal, trace } = await traceCommand({
      command: args,
      method: flags.method,
      keepSystem: flags.system,
      getenv: flags.env,
      // The document alone goes to stdout.
      ...(context.json ? { stdout: "stderr" as const } : {}),
      onStart: signals.to,
      feedback: context.bus,
    });
    if (flags.save !== undefined) {
      Deno.writeTextFileSync(
        flags.save,
        `${JSON.stringify({ trace }, undefined, 1)}\n`,
      );
    }
    if (flags.perfetto !== undefined) {
      Deno.writeTextFileSync(flags.perfetto, await perfettoTrace(trace));
    }
    context.result({ code, ...(signal ? { signal } : {}), trace });
    if (!context.quiet) context.stdout(renderTrace(trace, context));
    warn(trace, context);
    return code;
  } catch (error) {
    const code = error instanceof ClibsError ? REFUSED[error.code] : undefined;
    if (code === undefined) throw error;
    context.result({ code, error: (error as ClibsError).toJSON() });
    context.report(error as ClibsError);
    return code;
  } finally {
    signals.close();
  }
}

/** Deno has replaced what is not UTF-8: the command would get something else. */
function assertFaithful(args: readonly string[]): void {
  if (!args.some((arg) => arg.includes("\ufffd"))) return;
  try {
    const line = Deno.readFileSync("/proc/self/cmdline");
    new TextDecoder("utf-8", { fatal: true }).decode(line);
  } catch (error) {
    if (!(error instanceof TypeError)) return;
    throw new UsageError(
      "CLIBS_USAGE_VALUE",
      "Cannot hand on an argument of the command: it is not UTF-8",
      { hint: "put the command into a script, and trace that" },
    );
  }
}

/** Before the command runs: what it did must not be lost afterwards. */
function assertPlace(flag: string, path: string | undefined): void {
  if (path === undefined) return;
  const refuse = (cause: string) =>
    new UsageError("CLIBS_USAGE_VALUE", `Cannot use ${flag} ${path}: ${cause}`);
  const isFolder = (path: string) => {
    try {
      return Deno.statSync(path).isDirectory;
    } catch {
      return false;
    }
  };
  if (isFolder(path)) throw refuse("it is a folder");
  if (!isFolder(dirname(path))) throw refuse("its folder does not exist");
}

function warn(trace: Trace, context: CommandContext): void {
  const unseen = trace.escapes.filter(({ seen }) => !seen);
  const hint = trace.method === "ptrace" ? "" : "; use --method ptrace";
  for (const { program, reason } of unseen) {
    context.bus.emit(
      "warn",
      "note",
      `not traced: ${shortPath(program)} (${reason})${hint}`,
      { about: "trace" },
    );
  }
  if (trace.lost > 0) {
    context.bus.emit(
      "warn",
      "note",
      `incomplete: ${trace.lost} accesses could not be recorded`,
      { about: "trace" },
    );
  }
}
