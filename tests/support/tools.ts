/** Which programs this machine has, for tests that need more than a bare one. */

import { findProgram } from "../../lib/host/process.ts";

/** Whether a program is on PATH. */
export function has(name: string): boolean {
  return findProgram(name) !== undefined;
}

/** Whether strace works here: it may be missing, or ptrace be forbidden. */
export function canTrace(): boolean {
  return has("strace") &&
    new Deno.Command("strace", {
      args: ["-o", "/dev/null", "true"],
      stdout: "null",
      stderr: "null",
    }).outputSync().success;
}

/** Python of the distribution; another one on PATH may lack its packages. */
export const PYTHON = "/usr/bin/python3";

/** Whether that Python is there. */
export function hasPython(): boolean {
  return isThere(PYTHON);
}

/** Whether modules can be compiled for it: its headers, pybind11 and NumPy. */
export function hasPybind(): boolean {
  return hasPython() && isThere("/usr/include/pybind11/pybind11.h") &&
    new Deno.Command(PYTHON, {
      args: [
        "-c",
        "import numpy, os, sysconfig; os.stat(sysconfig.get_path('include') + '/Python.h')",
      ],
      stdout: "null",
      stderr: "null",
    }).outputSync().success;
}

function isThere(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}
