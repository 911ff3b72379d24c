/** The frame around every command: argv in, exit code out. */

import {
  type AskedServer,
  type ClibsError,
  FeedbackBus,
  type FileSink,
  openFileSink,
  PROBE_WORD,
  runProbe,
  SERVER_WORD,
  serveRepo,
  toClibsError,
  UsageError,
  version,
} from "../mod.ts";
import { wantsColor } from "./color.ts";
import type { CommandContext, CommandModule, CommandSpec } from "./command.ts";
import { type CommandName, commands, type GlobalFlags } from "./commands.ts";
import { lmakeExitCode } from "./exit_codes.ts";
import {
  dieOfInterrupt,
  INTERRUPTED,
  listenToInterrupts,
  noInterrupts,
} from "./interrupt.ts";
import { namedCommand, parse, type Parsed } from "./program.ts";
import { canRedraw, createView, type ProgressView } from "./progress.ts";
import { terminalSize, type TextStream, textStream } from "./streams.ts";

const env = (name: string) => Deno.env.get(name);

/** The document that `--json` prints. */
type Document = Readonly<Record<string, unknown>>;

/** Options of {@linkcode run}. */
export interface RunOptions {
  /** Loads a command's module; tests give their own. */
  load?: (name: CommandName) => Promise<CommandModule>;
  /** The server that was asked to do what this command line says. */
  asked?: AskedServer;
}

/**
 * Runs the command line.
 *
 * @param argv Words after `clibs`.
 * @returns 0: done, 1: the work failed, 2: the command line was wrong,
 * 130: interrupted. The commands about rules have codes of their own, and die
 * of an interrupt.
 */
export async function run(
  argv: readonly string[],
  options: RunOptions = {},
): Promise<number> {
  const stdout = textStream(Deno.stdout);
  const stderr = textStream(Deno.stderr);
  if (argv[0] === PROBE_WORD) {
    const problem = await runProbe(argv[1] ?? "");
    if (problem !== undefined) stderr.write(`${problem}\n`);
    return problem === undefined ? 0 : 1;
  }
  if (argv[0] === SERVER_WORD) return await serveRepo(argv[1] ?? ".");
  try {
    const parsed = parse(withLmakeArgs(argv));
    if (parsed.kind === "command") {
      return await runCommand(parsed, options, stdout, stderr);
    }
    return await printHelp(parsed, stdout);
  } catch (thrown) {
    // The line may not have been understood: look for the flags in its words.
    const words = argv.slice(0, [...argv, "--"].indexOf("--"));
    const error = toClibsError(thrown);
    const global: GlobalFlags = {
      json: words.includes("--json"),
      verbose: words.includes("--verbose") || words.includes("-v"),
    };
    if (global.json) printDocument(stdout, { error: error.toJSON() });
    await printError(error, global, stderr);
    return exitCode(error, namedCommand(argv));
  }
}

async function printHelp(
  parsed: Exclude<Parsed, { kind: "command" }>,
  stdout: TextStream,
): Promise<number> {
  const { json } = parsed.global;
  if (parsed.kind === "version") {
    if (json) printDocument(stdout, { clibs: version });
    else stdout.write(`clibs ${version}\n`);
    return 0;
  }
  const { helpOf } = await import("./help.ts");
  const help = helpOf(parsed.topic);
  if (json) printDocument(stdout, { help });
  else stdout.write(help);
  return 0;
}

