/** Copies of modules in the output folder, for programs that load them. */

import { join } from "node:path";
import {
  lstatIfExists,
  readJsonIfExists,
  writeFileAtomic,
} from "../host/files.ts";
import type { Module } from "./cache.ts";
import type { EngineContext } from "./options.ts";
import type { Plan } from "./workshop.ts";

/** What is noted about a copy. */
interface Placed {
  file: string;
  sha256: string;
  size: number;
  mtimeMs: number;
}

/** Name of the note beside a copy, by which `clean` knows what is ours. */
export function sidecarName(engine: string): string {
  return `.${engine}.clibs.json`;
}

/**
 * Puts a copy of a module into the output folder, unless it is there already.
 * A folder that cannot be written is reported only.
 */
export function placeOutput(
  plan: Plan,
  { outputDir, feedback }: EngineContext,
  { sha256, bytes }: Module,
): void {
  const { engine, file } = plan;
  if (outputDir === undefined) return;
  const path = join(outputDir, file);
  const sidecar = join(outputDir, sidecarName(engine.name));
  try {
    const before = readJsonIfExists(sidecar) as Partial<Placed> | undefined;
    if (before?.sha256 === sha256 && isUntouched(path, before)) return;
    Deno.mkdirSync(outputDir, { recursive: true });
    writeFileAtomic(path, bytes, { mode: 0o755 });
    const info = Deno.statSync(path);
    const placed: Placed = {
      file,
      sha256,
      size: info.size,
      mtimeMs: info.mtime?.getTime() ?? 0,
    };
    writeFileAtomic(sidecar, `${JSON.stringify(placed, undefined, 2)}\n`);
  } catch (error) {
    feedback.emit(
      "warn",
      "note",
      `${engine.name}: no copy was put into ${outputDir}: ${
        (error as Error).message
      }`,
      { about: "engine.output.unplaced", path },
    );
  }
}

function isUntouched(path: string, before: Partial<Placed>): boolean {
  const info = lstatIfExists(path);
  return info?.isFile === true && info.size === before.size &&
    info.mtime?.getTime() === before.mtimeMs;
}
