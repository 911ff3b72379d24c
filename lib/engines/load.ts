/** Loads obtained engines into this process, or into a Python beside it. */

import { createRequire } from "node:module";
import { ClibsError } from "../errors.ts";
import type { Feedback } from "../feedback/bus.ts";
import type { Module } from "./cache.ts";
import type { LoadedEngine } from "./errors.ts";
import { loadPath, type Obtained } from "./obtain.ts";
import type { EngineContext } from "./options.ts";
import type { PythonHost } from "./python/host.ts";

/** What was loaded already, by path: each path is one content. */
const loaded = new Map<string, Promise<LoadedEngine>>();

/**
 * Loads an engine. The same module is loaded once in a process.
 *
 * @throws {ClibsError} `CLIBS_ENGINE_LOAD` if the loader refuses it.
 */
export async function loadEngine(
  obtained: Obtained,
  context: EngineContext,
): Promise<LoadedEngine> {
  const path = loadPath(obtained, context);
  const { engine, python } = obtained.plan;
  const key = [
    engine.name,
    path,
    python?.executable,
    engine.config.nonblocking,
  ].join("\0");
  const present = loaded.get(key);
  if (present) return await present;
  const loading = load(obtained, context, path);
  loaded.set(key, loading);
  loading.catch(() => loaded.delete(key));
  return await loading;
}

async function load(
  obtained: Obtained,
  context: EngineContext,
  path: string,
): Promise<LoadedEngine> {
  const { plan, module } = obtained;
  const { engine, python } = plan;
  try {
    if (engine.kind === "napi") return createRequire(import.meta.url)(path);
    if (engine.kind === "ffi") {
      const [{ interfaceOf }, { bindFfi }] = await Promise.all([
        import("./types_of.ts"),
        import("./ffi/bind.ts"),
      ]);
      const api = await interfaceOf(plan, context, module);
      const { nonblocking } = engine.config;
      return bindFfi(path, api, { nonblocking }).functions;
    }
    const { loadPython } = await import("./python/engine.ts");
    const host = await hostOf(
      python?.executable ?? "python3",
      context.feedback,
    );
    return await loadPython(host, engine.name, path);
  } catch (error) {
    if (error instanceof ClibsError) throw error;
    throw loadError(engine.name, module, error as Error);
  }
}

function loadError(name: string, module: Module, cause: Error): ClibsError {
  const reason = cause.message.split("\n")[0] ?? "";
  return new ClibsError(
    "CLIBS_ENGINE_LOAD",
    `Cannot load ${name}: ${reason}`,
    {
      facts: { module: module.path },
      hint: "clibs engines healthcheck",
      cause,
    },
  );
}

/** One host for each Python: its modules share one interpreter. */
const hosts = new Map<string, PythonHost>();

async function hostOf(
  python: string,
  feedback: Feedback,
): Promise<PythonHost> {
  const { PythonHost } = await import("./python/host.ts");
  const host = hosts.get(python) ?? new PythonHost({ python, feedback });
  hosts.set(python, host);
  return host;
}

/**
 * Ends the Python processes in which pybind11 engines were loaded. They also
 * end with this process; a later call of an engine starts a new one.
 */
export async function closePythonHosts(): Promise<void> {
  await Promise.all([...hosts.values()].map((host) => host.close()));
}
