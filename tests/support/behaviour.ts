/** Runs programs with and without a tracer; they must not tell the difference. */

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Method } from "../../lib/trace/methods.ts";
import { traceCommand, type TraceResult } from "../../lib/trace/run.ts";
import { TempDir } from "./temp.ts";

const SOURCES = fileURLToPath(
  new URL("../trace/programs/behave/", import.meta.url),
);

/** Compiles `behave`; flags may add a sanitizer. */
export function compileBehave(to: string, ...flags: string[]): string {
  const sources = readdirSync(SOURCES).filter((name) => name.endsWith(".c"))
    .map((name) => join(SOURCES, name));
  const { success, stderr } = new Deno.Command("gcc", {
    args: ["-w", "-O1", ...flags, "-o", to, ...sources, "-lpthread", "-ldl"],
  }).outputSync();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return to;
}

/** A command whose behaviour is looked at. */
export interface Behaviour {
  command: readonly string[];
  env?: Record<string, string>;
  /** Makes what it needs. */
  prepare?: (dir: TempDir) => void;
  /** Names of files that a trace must have. */
  names?: readonly string[];
  /** Methods that it is not for, and why. */
  except?: Partial<Record<Method, string>>;
}

/** What can be told of a run from outside. */
interface Outside {
  code: number;
  signal: string | undefined;
  stdout: string;
  stderr: string;
  files: string[];
}

/** Says how runs under each method differ from one without. */
export async function differences(
  one: Behaviour,
  methods: readonly Method[],
): Promise<string[]> {
  using dir = new TempDir();
  const place = dir.join("work");
  const bare = (await run(one, "none", place)).outside;
  const found: string[] = [];
  for (const method of methods) {
    if (one.except?.[method] !== undefined) continue;
    const { outside, result } = await run(one, method, place);
    for (
      const key of ["code", "signal", "stdout", "stderr", "files"] as const
    ) {
      if (String(outside[key]) === String(bare[key])) continue;
      found.push(
        `${method}: ${key} is\n${outside[key]}\nnot\n${bare[key]}`,
      );
    }
    const { complete, lost, escapes } = result.trace;
    if (!complete) {
      const why = JSON.stringify({ lost, escapes });
      found.push(`${method}: the trace is not complete: ${why}`);
    }
    for (const name of one.names ?? []) {
      if (result.log.accesses.has(join(place, name))) continue;
      found.push(`${method}: ${name} was not seen`);
    }
  }
  return found;
}

async function run(
  one: Behaviour,
  method: Method,
  place: string,
): Promise<{ outside: Outside; result: TraceResult }> {
  new Deno.Command("rm", { args: ["-rf", place] }).outputSync();
  Deno.mkdirSync(place);
  const dir = Object.create(TempDir.prototype, { path: { value: place } });
  one.prepare?.(dir);
  const result = await traceCommand({
    command: one.command,
    cwd: place,
    env: { PATH: "/usr/bin:/bin", HOME: place, LC_ALL: "C", ...one.env },
    method,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
  const decoder = new TextDecoder();
  return {
    result,
    outside: {
      code: result.code,
      signal: result.signal,
      stdout: decoder.decode(result.stdout),
      stderr: decoder.decode(result.stderr),
      files: readdirSync(place).sort(),
    },
  };
}
