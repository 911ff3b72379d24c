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
  const bare = await runBare(one, place);
  const found: string[] = [];
  for (const method of methods) {
    if (one.except?.[method] !== undefined) continue;
    const { seen, result } = await runTraced(one, method, place);
    for (
      const key of ["code", "signal", "stdout", "stderr", "files"] as const
    ) {
      if (String(seen[key]) === String(bare[key])) continue;
      found.push(
        `${method}: ${key} is\n${seen[key]}\nnot\n${bare[key]}`,
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

/** An empty folder with what the command needs. */
function prepare(one: Behaviour, place: string): void {
  new Deno.Command("rm", { args: ["-rf", place] }).outputSync();
  Deno.mkdirSync(place);
  const dir = Object.create(TempDir.prototype, { path: { value: place } });
  one.prepare?.(dir);
}

function variables(one: Behaviour, place: string): Record<string, string> {
  return { PATH: "/usr/bin:/bin", HOME: place, LC_ALL: "C", ...one.env };
}

async function runBare(one: Behaviour, place: string): Promise<Outside> {
  prepare(one, place);
  const [program = "", ...args] = one.command;
  const { code, signal, stdout, stderr } = await new Deno.Command(program, {
    args,
    cwd: place,
    env: variables(one, place),
    clearEnv: true,
    stdin: "null",
  }).output();
  return outside(place, code, signal, stdout, stderr);
}

async function runTraced(
  one: Behaviour,
  method: Method,
  place: string,
): Promise<{ seen: Outside; result: TraceResult }> {
  prepare(one, place);
  const result = await traceCommand({
    command: one.command,
    cwd: place,
    env: variables(one, place),
    method,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
  const { code, signal, stdout, stderr } = result;
  return { result, seen: outside(place, code, signal, stdout, stderr) };
}

function outside(
  place: string,
  code: number,
  signal: string | null | undefined,
  stdout: Uint8Array | undefined,
  stderr: Uint8Array | undefined,
): Outside {
  const decoder = new TextDecoder();
  return {
    code,
    signal: signal ?? undefined,
    stdout: decoder.decode(stdout),
    stderr: decoder.decode(stderr),
    files: readdirSync(place).sort(),
  };
}
