/** First load of a prebuilt: in a process of its own, which may crash. */

import { fileURLToPath } from "node:url";
import { commandLine } from "../host/shell.ts";
import { runJob } from "../jobs/run.ts";
import { PROBE_WORD } from "./builder.ts";
import type { SmokeCall } from "./config.ts";
import type { FfiInterface } from "./ffi/interface.ts";
import type { EngineKind } from "./kind.ts";

/** What to load. */
export interface ProbeRequest {
  /** Name of the engine. */
  name: string;
  /** How it is loaded. */
  kind: EngineKind;
  /** The module, absolute. */
  path: string;
  /** Types of an ffi engine. */
  api?: FfiInterface;
  /** A call that must succeed. */
  smoke?: SmokeCall;
  /** Interpreter for pybind11. */
  python?: string;
}

/** How long a load and its call may take, in milliseconds. */
const PROBE_TIMEOUT_MS = 20_000;

/** Loads a module in Python as the host does, and calls its function. */
const PYTHON_PROBE = `
import importlib.machinery, importlib.util, json, sys
name, path, smoke = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
loader = importlib.machinery.ExtensionFileLoader(name, path)
spec = importlib.util.spec_from_file_location(name, path, loader=loader)
module = importlib.util.module_from_spec(spec)
loader.exec_module(module)
if smoke:
    getattr(module, smoke["call"])(*smoke.get("args", []))
`;

/**
 * Loads a module in a child process, and makes the smoke call.
 *
 * @returns Why it cannot be used; undefined if all went well.
 */
export async function probe(
  request: ProbeRequest,
  { signal, timeoutMs = PROBE_TIMEOUT_MS }: {
    signal?: AbortSignal;
    timeoutMs?: number;
  } = {},
): Promise<string | undefined> {
  const last: string[] = [];
  const result = await runJob({
    script: `exec ${commandLine(probeCommand(request))}`,
    cwd: "/",
    env: { ...Deno.env.toObject(), NO_COLOR: "1" },
    timeoutMs,
    signal,
    onLine(line) {
      last.push(line);
      if (last.length > 5) last.shift();
    },
  });
  if (result.code === 0) return undefined;
  if (result.timedOut) {
    return `loading it took more than ${timeoutMs / 1000} s`;
  }
  if (result.code > 128) {
    const number = result.code - 128;
    const name = SIGNALS[number] ?? `signal ${number}`;
    return `it crashed when it was loaded (${name})`;
  }
  const line = last.findLast((text) => text.trim() !== "")?.trim();
  return `it could not be loaded: ${line ?? `exit code ${result.code}`}`;
}

function probeCommand(request: ProbeRequest): string[] {
  const { api, kind, name, path, smoke, python } = request;
  if (kind === "pybind11") {
    const call = JSON.stringify(smoke ?? null);
    return [python ?? "python3", "-c", PYTHON_PROBE, name, path, call];
  }
  // An argument has a limit, and only one function is called.
  const functions = api?.functions.filter((f) => f.name === smoke?.call) ?? [];
  const text = JSON.stringify({
    ...request,
    api: api && { ...api, functions, skipped: [] },
  });
  if (Deno.build.standalone) return [Deno.execPath(), PROBE_WORD, text];
  const child = new URL("./probe_child.ts", import.meta.url);
  const script = child.protocol === "file:" ? fileURLToPath(child) : child.href;
  return [
    Deno.execPath(),
    "run",
    "--quiet",
    "--no-prompt",
    "--no-check",
    "--no-config",
    "--no-lock",
    "--allow-all",
    script,
    text,
  ];
}

const SIGNALS: Record<number, string> = {
  4: "SIGILL",
  6: "SIGABRT",
  7: "SIGBUS",
  8: "SIGFPE",
  9: "SIGKILL",
  11: "SIGSEGV",
  31: "SIGSYS",
};
