/** Tracing as the library offers it; what it needs is loaded at the first call. */

import type { NativeOptions } from "../toolchain/native.ts";
import type { BrokenFact, CheckReport } from "./check.ts";
import type { MethodState } from "./methods.ts";
import type { TraceOptions, TraceReport } from "./run.ts";
import type { Trace } from "./trace.ts";

export type { BrokenFact, CheckReport };

/**
 * Runs a command to its end and tells which files it read, looked for and
 * wrote. Standard streams, terminal, exit code and signals are the command's
 * own. Linux only, on x86_64 and aarch64.
 *
 * @throws {ClibsError} `CLIBS_TRACE_PROGRAM` if there is no such program,
 *   `CLIBS_TRACE_EXEC` if it cannot be executed, `CLIBS_TRACE_UNSUPPORTED` if the method does not work here,
 *   `CLIBS_NATIVE_COMPILER` if the tracer is to be built and there is no
 *   compiler.
 *
 * @example Usage
 * ```ts ignore
 * import { traceCommand } from "@clibs/cli";
 *
 * const { code, trace } = await traceCommand({ command: ["make"] });
 * console.log(code, trace.deps.map(({ path }) => path));
 * ```
 */
export async function traceCommand(
  options: TraceOptions,
): Promise<TraceReport> {
  return await (await import("./run.ts")).traceCommand(options);
}

/**
 * Says whether a saved trace still holds: whether its command would find every
 * file as it found it then.
 *
 * Files whose size, times, mode and inode are as they were are not read.
 *
 * @param text What `clibs trace --save` or `clibs trace --json` wrote.
 * @param path Where the text is from, for messages.
 * @param env Variables as they are now. Default: this process's.
 * @throws {ClibsError} `CLIBS_TRACE_FILE` if the text is no saved trace.
 */
export async function checkTrace(
  text: string,
  path: string,
  env: (name: string) => string | undefined = (name) => Deno.env.get(name),
): Promise<CheckReport> {
  const { parseTrace } = await import("./saved.ts");
  const { checkTrace } = await import("./check.ts");
  return await checkTrace(parseTrace(text, path), env);
}

/** A trace's programs as a timeline that ui.perfetto.dev and Chrome open. */
export async function perfettoTrace(trace: Trace): Promise<string> {
  return (await import("./perfetto.ts")).perfettoTrace(trace);
}

/** Which tracing methods work on this machine, and why the others do not. */
export async function traceMethods(
  options: NativeOptions = {},
): Promise<MethodState[]> {
  return await (await import("./methods.ts")).methodStates(options);
}

/**
 * Checksum of a text, or of its bytes: 16 lower-case hex digits (XXH3-64, not
 * cryptographic). It differs from that of a file with the same content.
 */
export async function xxhsum(text: string | Uint8Array): Promise<string> {
  const { loadChecksums } = await import("../host/checksum.ts");
  const { bytesToPath } = await import("../host/bytes_path.ts");
  const sums = await loadChecksums();
  return sums.text(typeof text === "string" ? text : bytesToPath(text));
}

/**
 * Checksum of a file, without following a link (XXH3-64, not cryptographic).
 *
 * @returns `none` if there is none, or it is a folder or special file;
 *   `empty-R` for an empty file that nobody may execute; 16 hex digits and
 *   `-R` for other files, `-L` for symbolic links. The execute bit is part
 *   of it; other mode bits and dates are not.
 */
export async function xxhsumFile(path: string): Promise<string> {
  const { loadChecksums } = await import("../host/checksum.ts");
  return (await loadChecksums()).file(path);
}
