/** Programs named like Slurm's that ask a function of the test what to say. */

import { symlinkSync } from "node:fs";
import { compileProgram } from "./compile.ts";
import { TempDir } from "./temp.ts";

/** What a program says. */
export interface FakeReply {
  /** Exit code. Default: 0. */
  code?: number;
  stdout?: string;
  stderr?: string;
}

/** Answers for all programs. */
export type FakeHandler = (
  program: string,
  args: string[],
) => FakeReply | Promise<FakeReply>;

/** Sends its name and arguments, prints what comes back. */
const CLIENT = `
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
static char buffer[1 << 20];
static void get(int fd, void *to, size_t size) {
  for (size_t done = 0; done < size;) {
    ssize_t n = read(fd, (char *)to + done, size - done);
    if (n <= 0) exit(99);
    done += (size_t)n;
  }
}
int main(int argc, char **argv) {
  char self[4096] = "";
  if (readlink("/proc/self/exe", self, sizeof self - 1) < 0) return 98;
  strcpy(strrchr(self, '/'), "/socket");
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strcpy(address.sun_path, self);
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0) return 97;
  uint32_t size = 4;
  for (int i = 0; i < argc; i++) {
    const char *text = i ? argv[i] : strrchr(argv[0], '/') + 1;
    strcpy(buffer + size, text);
    size += (uint32_t)strlen(text) + 1;
  }
  uint32_t body = size - 4;
  memcpy(buffer, &body, 4);
  if (write(fd, buffer, size) != (ssize_t)size) return 96;
  uint32_t head[3];
  get(fd, head, sizeof head);
  for (int i = 1; i < 3; i++) {
    for (uint32_t left = head[i]; left > 0;) {
      uint32_t part = left < sizeof buffer ? left : sizeof buffer;
      get(fd, buffer, part);
      if (write(i, buffer, part) < 0) return 95;
      left -= part;
    }
  }
  return (int)head[0];
}
`;

/** A folder with the programs; `await using` removes it. */
export class FakeSlurm implements AsyncDisposable {
  readonly #dir = new TempDir();
  readonly #listener: Deno.UnixListener;
  readonly #serving = new Set<Promise<void>>();
  readonly #accepting: Promise<void>;
  #handler: FakeHandler;

  constructor(handler: FakeHandler) {
    this.#handler = handler;
    compileProgram(CLIENT, this.#dir.join("client"));
    for (const name of ["sbatch", "squeue", "scancel", "scontrol", "sinfo"]) {
      symlinkSync("client", this.#dir.join(name));
    }
    this.#listener = Deno.listen({
      transport: "unix",
      path: this.#dir.join("socket"),
    });
    this.#accepting = this.#accept();
  }

  /** Folder of the programs, to stand in `PATH`. */
  get path(): string {
    return this.#dir.path;
  }

  /** Has another function answer from now on. */
  set handler(handler: FakeHandler) {
    this.#handler = handler;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await this.#accepting;
    await Promise.all(this.#serving);
    this.#dir[Symbol.dispose]();
  }

  async #accept(): Promise<void> {
    for (;;) {
      let socket: Deno.UnixConn;
      try {
        socket = await this.#listener.accept();
      } catch {
        return;
      }
      const serving = this.#serve(socket).finally(() =>
        this.#serving.delete(serving)
      );
      this.#serving.add(serving);
    }
  }

  async #serve(socket: Deno.UnixConn): Promise<void> {
    try {
      const size = new DataView((await exactly(socket, 4)).buffer);
      const text = new TextDecoder().decode(
        await exactly(socket, size.getUint32(0, true)),
      );
      const [program = "", ...args] = text.split("\0").slice(0, -1);
      const { code = 0, stdout = "", stderr = "" } = await this.#handler(
        program,
        args,
      );
      const texts = [stdout, stderr].map((one) =>
        new TextEncoder().encode(one)
      );
      const head = new Uint32Array([
        code,
        ...texts.map(({ length }) => length),
      ]);
      const reply = [new Uint8Array(head.buffer), ...texts];
      const writer = socket.writable.getWriter();
      for (const part of reply) await writer.write(part);
      await writer.close();
    } catch {
      // The client was killed.
    } finally {
      try {
        socket.close();
      } catch {
        // Closed with its stream.
      }
    }
  }
}

