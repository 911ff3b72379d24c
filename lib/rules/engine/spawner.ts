/** Starts processes through a small program, which does so faster than we can. */

import { ClibsError } from "../../errors.ts";
import { pathToBytes } from "../../host/bytes_path.ts";

/** What to start. */
export interface SpawnRequest {
  /** Program, absolute, and arguments. */
  argv: readonly string[];
  /** Folder to run in. */
  cwd: string;
  /** The whole environment. */
  env: Readonly<Record<string, string>>;
  /** File that is standard input. */
  stdin: string;
  /** File that standard output goes to; it is made or emptied. */
  stdout: string;
  /** File that standard error goes to. */
  stderr: string;
  /** Whether its group is killed when it ends. */
  killGroup: boolean;
}

/** How a process ended. */
export interface SpawnEnd {
  /** Exit code; undefined if a signal ended it. */
  code: number | undefined;
  /** Number of the signal that ended it. */
  signal: number | undefined;
  /** Processor time of it and of what it waited for. */
  cpuMs: number;
  /** Most memory that one of its processes had. */
  peakMb: number;
}

/** A process that runs. */
export interface Spawned {
  /** Its pid, which is also its process group and session. */
  pid: number;
  /** Settled when it has ended. */
  ended: Promise<SpawnEnd>;
}

interface Pending {
  started: PromiseWithResolvers<Spawned>;
  ended: PromiseWithResolvers<SpawnEnd>;
  program: string;
}

const STARTED = 1;
const FAILED = 3;
const ANSWER_SIZE = 32;
const KILL_GROUP = 1;

/** A running spawner. When it or we end, so do all its processes. */
export class Spawner {
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #pending = new Map<number, Pending>();
  readonly #answers: Promise<void>;
  #next = 1;

  /** @param program Path of the compiled `spawn.c`. */
  constructor(program: string) {
    this.#child = new Deno.Command(program, {
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
      clearEnv: true,
    }).spawn();
    this.#writer = this.#child.stdin.getWriter();
    this.#answers = this.#read();
  }

  /**
   * Starts a process.
   *
   * @throws {ClibsError} `CLIBS_JOB_START` if it cannot be.
   */
  async start(request: SpawnRequest): Promise<Spawned> {
    const id = this.#next++;
    const pending: Pending = {
      started: Promise.withResolvers(),
      ended: Promise.withResolvers(),
      program: request.argv[0] ?? "",
    };
    // Nobody may be listening when the spawner itself is killed.
    pending.ended.promise.catch(() => {});
    this.#pending.set(id, pending);
    this.#writer.write(encode(id, request)).catch(() => {});
    return await pending.started.promise;
  }

  /** Ends it, and all its processes with it. */
  async close(): Promise<void> {
    await this.#writer.close().catch(() => {});
    await this.#answers;
    await this.#child.status;
  }

  async #read(): Promise<void> {
    let rest = new Uint8Array(0);
    for await (const chunk of this.#child.stdout) {
      const bytes = new Uint8Array(rest.length + chunk.length);
      bytes.set(rest);
      bytes.set(chunk, rest.length);
      let at = 0;
      for (; at + ANSWER_SIZE <= bytes.length; at += ANSWER_SIZE) {
        this.#answer(new DataView(bytes.buffer, at, ANSWER_SIZE));
      }
      rest = bytes.slice(at);
    }
    const lost = new ClibsError(
      "CLIBS_JOB_START",
      "Cannot run jobs: the process that starts them is gone",
    );
    for (const { started, ended } of this.#pending.values()) {
      started.promise.catch(() => {});
      started.reject(lost);
      ended.reject(lost);
    }
  }

  #answer(view: DataView): void {
    const id = view.getUint32(0, true);
    const kind = view.getUint32(4, true);
    const value = view.getInt32(8, true);
    const pending = this.#pending.get(id);
    if (!pending) return;
    if (kind === STARTED) {
      pending.started.resolve({ pid: value, ended: pending.ended.promise });
      return;
    }
    this.#pending.delete(id);
    if (kind === FAILED) {
      pending.started.reject(
        new ClibsError(
          "CLIBS_JOB_START",
          `Cannot run ${pending.program}: error ${value} of the system`,
          { facts: { program: pending.program } },
        ),
      );
      return;
    }
    const signal = value & 0x7f;
    pending.ended.resolve({
      code: signal === 0 ? value >> 8 & 0xff : undefined,
      signal: signal === 0 ? undefined : signal,
      cpuMs: Number(view.getBigUint64(16, true)) / 1000,
      peakMb: Number(view.getBigUint64(24, true)) / 1024,
    });
  }
}

function encode(id: number, request: SpawnRequest): Uint8Array {
  const env = Object.entries(request.env).map(([name, value]) =>
    `${name}=${value}`
  );
  const texts = [
    request.cwd,
    request.stdin,
    request.stdout,
    request.stderr,
    ...request.argv,
    ...env,
  ];
  // A NUL would end a text early; no argument and no variable can have one.
  const body = pathToBytes(
    texts.map((text) => `${text.replaceAll("\0", "")}\0`).join(""),
  );
  const bytes = new Uint8Array(20 + body.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 16 + body.length, true);
  view.setUint32(4, id, true);
  view.setUint32(8, request.killGroup ? KILL_GROUP : 0, true);
  view.setUint32(12, request.argv.length, true);
  view.setUint32(16, env.length, true);
  bytes.set(body, 20);
  return bytes;
}
