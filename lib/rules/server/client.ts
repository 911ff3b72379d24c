/** Has the server of a repo make files; starts it if there is none. */

import { join } from "node:path";
import {
  CancelledError,
  ClibsError,
  type ErrorInfo,
  UsageError,
} from "../../errors.ts";
import { readTextIfExists } from "../../host/files.ts";
import type { MakeOptions, MakeReport } from "../make_types.ts";
import { PRIVATE } from "../root.ts";
import { SPEAKER } from "./address.ts";
import { LineWriter, readLines } from "./lines.ts";
import {
  type Answer,
  type Request,
  type SentOptions,
  serverAddress,
} from "./protocol.ts";
import type { Asked } from "./quick.ts";

/** Exit code of a server that found the repo locked. */
const BUSY = 75;
/** Between two looks whether a server is there. */
const POLL_MS = 4;
/** How often a command is tried again whose server was killed. */
const RETRIES = 2;

/** How a server is started: its command line. */
export type StartCommand = (root: string) => string[];

/**
 * Makes files through the server of a repo.
 *
 * @param start Command line of a server. Without one only a server that is
 *   there is asked.
 * @param asked A server that was asked for the same already.
 * @returns Undefined if there is none, and none is to be started.
 * @throws {ClibsError} `CLIBS_LMAKE_SERVER` if it cannot be started; what the
 *   command itself throws.
 */
export async function makeByServer(
  root: string,
  options: MakeOptions,
  start: StartCommand | undefined,
  asked?: Asked,
): Promise<MakeReport | undefined> {
  for (let attempt = 0;; attempt++) {
    const isAsked = attempt === 0 && asked?.root === root;
    const socket = isAsked ? asked.socket : await connect(root, options, start);
    if (!socket) return undefined;
    const report = isAsked
      ? await listen(socket, asked.answers, asked.writer, options)
      : await ask(socket, options);
    if (report !== "gone") return report;
    if (attempt < RETRIES) continue;
    throw new ClibsError(
      "CLIBS_LMAKE_SERVER",
      "Cannot make anything: the server ended while it worked",
      { facts: { log: logPath(root) }, hint: "run the command again" },
    );
  }
}

/** Asks a server that has nothing to do to go; whether there was one. */
export async function releaseServer(root: string): Promise<boolean> {
  const socket = await tryConnect(root);
  if (!socket) return false;
  const writer = new LineWriter(socket);
  writer.send({ op: "release" });
  await writer.flushed();
  await socket.closeWrite().catch(() => {});
  // Until it has hung up.
  for await (const _ of readLines(socket));
  socket.close();
  return true;
}

async function connect(
  root: string,
  options: MakeOptions,
  start: StartCommand | undefined,
): Promise<Deno.UnixConn | undefined> {
  let child: { exit: Promise<number>; code?: number } | undefined;
  for (;;) {
    const socket = await tryConnect(root);
    if (socket) return socket;
    if (!start) return undefined;
    if (options.signal?.aborted) throw new CancelledError();
    if (!child) child = startServer(root, start);
    if (child.code !== undefined) {
      // Another process works here without a server; it will end.
      if (child.code !== BUSY && child.code !== 0) throw failed(root);
      child = undefined;
    }
    await new Promise((done) => setTimeout(done, POLL_MS));
  }
}

async function tryConnect(root: string): Promise<Deno.UnixConn | undefined> {
  try {
    return await Deno.connect({
      transport: "unix",
      path: serverAddress(root),
    });
  } catch {
    return undefined;
  }
}

function logPath(root: string): string {
  return join(root, PRIVATE, "server.log");
}

function startServer(
  root: string,
  start: StartCommand,
): { exit: Promise<number>; code?: number } {
  const [program = "", ...args] = start(root);
  Deno.mkdirSync(join(root, PRIVATE), { recursive: true });
  // A shell opens the log; the server itself has none of our descriptors.
  const child = new Deno.Command("/bin/sh", {
    args: [
      "-c",
      'exec "$@" >/dev/null 2>"$0"',
      logPath(root),
      program,
      ...args,
    ],
    cwd: "/",
    stdin: "null",
    stdout: "null",
    stderr: "null",
    detached: true,
  }).spawn();
  child.unref();
  const started: { exit: Promise<number>; code?: number } = {
    exit: child.status.then(({ code }) => started.code = code),
  };
  return started;
}

function failed(root: string): ClibsError {
  const log = readTextIfExists(logPath(root))?.trim().split("\n").slice(0, 5)
    .join("\n");
  return new ClibsError(
    "CLIBS_LMAKE_SERVER",
    "Cannot start the server of this repo",
    {
      facts: { repo: root, ...(log ? { output: log } : {}) },
      hint: "CLIBS_MAKE_SERVER=0 makes files without a server",
    },
  );
}

async function ask(
  socket: Deno.UnixConn,
  options: MakeOptions,
): Promise<MakeReport | "gone"> {
  const { feedback: _feedback, signal: _signal, ...rest } = options;
  const { onLine, onEvent, onProgress, onStdout, ...values } = rest;
  const writer = new LineWriter(socket);
  const sent: SentOptions = {
    ...values,
    cwd: Deno.realPathSync(options.cwd ?? "."),
    environ: options.environ ?? Deno.env.toObject(),
  };
  const request: Request = {
    op: "make",
    speaker: SPEAKER,
    options: sent,
    wants: {
      lines: onLine !== undefined,
      events: onEvent !== undefined,
      progress: onProgress !== undefined,
      stdout: onStdout !== undefined,
    },
  };
  writer.send(request);
  return await listen(socket, readLines<Answer>(socket), writer, options);
}

/** Hears what a server that was asked has to say. */
async function listen(
  socket: Deno.UnixConn,
  answers: AsyncIterable<Answer>,
  writer: LineWriter,
  options: MakeOptions,
): Promise<MakeReport | "gone"> {
  const { onLine, onEvent, onProgress, onStdout, feedback, signal } = options;
  const cancel = () => writer.send({ op: "cancel" });
  signal?.addEventListener("abort", cancel, { once: true });
  try {
    if (signal?.aborted) cancel();
    for await (const answer of answers) {
      switch (answer.kind) {
        case "line":
          onLine?.(answer.text);
          break;
        case "event":
          onEvent?.(answer.event);
          break;
        case "progress":
          onProgress?.(answer.progress);
          break;
        case "stdout":
          onStdout?.(
            Uint8Array.from(atob(answer.base64), (c) => c.charCodeAt(0)),
          );
          break;
        case "feedback":
          feedback?.emit(
            answer.level,
            answer.code as "note",
            answer.message,
            answer.fields as { about: string },
          );
          break;
        case "done":
          return answer.report;
        case "error":
          throw errorOf(answer.name, answer.error);
        case "gone":
          await new Promise((done) => setTimeout(done, 50));
          return "gone";
      }
    }
    return "gone";
  } finally {
    signal?.removeEventListener("abort", cancel);
    try {
      socket.close();
    } catch {
      // It is closed.
    }
  }
}

function errorOf(name: string, info: ErrorInfo): ClibsError {
  const { code, message, ...options } = info;
  const kind = name === "UsageError"
    ? UsageError
    : name === "CancelledError"
    ? CancelledError
    : ClibsError;
  if (kind === CancelledError) return new CancelledError();
  return new kind(code, message, options);
}
