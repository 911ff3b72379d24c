/** A Python process that stays, in which pybind11 engines are loaded. */

import { CancelledError, ClibsError } from "../../errors.ts";
import { type Feedback, silent } from "../../feedback/bus.ts";
import { hostDied, PythonError, type PythonFailure } from "../errors.ts";
import { killChild, lastWords, REST_MS, spawnPython } from "./child.ts";
import { encodeFrame, type Frame, FrameReader } from "./frames.ts";
import { decodeValue, encodeArguments } from "./values.ts";

/** What a module has. */
export interface PythonMembers {
  /** Its functions, by name, with their documentation. */
  functions: { name: string; doc: string }[];
  /** Its other members, as far as they can be passed. */
  constants: Record<string, unknown>;
  /** Its documentation. */
  doc: string;
}

/** Options of a call. */
export interface CallOptions {
  /** Ends Python, and with it the call. */
  signal?: AbortSignal;
  /** Ends Python after so many milliseconds. Default: never. */
  timeoutMs?: number;
}

/** What Python is asked. */
interface Request {
  /** As messages name it: `cpu.get_usage()`. */
  call: string;
  engine: string;
  body: Record<string, unknown>;
  parts: readonly Uint8Array[];
}

/** A request that has no answer yet. */
interface Pending {
  request: Request;
  promise: Promise<Frame>;
  resolve(frame: Frame): void;
  reject(error: Error): void;
  /** Why Python was ended for its sake, if it was. */
  stopped?: Error;
}

/** A running Python. */
interface Running {
  child: Deno.ChildProcess;
  input: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  frames: FrameReader;
  /** In the order in which they were sent, and are answered. */
  pending: Map<number, Pending>;
  /** How it ended, once it has. */
  ended?: Deno.CommandStatus;
  isReading: boolean;
  /** Gives up reading some time after Python has ended. */
  lastReading?: ReturnType<typeof setTimeout>;
}

/** How long Python may take to end when it is asked to, in milliseconds. */
const GRACE_MS = 2000;

/**
 * A Python process. It is started by the first request, and again by the next
 * one after it died. Requests are answered in order. An idle one does not keep
 * the program from ending, and ends with it.
 */
export class PythonHost {
  readonly #python: string;
  readonly #feedback: Feedback;
  /** Modules to load again in a new process. */
  readonly #modules = new Map<string, string>();
  #running: Running | undefined;
  #nextId = 0;

  /**
   * Makes a host.
   *
   * @param options The interpreter, and where its output is reported.
   */
  constructor(options: { python: string; feedback?: Feedback }) {
    this.#python = options.python;
    this.#feedback = options.feedback ?? silent;
  }

  /** Process id; undefined if no Python is running. */
  get pid(): number | undefined {
    return this.#running?.ended ? undefined : this.#running?.child.pid;
  }

