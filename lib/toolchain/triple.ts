/**
 * Names of what a library is built for.
 *
 * @module
 */

import { UsageError } from "../errors.ts";
import { hostLibc } from "./libc.ts";
import { printable } from "./printable.ts";

/** A target triple, taken apart. */
export interface TargetTriple {
  /** Exactly as it was given; the name of the target's folders. */
  text: string;
  /** Processor in its usual spelling: `x86_64`, `aarch64`, `i686`, `wasm32`. */
  arch: string;
  /** Vendor as written, such as `unknown`, `pc` or `apple`. */
  vendor: string | undefined;
  /** System in its usual spelling: `linux`, `darwin`, `windows`, `wasi`. */
  os: string;
  /** C library and ABI: `gnu`, `musl`, `gnueabihf`, `msvc`; undefined if unsaid. */
  env: string | undefined;
}

/** Other spellings of processors; what is not here is spelled as it is. */
const ARCH_ALIASES: Readonly<Record<string, string>> = {
  amd64: "x86_64",
  x64: "x86_64",
  arm64: "aarch64",
  i386: "i686",
  i486: "i686",
  i586: "i686",
  "386": "i686",
  x86: "i686",
  ppc64le: "powerpc64le",
  ppc64el: "powerpc64le",
  riscv64gc: "riscv64",
  mipsle: "mipsel",
  mips64le: "mips64el",
  wasm: "wasm32",
};

/** What `{platform}_{arch}` folders call a processor besides its usual name. */
const PLATFORM_ARCHES: Readonly<Record<string, readonly string[]>> = {
  x86_64: ["amd64", "x86_64", "x64"],
  aarch64: ["arm64", "aarch64"],
  i686: ["386", "i686", "i386", "x86"],
  powerpc64le: ["ppc64le", "powerpc64le"],
  mipsel: ["mipsle", "mipsel"],
  mips64el: ["mips64le", "mips64el"],
  wasm32: ["wasm", "wasm32"],
};

const OS_ALIASES: Readonly<Record<string, string>> = {
  macos: "darwin",
  macosx: "darwin",
  mingw32: "windows",
  win32: "windows",
  wasip1: "wasi",
};

/** Systems that a `{platform}_{arch}` name may begin with. */
const PLATFORMS = new Set([
  "linux",
  "darwin",
  "macos",
  "windows",
  "freebsd",
  "netbsd",
  "openbsd",
  "wasi",
  "wasip1",
]);

const VENDORS = new Set(["unknown", "pc", "none", "apple", "w64"]);

/**
 * Takes a target triple apart.
 *
 * Accepted are `arch-os`, `arch-os-env`, `arch-vendor-os`,
 * `arch-vendor-os-env` and `{platform}_{arch}`. Unknown words are fine: a
 * compiler may exist for them.
 *
 * @throws {UsageError} `CLIBS_TARGET` if the text cannot be a target: it also
 * names folders, so slashes, spaces and `..` are refused.
 */
export function parseTriple(text: string): TargetTriple {
  if (
    !/^[A-Za-z0-9](?:[A-Za-z0-9._+-]*[A-Za-z0-9])?$/.test(text) ||
    text.includes("..") || text.length > 100
  ) {
    throw notATarget(text);
  }
  const pair = /^([a-z0-9]+)_([a-z0-9_]+)$/.exec(text);
  if (pair?.[1] && pair[2] && PLATFORMS.has(pair[1])) {
    return { text, ...fromWords(pair[2], undefined, pair[1], undefined) };
  }
  const words = text.split("-");
  if (words.length < 2 || words.length > 4 || words.includes("")) {
    throw notATarget(text);
  }
  const [arch, second, third, fourth] = words as [string, string, ...string[]];
  if (fourth !== undefined) {
    return { text, ...fromWords(arch, second, third as string, fourth) };
  }
  if (third === undefined) {
    return { text, ...fromWords(arch, undefined, second, undefined) };
  }
  // Three words: the middle one is the vendor unless it can only be a system.
  const vendorless = !VENDORS.has(second) &&
    (isSystem(second) || !isSystem(third));
  return vendorless
    ? { text, ...fromWords(arch, undefined, second, third) }
    : { text, ...fromWords(arch, second, third, undefined) };
}

function fromWords(
  arch: string,
  vendor: string | undefined,
  os: string,
  env: string | undefined,
): Omit<TargetTriple, "text"> {
  // Apple's tools put the version of the system into the name: darwin23.1.0.
  const bare = /^(darwin|macosx?|freebsd)[0-9.]*$/.exec(os)?.[1] ?? os;
  const mingw = os === "mingw32" ? "gnu" : undefined;
  return {
    arch: ARCH_ALIASES[arch] ?? arch,
    vendor,
    os: OS_ALIASES[bare] ?? bare,
    env: env ?? mingw,
  };
}

