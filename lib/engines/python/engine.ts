/** A Python module as an object of functions. */

import type { PythonHost } from "./host.ts";

/**
 * Loads a module.
 *
 * @param host Where it is loaded.
 * @param name Its name in Python.
 * @param path Its file.
 * @returns Its functions, each of which returns a promise, and its constants.
 */
export async function loadPython(
  host: PythonHost,
  name: string,
  path: string,
): Promise<Record<string, unknown>> {
  const { functions, constants } = await host.load(name, path);
  const members = functions.map(({ name: label }) =>
    [label, (...args: unknown[]) => host.call(name, label, args)] as const
  );
  return { ...constants, ...Object.fromEntries(members) };
}
