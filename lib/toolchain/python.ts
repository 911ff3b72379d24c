/** What a Python is: its version, its binary interface and its headers. */

import { ClibsError } from "../errors.ts";
import { findProgram, runProcess } from "../host/process.ts";

/** A Python; plain data. */
export interface PythonInfo {
  /** The interpreter, absolute. */
  executable: string;
  /** Version, such as `3.13.1`. */
  version: string;
  /** Tag of its binary interface: `cpython-313-x86_64-linux-gnu`. */
  soabi: string;
  /** End of a module's file name: `.cpython-313-x86_64-linux-gnu.so`. */
  extSuffix: string;
  /** Folder of `Python.h`. */
  include: string;
  /** Whether `Python.h` is there. */
  hasHeaders: boolean;
  /** Folder of `pybind11/pybind11.h`; absent if it is not installed. */
  pybind11?: string;
}

const DESCRIBE = `
import sys
# The folder that the program happens to run in: a json.py there is not Python's.
if sys.path[:1] == [""]:
    del sys.path[0]
import json, os, sysconfig
include = sysconfig.get_path("include")
try:
    import pybind11
    binding = pybind11.get_include()
except ImportError:
    binding = None
for folder in ("/usr/include", "/usr/local/include"):
    if binding is None and os.path.exists(folder + "/pybind11/pybind11.h"):
        binding = folder
info = {
    "executable": sys.executable,
    "version": sys.version.split()[0].rstrip("+"),
    "soabi": sysconfig.get_config_var("SOABI") or "",
    "extSuffix": sysconfig.get_config_var("EXT_SUFFIX") or ".so",
    "include": include,
    "hasHeaders": os.path.exists(os.path.join(include, "Python.h")),
}
if binding is not None:
    info["pybind11"] = binding
print(json.dumps(info))
`;

/**
 * Describes a Python by asking it.
 *
 * @param command Program. Default: `$CLIBS_PYTHON`, else python3 or python.
 * @throws {ClibsError} `CLIBS_PYTHON_MISSING` if there is none,
 *   `CLIBS_PYTHON_BROKEN` if it does not run.
 */
export async function describePython(
  command?: string,
  env: (name: string) => string | undefined = (name) => Deno.env.get(name),
): Promise<PythonInfo> {
  const asked = command ?? env("CLIBS_PYTHON");
  const names = asked ? [asked] : ["python3", "python"];
  const path = names.map((name) =>
    name.includes("/") ? name : findProgram(name, env("PATH"))
  ).find((found) => found !== undefined);
  if (path === undefined) throw missing(names[0] ?? "python3");
  const { ok, stdout, stderr } = await runProcess({
    command: path,
    args: ["-c", DESCRIBE],
  }).catch((error) => {
    throw startFailure(path, error);
  });
  const info = ok ? answerIn(stdout) : undefined;
  if (!info) throw broken(path, lastLine(stderr));
  return info;
}

/** The answer is the last line: a shim or a site hook may print before it. */
function answerIn(stdout: string): PythonInfo | undefined {
  try {
    const info = JSON.parse(lastLine(stdout));
    return typeof info?.executable === "string" ? info : undefined;
  } catch {
    // Something else than a Python that prints something.
    return undefined;
  }
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1) ?? "";
}

/**
 * What it means for the user that a Python could not be started.
 *
 * @param path What was started: a name, or a path.
 * @param error What was thrown.
 */
export function startFailure(path: string, error: unknown): unknown {
  if (error instanceof Deno.errors.NotCapable) return error;
  if (error instanceof Deno.errors.NotFound || error instanceof ClibsError) {
    return missing(path);
  }
  return broken(path, (error as Error).message);
}

function broken(path: string, said: string): ClibsError {
  return new ClibsError(
    "CLIBS_PYTHON_BROKEN",
    `Cannot use the Python ${path}: it does not run as one`,
    {
      facts: said === "" ? {} : { "it said": said },
      hint: "name another with --python (python) or $CLIBS_PYTHON",
    },
  );
}

function missing(name: string): ClibsError {
  return new ClibsError(
    "CLIBS_PYTHON_MISSING",
    `Cannot find Python: ${name} is not ${
      name.includes("/") ? "there" : "on PATH"
    }`,
    { hint: "install python3, or name one with --python or $CLIBS_PYTHON" },
  );
}
