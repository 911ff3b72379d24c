/** Runs a job once: everything from its private folder to what it did. */

import { join } from "node:path";
import { removeTree } from "../../host/files.ts";
import { endMarked, JOB_ID_VARIABLE } from "../../jobs/group.ts";
import { type Method, obtainTools, type Tools } from "../../trace/methods.ts";
import type { RecordReader } from "../../trace/record.ts";
import { TraceSession, type Wrapped } from "../../trace/session.ts";
import type { Backend, BackendJob } from "../backends/backend.ts";
import type { JobServer } from "../channel/server.ts";
import type { Attributes } from "../model.ts";
import type { Repo } from "../repo.ts";
import { isOurs, prefixesFor } from "../repo.ts";
import { PRIVATE } from "../root.ts";
import { jobEnvironment, jobRoot } from "./command.ts";
import { type CommandLine, jobCommandLine, programOf } from "./command_line.ts";
import {
  addLooks,
  type DirectCommand,
  directCommand,
  learnPrograms,
} from "./direct.ts";
import type { Folded } from "./fold.ts";
import type { ProcessEnd } from "./process.ts";
import { RunningJob, type ServiceHost } from "./services.ts";
import type { JobNotes } from "./session.ts";
import type { Turn } from "./spawner.ts";
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
  /** Fires when jobs are to end. */
  signal: AbortSignal | undefined;
  /** Gets each job while it runs. */
  running: Set<BackendJob>;
}

/** Steps of promises between the end of a job and the start of the next. */
const START_TICKS = 16;

let sequence = 0;
const smallIds = new Set<number>();

/** A number that no other job has at the time. */
function takeSmallId(): number {
  let id = 1;
  while (smallIds.has(id)) id++;
  smallIds.add(id);
  return id;
}

/** A job that only waits for its turn. `using` ends all that is its own. */
export class ReadyJob implements Disposable {
  readonly #context: ExecuteContext;
  readonly #state: JobState;
  readonly #smallId = takeSmallId();
  readonly #sequenceId = ++sequence;
  readonly #jobId = crypto.randomUUID();
  readonly #method: Method;
  readonly #session: TraceSession;
  readonly #reader: RecordReader | undefined;
  readonly #services: RunningJob;
  readonly #registered: Disposable;
  readonly #tmp: string;
  readonly #stdin: string;
  readonly #stdout: string;
  readonly #stderr: string;
  readonly #stdoutTarget: string | undefined;
  readonly #env: Record<string, string>;
  readonly #line: CommandLine;
  /** Its command, if it needs no shell. */
  readonly #direct: DirectCommand | undefined;
  readonly #wrapped: Wrapped;
  #kill: () => void;
  /** The job may ask for a check before we hear that it was started. */
  #isUnwanted = false;

  /**
   * Gets a job ready, which may be before its resources are there.
   *
   * @throws {ClibsError} If it cannot be run.
   */
  static async of(context: ExecuteContext, state: JobState): Promise<ReadyJob> {
    const method = state.attributes!.autodep as Method;
    return new ReadyJob(context, state, method, await toolsOf(method));
  }

