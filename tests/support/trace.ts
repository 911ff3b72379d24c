/** Whether tracing works here. */

import { traceMethods } from "@clibs/cli";
import type { Method } from "../../lib/trace/methods.ts";

/** Tracing is for Linux. */
export const isLinux = Deno.build.os === "linux";

/**
 * Whether a method works; some containers forbid ptrace. Where all tests must
 * run, it must.
 */
export async function works(method: Method): Promise<boolean> {
  const state = (await traceMethods()).find((one) => one.method === method);
  if (state?.works !== false) return true;
  if (Deno.env.get("CLIBS_TEST_STRICT") === "1") throw new Error(state.reason);
  console.log(`${method} does not work here: ${state.reason}`);
  return false;
}
