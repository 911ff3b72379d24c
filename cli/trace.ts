/** `clibs trace`. */

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
  using save = new Place("--save", flags.save);
  using perfetto = new Place("--perfetto", flags.perfetto);
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
    save.write(() => `${JSON.stringify({ trace }, undefined, 1)}\n`);
    const timeline = flags.perfetto ? await perfettoTrace(trace) : "";
    perfetto.write(() => timeline);
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

/**
 * A file to be written when the command has ended. It is made before: what the
 * command did must not be lost for want of a folder, and a folder that it lists
 * must not have a name more afterwards.
 */
class Place implements Disposable {
  #path: string | undefined;
  #isNew = false;

  constructor(flag: string, path: string | undefined) {
    if (path === undefined) return;
    try {
      this.#isNew = make(path);
    } catch (cause) {
      throw new UsageError(
        "CLIBS_USAGE_VALUE",
        `Cannot use ${flag} ${path}: ${(cause as Error).message}`,
        { cause, hint: "name a file in a folder that exists and is writable" },
      );
    }
    this.#path = path;
  }

  write(text: () => string): void {
    if (this.#path === undefined) return;
    Deno.writeTextFileSync(this.#path, text());
    this.#isNew = false;
  }

  [Symbol.dispose](): void {
    if (this.#isNew) Deno.removeSync(this.#path!);
  }
}

/** Opens a file for writing, and makes it if there is none; tells which. */
function make(path: string): boolean {
  try {
    Deno.openSync(path, { write: true, createNew: true }).close();
    return true;
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    Deno.openSync(path, { write: true }).close();
    return false;
  }
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
