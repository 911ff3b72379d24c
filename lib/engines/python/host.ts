/** A Python process that stays, in which pybind11 engines are loaded. */

import { CancelledError, ClibsError } from "../../errors.ts";
import { type Feedback, silent } from "../../feedback/bus.ts";
import { hostDied, PythonError, type PythonFailure } from "../errors.ts";
import { encodeFrame, type Frame, FrameReader } from "./frames.ts";
import source from "./host.py" with { type: "text" };
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

/** A request that has no answer yet. */
interface Pending {
  call: string;
  resolve(frame: Frame): void;
  reject(error: Error): void;
}

/** A running Python. */
interface Running {
  child: Deno.ChildProcess;
  input: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  frames: FrameReader;
  pending: Map<number, Pending>;
  /** How it ended, once it has. */
  ended?: Deno.CommandStatus;
  isReading: boolean;
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
    const call = `import ${name}`;
    const frame = await this.#request(call, { op: "load", name, path }, []);
    this.#modules.set(name, path);
    return valueOf(call, frame) as PythonMembers;
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
    const request = { op: "call", module, name, args: encoded };
    return valueOf(call, await this.#request(call, request, parts, options));
  }

  /** Ends Python. */
  async close(): Promise<void> {
    const running = this.#running;
    if (!running) return;
    running.child.ref();
    const timer = setTimeout(() => killChild(running.child), GRACE_MS);
    await running.input.close().catch(() => {});
    await running.child.status;
    clearTimeout(timer);
    discard(running);
    if (this.#running === running) this.#running = undefined;
  }

  async #request(
    call: string,
    request: Record<string, unknown>,
    parts: readonly Uint8Array[],
    { signal, timeoutMs }: CallOptions = {},
  ): Promise<Frame> {
    if (signal?.aborted) throw new CancelledError();
    const running = this.#ensure();
    let stopped: Error | undefined;
    const stop = (error: Error) => {
      stopped = error;
      killChild(running.child);
    };
    const abort = () => stop(new CancelledError());
    signal?.addEventListener("abort", abort, { once: true });
    const timer = timeoutMs === undefined
      ? undefined
      : setTimeout(() => stop(timeout(call, timeoutMs)), timeoutMs);
    try {
      return await this.#send(running, call, request, parts);
    } catch (error) {
      throw stopped ?? error;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
    }
  }

  /** The running Python, or a new one with the modules of the old. */
  #ensure(): Running {
    if (this.#running && !this.#running.ended) return this.#running;
    // It died while nobody was calling.
    if (this.#running) discard(this.#running);
    const child = new Deno.Command(this.#python, {
      args: ["-u", "-c", source],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    // An idle host must not keep the program from ending.
    child.unref();
    const running: Running = {
      child,
      input: child.stdin.getWriter(),
      frames: new FrameReader(child.stdout),
      pending: new Map(),
      isReading: false,
    };
    child.status.then((status) => running.ended = status);
    this.#running = running;
    for (const [name, path] of this.#modules) {
      // A failure shows again in the call that needs the module.
      this.#send(running, `import ${name}`, { op: "load", name, path }, [])
        .catch(() => {});
    }
    return running;
  }

  #send(
    running: Running,
    call: string,
    request: Record<string, unknown>,
    parts: readonly Uint8Array[],
  ): Promise<Frame> {
    const id = this.#nextId++;
    const answer = new Promise<Frame>((resolve, reject) => {
      running.pending.set(id, { call, resolve, reject });
    });
    // If Python is gone, the reader finds out and says more.
    running.input.write(encodeFrame({ id, ...request }, parts)).catch(() => {});
    if (!running.isReading) this.#read(running);
    return answer;
  }

  /** Reads while somebody waits for an answer. */
  async #read(running: Running): Promise<void> {
    running.isReading = true;
    running.child.ref();
    try {
      while (running.pending.size > 0) {
        const frame = await running.frames.next();
        if (!frame) return await this.#buried(running);
        const { id, output } = frame.header;
        if (output !== undefined) {
          this.#feedback.emit("engine", "note", String(output), {
            about: "engine.output",
          });
          continue;
        }
        const pending = running.pending.get(id as number);
        running.pending.delete(id as number);
        pending?.resolve(frame);
      }
    } finally {
      running.isReading = false;
      running.child.unref();
    }
  }

  /** Tells all who wait how Python ended. */
  async #buried(running: Running): Promise<void> {
    if (this.#running === running) this.#running = undefined;
    const [status, lastWords] = await Promise.all([
      running.child.status,
      lastText(running.child.stderr),
    ]);
    running.input.close().catch(() => {});
    const waiting = [...running.pending.values()];
    running.pending.clear();
    for (const { call, reject } of waiting) {
      const error = hostDied(call, status, lastWords);
      this.#feedback.emit("error", "note", error.message, {
        about: "engine.host.died",
        call,
        signal: status.signal,
        code: status.code,
      });
      reject(error);
    }
  }
}

/** Closes what is left of a Python that has ended. */
function discard({ input, frames, child }: Running): void {
  input.close().catch(() => {});
  frames.cancel();
  child.stderr.cancel().catch(() => {});
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

/** What faulthandler and the interpreter wrote, without what is of no use. */
async function lastText(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
): Promise<string> {
  const text = await new Response(stream).text().catch(() => "");
  return text.split("\n").filter((line) => !line.includes('"<string>"'))
    .slice(-20).join("\n").trim();
}

function killChild(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch {
    // It has ended already.
  }
}
