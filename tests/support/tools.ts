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
