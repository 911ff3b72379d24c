/** What the file system forbids to others, forbidden to root as well. */

import { has } from "./tools.ts";

/** Those by which root reads what it may not: DAC_OVERRIDE, DAC_READ_SEARCH. */
const READS_ALL = (1 << 1) | (1 << 2);

/** Opened once: opened within a test it would count as a leak of that test. */
const libc = Deno.build.os === "linux" && Deno.uid() === 0
  ? Deno.dlopen("libc.so.6", {
    capget: { parameters: ["buffer", "buffer"], result: "i32" },
    capset: { parameters: ["buffer", "buffer"], result: "i32" },
  }).symbols
  : undefined;

/**
 * Takes from this thread what lets root read everything, until disposed.
 * Synchronous calls only: others are made by other threads.
 */
export function asPlainUser(): Disposable {
  if (!libc) return { [Symbol.dispose]() {} };
  const header = Uint32Array.of(0x20080522, 0);
  const before = new Uint32Array(6);
  if (libc.capget(header, before) !== 0) throw new Error("capget failed");
  const fewer = before.slice();
  fewer[0] = before[0]! & ~READS_ALL;
  if (libc.capset(header, fewer) !== 0) throw new Error("capset failed");
  return {
    [Symbol.dispose]() {
      if (libc.capset(header, before) !== 0) throw new Error("capset failed");
    },
  };
}

/** Words before a command which take the same from it. */
export function plainUserPrefix(): string[] {
  if (Deno.uid() !== 0) return [];
  if (!has("setpriv")) throw new Error("setpriv of util-linux is needed");
  const caps = "-dac_override,-dac_read_search";
  return ["setpriv", `--bounding-set=${caps}`, `--inh-caps=${caps}`];
}
