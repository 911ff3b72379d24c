/** Runs a command and tells what it accessed. */

import { CancelledError } from "../errors.ts";
import type { Feedback } from "../feedback/bus.ts";
import { readLinkNs } from "../host/statx.ts";
import { AccessLog } from "./access.ts";
import {
  type Method,
  obtainTools,
  parseMethod,
  type Tools,
  unsupported,
} from "./methods.ts";
import { cannotExecute, programOf } from "./program.ts";
import { RecordReader } from "./record.ts";
import { type SessionOptions, TraceSession, type Wrapped } from "./session.ts";
import { type RunFacts, type Trace, traceOf } from "./trace.ts";

/** Where a stream of the command goes; `stderr` is the caller's, by a pipe. */
export type Stream = "inherit" | "null" | "piped" | "stderr";

/** A command to trace. */
export interface TraceOptions extends SessionOptions {
  /** Program, found on PATH if it has no slash, and arguments. */
  command: readonly string[];
  /** Folder to run in. Default: the caller's. */
  cwd?: string;
  /** The whole environment. Default: the caller's. */
  env?: Readonly<Record<string, string>>;
  /** How accesses are found. Default: `auto`. */
  method?: Method;
  /** Standard input. Default: `inherit`. */
  stdin?: "inherit" | "null";
  /** Standard output. Default: `inherit`. */
  stdout?: Stream;
  /** Standard error. Default: `inherit`. */
  stderr?: Exclude<Stream, "stderr">;
  /** Ends the command with SIGTERM. */
  signal?: AbortSignal;
  /** Called when the command runs, with what sends signals to it. */
  onStart?: (kill: (signal: Deno.Signal) => void) => void;
  /** Where a build of the tracer is reported. Default: nowhere. */
  feedback?: Feedback;
}

/** What a traced command did. */
export interface TraceReport {
  /** Exit code; 128 + N if signal N ended it. */
  code: number;
  /** The signal that ended it. */
  signal?: string;
  /** What it accessed. */
  trace: Trace;
  /** What it printed, if that was piped. */
  stdout?: Uint8Array<ArrayBuffer>;
  /** What it printed, if that was piped. */
  stderr?: Uint8Array<ArrayBuffer>;
}

/** The same, for those who fold by themselves. */
export interface TraceResult extends TraceReport {
  /** The folded records that `trace` was made from. */
  log: AccessLog;
}

/** How long what the command left running may hold its output open. */
const REST_MS = 200;

/**
 * Runs a command to its end and tells which files it read, looked for and
 * wrote. Standard streams, terminal, exit code and signals are the command's
 * own.
 *
 * @throws {ClibsError} `CLIBS_TRACE_PROGRAM` if there is no such program,
 *   `CLIBS_TRACE_EXEC` if it cannot be executed, `CLIBS_TRACE_FOLDER` if no
 *   folder takes the records, `CLIBS_TRACE_UNSUPPORTED` if the method does not
 *   work here.
 * @throws {CancelledError} If `signal` had fired before.
 */
export async function traceCommand(
  options: TraceOptions,
): Promise<TraceResult> {
  const method = parseMethod(options.method ?? "auto");
  const env = options.env ?? Deno.env.toObject();
  const cwd = options.cwd === undefined
    ? ownFolder()
    : Deno.realPathSync(options.cwd);
  const program = programOf(options.command, options.cwd ?? "", env["PATH"]);
  const tools = await obtainTools(method, { feedback: options.feedback });
  if (options.signal?.aborted) throw new CancelledError();
  using session = new TraceSession(method, tools, options);
  const startedMs = Date.now();
  const wrapped = session.wrap(
    program.path,
    options.command,
    env,
    program.isImage,
  );
  const child = start(wrapped, options, env);
  const ended = await untilEnd(child, options);
  const { log, ...records } = readLog(session, tools);
  const isRefused = wrapped.tool && (ended.code === 126 || ended.code === 127);
  if (
    method !== "none" && !isRefused &&
    !log.commands.some(({ pid }) => pid === child.pid)
  ) {
    // Not even its start was seen: the loader took no notice of the library.
    const reason = env["CLIBS_TRACE_FILE"] === undefined
      ? "it does not load the library"
      : "it is traced from outside already";
    log.escapes.set("", { program: program.path, reason, seen: false });
  }
  const trace = await traceOf(log, {
    command: [...options.command],
    cwd,
    env,
    method,
    startedMs,
    endedMs: Date.now(),
    ...records,
  });
  return { ...ended, trace, log };
}