  private constructor(
    context: ExecuteContext,
    state: JobState,
    method: Method,
    tools: Tools,
  ) {
    this.#context = context;
    this.#state = state;
    this.#method = method;
    this.#kill = () => {
      this.#isUnwanted = true;
    };
    using undo = new DisposableStack();
    undo.defer(() => smallIds.delete(this.#smallId));
    const { root, files } = context.repo;
    const { attributes: all, job } = state;
    const attributes = all!;
    // One for each job at a time: making and removing folders takes long.
    const folder = join(
      root,
      PRIVATE,
      "run",
      `${Deno.pid}-${this.#smallId}`,
    );
    this.#tmp = this.#keepsTmp
      ? keptTmp(root, state)
      : join(folder, `tmp${this.#sequenceId}`);
    for (const dir of this.#keepsTmp ? [folder, this.#tmp] : [this.#tmp]) {
      Deno.mkdirSync(dir, { recursive: true });
    }
    if (!this.#keepsTmp) undo.defer(() => removeTmp(this.#tmp));
    this.#stdoutTarget = job.targets.find(({ key, file }) =>
      key === "target" && file !== undefined
    )?.file;
    const stdinDep = state.statics.find(({ key }) => key === "dep")?.pattern;
    this.#stdin = stdinDep === undefined ? "/dev/null" : files.path(stdinDep);
    this.#stdout = this.#stdoutTarget === undefined
      ? join(folder, "stdout")
      : files.path(this.#stdoutTarget);
    this.#stderr = join(folder, "stderr");
    this.#env = jobEnvironment(state, {
      root,
      tools: context.tools,
      tmp: this.#tmp,
      smallId: this.#smallId,
      sequenceId: this.#sequenceId,
    });
    this.#line = jobCommandLine(folder, state, {
      root,
      denoDir: context.denoDir,
    });
    this.#session = undo.use(
      new TraceSession(method, tools, {
        prefixes: jobPrefixes(root),
        folder: context.backend.traceFolder,
        makeFolders: attributes.autoMkdir,
        keepSystem: context.repo.system.isOn,
      }),
    );
    const { extraEnv } = this.#line;
    const isShell = job.rule.cmd?.kind !== "function";
    this.#direct = isShell && canBeDirect(context, attributes, method)
      ? directCommand(this.#line.cmd, {
        shell: attributes.shell,
        env: this.#env,
        cwd: jobRoot(state, root),
        tools: context.tools,
      })
      : undefined;
    const argv = this.#direct?.argv ?? this.#line.argv;
    this.#wrapped = this.#session.wrap(
      this.#direct?.program ?? programOf(argv[0]!, this.#env),
      argv,
      {
        ...this.#env,
        ...this.#direct?.env,
        CLIBS_JOB_SOCKET: context.server.address,
        [JOB_ID_VARIABLE]: this.#jobId,
        ...extraEnv,
      },
      !isShell && attributes.interpreter.length > 0,
    );
    this.#reader = method === "none" ? undefined : this.#session.reader();
    this.#services = new RunningJob(
      context.host,
      state,
      this.#reader,
      {
        isSource: context.host.isSource,
        mayBeMade: context.host.mayBeMade,
        stdoutTarget: this.#stdoutTarget,
        stdinDep,
        untraced: method === "none",
        sourcesOk: context.sourcesOk,
      },
      () => this.#kill(),
    );
    this.#registered = undo.use(
      context.server.add(this.#jobId, this.#services),
    );
    this.#own = undo.move();
  }

  /** What is to be ended with it. */
  readonly #own: DisposableStack;

  get #keepsTmp(): boolean {
    return this.#state.attributes!.keepTmp || this.#context.keepTmp;
  }

  /**
   * Runs it. Its way has been cleared, and its resources taken.
   *
   * @param turn When it is to start.
   * @param onEnd Called when its processes have ended: others may take their
   *   place while it is found out what they did.
   */
  async run(turn: Turn, onEnd: () => void): Promise<RunResult> {
    const { end, beganMs } = await this.#process(turn);
    onEnd();
    // What waited for our place starts before we look into this.
    for (let i = 0; i < START_TICKS; i++) await undefined;
    const durationMs = end.ranMs ?? Date.now() - beganMs;
    const startedMs = end.ranMs === undefined
      ? beganMs
      : Date.now() - end.ranMs;
    if (this.#direct) addLooks(this.#services.log, this.#direct);
    const folded = await this.#services.finish();
    const { log, notes } = this.#services;
    if (this.#method !== "none") learnPrograms(log);
    const system = this.#context.repo.system.note(log);
    return {
      folded,
      notes,
      end,
      startedMs,
      durationMs,
      stdout: this.#stdoutTarget === undefined ? readText(this.#stdout) : "",
      stderr: readText(this.#stderr),
      cmd: this.#line.cmd,
      argv: this.#line.argv,
      env: this.#env,
      stdin: this.#stdin,
      stdoutTarget: this.#stdoutTarget,
      tmp: this.#keepsTmp ? this.#tmp : undefined,
      unseen: this.#services.unseen(),
      ...(system === undefined ? {} : { system }),
      lost: (this.#reader?.lost() ?? 0) > 0,
      autodep: this.#method,
    };
  }

  async #process(turn: Turn): Promise<{ end: ProcessEnd; beganMs: number }> {
    const { onStdout, backend, running, server, onStart, signal } =
      this.#context;
    const state = this.#state;
    const { rule, display } = state.job;
    const attributes = state.attributes!;
    const child = await backend.start({
      argv: this.#wrapped.argv,
      calledAs: this.#direct?.argv[0],
      cwd: jobRoot(state, this.#context.repo.root),
      env: this.#wrapped.env,
      stdin: this.#stdin,
      stdout: this.#stdout,
      stderr: this.#stderr,
      ...(onStdout
        ? { onStdout: (chunk: Uint8Array) => onStdout(state, chunk) }
        : {}),
      killSigs: attributes.killSigs,
      timeout: attributes.timeout,
      killGroup: attributes.killDaemons,
      turn,
      jobId: this.#jobId,
      rule: rule.name,
      name: display,
      resources: attributes.resources as Record<string, number>,
      trace: this.#method === "none" ? undefined : this.#session.path,
      onStart: (agoMs) => onStart?.(agoMs),
      listenFar: (hostname) => server.listenFar(hostname),
    });
    const beganMs = Date.now();
    this.#kill = () => child.kill();
    if (this.#isUnwanted || signal?.aborted) child.kill();
    running.add(child);
    try {
      const end = await child.ended;
      // Also what left the group, which takes a look at all processes.
      if (rule.attributes.killDaemons) await endMarked(this.#jobId);
      return { end, beganMs };
    } finally {
      running.delete(child);
      this.#registered[Symbol.dispose]();
    }
  }

  [Symbol.dispose](): void {
    this.#own.dispose();
  }
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

/** Whether a command may be run without its shell, if it is plain. */
function canBeDirect(
  { backend }: ExecuteContext,
  { useScript }: Attributes,
  method: Method,
): boolean {
  // The other methods do not tell, or run a program of their own.
  const isPreloaded = method === "auto" || method === "ld_preload";
  return isPreloaded && backend.isHere && !useScript;
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
