/** Looks for the tools that builds use. */

import { findProgram, runProcess } from "../host/process.ts";
import { describeLibc } from "./libc.ts";

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

/** Compilers of other targets, by a program that each brings. */
const CROSS: [string, string, string][] = [
  [
    "aarch64-linux-gnu",
    "aarch64-linux-gnu-gcc",
    "gcc-aarch64-linux-gnu g++-aarch64-linux-gnu",
  ],
  [
    "wasm32-unknown-wasi",
    "wasm-ld",
    "clang lld wasi-libc libclang-rt-dev-wasm32",
  ],
];

/** Looks for every tool, and the compilers of other targets. */
export async function probeTools(): Promise<Check[]> {
  const manager = MANAGERS.findIndex(([program]) => findProgram(program));
  const install = (names: readonly string[]) =>
    manager < 0 ? undefined : `${MANAGERS[manager]?.[1]} ${names[manager]}`;
  const tools = await Promise.all(TOOLS.map((t) => probe(t, install)));
  const cross = CROSS.map(([target, program, apt]): Check => {
    const found = findProgram(program);
    return {
      name: target,
      ok: found !== undefined,
      required: false,
      detail: found ? "can be built for" : "no compiler for it",
      ...(found || manager !== 0 ? {} : { fix: `apt-get install ${apt}` }),
    };
  });
  const machine: Check = {
    name: "machine",
    ok: true,
    required: false,
    detail: `${await describeLibc()}, ${navigator.hardwareConcurrency} CPUs`,
  };
  return [machine, ...tools, ...cross];
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
