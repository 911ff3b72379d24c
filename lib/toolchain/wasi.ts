/** clang with a WebAssembly C library: a WASI SDK, or the system's packages. */

import { dirname, join } from "node:path";
import { ClibsError } from "../errors.ts";
import { lstatIfExists } from "../host/files.ts";
import { findProgram } from "../host/process.ts";
import type { CrossTools } from "./cross.ts";
import type { TargetTriple } from "./triple.ts";

/** Debian's packages of what is needed to build C for WebAssembly. */
export const WASI_PACKAGES = "clang lld wasi-libc libclang-rt-dev-wasm32";

/** Headers of Debian's wasi-libc. */
const DEBIAN_INCLUDE = "/usr/include/wasm32-wasi";

/**
 * Finds clang for a WASI target: the SDK that `WASI_SDK_PATH` names, else
 * Debian's packages.
 *
 * @throws {ClibsError} `CLIBS_TOOLCHAIN_MISSING` if a part of it is not here.
 */
export function findWasi(
  triple: TargetTriple,
  env: (name: string) => string | undefined,
): CrossTools {
  const sdk = env("WASI_SDK_PATH");
  return sdk ? fromSdk(triple, sdk) : fromSystem(triple, env("PATH"));
}

function fromSdk(triple: TargetTriple, sdk: string): CrossTools {
  const sysroot = join(sdk, "share/wasi-sysroot");
  const clang = findProgram("clang", join(sdk, "bin"));
  if (!clang || !lstatIfExists(join(sysroot, "include"))) {
    throw new ClibsError(
      "CLIBS_TOOLCHAIN_MISSING",
      `Cannot build for ${triple.text}: WASI_SDK_PATH does not name a WASI SDK`,
      {
        facts: {
          target: triple.text,
          "looked for": `${clang ? sysroot : join(sdk, "bin/clang")}`,
        },
        hint: "set WASI_SDK_PATH to an unpacked WASI SDK, or unset it",
      },
    );
  }
  // The name of the sysroot's folders: older SDKs have one, newer ones both.
  const system =
    ["wasi", "wasip1"].find((name) =>
      lstatIfExists(join(sysroot, "lib", `${triple.arch}-${name}`))
    ) ?? "wasi";
  const args = [`--target=${triple.arch}-${system}`, `--sysroot=${sysroot}`];
  return {
    cc: [clang, ...args],
    cxx: [join(sdk, "bin/clang++"), ...args],
    programs: llvmPrograms((name) => join(sdk, "bin", name)),
    cflags: args,
    ldflags: args,
    roots: [sysroot],
    pkgConfig: [join(sysroot, "lib", `${triple.arch}-${system}`, "pkgconfig")],
  };
}

function fromSystem(
  triple: TargetTriple,
  path: string | undefined,
): CrossTools {
  const clang = findProgram("clang", path);
  if (!clang) throw lacks(triple, "clang is not on PATH", "clang");
  if (!findProgram("wasm-ld", path)) {
    throw lacks(triple, "wasm-ld is not on PATH", "wasm-ld");
  }
  const header = `${DEBIAN_INCLUDE}/stdio.h`;
  if (!lstatIfExists(header)) {
    throw lacks(triple, "wasi-libc is not installed", header);
  }
  const resources = resourceDir(clang);
  if (resources && !hasRuntime(resources)) {
    throw lacks(
      triple,
      "clang's runtime for wasm32 is not installed",
      `${resources}/lib/wasi/libclang_rt.builtins-wasm32.a`,
    );
  }
  // clang would also search /usr/include, which is this machine's: a check for
  // a header would then find what the target does not have.
  const target = `--target=${triple.arch}-wasi`;
  // While it links, it would remark on each flag for headers, hence -Qunused.
  const own = [target, "-nostdlibinc", "-Qunused-arguments"];
  const libc = ["-isystem", DEBIAN_INCLUDE];
  const libcxx = [
    `${DEBIAN_INCLUDE}/c++/v1`,
    ...resources
      ? [join(resources, "../../../include/wasm32-wasi/c++/v1")]
      : [],
  ].find(lstatIfExists);
  // Without a C++ library, C++ that needs none still links. That matters for
  // C libraries too: CMake's project() tests a C++ compiler unless told not to.
  const cxx = libcxx ? ["-isystem", libcxx] : ["-nostdlib++"];
  return {
    cc: [clang, ...own, ...libc],
    cxx: [findProgram("clang++", path) ?? "clang++", ...own, ...cxx, ...libc],
    programs: llvmPrograms((name) => findProgram(name, path) ?? name),
    cflags: [...own, ...libc],
    ldflags: [target],
    roots: [DEBIAN_INCLUDE, "/usr/lib/wasm32-wasi"],
    pkgConfig: ["/usr/lib/wasm32-wasi/pkgconfig"],
  };
}

function llvmPrograms(find: (name: string) => string): Record<string, string> {
  return {
    AR: find("llvm-ar"),
    RANLIB: find("llvm-ranlib"),
    NM: find("llvm-nm"),
    STRIP: find("llvm-strip"),
  };
}

/** clang's folder of headers and runtimes; undefined if it is somewhere unusual. */
function resourceDir(clang: string): string | undefined {
  try {
    const base = join(dirname(Deno.realPathSync(clang)), "../lib/clang");
    const versions = [...Deno.readDirSync(base)]
      .filter((entry) => lstatIfExists(join(base, entry.name, "include")));
    return versions[0] && join(base, versions[0].name);
  } catch {
    return undefined;
  }
}

function hasRuntime(resources: string): boolean {
  return ["wasi", "wasip1", "wasm32-unknown-wasi", "wasm32-unknown-wasip1"]
    .some((name) => lstatIfExists(join(resources, "lib", name)));
}

function lacks(
  triple: TargetTriple,
  cause: string,
  lookedFor: string,
): ClibsError {
  return new ClibsError(
    "CLIBS_TOOLCHAIN_MISSING",
    `Cannot build for ${triple.text}: ${cause}`,
    {
      facts: { target: triple.text, "looked for": lookedFor },
      hint: `apt-get install ${WASI_PACKAGES}`,
    },
  );
}
