/** Script duties: small programs in Python, JavaScript and TypeScript. */

import { extname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { ClibsError, toClibsError, UsageError } from "../errors.ts";
import type { Feedback } from "../feedback/bus.ts";
import { feedback as sharedBus } from "../feedback/hub.ts";
import { isAbsent, sortedEntries } from "../host/files.ts";
import { findProgram } from "../host/process.ts";
import { commandLine } from "../host/shell.ts";
import { endEscaped } from "../jobs/escaped.ts";
import { JOB_ID_VARIABLE } from "../jobs/group.ts";
import { type JobRequest, type JobResult, runJob } from "../jobs/run.ts";
import { describePython } from "../toolchain/python.ts";
import { ScriptOutput } from "./script_output.ts";

/** Options of {@linkcode runScriptAll}. */
export interface ScriptOptions {
  /** Folder with the scripts. Default: `core/scripts`. */
  sourceDir?: string;
  /** Limit of one script, in milliseconds. Default: 60,000. */
  timeoutMs?: number;
  /** Python for `.py`. Default: `$CLIBS_PYTHON`, else python3. */
  python?: string;
  /** Deno permissions of `.js` and `.ts`, such as `read` or `net=localhost`. Default: none. */
  permissions?: readonly string[];
  /** Variables added to the environment. */
  env?: Record<string, string>;
  /** Where the output is reported. Default: the shared `feedback` bus. */
  feedback?: Feedback;
  /** Interrupts the scripts. */
  signal?: AbortSignal;
}

/** Options of {@linkcode runScript}. */
export interface RunScriptOptions extends ScriptOptions {
  /** The script, relative to the folder. */
  path: string;
  /** Its arguments. */
  args?: readonly string[];
}

/** How a script ended. */
export interface ScriptResult {
  /** The script, relative to the folder. */
  script: string;
  /** Whether it ended with exit code 0, and in time. */
  ok: boolean;
  /** Exit code; 128 + N if signal N ended it. */
  code: number;
  /** Whether its time, or that of what it left running, was over. */
  timedOut: boolean;
  /** Wall-clock time. */
  durationMs: number;
  /** What it printed; 1 MiB at most. */
  stdout: string;
  /** What it printed as errors; 1 MiB at most. */
  stderr: string;
  /** Whether some of the output was left out. */
  truncated: boolean;
}

/** Result of {@linkcode runScriptAll}. */
export interface ScriptReport {
  /** Version of this form. */
  version: 1;
  /** Whether all scripts ended well. */
  ok: boolean;
  /** Each script, by name. */
  results: ScriptResult[];
}

/** Default of `sourceDir`. */
const SCRIPT_DIR = "core/scripts";
/** A longer time does not fit into a timer, which would end at once. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;
/** Deno's permissions. */
const PERMISSIONS = /^(read|write|net|env|sys|run|ffi|import)(=[^\0]*)?$/;

/**
 * Runs a script to its end. `.py` runs in Python; `.js`, `.mjs` and `.ts` run in
 * Deno, without permissions unless some are given.
 *
 * @throws {UsageError} `CLIBS_SCRIPT_PATH` if the script is not in the folder,
 *   `CLIBS_SCRIPT_KIND` if it is none of those, `CLIBS_SCRIPT_PERMISSION` if a
 *   permission is not one of Deno's.
 * @throws {ClibsError} `CLIBS_SCRIPT_MISSING` if there is no such script.
 */
export async function runScript(
  options: RunScriptOptions,
): Promise<ScriptResult> {
  const dir = resolve(options.sourceDir ?? SCRIPT_DIR);
  const path = scriptPath(dir, options.path);
  const script = relative(dir, path);
  const command = [
    ...await interpreter(path, options),
    path,
    ...options.args ?? [],
  ];
  const bus = options.feedback ?? sharedBus;
  const output = new ScriptOutput();
  const { code, timedOut, durationMs } = await runWhole({
    script: `exec ${commandLine(command)}`,
    cwd: dir,
    env: { ...Deno.env.toObject(), ...options.env },
    timeoutMs: limit(options.timeoutMs ?? 60_000),
    signal: options.signal,
    onLine(line, stream) {
      output.add(line, stream);
      const fields = { task: `script ${script}`, stream, line };
      bus.emit("info", "command.output", line, fields);
    },
  });
  const ok = code === 0 && !timedOut;
  bus.emit(
    ok ? "success" : "error",
    "note",
    `${script}: ${
      ok ? "done" : timedOut ? "its time was over" : `exit code ${code}`
    }`,
    { about: "script.end", script, code, timedOut },
  );
  return { script, ok, code, timedOut, durationMs, ...output.kept() };
}

function limit(timeoutMs: number): number | undefined {
  return timeoutMs > MAX_TIMEOUT_MS ? undefined : timeoutMs;
}

/** Runs a job, and ends also what left its process group. */
async function runWhole(request: JobRequest): Promise<JobResult> {
  const id = crypto.randomUUID();
  try {
    return await runJob({
      ...request,
      env: { ...request.env, [JOB_ID_VARIABLE]: id },
    });
  } finally {
    await endEscaped(id);
  }
}

/**
 * Runs all scripts of a folder, one after the other, in the order of their
 * names. One that fails, or cannot be run, does not keep the others from running.
 *
 * @throws {ClibsError} `CLIBS_SCRIPT_MISSING` if there is no such folder.
 */
export async function runScriptAll(
  options: ScriptOptions = {},
): Promise<ScriptReport> {
  const named = resolve(options.sourceDir ?? SCRIPT_DIR);
  const dir = realPath(named);
  if (dir === undefined) throw missing(named);
  if (!Deno.statSync(dir).isDirectory) {
    throw missing(named, "it is not a folder");
  }
  const names = sortedEntries(dir).filter((entry) => !entry.isDirectory)
    .map(({ name }) => name).filter((name) => KINDS.has(extname(name)));
  const results: ScriptResult[] = [];
  for (const path of names) results.push(await runKept({ ...options, path }));
  return { version: 1, ok: results.every(({ ok }) => ok), results };
}

/** A script that cannot be run is one that failed. */
async function runKept(options: RunScriptOptions): Promise<ScriptResult> {
  try {
    return await runScript(options);
  } catch (thrown) {
    const error = toClibsError(thrown);
    // These are the caller's.
    if (error.code === "CLIBS_CANCELLED") throw error;
    if (error.code === "CLIBS_SCRIPT_PERMISSION") throw error;
    return {
      script: options.path,
      ok: false,
      code: 127,
      timedOut: false,
      durationMs: 0,
      stdout: "",
      stderr: `${error.message}\n`,
      truncated: false,
    };
  }
}

const KINDS = new Set([".py", ".js", ".mjs", ".ts"]);

function scriptPath(dir: string, path: string): string {
  const whole = isAbsolute(path) ? path : join(dir, path);
  if (!isBelow(dir, resolve(whole))) throw escape(dir, path);
  const real = realPath(whole);
  if (real === undefined) throw missing(whole);
  // A link may lead anywhere.
  if (!isBelow(Deno.realPathSync(dir), real)) throw escape(dir, path);
  // Python would run a folder, too.
  if (!Deno.statSync(real).isFile) throw missing(whole, "it is not a file");
  return resolve(whole);
}

/** The path without links; undefined if it leads to nothing. */
function realPath(path: string): string | undefined {
  if (path.includes("\0")) return undefined;
  try {
    return Deno.realPathSync(path);
  } catch (error) {
    if (isAbsent(error) || error instanceof Deno.errors.FilesystemLoop) {
      return undefined;
    }
    throw error;
  }
}

function isBelow(dir: string, path: string): boolean {
  return path.startsWith(dir + sep);
}

function escape(dir: string, path: string): UsageError {
  return new UsageError(
    "CLIBS_SCRIPT_PATH",
    `Cannot run ${path}: it is outside of the scripts' folder`,
    { facts: { folder: dir }, hint: "name a script in that folder" },
  );
}

function missing(
  path: string,
  cause = "there is nothing of that name",
): ClibsError {
  return new ClibsError(
    "CLIBS_SCRIPT_MISSING",
    `Cannot run ${path}: ${cause}`,
    { hint: "name the folder with --source-dir (sourceDir)" },
  );
}

async function interpreter(
  path: string,
  options: ScriptOptions,
): Promise<string[]> {
  const kind = extname(path);
  if (!KINDS.has(kind)) {
    throw new UsageError(
      "CLIBS_SCRIPT_KIND",
      `Cannot run ${path}: clibs knows scripts by their ends .py, .js, .mjs and .ts`,
      { hint: "rename it, or call it from a script of those kinds" },
    );
  }
  if (kind === ".py") {
    const { executable } = await describePython(options.python);
    return [executable, "-u"];
  }
  const allowed = (options.permissions ?? []).map((permission) => {
    if (PERMISSIONS.test(permission)) return `--allow-${permission}`;
    throw new UsageError(
      "CLIBS_SCRIPT_PERMISSION",
      `Cannot allow ${JSON.stringify(permission)}: Deno has no such permission`,
      { hint: "use read, write, net, env, sys, run, ffi or import" },
    );
  });
  return [deno(), "run", "--quiet", "--no-prompt", ...allowed];
}

function deno(): string {
  // A compiled clibs cannot run other programs' sources.
  const path = Deno.build.standalone ? findProgram("deno") : Deno.execPath();
  if (path !== undefined) return path;
  throw new ClibsError(
    "CLIBS_TOOL_MISSING",
    "Cannot run deno: it is not on PATH",
    { hint: "install deno" },
  );
}
