/** Looks for the tools that builds use. */

import { ClibsError } from "../errors.ts";
import { findProgram, runProcess } from "../host/process.ts";
import { findCross } from "./cross.ts";
import { describeLibc } from "./libc.ts";
import { isNative, parseTriple } from "./triple.ts";

/** One check and what it found. */
export interface Check {
  /** What was checked. */
  name: string;
  /** Whether it is there and works. */
  ok: boolean;
  /** Whether clibs cannot do without it. */
  required: boolean;
  /** What was found, such as a version. */
  detail: string;
  /** What to do about it. */
  fix?: string;
}

/** A tool: its programs, the first one found counts. */
interface Tool {
  name: string;
  programs: string[];
  required: boolean;
  /** What it is for, where that is not plain. */
  use?: string;
  /** Names of its packages: apt, dnf, apk, brew. */
  packages: [apt: string, dnf: string, apk: string, brew: string];
}

const TOOLS: Tool[] = [
  tool("bash", ["bash"], true, "bash"),
  tool("git", ["git"], true, "git"),
  tool("C compiler", ["cc", "gcc", "clang"], true, "gcc", "libc6-dev gcc"),
  tool("C++ compiler", ["c++", "g++", "clang++"], true, "gcc-c++", "g++"),
  tool("make", ["make"], false, "make"),
  tool("cmake", ["cmake"], false, "cmake"),
  tool("ninja", ["ninja"], false, "ninja", "ninja-build"),
  tool("meson", ["meson"], false, "meson"),
  tool("pkg-config", ["pkg-config", "pkgconf"], false, "pkgconf", "pkg-config"),
  tool("autoconf", ["autoconf"], false, "autoconf"),
  tool("xz", ["xz"], false, "xz", "xz-utils", "faster .tar.xz"),
  tool("bzip2", ["bzip2"], false, "bzip2", "bzip2", "faster .tar.bz2"),
  tool("zstd", ["zstd"], false, "zstd", "zstd", "faster .tar.zst"),
];

function tool(
  name: string,
  programs: string[],
  required: boolean,
  other: string,
  apt = other,
  use?: string,
): Tool {
  const apk = name.endsWith("compiler") ? "build-base" : other;
  const brew = name.endsWith("compiler") ? "gcc" : other;
  const packages: Tool["packages"] = [apt, other, apk, brew];
  return { name, programs, required, packages, use };
}

const MANAGERS: [string, string][] = [
  ["apt-get", "apt-get install"],
  ["dnf", "dnf install"],
  ["apk", "apk add"],
  ["brew", "brew install"],
];

/** Other targets that are worth a line, whether or not they can be built for. */
const CROSS_TARGETS = ["aarch64-linux-gnu", "wasm32-unknown-wasi"];

/** Looks for every tool, and the compilers of other targets. */
export async function probeTools(): Promise<Check[]> {
  const manager = MANAGERS.findIndex(([program]) => findProgram(program));
  const install = (names: readonly string[]) =>
    manager < 0 ? undefined : `${MANAGERS[manager]?.[1]} ${names[manager]}`;
  const tools = await Promise.all(TOOLS.map((t) => probe(t, install)));
  const cross = CROSS_TARGETS.filter((target) => !isNative(target))
    .map((target) => probeTarget(target, manager === 0));
  const machine: Check = {
    name: "machine",
    ok: true,
    required: false,
    detail: `${await describeLibc()}, ${navigator.hardwareConcurrency} CPUs`,
  };
  return [machine, ...tools, ...cross];
}

/** Looks for a target's compilers just as a build does. */
function probeTarget(target: string, debian: boolean): Check {
  const check = { name: target, required: false };
  try {
    const { cc } = findCross(parseTriple(target), (n) => Deno.env.get(n));
    return { ...check, ok: true, detail: `can be built for, with ${cc[0]}` };
  } catch (error) {
    if (!(error instanceof ClibsError)) throw error;
    return {
      ...check,
      ok: false,
      detail: error.message,
      ...(debian && error.hint ? { fix: error.hint } : {}),
    };
  }
}

async function probe(
  { name, programs, required, packages, use }: Tool,
  install: (names: readonly string[]) => string | undefined,
): Promise<Check> {
  const path = programs.map((program) => findProgram(program))
    .find((found) => found !== undefined);
  if (path === undefined) {
    const fix = install(packages);
    return {
      name,
      ok: false,
      required,
      detail: `not found${use ? ` (for ${use})` : ""}`,
      ...(fix ? { fix } : {}),
    };
  }
  return { name, ok: true, required, detail: await version(path) };
}

async function version(path: string): Promise<string> {
  try {
    const { stdout, stderr } = await runProcess({
      command: path,
      args: ["--version"],
      env: { LC_ALL: "C" },
    });
    const line = `${stdout}${stderr}`.split("\n", 1)[0] ?? "";
    return `${/\d+(\.\w+)+/.exec(line)?.[0] ?? "found"} (${path})`;
  } catch {
    return path;
  }
}
