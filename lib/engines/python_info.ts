/** The Python of a project's engines, remembered while the program stays. */

import { join } from "node:path";
import { remembered } from "../host/memo.ts";
import { findProgram } from "../host/process.ts";
import { describePython, type PythonInfo } from "../toolchain/python.ts";
import type { Project } from "./project.ts";

/**
 * Describes a Python.
 *
 * Asking takes an interpreter's start, so the answer is kept for a program that
 * is one. A script, such as the shims of version managers, may start another
 * Python in another folder: it is asked each time.
 */
export async function pythonFor(
  project: Project,
  asked: string | undefined,
  env: (name: string) => string | undefined,
): Promise<PythonInfo> {
  const name = asked ?? env("CLIBS_PYTHON") ?? "python3";
  const path = name.includes("/") ? name : findProgram(name, env("PATH"));
  if (path === undefined || !isBinary(path)) {
    return await describePython(asked, env);
  }
  const memo = join(project.root, ".clibs", "programs.json");
  let answer: PythonInfo | undefined;
  const known = await remembered(
    memo,
    path,
    env("PYTHONHOME") ?? "",
    async () => {
      answer = await describePython(asked, env);
      // Headers may be installed later without a change of the program.
      return answer.hasHeaders && answer.pybind11 ? answer : undefined;
    },
  );
  return (known ?? answer)!;
}

function isBinary(path: string): boolean {
  try {
    using file = Deno.openSync(path, { read: true });
    const head = new Uint8Array(4);
    file.readSync(head);
    return head[0] === 0x7f && head[1] === 0x45;
  } catch {
    return false;
  }
}