function isSystem(word: string): boolean {
  return PLATFORMS.has(word) || word in OS_ALIASES ||
    /^(darwin|macosx?|freebsd|wasip?)[0-9.]*$/.test(word) || word === "none";
}

function notATarget(text: string): UsageError {
  return new UsageError(
    "CLIBS_TARGET",
    `Cannot use "${printable(text)}" as a target: it is not a target triple`,
    {
      facts: { expected: "ARCH-OS, ARCH-OS-ABI or ARCH-VENDOR-OS-ABI" },
      hint: `use a triple such as ${hostTriple()} or aarch64-linux-gnu`,
    },
  );
}

/**
 * The triple of this machine: Debian's spelling (`x86_64-linux-gnu`) on Linux,
 * else the one of Rust and LLVM (`aarch64-apple-darwin`,
 * `x86_64-pc-windows-msvc`).
 */
export function hostTriple(): string {
  const arch = Deno.build.arch as string;
  switch (Deno.build.os as string) {
    case "darwin":
      return `${arch}-apple-darwin`;
    case "windows":
      return `${arch}-pc-windows-msvc`;
    case "linux":
      return `${arch}-linux-${hostLibc() === "musl" ? "musl" : "gnu"}`;
    default:
      return `${arch}-unknown-${Deno.build.os}`;
  }
}

/**
 * Other names of the same target, the likeliest first, without `text` itself.
 *
 * With and without a vendor, and `{platform}_{arch}` in Go's and in plain
 * spelling where that names one ABI only: `linux_amd64` is never musl.
 *
 * @throws {UsageError} `CLIBS_TARGET` if `text` is not a target.
 */
export function equivalentNames(text: string): string[] {
  const triple = parseTriple(text);
  const names = new Set([...tripleNames(triple), ...platformNames(triple)]);
  names.delete(text);
  return [...names];
}

function tripleNames({ arch, vendor, os, env }: TargetTriple): string[] {
  const spelled = archSpellings(arch);
  switch (os) {
    case "linux": {
      const end = env ?? "gnu";
      const vendors = ["", "unknown-", "pc-"];
      if (vendor && !VENDORS.has(vendor)) vendors.push(`${vendor}-`);
      return spelled.flatMap((a) => vendors.map((v) => `${a}-${v}linux-${end}`))
        .concat(end === "gnu" ? [`${arch}-linux`] : []);
    }
    case "darwin":
      return spelled.flatMap((
        a,
      ) => [`${a}-apple-darwin`, `${a}-apple-macosx`, `${a}-darwin`]);
    case "windows":
      return env === "gnu"
        ? [
          `${arch}-w64-mingw32`,
          `${arch}-pc-windows-gnu`,
          `${arch}-windows-gnu`,
        ]
        : [`${arch}-pc-windows-msvc`, `${arch}-windows-msvc`];
    case "wasi":
      return ["wasi", "wasip1"].flatMap((o) => [
        `${arch}-${o}`,
        `${arch}-unknown-${o}`,
      ]);
    default: {
      const end = env === undefined ? os : `${os}-${env}`;
      return [`${arch}-${end}`, `${arch}-unknown-${end}`];
    }
  }
}

function platformNames({ arch, os, env }: TargetTriple): string[] {
  const usual = env === undefined ||
    (os === "linux" ? env === "gnu" : os === "windows" && env === "msvc") ||
    (arch === "arm" && env === "gnueabihf");
  if (!usual || !PLATFORMS.has(os)) return [];
  const platforms = os === "darwin"
    ? ["darwin", "macos"]
    : os === "wasi"
    ? ["wasip1", "wasi"]
    : [os];
  const arches = PLATFORM_ARCHES[arch] ?? [arch];
  return platforms.flatMap((p) => arches.map((a) => `${p}_${a}`));
}

/** Other spellings of a processor; not for 32-bit ARM, whose names differ in what they run. */
function archSpellings(arch: string): string[] {
  const aliases: Record<string, string[]> = {
    aarch64: ["arm64"],
    i686: ["i586", "i386"],
    riscv64: ["riscv64gc"],
  };
  return [arch, ...aliases[arch] ?? []];
}

/** Whether this machine runs what is built for the target. */
export function isNative(text: string): boolean {
  const host = hostTriple();
  return text === host || equivalentNames(text).includes(host);
}