async function runCommand(
  parsed: Parsed & { kind: "command" },
  { load = (name) => commands[name].load(), asked }: RunOptions,
  stdout: TextStream,
  stderr: TextStream,
): Promise<number> {
  const { global } = parsed;
  const log = global.logFile === undefined
    ? undefined
    : openLog(global.logFile);
  const bus = new FeedbackBus();
  if (log) bus.subscribe(log.subscriber);
  const view = viewOf(global, stderr);
  bus.subscribe((event) => view.show(event));
  const { ownSignals }: CommandSpec = commands[parsed.command];
  const interrupts = ownSignals ? noInterrupts() : listenToInterrupts(() => {
    if (view.running === 0) return;
    bus.emit("warn", "note", "interrupted; ending what is running", {
      about: "interrupt",
    });
  }, () => view.close());
  let document: Document | undefined;
  const reported: ClibsError[] = [];
  const context: CommandContext = {
    bus,
    asked,
    signal: interrupts.signal,
    json: global.json ?? false,
    verbose: global.verbose ?? false,
    quiet: global.quiet ?? false,
    color: wantsColor(global.color ?? "auto", stdout.isTerminal, env),
    live: canRedraw(stderr.isTerminal, env) && !global.quiet && !global.json &&
      !env("NO_COLOR"),
    columns: stdout.isTerminal ? terminalSize().columns : 80,
    stdout(text) {
      if (global.json) return;
      view.clear();
      stdout.write(text);
    },
    stderr: (text) => view.print(text),
    result(result) {
      document = result;
    },
    report(error) {
      reported.push(error);
    },
  };
  let error: ClibsError | undefined;
  let code: number;
  try {
    const { run } = await load(parsed.command);
    code = await run(context, parsed.args, parsed.flags);
  } catch (thrown) {
    error = toClibsError(thrown);
    code = exitCode(error, parsed.command);
  } finally {
    view.close();
  }
  if (code !== 0 && interrupts.signal.aborted) code = INTERRUPTED;
  if (global.json) {
    printDocument(stdout, {
      ...document,
      ...error ? { error: error.toJSON() } : {},
    });
  }
  for (const shown of error ? [...reported, error] : reported) {
    await printError(shown, global, stderr);
    if (log) logError(log, shown);
  }
  log?.close();
  interrupts.close();
  if (code === INTERRUPTED && isLmake(parsed.command)) dieOfInterrupt();
  return code;
}

function exitCode(error: ClibsError, command: CommandName | undefined): number {
  if (error.code === "CLIBS_CANCELLED") return INTERRUPTED;
  if (isLmake(command)) return lmakeExitCode(error);
  return error instanceof UsageError ? 2 : 1;
}

/** The line of `clibs make` with the flags that come first. */
function withLmakeArgs(argv: readonly string[]): readonly string[] {
  const flags = (env("LMAKE_ARGS") ?? "").split(/\s+/)
    .filter((word) => word !== "");
  if (flags.length === 0 || namedCommand(argv) !== "make") return argv;
  const at = argv.indexOf("make") + 1;
  return [...argv.slice(0, at), ...flags, ...argv.slice(at)];
}

function isLmake(command: CommandName | undefined): boolean {
  if (command === undefined) return false;
  const spec: CommandSpec = commands[command];
  return spec.exitCodes === "lmake";
}

function printDocument(stdout: TextStream, document: Document): void {
  const text = JSON.stringify({ version: 1, ...document }, undefined, 2);
  stdout.write(`${text}\n`);
}

async function printError(
  error: ClibsError,
  global: GlobalFlags,
  stderr: TextStream,
): Promise<void> {
  const { renderError } = await import("./render_error.ts");
  stderr.write(renderError(error, {
    color: wantsColor(global.color ?? "auto", stderr.isTerminal, env),
    verbose: global.verbose ?? false,
  }));
}

function viewOf(global: GlobalFlags, stderr: TextStream): ProgressView {
  return createView(canRedraw(stderr.isTerminal, env), {
    write: stderr.write,
    now: Date.now,
    every(ms, tick) {
      const timer = setInterval(tick, ms);
      return () => clearInterval(timer);
    },
    size: terminalSize,
    quiet: global.quiet ?? false,
    verbose: global.verbose ?? false,
    color: wantsColor(global.color ?? "auto", stderr.isTerminal, env),
  });
}

function openLog(path: string): FileSink {
  try {
    return openFileSink(path);
  } catch (cause) {
    throw new UsageError(
      "CLIBS_USAGE_LOG_FILE",
      `Cannot write the log file ${path}: ${(cause as Error).message}`,
      { cause, hint: "name a file in a folder that exists and is writable" },
    );
  }
}

function logError(log: FileSink, error: ClibsError): void {
  log.subscriber({
    time: Date.now(),
    level: "error",
    code: "note",
    message: error.message,
    fields: { about: error.code, ...error.toJSON() },
  });
}
