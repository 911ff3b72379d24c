/** Compiles one engine, and finds out what the compiler read. */

import { randomBytes } from "node:crypto";
import { availableParallelism } from "node:os";
import { basename, join } from "node:path";
import { ClibsError } from "../errors.ts";
import type { Feedback } from "../feedback/bus.ts";
import { readTextIfExists, removeTree } from "../host/files.ts";
import { commandLine } from "../host/shell.ts";
import { OutputDigest } from "../jobs/output.ts";
import { runJob } from "../jobs/run.ts";
import type { Compiler } from "./compiler.ts";
import { readDepfile } from "./depfile.ts";
import type { Engine } from "./discover.ts";
import { type EngineFlags, EXPORTS_FLAG, FFI_EXPORTS } from "./flags.ts";
import type { EngineContext } from "./options.ts";
import { compilerOf, type Plan } from "./workshop.ts";

/** What to compile. */
export interface CompileRequest {
  /** The engine. */
  engine: Engine;
  /** The compiler. */
  compiler: Compiler;
  /** Its flags. */
  flags: EngineFlags;
  /** Folder of the cache; work folders and the log go there. */
  folder: string;
  /** Limit, in milliseconds. */
  timeoutMs: number;
  /** The whole environment. */
  env: Record<string, string>;
  /** Where the compiler's output is reported. */
  feedback: Feedback;
  /** Task that the output belongs to. */
  task: string;
  /** Interrupts the compile. */
  signal?: AbortSignal;
}

/** What a compile yielded; the work folder is the caller's to remove. */
export interface Compiled {
  /** Folder with everything that the compile wrote. */
  work: string;
  /** The module. */
  library: string;
  /** Predefined macros; empty if no flag chooses a processor. */
  macros: string;
  /** Sources, headers and libraries that were read, absolute. */
  read: string[];
  /** Wall-clock time. */
  durationMs: number;
}

/** Puts a request together. */
export function compileRequest(
  plan: Plan,
  context: EngineContext,
  task = "",
): CompileRequest {
  return {
    engine: plan.engine,
    compiler: compilerOf(plan),
    flags: plan.flags,
    folder: join(plan.engine.project.cache, plan.key.dir),
    timeoutMs: context.timeoutMs,
    env: Deno.env.toObject(),
    feedback: context.feedback,
    task,
    signal: context.signal,
  };
}

/** Removes what a killed compile left; the engine's lock must be held. */
export function removeWork(folder: string, name: string): void {
  for (const entry of Deno.readDirSync(folder)) {
    const { name: file } = entry;
    if (file.startsWith(`.${name}.`) && file.endsWith(".tmp")) {
      removeTree(join(folder, file));
    }
  }
}

/**
 * Compiles an engine into a work folder of its own.
 *
 * @throws {ClibsError} `CLIBS_ENGINE_COMPILE` if the compiler or the linker
 *   fails, `CLIBS_ENGINE_TIMEOUT` if the time is over.
 */
export async function compileEngine(
  request: CompileRequest,
): Promise<Compiled> {
  const work = workFolder(request);
  const started = performance.now();
  try {
    const run = new Compile(request, work);
    const [read, macros] = await run.all();
    return {
      work,
      library: run.library,
      macros,
      read,
      durationMs: Math.round(performance.now() - started),
    };
  } catch (error) {
    removeTree(work);
    throw error;
  }
}

/**
 * Compiles an engine only for its debug information.
 *
 * @returns The library, and the work folder, which is the caller's to remove.
 */
export async function describeSources(
  request: CompileRequest,
): Promise<{ path: string; work: string }> {
  const work = workFolder(request);
  try {
    return { path: await new Compile(request, work).describe(), work };
  } catch (error) {
    removeTree(work);
    throw error;
  }
}

function workFolder({ engine, folder }: CompileRequest): string {
  const suffix = randomBytes(6).toString("hex");
  const work = join(folder, `.${engine.name}.${suffix}.tmp`);
  Deno.mkdirSync(work, { recursive: true });
  return work;
}

class Compile {
  readonly library: string;
  readonly #request: CompileRequest;
  readonly #work: string;
  readonly #output = new OutputDigest();
  readonly #encoder = new TextEncoder();

  constructor(request: CompileRequest, work: string) {
    this.#request = request;
    this.#work = work;
    this.library = join(work, "module");
  }

