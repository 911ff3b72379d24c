/** Short helper processes whose output is wanted as text. */

import { CancelledError, ClibsError } from "../errors.ts";

/** What to run. */
export interface ProcessRequest {
  /** Program, found on PATH, or a path. */
  command: string;
  /** Its arguments. */
  args?: readonly string[];
  /** Folder to run in. Default: the caller's. */
  cwd?: string;
  /** Variables of the environment. */
  env?: Record<string, string>;
  /** Whether `env` is all there is, or is added to the caller's. Default: false. */
  clearEnv?: boolean;
  /** Text for standard input. Default: none. */
  input?: string;
  /** Kills the process. */
  signal?: AbortSignal;
}

/** How a process ended. */
export interface ProcessResult {
  /** Exit code; 128 + N if signal N ended it. */
  code: number;
  /** Whether `code` is 0. */
  ok: boolean;
  /** Standard output, as UTF-8. */
  stdout: string;
  /** Standard error, as UTF-8. */
  stderr: string;
}

/**
 * Runs a process to its end and returns what it printed.
 *
 * @throws {ClibsError} `CLIBS_TOOL_MISSING` if there is no such program.
 * @throws {CancelledError} If `signal` fires.
 */
export async function runProcess(
  request: ProcessRequest,
): Promise<ProcessResult> {
  if (request.signal?.aborted) throw new CancelledError();
  let child: Deno.ChildProcess;
  try {
    child = new Deno.Command(request.command, {
      args: [...request.args ?? []],
      cwd: request.cwd,
      env: request.env,
      clearEnv: request.clearEnv ?? false,
      stdin: request.input === undefined ? "null" : "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new ClibsError(
      "CLIBS_TOOL_MISSING",
      `Cannot run ${request.command}: it is not on PATH`,
      { cause: error, hint: `install ${request.command}` },
    );
  }
  const kill = () => {
    try {
      child.kill("SIGKILL");
    } catch {
      // It has ended already.
    }
  };
  request.signal?.addEventListener("abort", kill, { once: true });
  try {
    if (request.input !== undefined) {
      const writer = child.stdin.getWriter();
      // A child that does not read its input to the end is not our failure.
      await writer.write(new TextEncoder().encode(request.input))
        .catch(() => {});
      await writer.close().catch(() => {});
    }
    const output = await child.output();
    if (request.signal?.aborted) throw new CancelledError();
    return {
      code: output.code,
      ok: output.success,
      stdout: new TextDecoder().decode(output.stdout),
      stderr: new TextDecoder().decode(output.stderr),
    };
  } finally {
    request.signal?.removeEventListener("abort", kill);
  }
}

/**
 * Path of a program on PATH; undefined if it is not there.
 *
 * @param name Program name without a folder.
 * @param searchPath Folders, joined as in PATH. Default: the caller's PATH.
 */
export function findProgram(
  name: string,
  searchPath: string = Deno.env.get("PATH") ?? "",
): string | undefined {
  const windows = Deno.build.os === "windows";
  for (const folder of searchPath.split(windows ? ";" : ":")) {
    if (folder === "") continue;
    for (const suffix of windows ? [".exe", ".cmd", ""] : [""]) {
      const path = `${folder}/${name}${suffix}`;
      try {
        const info = Deno.statSync(path);
        if (info.isFile && (windows || (info.mode ?? 0) & 0o111)) return path;
      } catch {
        // Not here.
      }
    }
  }
  return undefined;
}