/** Folder of this process, whatever its name. */
function ownFolder(): string {
  return readLinkNs("/proc/self/cwd") ?? Deno.cwd();
}

function start(
  { argv, env, tool }: Wrapped,
  options: TraceOptions,
  before: Readonly<Record<string, string>>,
): Deno.ChildProcess {
  const added = Object.entries(env)
    .filter(([name, value]) => before[name] !== value);
  const { stdin = "inherit", stdout = "inherit", stderr = "inherit" } = options;
  try {
    return new Deno.Command(argv[0]!, {
      args: argv.slice(1),
      cwd: options.cwd,
      // Variables that are not UTF-8 are handed on only by those that nobody
      // has looked at.
      ...options.env
        ? { env: { ...env }, clearEnv: true }
        : { env: Object.fromEntries(added) },
      stdin,
      stdout: stdout === "stderr" ? "piped" : stdout,
      stderr,
    }).spawn();
  } catch (error) {
    const { message } = error as Error;
    if (tool) throw unsupported(options.method ?? "auto", message);
    throw cannotExecute(options.command[0]!, error as Error);
  }
}

async function untilEnd(
  child: Deno.ChildProcess,
  options: TraceOptions,
): Promise<Omit<TraceReport, "trace">> {
  const kill = (signal: Deno.Signal) => {
    try {
      child.kill(signal);
    } catch {
      // It has ended already.
    }
  };
  const end = () => kill("SIGTERM");
  options.signal?.addEventListener("abort", end, { once: true });
  options.onStart?.(kill);
  try {
    const [stdout, stderr, status] = await Promise.all([
      options.stdout === "piped" ? collect(child.stdout) : undefined,
      options.stderr === "piped" ? collect(child.stderr) : undefined,
      options.stdout === "stderr" ? copied(child) : child.status,
    ]);
    const { code, signal } = status;
    return {
      code,
      ...(signal === null ? {} : { signal }),
      ...(stdout ? { stdout } : {}),
      ...(stderr ? { stderr } : {}),
    };
  } finally {
    options.signal?.removeEventListener("abort", end);
  }
}

async function collect(
  from: ReadableStream<Uint8Array<ArrayBuffer>>,
): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await new Response(from).arrayBuffer());
}

/** Copies standard output to standard error until the command ends. */
async function copied(child: Deno.ChildProcess): Promise<Deno.CommandStatus> {
  const reader = child.stdout.getReader();
  const copying = copyToStderr(reader);
  const status = await child.status;
  const rest = setTimeout(() => void reader.cancel(), REST_MS);
  await copying;
  clearTimeout(rest);
  return status;
}

async function copyToStderr(
  reader: ReadableStreamDefaultReader<Uint8Array>,
): Promise<void> {
  try {
    for (let part; !(part = await reader.read()).done;) {
      let bytes = part.value;
      while (bytes.length > 0) {
        bytes = bytes.subarray(await Deno.stderr.write(bytes));
      }
    }
  } catch {
    // Nobody reads standard error any more; let the command know.
    await reader.cancel();
  }
}

function readLog(
  session: TraceSession,
  tools: Tools,
): { log: AccessLog } & Pick<RunFacts, "systemReads" | "lost"> {
  const own = [tools.shim, tools.tracer].filter((path) => path !== undefined);
  const log = new AccessLog([
    ...own,
    ...own.map((path) => Deno.realPathSync(path)),
  ]);
  const reader = new RecordReader(session.path);
  try {
    reader.read((record) => log.add(record));
    return {
      log,
      systemReads: reader.systemReads(),
      lost: reader.lost(),
    };
  } finally {
    reader.close();
  }
}
