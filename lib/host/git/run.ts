/** Runs one git command: watched for progress, and gone when clibs is gone. */

import { CancelledError, ClibsError } from "../../errors.ts";
import type { GitSetting } from "./environment.ts";
import { printable } from "./text.ts";
import { withoutUserInfo } from "./address.ts";

/** What to run. */
export interface GitCommand extends GitSetting {
  /** Command and its arguments. */
  args: readonly string[];
  /** Folder to run in: an existing one. */
  cwd: string;
  /** Text for standard input. Default: none. */
  input?: string;
  /** Kills git and its children after so long without output. Default: never. */
  stallMs?: number;
  /** Kills git and its children. */
  signal?: AbortSignal;
  /** Gets each line of standard error, fit for a terminal. */
  onLine?: (line: string) => void;
}

/** How git ended. */
export interface GitOutput {
  /** Whether the exit code is 0. */
  ok: boolean;
  /** Exit code. */
  code: number;
  /** Standard output. */
  bytes: Uint8Array<ArrayBuffer>;
  /** Standard output as UTF-8. */
  text: string;
  /** Last lines of standard error, printable and without passwords. */
  lines: string[];
  /** Whether it was killed because it was silent for `stallMs`. */
  stalled: boolean;
}

/**
 * The shell around git. Its standard input is a pipe whose other end only clibs
 * holds, so its end tells that clibs was killed: then nobody holds the lock on
 * the cache any more, and git must not go on writing to it.
 */
const WATCHER = `exec 3<&0 4</dev/null
[ -z "$1" ] || exec 4<"$1"
shift
( read -r _ <&3; kill -KILL 0 ) >/dev/null 2>&1 4<&- &
exec <&4 3<&- 4<&-
exec git "$@"`;

/** How many lines of standard error are kept for messages. */
const KEPT_LINES = 30;

/**
 * Runs git to its end, whatever its exit code.
 *
 * @throws {ClibsError} `CLIBS_TOOL_MISSING` if there is no git.
 * @throws {CancelledError} If `signal` fires; git and its children are dead then.
 */
export async function runGit(command: GitCommand): Promise<GitOutput> {
  if (command.signal?.aborted) throw new CancelledError();
  const inputFile = command.input === undefined
    ? ""
    : Deno.makeTempFileSync({ prefix: "clibs-git-" });
  try {
    if (command.input !== undefined) {
      Deno.writeTextFileSync(inputFile, command.input);
    }
    return await watch(command, spawn(command, inputFile));
  } finally {
    if (inputFile !== "") Deno.removeSync(inputFile);
  }
}

function spawn(command: GitCommand, inputFile: string): Deno.ChildProcess {
  const args = [...command.options, ...command.args];
  const windows = Deno.build.os === "windows";
  try {
    return new Deno.Command(windows ? "git" : "/bin/sh", {
      args: windows ? args : ["-c", WATCHER, "git", inputFile, ...args],
      cwd: command.cwd,
      env: command.env,
      clearEnv: true,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
      // A group of its own, so that helpers such as ssh can be killed with it.
      detached: !windows,
    }).spawn();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) throw gitMissing(error);
    throw error;
  }
}

async function watch(
  command: GitCommand,
  child: Deno.ChildProcess,
): Promise<GitOutput> {
  let stalled = false;
  const kill = () => killAll(child);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const alive = () => {
    clearTimeout(timer);
    if (command.stallMs === undefined) return;
    timer = setTimeout(() => {
      stalled = true;
      kill();
    }, command.stallMs);
  };
  command.signal?.addEventListener("abort", kill, { once: true });
  alive();
  try {
    const lines: string[] = [];
    const errors = readLines(child.stderr, alive, (raw) => {
      const line = printable(withoutUserInfo(raw)).trimEnd();
      if (line === "") return;
      command.onLine?.(line);
      if (/:\s+\d+% /.test(line)) return;
      lines.push(line);
      if (lines.length > KEPT_LINES) lines.shift();
    });
    const output = collect(child.stdout, alive);
    const status = await child.status;
    // The watcher, and a helper that outlived git, hold the pipes open.
    kill();
    const [bytes] = await Promise.all([output, errors]);
    if (command.signal?.aborted) throw new CancelledError();
    if (status.code === 127 && lines.some((line) => /not found/.test(line))) {
      throw gitMissing();
    }
    const text = new TextDecoder().decode(bytes);
    return {
      ok: status.success,
      code: status.code,
      bytes,
      text,
      lines,
      stalled,
    };
  } finally {
    clearTimeout(timer);
    command.signal?.removeEventListener("abort", kill);
    await child.stdin.close().catch(() => {});
  }
}

function killAll(child: Deno.ChildProcess): void {
  try {
    if (Deno.build.os === "windows") child.kill("SIGKILL");
    else Deno.kill(-child.pid, "SIGKILL");
  } catch {
    // Gone already.
  }
}

async function collect(
  stream: ReadableStream<Uint8Array>,
  alive: () => void,
): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) {
    alive();
    chunks.push(chunk);
  }
  const whole = new Uint8Array(chunks.reduce((sum, c) => sum + c.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

async function readLines(
  stream: ReadableStream<Uint8Array>,
  alive: () => void,
  onLine: (line: string) => void,
): Promise<void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    alive();
    const lines = (rest + decoder.decode(chunk, { stream: true }))
      .split(/[\r\n]+/);
    // A server may send a line without end.
    rest = (lines.pop() ?? "").slice(0, 4096);
    lines.forEach(onLine);
  }
  onLine(rest);
}

function gitMissing(cause?: unknown): ClibsError {
  return new ClibsError(
    "CLIBS_TOOL_MISSING",
    "Cannot run git: it is not on PATH",
    { cause, hint: "apt-get install git" },
  );
}
