/** Starts processes through a small program, which does so faster than we can. */

import { ClibsError } from "../../errors.ts";
import { pathToBytes } from "../../host/bytes_path.ts";

/** What to start. */
export interface SpawnRequest {
  /** Program, absolute, and arguments. */
  argv: readonly string[];
  /** What the program is told that it is called. Default: its path. */
  calledAs?: string | undefined;
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
  /** When it is to start. Default: at once. */
  turn?: Turn | undefined;
}

/** A place in a queue that the spawner serves by itself. */
export interface Turn {
  /** Small number of the jobs that take each other's places. */
  class: number;
  /** How many of them have to end first; 0: none. */
  after: number;
}

/** Whoever starts jobs when their turn comes. */
export interface Turns {
  /** Counts a job as ended that was never started. */
  pass(turn: Turn): void;
  /** A turn that nobody will take: the later ones come one earlier. */
  skip(turn: Turn): void;
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
const PASS = 2;
const SKIP = 4;

/** A running spawner. When it or we end, so do all its processes. */
export class Spawner implements Turns {
  readonly #child: Deno.ChildProcess;
  /** The same pipe as its standard input: what is written has left us. */
  readonly #requests: Deno.FsFile;
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
    this.#requests = Deno.openSync(`/proc/${this.#child.pid}/fd/0`, {
      write: true,
    });
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
    this.#write(encode(id, request));
    return await pending.started.promise;
  }

  /** See {@linkcode Turns}. */
  pass(turn: Turn): void {
    this.#tell(turn, PASS);
  }

  /** See {@linkcode Turns}. */
  skip(turn: Turn): void {
    this.#tell(turn, SKIP);
  }

  #tell(turn: Turn, flags: number): void {
    const nothing = { argv: [], cwd: "", env: {}, stdin: "", stdout: "" };
    const request = { ...nothing, stderr: "", killGroup: false, turn };
    this.#write(encode(0, request, flags));
  }

  #write(bytes: Uint8Array): void {
    try {
      for (let at = 0; at < bytes.length;) {
        at += this.#requests.writeSync(bytes.subarray(at));
      }
    } catch {
      // It is gone, as its answers will say.
    }
  }

  /** Ends it, and all its processes with it. */
  async close(): Promise<void> {
    this.#requests.close();
    await this.#child.stdin.close().catch(() => {});
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

function encode(
  id: number,
  request: SpawnRequest,
  flags = request.killGroup ? KILL_GROUP : 0,
): Uint8Array {
  const env = Object.entries(request.env).map(([name, value]) =>
    `${name}=${value}`
  );
  const texts = [
    request.cwd,
    request.stdin,
    request.stdout,
    request.stderr,
    request.argv[0] ?? "",
    ...(request.calledAs === undefined
      ? request.argv
      : [request.calledAs, ...request.argv.slice(1)]),
    ...env,
  ];
  // A NUL would end a text early; no argument and no variable can have one.
  const body = pathToBytes(
    texts.map((text) => `${text.replaceAll("\0", "")}\0`).join(""),
  );
  const { turn = { class: 0, after: 0 } } = request;
  const head = Uint32Array.of(
    6 * 4 + body.length,
    id,
    flags,
    request.argv.length,
    env.length,
    turn.class,
    turn.after,
  );
  const bytes = new Uint8Array(head.byteLength + body.length);
  bytes.set(new Uint8Array(head.buffer));
  bytes.set(body, head.byteLength);
  return bytes;
}
