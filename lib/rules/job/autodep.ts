/** Switches the recording of accesses off and on. */

import { assertInJob } from "./client.ts";
import type { AutodepScope } from "./types.ts";

/**
 * Names whose stat the tracers take as a switch: `TRACE_SWITCH_OFF` and
 * `TRACE_SWITCH_ON` of lib/trace/native/trace.h.
 */
export const SWITCHES = {
  off: "/proc/self/clibs-trace/off",
  on: "/proc/self/clibs-trace/on",
};

/** In the environment of what was started while recording was off. */
const OFF_VARIABLE = "CLIBS_TRACE_OFF";

let isActive: boolean | undefined;

/** Whether accesses are recorded. */
export function getAutodep(): boolean {
  assertInJob("getAutodep");
  return isActive ??= !Deno.env.get(OFF_VARIABLE);
}

/** Has accesses recorded, or not: this process, and those it starts meanwhile. */
export function setAutodep(active: boolean): void {
  assertInJob("setAutodep");
  isActive = Boolean(active);
  touch(isActive ? SWITCHES.on : SWITCHES.off);
}

/**
 * Has accesses recorded from now on. Until here they were not: what Deno looks
 * for by itself is no dep of a job.
 */
export function beginRecording(): void {
  Deno.env.delete(OFF_VARIABLE);
  touch(SWITCHES.on);
}

function touch(path: string): void {
  try {
    Deno.lstatSync(path);
  } catch {
    // There is never such a file. Only the tracer understands.
  }
}

/** A scope within which accesses are recorded, or are not. */
export class Autodep implements AutodepScope {
  /** Whether accesses are recorded within it. */
  readonly active: boolean;
  #before: boolean | undefined;

  /** Enters the scope. */
  constructor(active: boolean) {
    this.active = Boolean(active);
    this.#before = getAutodep();
    setAutodep(this.active);
  }

  /** Ends the scope; once is enough. */
  [Symbol.dispose](): void {
    if (this.#before !== undefined) setAutodep(this.#before);
    this.#before = undefined;
  }

  /** Calls a function in a scope, which ends however the function does. */
  static async run<Result>(
    active: boolean,
    call: () => Result | Promise<Result>,
  ): Promise<Result> {
    using _scope = new Autodep(active);
    return await call();
  }
}