  /** Returns what was read, and the predefined macros. */
  async all(): Promise<[read: string[], macros: string]> {
    const { engine, folder } = this.#request;
    Deno.writeTextFileSync(join(this.#work, "exports"), FFI_EXPORTS);
    using log = Deno.openSync(join(folder, `${engine.name}.log`), {
      write: true,
      create: true,
      truncate: true,
    });
    return [await this.#module(log), await this.#macros()];
  }

  /** The module itself; returns what was read for it. */
  async #module(log: Deno.FsFile): Promise<string[]> {
    const { engine, flags, compiler } = this.#request;
    const link = [
      "-shared",
      `-Wl,--dependency-file=${join(this.#work, "link.d")}`,
      "-o",
      this.library,
    ];
    const [only, ...more] = engine.sources;
    if (only !== undefined && more.length === 0) {
      // In one go, as anybody would: two runs of the driver take longer.
      await this.#run(
        [...flags.compile, ...this.#depend(0), ...link, only, ...flags.link],
        log,
      );
      return this.#read(1);
    }
    const queue = [...engine.sources.entries()];
    const worker = async () => {
      for (let next; (next = queue.shift());) {
        const [index, source] = next;
        await this.#run([
          ...flags.compile,
          ...this.#depend(index),
          "-c",
          source,
          "-o",
          this.#object(index),
        ], log);
      }
    };
    const { length } = engine.sources;
    const workers = Math.min(length, availableParallelism());
    await Promise.all(Array.from({ length: workers }, worker));
    const objects = engine.sources.map((_, index) => this.#object(index));
    const standard = compiler.family === "clang" ? flags.compile : [];
    await this.#run([...standard, ...link, ...objects, ...flags.link], log);
    return this.#read(length);
  }

  /** The types of a prebuilt ffi engine that came without them. */
  async describe(): Promise<string> {
    const { engine, flags } = this.#request;
    const path = join(this.#work, "described");
    await this.#run(
      [
        ...flags.compile.filter((flag) => !/^-(O.*|flto.*)$/.test(flag)),
        "-w",
        "-O0",
        "-g",
        "-shared",
        ...engine.sources,
        "-o",
        path,
      ],
      undefined,
      [],
    );
    return path;
  }

  /** What the flags say about the processor: an ELF file does not tell. */
  async #macros(): Promise<string> {
    const { flags } = this.#request;
    if (!flags.compile.some((flag) => /^-m(?!64$)/.test(flag))) return "";
    const lines: string[] = [];
    await this.#run(
      [...flags.compile, "-dM", "-E", "-x", "c++", "/dev/null"],
      undefined,
      lines,
    );
    return lines.join("\n");
  }

  #depend(index: number): string[] {
    return ["-MD", "-MF", join(this.#work, `${index}.d`), "-MQ", "module"];
  }

  #object(index: number): string {
    return join(this.#work, `${index}.o`);
  }

  /** All that the depfiles name, but for what the compile itself made. */
  #read(count: number): string[] {
    const names = Array.from({ length: count }, (_, index) => `${index}.d`);
    const { sourceDir } = this.#request.engine.project;
    const paths = [...names, "link.d"].flatMap((name) =>
      readDepfile(readTextIfExists(join(this.#work, name)) ?? "", sourceDir)
    );
    return [...new Set(paths)].filter((path) =>
      !path.startsWith(`${this.#work}/`)
    );
  }

  /** Runs the compiler; its output goes to the log, or to `lines`. */
  async #run(
    args: readonly string[],
    log?: Deno.FsFile,
    lines?: string[],
  ): Promise<void> {
    const { compiler, engine, env, feedback, task } = this.#request;
    const exported = `-Wl,--version-script=${join(this.#work, "exports")}`;
    const command = [...compiler.command, ...args]
      .map((arg) => arg === EXPORTS_FLAG ? exported : arg);
    const result = await runJob({
      script: `exec ${commandLine(command)}`,
      cwd: engine.project.sourceDir,
      // Half-made files of a compiler that was killed go with the work folder.
      env: { ...env, LC_ALL: "C", TMPDIR: this.#work },
      timeoutMs: this.#request.timeoutMs,
      signal: this.#request.signal,
      onLine: (line, stream) => {
        if (lines) return void lines.push(line);
        this.#output.add(line);
        if (!log) return;
        log.writeSync(this.#encoder.encode(`${line}\n`));
        feedback.emit("info", "command.output", line, { task, stream, line });
      },
    });
    if (result.timedOut) throw this.#timeout();
    if (result.code !== 0) throw this.#failure(result.code);
  }

  #failure(code: number): ClibsError {
    const { engine, compiler, folder } = this.#request;
    const { firstError, tail } = this.#output;
    const program = basename(compiler.command[0] ?? "");
    return new ClibsError(
      "CLIBS_ENGINE_COMPILE",
      `Cannot build ${engine.name}: ${program} failed with exit code ${code}`,
      {
        facts: {
          ...(firstError ? { "first error": firstError } : {}),
          ...(tail.length > 0 ? { "last lines": tail.join("\n") } : {}),
          log: join(folder, `${engine.name}.log`),
        },
        hint: `mend ${engine.sources[0]} and run the same command again`,
      },
    );
  }

  #timeout(): ClibsError {
    const { engine, timeoutMs } = this.#request;
    return new ClibsError(
      "CLIBS_ENGINE_TIMEOUT",
      `Cannot build ${engine.name}: it took more than ${timeoutMs / 1000} s`,
      { hint: "give it more time with --timeout (timeoutMs)" },
    );
  }
}
