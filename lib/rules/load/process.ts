/** The process that reads `Lmakefile.ts`, from outside. */

import { CancelledError, ClibsError } from "../../errors.ts";
import { killGroup } from "../../jobs/group.ts";
import { readLines } from "../../jobs/lines.ts";
import { endError, timeoutError } from "./failures.ts";
import { type Answer, ANSWER_FD, REQUEST_FD } from "./protocol.ts";

/** A program with its arguments, and its whole environment. */
export interface CommandLine {
  argv: string[];
  env: Record<string, string>;
}

/** How to start the process. */
export interface ProcessOptions extends CommandLine {
  /** Folder to run in. */
  cwd: string;
  /** Root of the repo. */
  root: string;
  /** Gets what the user's code prints, by line. */
  onOutput: (line: string) => void;
  /** Ends the process. */
  signal?: AbortSignal;
}

/** Lines of output that may explain an end without a word. */
const KEPT_LINES = 20;

/**
 * Moves our pipes away from the descriptors that belong to the user's code.
 * The limit of CPU time, half an hour, is for a process in an endless loop
 * whose clibs was killed: it would not notice.
 */
const WRAPPER = `ulimit -S -t 1800 2>/dev/null
exec ${ANSWER_FD}>&1 1>&2 ${REQUEST_FD}<&0 0</dev/null
exec "$@"`;

/** A process that answers in lines. */
export class ReaderProcess {
  readonly #child: Deno.ChildProcess;
  readonly #options: ProcessOptions;
  readonly #requests: WritableStreamDefaultWriter<Uint8Array>;
  readonly #answers: AsyncGenerator<string>;
  readonly #output: Promise<void>;
  readonly #lines: string[] = [];
  readonly #abort = () => this.kill();
  #isOver = false;

  /**
   * Starts the process.
   *
   * @throws {ClibsError} `CLIBS_TOOL_MISSING` if there is no /bin/sh.
   */
  constructor(options: ProcessOptions) {
    this.#options = options;
    if (options.signal?.aborted) throw new CancelledError();
    this.#child = new Deno.Command("/bin/sh", {
      args: ["-c", WRAPPER, "sh", ...options.argv],
      cwd: options.cwd,
      env: options.env,
      clearEnv: true,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
      detached: true,
    }).spawn();
    this.#requests = this.#child.stdin.getWriter();
    this.#answers = lines(this.#child.stdout);
    this.#output = readLines(this.#child.stderr, (line) => {
      this.#lines.push(line);
      if (this.#lines.length > KEPT_LINES) this.#lines.shift();
      options.onOutput(line);
    });
    options.signal?.addEventListener("abort", this.#abort, { once: true });
  }

  /** Sends a line. */
  async send(message: unknown): Promise<void> {
    const bytes = new TextEncoder().encode(`${JSON.stringify(message)}\n`);
    // One that has ended says so when it is asked for its answer.
    await this.#requests.write(bytes).catch(() => {});
  }

  /**
   * The next line.
   *
   * @param action What for, such as `read Lmakefile.ts`.
   * @throws {ClibsError} If the process ends, or takes too long; it has ended
   *   then.
   */
  async receive(action: string, timeoutMs: number): Promise<Answer> {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      this.kill();
    }, timeoutMs);
    const { value } = await this.#answers.next()
      .finally(() => clearTimeout(timer));
    if (value !== undefined) return JSON.parse(value);
    const { code } = await this.#child.status;
    await this.close();
    if (this.#options.signal?.aborted) throw new CancelledError();
    if (isLate) throw timeoutError(timeoutMs, action);
    throw endError(this.#lines, code, { action, root: this.#options.root });
  }

  /** Waits until the process has ended by itself, or ends it. */
  async close(): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#options.signal?.removeEventListener("abort", this.#abort);
    // It ends when it can read nothing more.
    await this.#requests.close().catch(() => {});
    const timer = setTimeout(() => this.kill(), 2000);
    await this.#child.status;
    clearTimeout(timer);
    // What it left running would hold its pipes open.
    this.kill();
    await this.#answers.return(undefined);
    await this.#output;
  }

  /** Ends the process, and what it started. */
  kill(): void {
    killGroup(this.#child.pid);
  }
}

/** Lines of a stream, however long. */
async function* lines(
  stream: ReadableStream<Uint8Array>,
): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  const pieces: string[] = [];
  for await (const chunk of stream) {
    const [first = "", ...rest] = decoder.decode(chunk, { stream: true })
      .split("\n");
    pieces.push(first);
    for (const next of rest) {
      yield pieces.splice(0).join("");
      pieces.push(next);
    }
  }
}

/** The error of asking a process that is no more. */
export function closedError(action: string): ClibsError {
  return new ClibsError(
    "CLIBS_LMAKE_PROCESS",
    `Cannot ${action}: the process that read Lmakefile.ts has ended`,
    { hint: "run the command again" },
  );
}
