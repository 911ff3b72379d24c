/** The C++ compiler of engines. */

import { join } from "node:path";
import { findProgram } from "../host/process.ts";
import { remembered } from "../host/memo.ts";
import { splitWords } from "../host/shell.ts";
import { compilerIdentity } from "../toolchain/identity.ts";
import type { Project } from "./project.ts";

/** A C++ compiler. */
export interface Compiler {
  /** Program, absolute, and its first flags. */
  command: string[];
  /** Name, version and build, such as `gcc 12.2.0 (Debian 12.2.0-14)`. */
  id: string;
  /** Which flags it knows. */
  family: "gcc" | "clang" | "other";
}

/** Programs that are tried if none is named. */
const DEFAULTS = ["g++", "c++", "clang++"];

/**
 * Finds the C++ compiler.
 *
 * @param asked Program and first flags. Default: `$CXX`, else g++, c++, clang++.
 * @returns Undefined if there is none, or it does not run.
 */
export async function findCompiler(
  project: Project,
  asked: string | undefined,
  env: (name: string) => string | undefined,
): Promise<Compiler | undefined> {
  const command = splitWords(asked ?? env("CXX"));
  const searchPath = env("PATH");
  const candidates = command.length > 0 ? command.slice(0, 1) : DEFAULTS;
  const path = candidates.map((name) =>
    name.includes("/") ? name : findProgram(name, searchPath)
  ).find((found) => found !== undefined);
  if (path === undefined) return undefined;
  const full = [path, ...command.slice(1)];
  const memo = join(project.root, ".clibs", "programs.json");
  const identity = await remembered(
    memo,
    path,
    full.join(" "),
    () => compilerIdentity(full),
  ).catch(() => undefined);
  if (identity === undefined) return undefined;
  // The path is this machine's; two with one build of a compiler may share.
  const id = identity.slice(0, -path.length - 1);
  const family = id.startsWith("gcc ")
    ? "gcc"
    : id.startsWith("clang ")
    ? "clang"
    : "other";
  return { command: full, id, family };
}
