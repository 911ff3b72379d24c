/** Writes TypeScript declarations of engines. */

import { join, resolve } from "node:path";
import { createRequire } from "node:module";
import { writeFileAtomic } from "../host/files.ts";
import { findEngines } from "./discover.ts";
import { ffiTypes, pascalCase } from "./ffi/types.ts";
import { type BuildEngineOptions, engineContext } from "./options.ts";
import { loadPath, obtain, type Obtained } from "./obtain.ts";
import { interfaceOf } from "./types_of.ts";
import { Workshop } from "./workshop.ts";
import type { EngineContext } from "./options.ts";

/** Options of {@linkcode writeTypes}. */
export interface TypesOptions extends BuildEngineOptions {
  /** Folder of the files. Default: `sourceDir`. */
  typesDir?: string;
}

/** A file that {@linkcode writeTypes} wrote. */
export interface WrittenTypes {
  /** Name of the engine. */
  name: string;
  /** The file, absolute. */
  path: string;
  /** Functions that JavaScript cannot call, and why. */
  skipped: { name: string; reason: string }[];
}

/** Result of {@linkcode writeTypes}. */
export interface TypesReport {
  /** Version of this form. */
  version: 1;
  /** The files, by name of the engine. */
  written: WrittenTypes[];
  /** File with an interface of all engines; absent if names were given. */
  index?: string;
}

/**
 * Writes `NAME.d.ts` for engines, and `engines.d.ts` with all of them, so that
 * `buildAll<Engines>()` is typed. Engines are obtained by their policies;
 * Node-API and Python modules are loaded to see what they have.
 *
 * @param names Names of engines; all if there are none.
 */
export async function writeTypes(
  names: readonly string[] = [],
  options: TypesOptions = {},
): Promise<TypesReport> {
  const context = engineContext(options);
  const dir = resolve(options.typesDir ?? context.project.sourceDir);
  const workshop = new Workshop(context);
  const written: WrittenTypes[] = [];
  for (const engine of await findEngines(context.project, names)) {
    const obtained = await obtain(engine, workshop);
    const { text, skipped } = await typesOf(obtained, context);
    const path = join(dir, `${engine.name}.d.ts`);
    Deno.mkdirSync(dir, { recursive: true });
    writeFileAtomic(path, text);
    written.push({ name: engine.name, path, skipped });
  }
  if (names.length > 0) return { version: 1, written };
  const index = join(dir, "engines.d.ts");
  writeFileAtomic(index, indexText(written));
  return { version: 1, written, index };
}

async function typesOf(
  obtained: Obtained,
  context: EngineContext,
): Promise<{ text: string; skipped: WrittenTypes["skipped"] }> {
  const { plan, module } = obtained;
  const { name, kind, config } = plan.engine;
  if (kind === "ffi") {
    const api = await interfaceOf(plan, context, module);
    const text = ffiTypes(name, api, config.nonblocking);
    return { text, skipped: api.skipped };
  }
  const path = loadPath(obtained, context);
  if (kind === "napi") {
    const members = createRequire(import.meta.url)(path);
    return { text: nodeTypes(name, members), skipped: [] };
  }
  const { PythonHost } = await import("./python/host.ts");
  const { pythonTypes } = await import("./python/types.ts");
  const python = plan.python?.executable ?? "python3";
  const host = new PythonHost({ python, feedback: context.feedback });
  try {
    const members = await host.load(name, path);
    return { text: pythonTypes(name, members), skipped: [] };
  } finally {
    await host.close();
  }
}

/** Node-API tells names only. */
function nodeTypes(name: string, members: Record<string, unknown>): string {
  const lines = Object.entries(members).map(([key, value]) => {
    const label = /^[A-Za-z_$][\w$]*$/.test(key) ? key : JSON.stringify(key);
    if (typeof value !== "function") {
      const type = value === null ? "null" : typeof value;
      return `  readonly ${label}: ${type === "object" ? "unknown" : type};`;
    }
    return `  // deno-lint-ignore no-explicit-any\n  ${label}(...args: unknown[]): any;`;
  });
  return [
    `// Written by \`clibs engines types\` from ${name}.cpp; do not edit.`,
    "",
    `/** Functions of the engine ${name}; Node-API does not tell their types. */`,
    `export interface ${pascalCase(name)} {`,
    ...lines,
    "}",
    "",
  ].join("\n");
}

function indexText(written: readonly WrittenTypes[]): string {
  const imports = written.map(({ name }) =>
    `import type { ${pascalCase(name)} } from "./${name}.d.ts";`
  );
  return [
    "// Written by `clibs engines types`; do not edit.",
    "",
    ...imports,
    ...(imports.length > 0 ? [""] : []),
    "/** All engines, by name. */",
    "export interface Engines {",
    ...written.map(({ name }) => `  ${name}: ${pascalCase(name)};`),
    "}",
    "",
  ].join("\n");
}
