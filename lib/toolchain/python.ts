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
import json, os, sys, sysconfig
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
    if (error instanceof ClibsError) throw missing(path);
    throw error;
  });
  try {
    if (ok) return JSON.parse(stdout);
  } catch {
    // Something else than a Python that prints something.
  }
  const last = stderr.trim().split("\n").at(-1);
  throw new ClibsError(
    "CLIBS_PYTHON_BROKEN",
    `Cannot use the Python ${path}: it does not run as one`,
    {
      facts: last ? { "it said": last } : {},
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
