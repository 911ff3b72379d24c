/** The toolchain as it was the last time, and what changed since. */

import { join } from "node:path";
import { readJsonIfExists, writeFileAtomic } from "../host/files.ts";
import { hostTriple } from "../toolchain/triple.ts";
import { hostNodeApi, libcVersion } from "./abi_key.ts";
import { engineContext, type EngineOptions } from "./options.ts";
import { makeStateDir } from "./project.ts";
import { Workshop } from "./workshop.ts";

/** What engines are built and loaded with, each in a line; `none` if absent. */
export interface Toolchain {
  /** C++ compiler: name, version and build. */
  compiler: string;
  /** Where it is. */
  "compiler path": string;
  /** Python and the tag of its binary interface. */
  python: string;
  /** Where it is. */
  "python path": string;
  /** JavaScript runtime. */
  runtime: string;
  /** Highest version of Node-API. */
  "node-api": string;
  /** Operating system and its release. */
  os: string;
  /** C library. */
  libc: string;
  /** Target triple of this machine. */
  target: string;
}

/** Result of {@linkcode snapshotToolchain}. */
export interface ToolchainReport {
  /** Version of this form. */
  version: 1;
  /** File of the snapshot. */
  path: string;
  /** Names of what changed since the last snapshot; empty at the first one. */
  changed: string[];
  /** The toolchain now. */
  snapshot: Toolchain;
  /** The toolchain of the last snapshot; null at the first one. */
  previous: Toolchain | null;
}

/** Takes down the toolchain, and compares it with the last time. */
export async function snapshotToolchain(
  options: EngineOptions = {},
): Promise<ToolchainReport> {
  const context = engineContext(options);
  const path = join(context.project.root, ".clibs", "toolchain.json");
  const workshop = new Workshop(context);
  const [compiler, python] = await Promise.all([
    workshop.compiler({}),
    workshop.python({}).catch(() => undefined),
  ]);
  const snapshot: Toolchain = {
    compiler: compiler?.id ?? "none",
    "compiler path": compiler?.command.join(" ") ?? "none",
    python: python ? `${python.version} ${python.soabi}` : "none",
    "python path": python?.executable ?? "none",
    runtime: `deno ${Deno.version.deno}`,
    "node-api": String(hostNodeApi()),
    os: `${Deno.build.os} ${Deno.osRelease()}`,
    libc: await libcVersion(),
    target: hostTriple(),
  };
  const known = readJsonIfExists(path) as Partial<Toolchain> | undefined;
  const previous = typeof known?.compiler === "string"
    ? known as Toolchain
    : null;
  const labels = Object.keys(snapshot) as (keyof Toolchain)[];
  const changed = previous
    ? labels.filter((label) => previous[label] !== snapshot[label])
    : [];
  if (!previous || changed.length > 0) {
    makeStateDir(context.project);
    writeFileAtomic(path, `${JSON.stringify(snapshot, undefined, 2)}\n`);
  }
  return { version: 1, path, changed, snapshot, previous };
}
