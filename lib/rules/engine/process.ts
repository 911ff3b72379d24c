/** A running job: a session of its own, its streams in files. */

import { constants } from "node:os";
import { killGroup } from "../../jobs/group.ts";
import type { Spawned, Spawner, SpawnRequest } from "./spawner.ts";

/** What to run, and how it may be ended. */
export interface ProcessSpec extends SpawnRequest {
  /** Gets standard output as it comes, besides the file. */
  onStdout?: (chunk: Uint8Array) => void;
  /** Signals that end it, one a second; 0 only waits; SIGKILL follows. */
  killSigs: readonly number[];
  /** Seconds until it is ended; 0: never. */
  timeout: number;
}

/** How a job ended. */
export interface ProcessEnd {
  /** Exit code; undefined if a signal ended it. */
  code: number | undefined;
  /** Signal that ended it. */
  signal: string | undefined;
  /** Whether it took too long. */
  timedOut: boolean;
  /** Whether {@linkcode JobProcess.kill} ended it. */
  killed: boolean;
  /** Milliseconds that it ran, if it may have waited before. */
  ranMs?: number;
  /** Why nobody can say how it ended, if that is so. */
  lost?: string;
  /** Whether that is no fault of the job: it does not count as a try. */
  blameless?: boolean;
}

/** How often a file is looked at that somebody wants to see grow. */
const TAIL_MS = 50;

/** A running job. */
export class JobProcess {
  /** Process group, which is also the pid of its leader. */
  readonly pgid: number;
  /** Settled when it has ended and its group is gone. */
  readonly ended: Promise<ProcessEnd>;
  readonly #spec: ProcessSpec;
  #killed = false;
  #timedOut = false;
  #timers = new Set<ReturnType<typeof setTimeout>>();

  /** Starts a job. */
  static async start(
    spawner: Spawner,
    spec: ProcessSpec,
  ): Promise<JobProcess> {
    return new JobProcess(spec, await spawner.start(spec));
  }

  private constructor(spec: ProcessSpec, spawned: Spawned) {
    this.#spec = spec;
    this.pgid = spawned.pid;
    if (spec.timeout > 0) {
      this.#after(spec.timeout * 1000, () => {
        this.#timedOut = true;
        this.#end();
      });
    }
    this.ended = this.#wait(spawned);
  }

  /** Ends it by the signals of its rule. */
  kill(): void {
    if (this.#killed) return;
    this.#killed = true;
    this.#end();
  }

  #end(): void {
    const signals = [...this.#spec.killSigs, 9];
    signals.forEach((signal, i) =>
      this.#after(i * 1000, () => this.#send(signal))
    );
  }

  #send(signal: number): void {
    if (signal === 0) return;
    if (signal === 9) return killGroup(this.pgid);
    const name = signalName(signal);
    try {
      Deno.kill(-this.pgid, name as Deno.Signal);
    } catch {
      // It has ended already.
    }
  }

  #after(ms: number, action: () => void): void {
    if (ms === 0) return action();
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      action();
    }, ms);
    this.#timers.add(timer);
  }

  async #wait(spawned: Spawned): Promise<ProcessEnd> {
    const { onStdout } = this.#spec;
    const tail = onStdout && new Tail(this.#spec.stdout, onStdout);
    try {
      const { code, signal } = await spawned.ended;
      return {
        code,
        signal: signal === undefined ? undefined : signalName(signal),
        timedOut: this.#timedOut,
        killed: this.#killed,
      };
    } finally {
      for (const timer of this.#timers) clearTimeout(timer);
      tail?.close();
    }
  }
}

/** Name of a signal. */
export function signalName(signal: number): string {
  return Object.entries(constants.signals)
    .find(([, number]) => number === signal)?.[0] ?? `signal ${signal}`;
}

/** Shows a file as it grows. */
export class Tail {
  readonly #file: Deno.FsFile;
  readonly #show: (chunk: Uint8Array) => void;
  readonly #timer: ReturnType<typeof setInterval>;

  /**
   * @param path The file, which is there.
   * @param show Gets what comes.
   */
  constructor(path: string, show: (chunk: Uint8Array) => void) {
    this.#file = Deno.openSync(path, { read: true });
    this.#show = show;
    this.#timer = setInterval(() => this.#more(), TAIL_MS);
  }

  /** Shows the rest. */
  close(): void {
    clearInterval(this.#timer);
    this.#more();
    this.#file.close();
  }

  #more(): void {
    const buffer = new Uint8Array(65536);
    for (let n; (n = this.#file.readSync(buffer)) !== null && n > 0;) {
      this.#show(buffer.slice(0, n));
    }
  }
}
