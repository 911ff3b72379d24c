/** What a loadable module must agree with: the name of its place in a cache. */

import process from "node:process";
import { sha256Hex } from "../host/digest.ts";
import { describeLibc, hostLibc } from "../toolchain/libc.ts";
import { hostTriple } from "../toolchain/triple.ts";
import type { PythonInfo } from "../toolchain/python.ts";
import type { Compiler } from "./compiler.ts";
import type { EngineKind } from "./kind.ts";

/** Version of Node-API that addons are compiled for. */
export const NODE_API = 8;

/** An ABI key. */
export interface AbiKey {
  /** For people: `ffi-x86_64-linux-gnu-glibc2.36-cxx11-gcc12.2.0`. */
  text: string;
  /** SHA-256 of all parts, in lower-case hex. */
  digest: string;
  /** Name of the folder: both, the digest cut. */
  dir: string;
  /** What the key covers, by label. */
  parts: Record<string, string>;
}

/** What decides the key. */
export interface AbiInputs {
  /** How the module is loaded. */
  kind: EngineKind;
  /** The compiler; undefined if there is none here. */
  compiler: Compiler | undefined;
  /** The compiler's flags of the engine. */
  flags: readonly string[];
  /** The Python, for pybind11. */
  python?: PythonInfo;
  /** C library and version: `glibc 2.36`. */
  libc: string;
}

/**
 * Lists what the key covers, by label: both the name of the folder and what
 * `clibs engines list` shows read this list.
 */
export function abiParts(inputs: AbiInputs): Record<string, string> {
  const { kind, compiler, flags, python } = inputs;
  return {
    kind,
    target: hostTriple(),
    libc: inputs.libc.replace(" ", ""),
    "C++ ABI": cxxAbi(flags),
    compiler: compiler?.id ?? "none",
    ...(kind === "pybind11" && python ? { python: python.soabi } : {}),
    ...(kind === "napi" ? { "Node-API": `napi${NODE_API}` } : {}),
  };
}

/** The key of an engine on this machine. */
export function abiKey(inputs: AbiInputs): AbiKey {
  const parts = abiParts(inputs);
  const { python } = inputs;
  const short = {
    ...parts,
    compiler: shortCompiler(parts.compiler ?? ""),
    // The rest of the tag repeats the target.
    ...(python ? { python: python.soabi.split("-").slice(0, 2).join("") } : {}),
  };
  const text = Object.values(short).join("-")
    .replace(/[^A-Za-z0-9_.+-]/g, "_");
  const digest = sha256Hex(JSON.stringify(parts));
  return { text, digest, dir: `${text}-${digest.slice(0, 12)}`, parts };
}

/** `gcc 12.2.0 (Debian 12.2.0-14)` becomes `gcc12.2.0`. */
function shortCompiler(id: string): string {
  const [name = "", version = ""] = id.split(" ");
  return name + version;
}

function cxxAbi(flags: readonly string[]): string {
  if (flags.includes("-stdlib=libc++")) return "libc++";
  const old = flags.some((flag) => /^-D_GLIBCXX_USE_CXX11_ABI=0$/.test(flag));
  return old ? "cxx98" : "cxx11";
}

/** The C library of this machine and its version, such as `glibc 2.36`. */
export async function libcVersion(): Promise<string> {
  return known ??= glibcVersion() ?? await describeLibc();
}

let known: string | undefined;

/** Asks glibc itself: a thousandth of what running `ldd --version` takes. */
function glibcVersion(): string | undefined {
  if (hostLibc() !== "glibc") return undefined;
  try {
    const library = Deno.dlopen("libc.so.6", {
      gnu_get_libc_version: { parameters: [], result: "pointer" },
    });
    const pointer = library.symbols.gnu_get_libc_version();
    const version = pointer && Deno.UnsafePointerView.getCString(pointer);
    library.close();
    return version === null ? undefined : `glibc ${version}`;
  } catch {
    return undefined;
  }
}

/** The highest Node-API version that this runtime has; 0 if it has none. */
export function hostNodeApi(): number {
  return Number(process.versions.napi ?? 0);
}
