/** The child process of a probe: loads one module, and calls one function. */

import { createRequire } from "node:module";
import { bindFfi } from "./ffi/bind.ts";
import type { FfiInterface } from "./ffi/interface.ts";
import type { ProbeRequest } from "./probe.ts";

/**
 * Loads a module and makes its smoke call; whatever goes wrong is thrown, or
 * ends the process.
 */
export async function loadAndCall(request: ProbeRequest): Promise<void> {
  const { kind, path, api, smoke } = request;
  // Without a call, only the load is tried.
  const none: FfiInterface = {
    format: 1,
    functions: [],
    structs: {},
    skipped: [],
  };
  const functions: Record<string, unknown> = kind === "napi"
    ? createRequire(import.meta.url)(path)
    : bindFfi(path, api ?? none).functions;
  if (!smoke) return;
  const called = functions[smoke.call];
  if (typeof called !== "function") {
    throw new Error(`it has no function ${smoke.call}`);
  }
  await called(...smoke.args ?? []);
}

/**
 * Does what a probe asks for.
 *
 * @param text A {@linkcode ProbeRequest} as JSON.
 * @returns Undefined if all went well, else why not, in a line.
 */
export async function runProbe(text: string): Promise<string | undefined> {
  try {
    await loadAndCall(JSON.parse(text));
    return undefined;
  } catch (error) {
    return `${(error as Error).message ?? error}`.split("\n")[0];
  }
}

if (import.meta.main) {
  const problem = await runProbe(Deno.args[0] ?? "");
  if (problem !== undefined) {
    // The parent shows the last line.
    console.error(problem);
    Deno.exit(1);
  }
}