async function exactly(
  socket: Deno.UnixConn,
  size: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(size);
  for (let done = 0; done < size;) {
    const n = await socket.read(bytes.subarray(done));
    if (n === null) throw new Error("cut off");
    done += n;
  }
  return bytes;
}

/** A job of a cluster that is not there. */
export interface FakeJob {
  id: number;
  state: "PENDING" | "RUNNING" | "CANCELLED" | "COMPLETED";
  comment: string;
  /** Arguments of its `sbatch`. */
  args: string[];
  /** What to run, and for what. */
  script: string;
  request: string;
}

/** How a cluster that is not there runs its jobs. */
export interface FakeClusterOptions {
  /** Jobs at once. */
  slots: number;
  /** Runs a job; it has ended when the promise settles. */
  run: (job: FakeJob) => Promise<void>;
}

/** Keeps jobs as Slurm does, as far as clibs looks. */
export class FakeCluster {
  readonly jobs = new Map<number, FakeJob>();
  /** Number of calls by program. */
  readonly calls = new Map<string, number>();
  /** When the daemon was started. */
  bootedMs: number = Date.now() - 3600_000;
  readonly #options: FakeClusterOptions;
  readonly #waiting: FakeJob[] = [];
  readonly #running = new Set<Promise<void>>();
  #nextId = 1;

  constructor(options: FakeClusterOptions) {
    this.#options = options;
  }

  /** Answers for the programs. */
  readonly handle: FakeHandler = (program, args) => {
    this.calls.set(program, (this.calls.get(program) ?? 0) + 1);
    if (program === "sbatch") return { stdout: `${this.#submit(args)}\n` };
    if (program === "squeue") return { stdout: this.#list(args) };
    if (program === "scancel") return this.#cancel(args);
    if (program === "sinfo") {
      return { stdout: `0/${this.#options.slots}/0/9\n` };
    }
    const date = new Date(this.bootedMs - OFFSET_MS).toISOString().slice(0, 19);
    return { stdout: `BOOT_TIME               = ${date}\n` };
  };

  /** Forgets a job as a daemon does that lost its state. */
  forget(id: number): void {
    const job = this.jobs.get(id);
    this.jobs.delete(id);
    const at = this.#waiting.indexOf(job!);
    if (at >= 0) this.#waiting.splice(at, 1);
  }

  /** Waits until nothing runs. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  #submit(args: string[]): number {
    const id = this.#nextId++;
    const job: FakeJob = {
      id,
      state: "PENDING",
      comment: valueOf(args, "--comment="),
      args,
      script: args.at(-2)!,
      request: args.at(-1)!,
    };
    this.jobs.set(id, job);
    this.#waiting.push(job);
    this.#startMore();
    return id;
  }

  #startMore(): void {
    while (this.#running.size < this.#options.slots) {
      const job = this.#waiting.shift();
      if (!job) return;
      job.state = "RUNNING";
      const running = this.#options.run(job).finally(() => {
        this.#running.delete(running);
        if (job.state === "RUNNING") job.state = "COMPLETED";
        this.#startMore();
      });
      this.#running.add(running);
    }
  }

  #list(args: string[]): string {
    const all = args.includes("--states=all");
    const only = Number(valueOf(args, "--jobs=")) || undefined;
    return [...this.jobs.values()]
      .filter(({ id, state }) =>
        only === undefined
          ? all || state === "PENDING" || state === "RUNNING"
          : id === only
      )
      .map(({ id, state, comment }) => `${id}|${state}|None|${comment}\n`)
      .join("");
  }

  #cancel(args: string[]): FakeReply {
    // Signals are for nodes, and there are none.
    if (args.some((arg) => arg.startsWith("--signal"))) return {};
    for (const id of args.map(Number)) {
      const job = this.jobs.get(id);
      if (job?.state !== "PENDING" && job?.state !== "RUNNING") continue;
      job.state = "CANCELLED";
      const at = this.#waiting.indexOf(job);
      if (at >= 0) this.#waiting.splice(at, 1);
    }
    return {};
  }
}

/** Slurm tells dates as the clock on the wall does. */
const OFFSET_MS = new Date().getTimezoneOffset() * 60_000;

function valueOf(args: readonly string[], flag: string): string {
  return args.find((arg) => arg.startsWith(flag))?.slice(flag.length) ?? "";
}
