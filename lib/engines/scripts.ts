/** Script duties: small programs in Python, JavaScript and TypeScript. */

import { extname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { ClibsError, toClibsError, UsageError } from "../errors.ts";
import type { Feedback } from "../feedback/bus.ts";
import { feedback as sharedBus } from "../feedback/hub.ts";
import { lstatIfExists, sortedEntries } from "../host/files.ts";
import { findProgram } from "../host/process.ts";
import { commandLine } from "../host/shell.ts";
import { runJob } from "../jobs/run.ts";
import { describePython } from "../toolchain/python.ts";

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
  /** Whether it ended with exit code 0. */
  ok: boolean;
  /** Exit code; 128 + N if signal N ended it. */
  code: number;
  /** Whether its time was over. */
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
/** Limit of what is kept of each stream, in characters. */
const MAX_OUTPUT = 1 << 20;
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
  const output = { stdout: "", stderr: "" };
  let truncated = false;
  const result = await runJob({
    script: `exec ${commandLine(command)}`,
    cwd: dir,
    env: { ...Deno.env.toObject(), ...options.env },
    timeoutMs: options.timeoutMs ?? 60_000,
    signal: options.signal,
    onLine(line, stream) {
      if (output[stream].length + line.length < MAX_OUTPUT) {
        output[stream] += `${line}\n`;
      } else truncated = true;
      const fields = { task: `script ${script}`, stream, line };
      bus.emit("info", "command.output", line, fields);
    },
  });
  const { code, timedOut, durationMs } = result;
  const ok = code === 0;
  bus.emit(
    ok ? "success" : "error",
    "note",
    `${script}: ${
      ok ? "done" : timedOut ? "its time was over" : `exit code ${code}`
    }`,
    { about: "script.end", script, code, timedOut },
  );
  return { script, ok, code, timedOut, durationMs, ...output, truncated };
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
  const dir = resolve(options.sourceDir ?? SCRIPT_DIR);
  if (!lstatIfExists(dir)) throw missing(dir);
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
  if (!lstatIfExists(whole)) throw missing(whole);
  // A link may lead anywhere.
  if (!isBelow(Deno.realPathSync(dir), Deno.realPathSync(whole))) {
    throw escape(dir, path);
  }
  return resolve(whole);
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

function missing(path: string): ClibsError {
  return new ClibsError(
    "CLIBS_SCRIPT_MISSING",
    `Cannot run ${path}: there is nothing of that name`,
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
