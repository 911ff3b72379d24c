/** Runs a command and tells what it accessed. */

import { Buffer } from "node:buffer";
import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import type { Readable } from "node:stream";
import { ClibsError } from "../errors.ts";
import type { Feedback } from "../feedback/bus.ts";
import { findProgram } from "../host/process.ts";
import { AccessLog } from "./access.ts";
import { type Method, obtainTools, parseMethod } from "./methods.ts";
import { RecordReader } from "./record.ts";
import { type SessionOptions, TraceSession } from "./session.ts";
import { type Trace, traceOf } from "./trace.ts";

/** Where a stream of the command goes; `stderr` is the caller's. */
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
  stderr?: Stream;
  /** Ends the command with SIGTERM. */
  signal?: AbortSignal;
  /** Where a build of the tracer is reported. Default: nowhere. */
  feedback?: Feedback;
}

/** What a traced command did. */
export interface TraceResult {
  /** Exit code; 128 + N if signal N ended it. */
  code: number;
  /** The signal that ended it. */
  signal?: string;
  /** What it accessed. */
  trace: Trace;
  /** The folded records that `trace` was made from. */
  log: AccessLog;
  /** What it printed, if that was piped. */
  stdout?: Uint8Array<ArrayBuffer>;
  /** What it printed, if that was piped. */
  stderr?: Uint8Array<ArrayBuffer>;
}

/**
 * Runs a command to its end and tells which files it read, looked for and
 * wrote. Standard streams, terminal, exit code and signals are the command's
 * own.
 *
 * @throws {ClibsError} `CLIBS_TRACE_PROGRAM` if there is no such program,
 *   `CLIBS_TRACE_UNSUPPORTED` if the method does not work here.
 */
export async function traceCommand(
  options: TraceOptions,
): Promise<TraceResult> {
  const method = parseMethod(options.method ?? "auto");
  const env = options.env ?? Deno.env.toObject();
  const cwd = Deno.realPathSync(options.cwd ?? ".");
  const program = programOf(options.command, env);
  const tools = await obtainTools(method, { feedback: options.feedback });
  using session = new TraceSession(method, tools, options);
  const wrapped = session.wrap(program, options.command, env);
  const startedMs = Date.now();
  const child = spawn(wrapped.argv[0]!, wrapped.argv.slice(1), {
    cwd,
    env: wrapped.env,
    stdio: [
      options.stdin === "null" ? "ignore" : 0,
      stream(options.stdout, 1),
      stream(options.stderr, 2),
    ],
  });
  const end = () => void child.kill("SIGTERM");
  options.signal?.addEventListener("abort", end, { once: true });
  try {
    const [stdout, stderr, status] = await Promise.all([
      collect(child.stdout),
      collect(child.stderr),
      ended(child),
    ]);
    const log = new AccessLog([tools.tracer ?? ""]);
    const reader = new RecordReader(session.path);
    try {
      reader.read((record) => log.add(record));
      const trace = await traceOf(log, {
        command: [...options.command],
        cwd,
        env,
        method,
        startedMs,
        endedMs: Date.now(),
        systemReads: reader.systemReads(),
        lost: reader.lost(),
      });
      return {
        code: status.code,
        ...(status.signal ? { signal: status.signal } : {}),
        trace,
        log,
        ...(stdout ? { stdout } : {}),
        ...(stderr ? { stderr } : {}),
      };
    } finally {
      reader.close();
    }
  } finally {
    options.signal?.removeEventListener("abort", end);
  }
}

function stream(
  where: Stream = "inherit",
  own: number,
): number | "ignore" | "pipe" {
  switch (where) {
    case "null":
      return "ignore";
    case "piped":
      return "pipe";
    case "stderr":
      return 2;
    case "inherit":
      return own;
  }
}

async function collect(
  from: Readable | null,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (!from) return undefined;
  const chunks: Uint8Array[] = [];
  for await (const chunk of from) chunks.push(chunk);
  return new Uint8Array(Buffer.concat(chunks));
}

/** How a process ended; in the words of a shell. */
function ended(
  child: ChildProcess,
): Promise<{ code: number; signal?: string }> {
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code, signal) => {
      if (signal === null) return resolve({ code: code ?? 1 });
      resolve({ code: 128 + constants.signals[signal], signal });
    });
  });
}

function programOf(
  command: readonly string[],
  env: Readonly<Record<string, string>>,
): string {
  const name = command[0] ?? "";
  const path = name.includes("/") ? name : findProgram(name, env["PATH"]);
  if (name !== "" && path !== undefined) return path;
  throw new ClibsError(
    "CLIBS_TRACE_PROGRAM",
    name === ""
      ? "Cannot trace a command: none was given"
      : `Cannot run ${name}: it is not on PATH`,
    {
      hint: name === ""
        ? "put it behind two dashes: clibs trace -- make"
        : `install ${name}, or name it with its path`,
    },
  );
}
