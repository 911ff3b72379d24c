/** Ways to find out what a command accesses, and which of them work here. */

import { ClibsError } from "../errors.ts";
import { nearest } from "../nearest.ts";
import { runProcess } from "../host/process.ts";
import { type NativeOptions, obtainNative } from "../toolchain/native.ts";
import { RecordReader } from "./record.ts";
import { TraceSession } from "./session.ts";

/**
 * How accesses are found.
 *
 * - `ld_preload`: a library in front of libc. Sees dynamic programs of the
 *   machine's own libc.
 * - `ptrace`: the kernel stops each call about a path. Sees every program.
 * - `auto`: `ld_preload`, and `ptrace` for programs that it cannot see.
 * - `none`: not at all.
 */
export type Method = "auto" | "ld_preload" | "ptrace" | "none";

/** The methods, by name. */
export const METHODS: readonly Method[] = [
  "auto",
  "ld_preload",
  "ptrace",
  "none",
];

/** Paths of the native parts; absent: not to be had. */
export interface Tools {
  /** The library that is preloaded. */
  shim?: string;
  /** The program that traces with ptrace. */
  tracer?: string;
}

/** Whether a method works on this machine. */
export interface MethodState {
  /** The method. */
  method: Exclude<Method, "auto" | "none">;
  /** Whether it works. */
  works: boolean;
  /** Why it does not. */
  reason?: string;
}

/**
 * Reads the name of a method.
 *
 * @throws {ClibsError} `CLIBS_TRACE_METHOD` if there is none of that name.
 */
export function parseMethod(text: string): Method {
  const found = METHODS.find((method) => method === text);
  if (found) return found;
  const near = nearest(text, METHODS) ?? "auto";
  throw new ClibsError(
    "CLIBS_TRACE_METHOD",
    `Cannot trace with the method ${
      JSON.stringify(text)
    }: there is none of that name`,
    { facts: { methods: METHODS.join(", ") }, hint: `use ${near}` },
  );
}

/**
 * Has the native parts of a method at hand, building them at first use.
 *
 * @throws {ClibsError} `CLIBS_TRACE_UNSUPPORTED` if the method does not work
 *   here; as {@linkcode obtainNative} if a part cannot be had.
 */
export async function obtainTools(
  method: Method,
  options: NativeOptions = {},
): Promise<Tools> {
  if (method === "none") return {};
  const state = whyNot();
  if (state) throw unsupported(method, state);
  const { shimUnit, tracerUnit } = await import("./sources.ts");
  if (method === "ptrace") {
    const tracer = await obtainNative(tracerUnit, options);
    const problem = await ptraceProblem(tracer);
    if (problem) throw unsupported(method, problem);
    return { tracer };
  }
  return {
    shim: await obtainNative(shimUnit, options),
    // It also starts programs under names that are not their paths.
    tracer: await obtainNative(tracerUnit, options),
  };
}

/** The error of a method that does not work here. */
export function unsupported(method: Method, reason: string): ClibsError {
  return new ClibsError(
    "CLIBS_TRACE_UNSUPPORTED",
    `Cannot trace with ${method}: ${reason}`,
    { hint: "clibs doctor tells which methods work here" },
  );
}

/** Why no method at all works here; undefined if that is not so. */
function whyNot(): string | undefined {
  const { os, arch } = Deno.build;
  if (os !== "linux") return `it needs Linux, and this is ${os}`;
  if (arch !== "x86_64" && arch !== "aarch64") {
    return `it needs x86_64 or aarch64, and this is ${arch}`;
  }
  return undefined;
}

const problems = new Map<string, Promise<string | undefined>>();

/** Why the kernel refuses ptrace here; asked once. */
function ptraceProblem(tracer: string): Promise<string | undefined> {
  let problem = problems.get(tracer);
  if (!problem) {
    problem = problemOf("ptrace", { tracer });
    problems.set(tracer, problem);
  }
  return problem;
}

/** Traces a shell that does nothing; says what is wrong with that. */
async function problemOf(
  method: Method,
  tools: Tools,
): Promise<string | undefined> {
  using session = new TraceSession(method, tools);
  const { argv, env } = session.wrap("/bin/sh", ["sh", "-c", ":"], {});
  try {
    const result = await runProcess({
      command: argv[0]!,
      args: argv.slice(1),
      env,
      clearEnv: true,
    });
    if (!result.ok) {
      return result.stderr.trim().split("\n")[0] ||
        `the tracer ended with ${result.code}`;
    }
  } catch (error) {
    // A cache on a file system whose programs may not be executed.
    return (error as Error).message;
  }
  const reader = new RecordReader(session.path);
  try {
    let records = 0;
    reader.read(() => records++);
    return records > 0 ? undefined : "nothing is seen of /bin/sh";
  } finally {
    reader.close();
  }
}

/** Which methods work here, and why the others do not. */
export async function methodStates(
  options: NativeOptions = {},
): Promise<MethodState[]> {
  const states: MethodState[] = [];
  for (const method of ["ld_preload", "ptrace"] as const) {
    const reason = await whyNotThis(method, options);
    states.push({
      method,
      works: reason === undefined,
      ...(reason === undefined ? {} : { reason }),
    });
  }
  return states;
}

async function whyNotThis(
  method: "ld_preload" | "ptrace",
  options: NativeOptions,
): Promise<string | undefined> {
  try {
    const tools = await obtainTools(method, options);
    return method === "ptrace" ? undefined : await problemOf(method, tools);
  } catch (error) {
    if (!(error instanceof ClibsError)) throw error;
    const prefix = `Cannot trace with ${method}: `;
    return error.message.startsWith(prefix)
      ? error.message.slice(prefix.length)
      : error.message;
  }
}