  /**
   * Loads a module.
   *
   * @param name Its name in Python.
   * @param path Its file; the name of the file does not matter.
   * @throws {PythonError} If its import raises an exception.
   */
  async load(name: string, path: string): Promise<PythonMembers> {
    const request = loadRequest(name, path);
    const members = valueOf(request.call, await this.#request(request));
    this.#modules.set(name, path);
    return members as PythonMembers;
  }

  /**
   * Calls a function of a loaded module.
   *
   * @throws {PythonError} If it raises an exception.
   * @throws {ClibsError} `CLIBS_PYTHON_DIED` if Python ends meanwhile,
   *   `CLIBS_PYTHON_TIMEOUT` if the time is over.
   * @throws {TypeError} If a value cannot be passed.
   */
  async call(
    module: string,
    name: string,
    args: readonly unknown[],
    options: CallOptions = {},
  ): Promise<unknown> {
    const call = `${module}.${name}()`;
    const parts: Uint8Array[] = [];
    let encoded: unknown[];
    try {
      encoded = encodeArguments(args, parts);
    } catch (error) {
      throw new TypeError(`${call}: ${(error as Error).message}`);
    }
    const body = { op: "call", module, name, args: encoded };
    const request = { call, engine: module, body, parts };
    return valueOf(call, await this.#request(request, options));
  }

  /** Ends Python. */
  async close(): Promise<void> {
    const running = this.#running;
    if (!running) return;
    running.child.ref();
    const timer = setTimeout(() => killChild(running.child), GRACE_MS);
    // Not awaited: what is still to be written may never be read.
    running.input.close().catch(() => {});
    await running.child.status;
    clearTimeout(timer);
    discard(running);
    if (this.#running === running) this.#running = undefined;
  }

  async #request(
    request: Request,
    { signal, timeoutMs }: CallOptions = {},
  ): Promise<Frame> {
    if (signal?.aborted) throw new CancelledError();
    const running = this.#ensure();
    const pending = this.#send(running, request);
    const stop = (error: Error) => {
      pending.stopped = error;
      killChild(running.child);
    };
    const abort = () => stop(new CancelledError());
    signal?.addEventListener("abort", abort, { once: true });
    const timer = timeoutMs === undefined
      ? undefined
      : setTimeout(() => stop(timeout(request.call, timeoutMs)), timeoutMs);
    try {
      return await pending.promise;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
    }
  }

  /** The running Python, or a new one with the modules of the old. */
  #ensure(): Running {
    if (this.#running && !this.#running.ended) return this.#running;
    // It died while nobody was calling; else its reader sees to it.
    if (this.#running && !this.#running.isReading) discard(this.#running);
    const child = spawnPython(this.#python);
    // An idle host must not keep the program from ending.
    child.unref();
    const running: Running = {
      child,
      input: child.stdin.getWriter(),
      frames: new FrameReader(child.stdout),
      pending: new Map(),
      isReading: false,
    };
    child.status.then((status) => {
      running.ended = status;
      if (!running.isReading) return;
      running.lastReading = setTimeout(() => running.frames.cancel(), REST_MS);
    });
    this.#running = running;
    for (const [name, path] of this.#modules) {
      // A failure shows again in the call that needs the module.
      this.#send(running, loadRequest(name, path)).promise.catch(() => {});
    }
    return running;
  }

  #send(running: Running, request: Request): Pending {
    const id = this.#nextId++;
    const pending: Pending = { request, ...Promise.withResolvers<Frame>() };
    running.pending.set(id, pending);
    const frame = encodeFrame({ id, ...request.body }, request.parts);
    // If Python is gone, the reader finds out and says more.
    running.input.write(frame).catch(() => {});
    if (!running.isReading) this.#read(running);
    return pending;
  }

  /** Reads while somebody waits for an answer. */
  async #read(running: Running): Promise<void> {
    running.isReading = true;
    running.child.ref();
    try {
      while (running.pending.size > 0) {
        // Bytes that are no frame mean the same as none: it is out of order.
        const frame = await running.frames.next().catch(() => undefined);
        if (!frame) return await this.#buried(running);
        const { id, output } = frame.header;
        if (output !== undefined) {
          this.#report(String(output), running);
          continue;
        }
        const pending = running.pending.get(id as number);
        running.pending.delete(id as number);
        pending?.resolve(frame);
      }
    } finally {
      clearTimeout(running.lastReading);
      running.isReading = false;
      running.child.unref();
    }
  }

  #report(line: string, { pending }: Running): void {
    const [oldest] = pending.values();
    this.#feedback.emit("engine", "note", line, {
      about: "engine.output",
      engine: oldest?.request.engine,
    });
  }

  /** Tells all who wait how Python ended. */
  async #buried(running: Running): Promise<void> {
    if (this.#running === running) this.#running = undefined;
    killChild(running.child);
    const [status, words] = await Promise.all([
      running.child.status,
      lastWords(running.child.stderr),
    ]);
    discard(running);
    const waiting = [...running.pending.values()];
    running.pending.clear();
    for (const { request: { call, engine }, stopped, reject } of waiting) {
      const error = stopped ?? hostDied(call, status, words);
      if (!stopped) {
        this.#feedback.emit("error", "note", error.message, {
          about: "engine.host.died",
          engine,
          call,
          signal: status.signal,
          code: status.code,
        });
      }
      reject(error);
    }
  }
}

/** Closes what is left of a Python that has ended. */
function discard({ input, frames, child }: Running): void {
  input.close().catch(() => {});
  frames.cancel();
  if (!child.stderr.locked) child.stderr.cancel().catch(() => {});
}

function loadRequest(name: string, path: string): Request {
  const body = { op: "load", name, path };
  return { call: `import ${name}`, engine: name, body, parts: [] };
}

function valueOf(call: string, { header, parts }: Frame): unknown {
  if (header.error) {
    throw new PythonError(call, header.error as PythonFailure);
  }
  if (header.unpassable) throw new TypeError(`${call}: ${header.unpassable}`);
  return decodeValue(header.value, parts);
}

function timeout(call: string, timeoutMs: number): ClibsError {
  return new ClibsError(
    "CLIBS_PYTHON_TIMEOUT",
    `${call} failed: it took more than ${timeoutMs / 1000} s`,
    { hint: "the Python process was ended; the next call starts a new one" },
  );
}
