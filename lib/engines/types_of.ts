/** The interface of an ffi engine: from beside its module, or from its source. */

import { dirname } from "node:path";
import { readBytes } from "../artifacts/loaded.ts";
import { readManifest } from "../artifacts/manifest.ts";
import { ClibsError } from "../errors.ts";
import { sha256Hex } from "../host/digest.ts";
import { removeTree } from "../host/files.ts";
import { readElf } from "../toolchain/elf.ts";
import type { Module } from "./cache.ts";
import { compileRequest, describeSources } from "./compile.ts";
import { type FfiInterface, readInterface } from "./ffi/interface.ts";
import type { EngineContext } from "./options.ts";
import { interfacePath } from "./record.ts";
import type { Plan } from "./workshop.ts";

/**
 * The functions of an ffi engine with their types.
 *
 * A build leaves them beside the module. A prebuilt of another tool has them in
 * its debug information, or they are read off the sources.
 *
 * @throws {ClibsError} `CLIBS_ENGINE_TYPES` if none of that is there.
 */
export async function interfaceOf(
  plan: Plan,
  context: EngineContext,
  module: Module,
): Promise<FfiInterface> {
  const beside = interfaceBeside(plan, module);
  if (beside) return beside;
  const elf = readElf(module.bytes);
  const exported = new Set(elf.exports);
  if (elf.section(".debug_info")) return readInterface(module.bytes, exported);
  if (plan.compiler && plan.engine.sources.length > 0) {
    const described = await describeSources(compileRequest(plan, context));
    try {
      return readInterface(Deno.readFileSync(described.path), exported);
    } finally {
      removeTree(described.work);
    }
  }
  throw new ClibsError(
    "CLIBS_ENGINE_TYPES",
    `Cannot load ${plan.engine.name}: nothing tells the types of its functions`,
    {
      facts: {
        module: module.path,
        "looked for":
          `${plan.engine.name}.interface.json, debug information, ` +
          "sources and a compiler",
      },
      hint: "deliver the .interface.json file that a build leaves beside it",
    },
  );
}

function interfaceBeside(plan: Plan, module: Module): FfiInterface | undefined {
  const dir = dirname(module.path);
  const path = interfacePath(dir, plan.engine.name);
  const bytes = readBytes(path);
  if (!bytes) return undefined;
  // Types decide how memory is read: they are as much to be trusted as code.
  const digest = readManifest(dir)
    ?.hashes[`${plan.engine.name}.interface.json`];
  if (digest !== undefined && digest !== sha256Hex(bytes)) return undefined;
  try {
    const api = JSON.parse(new TextDecoder().decode(bytes));
    return api?.format === 1 ? api : undefined;
  } catch {
    return undefined;
  }
}
