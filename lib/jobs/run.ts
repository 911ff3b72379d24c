/**
 * Runs one command as a job: a process group of its own, its output line by
 * line, and nothing left behind however it, or clibs, ends.
 */

import { setTimeout as sleep } from "node:timers/promises";
import { CancelledError, ClibsError } from "../errors.ts";
import { endEscaped } from "./escaped.ts";
import { JOB_ID_VARIABLE, killGroup } from "./group.ts";
import { readLines } from "./lines.ts";

/** What to run. */
export interface JobRequest {
  /** A bash script; it runs under `set -e`. */
  script: string;
  /** Folder to run in. */
  cwd: string;
  /**
   * The whole environment. By its `CLIBS_JOB_ID`, if it has one, processes are
   * known that leave the group and hold the output open; they are ended too.
   */
  env: Record<string, string>;
  /** Gets each line of output, without its end, in the order of each stream. */
  onLine?: (line: string, stream: "stdout" | "stderr") => void;
  /** Called once the group exists and before the script starts. */
  onStart?: (group: JobGroup) => void;
  /** Kills the whole group. */
  signal?: AbortSignal;
  /** Kills the whole group after so many milliseconds. Default: never. */
  timeoutMs?: number;
}

/** How long output may stay open after the group was killed. */
const ESCAPED_MS = 200;

/** The process group of a job. */
export interface JobGroup {
  /** Process group id, which is also the pid of its leader. */
  pgid: number;
}

/** How a job ended. */
export interface JobResult {
  /** Exit code; 128 + N if signal N ended it. */
  code: number;
  /** Wall-clock time. */
  durationMs: number;
  /** Whether `timeoutMs` ended it. */
  timedOut: boolean;
}

/**
 * The shell around the script. Its standard input is a pipe whose other end
 * only clibs holds: a line on it starts the script, and its end, which also
 * comes when clibs is killed with SIGKILL, kills the group.
 */
const WRAPPER = `
exec 3<&0 </dev/null
read -r go <&3 || exit 125
( read -r _ <&3; kill -KILL 0 ) >/dev/null 2>&1 &
exec 3<&-
exec "$BASH" -e -c "$1" clibs
`;

/**
 * Runs a bash script to its end.
 *
 * Whatever the script left running in its group is killed when it ends, so
 * that nothing writes into a tree that counts as complete.
 *
 * @throws {ClibsError} `CLIBS_TOOL_MISSING` if there is no bash.
 * @throws {CancelledError} If `signal` fires; the group is dead by then.
 */
export async function runJob(request: JobRequest): Promise<JobResult> {
  if (request.signal?.aborted) throw new CancelledError();
  const started = performance.now();
  const child = spawn(request);
  const group = { pgid: child.pid };
  let timedOut = false;
  const kill = () => killGroup(group.pgid);
  const timer = request.timeoutMs === undefined ? undefined : setTimeout(() => {
    timedOut = true;
    kill();
  }, request.timeoutMs);
  request.signal?.addEventListener("abort", kill, { once: true });
  const control = child.stdin.getWriter();
  try {
    request.onStart?.(group);
    const onLine = request.onLine ?? (() => {});
    let refused: { error: unknown } | undefined;
    const read = (stream: "stdout" | "stderr") =>
      readLines(child[stream], (line) => onLine(line, stream)).catch(
        (error) => {
          // Whoever takes the lines cannot: its log is on a full disk, say.
          refused ??= { error };
          kill();
        },
      );
    const output = Promise.all([read("stdout"), read("stderr")]);
    await control.write(new TextEncoder().encode("go\n")).catch(() => {});
    const status = await child.status;
    // Before the output is awaited: a left-over process holds its pipe open.
    kill();
    const isOver = await settles(output, ESCAPED_MS);
    const id = request.env[JOB_ID_VARIABLE];
    // It went into a session of its own, and would be waited for without end.
    if (!isOver && id !== undefined) await endEscaped(id);
    await output;
    if (refused) throw refused.error;
    if (request.signal?.aborted) throw new CancelledError();
    return {
      code: status.code,
      durationMs: Math.round(performance.now() - started),
      timedOut,
    };
  } catch (error) {
    kill();
    throw error;
  } finally {
    clearTimeout(timer);
    request.signal?.removeEventListener("abort", kill);
    await control.close().catch(() => {});
  }
}

/** Whether a promise is settled within some time. */
async function settles(
  promise: Promise<unknown>,
  timeoutMs: number,
): Promise<boolean> {
  const timer = new AbortController();
  const late = sleep(timeoutMs, false, { signal: timer.signal })
    .catch(() => false);
  try {
    return await Promise.race([promise.then(() => true), late]);
  } finally {
    timer.abort();
  }
}

function spawn(request: JobRequest): Deno.ChildProcess {
  try {
    return new Deno.Command("bash", {
      args: ["--noprofile", "--norc", "-c", WRAPPER, "clibs", request.script],
      cwd: request.cwd,
      env: request.env,
      clearEnv: true,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
      detached: true,
    }).spawn();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new ClibsError(
      "CLIBS_TOOL_MISSING",
      "Cannot run bash: it is not on PATH",
      {
        cause: error,
        hint: "install bash",
      },
    );
  }
}
