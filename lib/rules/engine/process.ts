/** The process of a job: a group of its own, its streams in files. */

import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { killGroup } from "../../jobs/group.ts";

/** What to run, and how it may be ended. */
export interface ProcessSpec {
  /** Program and arguments. */
  argv: readonly string[];
  /** Folder to run in. */
  cwd: string;
  /** The whole environment. */
  env: Record<string, string>;
  /** File that is standard input. */
  stdin: string;
  /** File that standard output goes to; it is made or emptied. */
  stdout: string;
  /** File that standard error goes to. */
  stderr: string;
  /** Gets standard output as it comes, besides the file. */
  onStdout?: (chunk: Uint8Array) => void;
  /** Signals that end it, one a second; 0 only waits; SIGKILL follows. */
  killSigs: readonly number[];
  /** Seconds until it is ended; 0: never. */
  timeout: number;
  /** Whether what it left running is ended. */
  killDaemons: boolean;
}

/** How a process ended. */
export interface ProcessEnd {
  /** Exit code; undefined if a signal ended it. */
  code: number | undefined;
  /** Signal that ended it. */
  signal: string | undefined;
  /** Whether it took too long. */
  timedOut: boolean;
  /** Whether {@linkcode JobProcess.kill} ended it. */
  killed: boolean;
}

/** A running job. */
export class JobProcess {
  /** Process group, which is also the pid of its leader. */
  readonly pgid: number;
  /** Settled when it has ended and its group is gone. */
  readonly ended: Promise<ProcessEnd>;
  readonly #child: ChildProcess;
  readonly #spec: ProcessSpec;
  #killed = false;
  #timedOut = false;
  #timers = new Set<ReturnType<typeof setTimeout>>();

  /** Starts it. */
  constructor(spec: ProcessSpec) {
    this.#spec = spec;
    const stdin = openSync(spec.stdin, "r");
    const stdout = openSync(spec.stdout, "w");
    const stderr = openSync(spec.stderr, "w");
    try {
      this.#child = spawn(spec.argv[0]!, spec.argv.slice(1), {
        cwd: spec.cwd,
        env: spec.env,
        detached: true,
        stdio: [stdin, spec.onStdout ? "pipe" : stdout, stderr],
      });
    } finally {
      for (const fd of [stdin, stdout, stderr]) closeSync(fd);
    }
    this.pgid = this.#child.pid ?? 0;
    if (spec.timeout > 0) {
      this.#after(spec.timeout * 1000, () => {
        this.#timedOut = true;
        this.#end();
      });
    }
    this.ended = this.#wait();
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
    if (signal === 0 || this.pgid === 0) return;
    if (signal === 9) return killGroup(this.pgid);
    try {
      Deno.kill(-this.pgid, signal as unknown as Deno.Signal);
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

  async #wait(): Promise<ProcessEnd> {
    const copied = this.#copyStdout();
    const end = await new Promise<Pick<ProcessEnd, "code" | "signal">>(
      (resolve, reject) => {
        this.#child.on("error", reject);
        this.#child.on(
          "exit",
          (code, signal) =>
            resolve({ code: code ?? undefined, signal: signal ?? undefined }),
        );
      },
    );
    for (const timer of this.#timers) clearTimeout(timer);
    // Nothing may write into what counts as complete.
    if (this.#spec.killDaemons && this.pgid !== 0) {
      killGroup(this.pgid);
    }
    await copied;
    return { ...end, timedOut: this.#timedOut, killed: this.#killed };
  }

  async #copyStdout(): Promise<void> {
    const { onStdout, stdout } = this.#spec;
    if (!onStdout || !this.#child.stdout) return;
    using file = Deno.openSync(stdout, { append: true });
    for await (const chunk of this.#child.stdout) {
      file.writeSync(chunk);
      onStdout(chunk);
    }
  }
}
