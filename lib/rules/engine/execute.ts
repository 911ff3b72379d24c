/** Runs a job once: everything from its private folder to what it did. */

import { join } from "node:path";
import { ClibsError } from "../../errors.ts";
import { removeTree } from "../../host/files.ts";
import { findProgram } from "../../host/process.ts";
import { endMarked, JOB_ID_VARIABLE } from "../../jobs/group.ts";
import { type Method, obtainTools, type Tools } from "../../trace/methods.ts";
import { RecordReader } from "../../trace/record.ts";
import { TraceSession } from "../../trace/session.ts";
import type { Backend, BackendJob } from "../backends/backend.ts";
import type { JobServer } from "../channel/server.ts";
import { functionCommand } from "../job/command.ts";
import type { Repo } from "../repo.ts";
import { isOurs, prefixesFor } from "../repo.ts";
import { PRIVATE } from "../root.ts";
import {
  commandText,
  describeFunction,
  jobEnvironment,
  jobRoot,
} from "./command.ts";
import type { Folded } from "./fold.ts";
import type { ProcessEnd } from "./process.ts";
import { RunningJob, type ServiceHost } from "./services.ts";
import type { JobNotes } from "./session.ts";
import type { JobState } from "./state.ts";

/** What one run of a job came to. */
export interface RunResult {
  folded: Folded;
  notes: JobNotes;
  end: ProcessEnd;
  startedMs: number;
  durationMs: number;
  stdout: string;
  stderr: string;
  cmd: string;
  argv: string[];
  env: Record<string, string>;
  stdin: string;
  stdoutTarget: string | undefined;
  tmp: string | undefined;
  /** Programs that could not be traced. */
  unseen: string[];
  /** Set of what it used of the system; see `SystemUse`. */
  system?: string;
  /** Whether accesses were lost. */
  lost: boolean;
  /** When it started, in nanoseconds as file systems count. */
  autodep: string;
}

/** What all runs of a command share. */
export interface ExecuteContext {
  repo: Repo;
  host: ServiceHost;
  server: JobServer;
  /** Where the job runs. */
  backend: Backend;
  /** Folder with the programs that jobs may call. */
  tools: string;
  /** Deno's own cache, which functions need. */
  denoDir: string;
  /** Whether sources may be written. */
  sourcesOk: boolean;
  /** Keeps `$TMPDIR` of all jobs. */
  keepTmp: boolean;
  /** Prints the standard output of some jobs as it comes. */
  onStdout?: (state: JobState, chunk: Uint8Array) => void;
  /** Called once the job runs, which may be late by so many milliseconds. */
  onStart?: (agoMs: number) => void;
  /** Gets each job while it runs. */
  running: Set<BackendJob>;
}

let sequence = 0;
const smallIds = new Set<number>();

/** Runs a job. Its way has been cleared, and its resources taken. */
export async function executeJob(
  context: ExecuteContext,
  state: JobState,
): Promise<RunResult> {
  const { repo } = context;
  let smallId = 1;
  while (smallIds.has(smallId)) smallId++;
  smallIds.add(smallId);
  // One for each job at a time: making and removing folders takes long.
  const folder = join(repo.root, PRIVATE, "run", `${Deno.pid}-${smallId}`);
  try {
    return await executeIn(folder, context, state, smallId);
  } finally {
    smallIds.delete(smallId);
  }
}

