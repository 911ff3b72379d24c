/** Which modules a module loads. */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

const ROOT = new URL("../../", import.meta.url);

interface Module {
  specifier: string;
  dependencies?: { isDynamic?: boolean; code?: { specifier?: string } }[];
}

/**
 * Modules that are loaded before a module of the project runs, relative to the
 * root.
 *
 * @param dynamic Whether also those that its `import()` could load, which Deno
 *   reads beforehand. Default: false.
 */
export async function loadedBy(
  path: string,
  dynamic = false,
): Promise<string[]> {
  const { stdout, success } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", fileURLToPath(new URL(path, ROOT))],
  }).output();
  assert.ok(success);
  const { modules, roots } = JSON.parse(new TextDecoder().decode(stdout)) as {
    roots: string[];
    modules: Module[];
  };
  const known = new Map(modules.map((one) => [one.specifier, one]));
  const loaded = new Set<string>();
  const load = (specifier: string) => {
    if (loaded.has(specifier)) return;
    loaded.add(specifier);
    const { dependencies = [] } = known.get(specifier) ?? {};
    for (const { isDynamic, code } of dependencies) {
      if ((dynamic || !isDynamic) && code?.specifier) load(code.specifier);
    }
  };
  for (const root of roots) load(root);
  return [...loaded].map((specifier) => specifier.replace(ROOT.href, ""));
}
