/** `clibs trace`. */

import { perfettoTrace, type Trace, traceCommand } from "../mod.ts";
import type { CommandContext } from "./command.ts";
import type { Flags } from "./commands.ts";
import { shortPath } from "./paths.ts";

/** Runs the command; returns the exit code of the command that it traced. */
export async function run(
  context: CommandContext,
  args: string[],
  flags: Flags<"trace">,
): Promise<number> {
  // A terminal sends Ctrl-C to the command too; SIGTERM comes to us alone.
  const ended = new AbortController();
  const end = () => ended.abort();
  Deno.addSignalListener("SIGTERM", end);
  try {
    const { code, signal, trace } = await traceCommand({
      command: args,
      method: flags.method,
      keepSystem: flags.system,
      getenv: flags.env,
      // The document alone goes to stdout.
      ...(context.json ? { stdout: "stderr" as const } : {}),
      signal: ended.signal,
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
    if (!context.quiet) context.stdout(render(trace, context));
    warn(trace, context);
    return code;
  } catch (error) {
    if (
      !(error instanceof ClibsError) || error.code !== "CLIBS_TRACE_PROGRAM"
    ) {
      throw error;
    }
    // As a shell says it.
    context.report(error);
    return 127;
  } finally {
    Deno.removeSignalListener("SIGTERM", end);
  }
}

function warn(trace: Trace, context: CommandContext): void {
  const unseen = trace.escapes.filter(({ seen }) => !seen);
  for (const { program, reason } of unseen) {
    context.bus.emit(
      "warn",
      "note",
      `not traced: ${shortPath(program)} (${reason}); use --method ptrace`,
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

function render(trace: Trace, context: CommandContext): string {
  const paths = (facts: { path: string }[]) => facts.map(({ path }) => path);
  const sections = [
    section("deps", paths(trace.deps), trace),
    section("not there", trace.absent, trace),
    section("targets", paths(trace.targets), trace),
    section("listed folders", paths(trace.listed), trace),
    section("changed while it ran", trace.unstable, trace),
    section("variables", Object.keys(trace.env), trace),
  ];
  if (context.verbose) {
    sections.push(section("written and removed", trace.scratch, trace));
    sections.push(section(
      "commands",
      trace.commands.map(({ argv }) => argv.join(" ")),
      { ...trace, cwd: "" },
    ));
  }
  return `${sections.filter((text) => text !== "").join("")}${
    summary(trace)
  }\n`;
}

function section(
  title: string,
  names: readonly string[],
  { cwd }: { cwd: string },
): string {
  if (names.length === 0) return "";
  const lines = names.map((name) => `  ${shortPath(name, cwd)}\n`);
  return `${title} (${names.length})\n${lines.join("")}`;
}

function summary(trace: Trace): string {
  const parts = [count(trace.commands.length, "command")];
  if (trace.scratch.length > 0) {
    parts.push(`${count(trace.scratch.length, "file")} written and removed`);
  }
  if (trace.systemReads > 0) {
    parts.push(
      `${count(trace.systemReads, "access", "accesses")} to system files`,
    );
  }
  const seen = trace.escapes.filter((escape) => escape.seen).length;
  const method = seen > 0
    ? `${trace.method}, ${count(seen, "program")} followed with ptrace`
    : trace.method;
  return `${parts.join(", ")}; method ${method}`;
}

function count(n: number, one: string, many = `${one}s`): string {
  return `${n.toLocaleString("en")} ${n === 1 ? one : many}`;
}