async function executeIn(
  folder: string,
  context: ExecuteContext,
  state: JobState,
  smallId: number,
): Promise<RunResult> {
  const { repo } = context;
  const { attributes: all, job } = state;
  const attributes = all!;
  const sequenceId = ++sequence;
  const keepsTmp = attributes.keepTmp || context.keepTmp;
  const tmp = keepsTmp
    ? keptTmp(repo.root, state)
    : join(folder, `tmp${sequenceId}`);
  for (const dir of keepsTmp ? [folder, tmp] : [tmp]) {
    Deno.mkdirSync(dir, { recursive: true });
  }
  const stdoutTarget = job.targets.find(({ key, file }) =>
    key === "target" && file !== undefined
  )?.file;
  const stdinDep = state.statics.find(({ key }) => key === "dep")?.pattern;
  const stdin = stdinDep === undefined
    ? "/dev/null"
    : repo.files.path(stdinDep);
  const stdout = stdoutTarget === undefined
    ? join(folder, "stdout")
    : repo.files.path(stdoutTarget);
  const stderr = join(folder, "stderr");
  const jobId = crypto.randomUUID();
  const env = jobEnvironment(state, {
    root: repo.root,
    tools: context.tools,
    tmp,
    smallId,
    sequenceId,
  });
  const inner = {
    ...env,
    CLIBS_JOB_SOCKET: context.server.address,
    [JOB_ID_VARIABLE]: jobId,
  };
  const { argv, cmd, extraEnv } = commandLine(folder, context, state);
  const method = methodOf(attributes.autodep);
  const tools = await toolsOf(method);
  using session = new TraceSession(method, tools, {
    prefixes: jobPrefixes(repo.root),
    folder: context.backend.traceFolder,
    makeFolders: attributes.autoMkdir,
    keepSystem: repo.system.isOn,
  });
  const isShell = job.rule.cmd?.kind !== "function";
  const wrapped = session.wrap(
    programOf(argv[0]!, env),
    argv,
    { ...inner, ...extraEnv },
    !isShell && attributes.interpreter.length > 0,
  );
  const reader = method === "none" ? undefined : new RecordReader(session.path);
  // The job may ask for a check before we hear that it was started.
  let isUnwanted = false;
  let kill: () => void = () => {
    isUnwanted = true;
  };
  const services = new RunningJob(
    context.host,
    state,
    reader,
    {
      isSource: context.host.isSource,
      mayBeMade: context.host.mayBeMade,
      stdoutTarget,
      stdinDep,
      untraced: method === "none",
      sourcesOk: context.sourcesOk,
    },
    () => kill(),
  );
  const registered = context.server.add(jobId, services);
  const beganMs = Date.now();
  let end: ProcessEnd;
  try {
    const onStdout = context.onStdout;
    const child = await context.backend.start({
      argv: wrapped.argv,
      cwd: jobRoot(state, repo.root),
      env: wrapped.env,
      stdin,
      stdout,
      stderr,
      onStdout: onStdout && ((chunk) => onStdout(state, chunk)),
      killSigs: attributes.killSigs,
      timeout: attributes.timeout,
      killGroup: attributes.killDaemons,
      jobId,
      rule: job.rule.name,
      name: job.display,
      resources: attributes.resources as Record<string, number>,
      trace: method === "none" ? undefined : session.path,
      onStart: (agoMs) => context.onStart?.(agoMs),
      listenFar: (hostname) => context.server.listenFar(hostname),
    });
    kill = () => child.kill();
    if (isUnwanted) kill();
    context.running.add(child);
    try {
      end = await child.ended;
      // Also what left the group, which takes a look at all processes.
      if (job.rule.attributes.killDaemons) await endMarked(jobId);
    } finally {
      context.running.delete(child);
    }
  } finally {
    registered[Symbol.dispose]();
    if (!keepsTmp) removeTmp(tmp);
  }
  const durationMs = end.ranMs ?? Date.now() - beganMs;
  const startedMs = end.ranMs === undefined ? beganMs : Date.now() - end.ranMs;
  const folded = await services.finish();
  const unseen = services.unseen();
  const system = repo.system.note(services.log);
  const lost = (reader?.lost() ?? 0) > 0;
  reader?.close();
  return {
    folded,
    notes: services.notes,
    end,
    startedMs,
    durationMs,
    stdout: stdoutTarget === undefined ? readText(stdout) : "",
    stderr: readText(stderr),
    cmd,
    argv,
    env,
    stdin,
    stdoutTarget,
    tmp: keepsTmp ? tmp : undefined,
    unseen,
    ...(system === undefined ? {} : { system }),
    lost,
    autodep: method,
  };
}

/** Removes a temporary folder, which mostly is empty. */
function removeTmp(folder: string): void {
  try {
    Deno.removeSync(folder);
  } catch {
    removeTree(folder);
  }
}

function keptTmp(root: string, state: JobState): string {
  const name = state.job.display.replace(/[^\w.-]+/g, "_").slice(-60);
  const folder = join(root, PRIVATE, "tmp", `${state.job.rule.name}-${name}`);
  removeTree(folder);
  return folder;
}

function commandLine(
  folder: string,
  context: ExecuteContext,
  state: JobState,
): { argv: string[]; cmd: string; extraEnv: Record<string, string> } {
  const { shell, interpreter, useScript } = state.attributes!;
  const { cmd } = state.job.rule;
  const text = commandText(state);
  if (cmd?.kind === "function") {
    const description = join(folder, DESCRIPTION);
    Deno.writeTextFileSync(
      description,
      JSON.stringify(describeFunction(state, cmd, context.repo.root)),
    );
    const deno = interpreter.length > 0 ? interpreter : [Deno.execPath()];
    return {
      argv: functionCommand(deno, description),
      cmd: text,
      extraEnv: {
        DENO_DIR: context.denoDir,
        DENO_NO_UPDATE_CHECK: "1",
        NO_COLOR: "1",
        // What Deno itself looks for is no dep; the job switches it on.
        CLIBS_TRACE_OFF: "1",
      },
    };
  }
  // Longer than one argument may be.
  if (!useScript && text.length < 100_000) {
    return { argv: [...shell, "-c", text], cmd: text, extraEnv: {} };
  }
  const script = join(folder, "cmd");
  Deno.writeTextFileSync(script, text);
  return { argv: [...shell, script], cmd: text, extraEnv: {} };
}

const known = new Map<Method, Promise<Tools>>();

function toolsOf(method: Method): Promise<Tools> {
  let tools = known.get(method);
  if (!tools) {
    tools = obtainTools(method);
    known.set(method, tools);
  }
  return tools;
}

/** Names of methods are checked when the job's attributes are worked out. */
function methodOf(autodep: string): Method {
  return autodep as Method;
}

/**
 * Path of a program; a name without a folder is looked for as shells do.
 *
 * @throws {ClibsError} `CLIBS_JOB_START` if there is none.
 */
function programOf(
  name: string,
  env: Readonly<Record<string, string>>,
): string {
  if (name.includes("/")) return name;
  const found = findProgram(name, env["PATH"]);
  if (found !== undefined) return found;
  throw new ClibsError(
    "CLIBS_JOB_START",
    `Cannot run ${name}: it is not on the job's PATH`,
    { facts: { PATH: env["PATH"] ?? "" } },
  );
}

/** File that tells a function job what to do. */
const DESCRIPTION = "job.json";

/** What no job depends on: the system, and clibs itself. */
function jobPrefixes(root: string): string[] {
  const ours = import.meta.dirname === undefined
    ? []
    : [join(import.meta.dirname, "../..")];
  return [
    ...prefixesFor(root),
    ...ours.filter((dir) => isOurs(`${dir}/`) && !root.startsWith(`${dir}/`)),
  ];
}

function readText(path: string): string {
  try {
    return new TextDecoder().decode(Deno.readFileSync(path));
  } catch {
    return "";
  }
}
