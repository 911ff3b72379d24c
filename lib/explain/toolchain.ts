import type { Explanations } from "./codes.ts";

/** Failures of targets and compilers. */
export const toolchainErrors: Explanations = {
  CLIBS_TARGET: {
    title: "A target is not a triple",
    text:
      "A target names processor, system and ABI, such as `x86_64-linux-gnu`, `aarch64-unknown-linux-gnu` or `wasm32-unknown-wasi`. It is also the name of the folder below `_build`, so slashes and spaces are refused.",
  },
  CLIBS_TOOLCHAIN_MISSING: {
    title: "There is no compiler for a target",
    text:
      "For other Linux targets clibs uses GCC under the target's name, such as `aarch64-linux-gnu-gcc`, which Debian has as packages. For WebAssembly it uses clang with wasi-libc, or the WASI SDK that `WASI_SDK_PATH` names. The hint says what to install; `clibs doctor` lists what is here.",
  },
};
