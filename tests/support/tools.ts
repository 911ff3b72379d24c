/** Which programs this machine has, for tests that need more than a bare one. */

import { findProgram } from "../../lib/host/process.ts";

/** Whether a program is on PATH. */
export function has(name: string): boolean {
  return findProgram(name) !== undefined;
}
