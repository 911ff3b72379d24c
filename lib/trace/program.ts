/** Finds the program of a command that is to be traced. */

import { join } from "node:path";
import { ClibsError } from "../errors.ts";
import { isAbsent } from "../host/files.ts";
import { findProgram } from "../host/process.ts";

/** A program. */
export interface Program {
  /** Path. */
  path: string;
  /**
   * Whether the kernel can execute it. Shells take what it cannot for a script
   * of theirs.
   */
  isImage: boolean;
}

/**
 * Finds a program as a shell does.
 *
 * @param cwd Folder that the command runs in; empty: the caller's.
 * @throws {ClibsError} `CLIBS_TRACE_PROGRAM` if there is none,
 *   `CLIBS_TRACE_EXEC` if it cannot be executed.
 */
export function programOf(
  command: readonly string[],
  cwd: string,
  PATH: string | undefined,
): Program {
  const [name = ""] = command;
  if (name === "") {
    throw new ClibsError(
      "CLIBS_TRACE_PROGRAM",
      "Cannot trace a command: none was given",
      { hint: "put it behind two dashes: clibs trace -- make" },
    );
  }
  const path = name.includes("/") ? name : findProgram(name, PATH);
  if (path === undefined) {
    throw new ClibsError(
      "CLIBS_TRACE_PROGRAM",
      `Cannot run ${name}: it is not on PATH`,
      { hint: `install ${name}, or name it with its path` },
    );
  }
  const file = path.startsWith("/") ? path : join(cwd, path);
  try {
    const { isDirectory, mode } = Deno.statSync(file);
    if (isDirectory) throw refused(name, "it is a folder");
    if (mode !== null && !(mode & 0o111)) {
      throw refused(name, "it is not executable", `chmod +x ${name}`);
    }
  } catch (error) {
    if (error instanceof ClibsError) throw error;
    throw cannotExecute(name, error as Error);
  }
  return { path, isImage: isImage(file) };
}

function isImage(path: string): boolean {
  try {
    using file = Deno.openSync(path, { read: true });
    const head = new Uint8Array(4);
    const length = file.readSync(head) ?? 0;
    const text = String.fromCharCode(...head.subarray(0, length));
    return text === "\x7fELF" || text.startsWith("#!");
  } catch {
    // It may be executed only, as programs of the system are.
    return true;
  }
}

/** The error of a program that could not be started. */
export function cannotExecute(name: string, error: Error): ClibsError {
  if (isAbsent(error)) {
    return new ClibsError(
      "CLIBS_TRACE_PROGRAM",
      `Cannot run ${name}: there is no such file`,
      { cause: error, hint: "check its name, and that of its interpreter" },
    );
  }
  return refused(name, error.message);
}

function refused(name: string, cause: string, hint?: string): ClibsError {
  return new ClibsError("CLIBS_TRACE_EXEC", `Cannot run ${name}: ${cause}`, {
    hint,
  });
}
