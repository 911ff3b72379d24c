import type { Explanations } from "./codes.ts";

/** Failures of tracing, and of the native parts of clibs. */
export const traceErrors: Explanations = {
  CLIBS_NATIVE_BUILD: {
    title: "A native part of clibs cannot be built",
    text:
      "The tracer is a small library and a program in C, compiled once per user with the C compiler that `CC` names, or cc, gcc or clang. What the compiler printed is among the facts; the sources stay in the folder shown. `CLIBS_NATIVE_DIR` may name a folder with prebuilt ones.",
  },
  CLIBS_NATIVE_COMPILER: {
    title: "There is no C compiler for the native parts of clibs",
    text:
      "Tracing needs a small library that is compiled on first use. Install gcc or clang, or set `CC`. Without a compiler, `--method none` runs commands without tracing them.",
  },
  CLIBS_TRACE_EXEC: {
    title: "The command to trace cannot be executed",
    text:
      "The file is there, but it is a folder, lacks the execute permission, or is for another kind of machine. `clibs trace` then exits with 126, as a shell does; with 127 if there is no such file.",
  },
  CLIBS_TRACE_FILE: {
    title: "A file is not a saved trace",
    text:
      "`clibs trace check` reads what `clibs trace --save FILE` or `clibs trace --json` wrote, in the version that this clibs knows. Traces can always be made again by running the command again.",
  },
  CLIBS_TRACE_FOLDER: {
    title: "No folder takes the records of a trace",
    text:
      "While a command runs, what it accesses is written to a file in /dev/shm, or in `TMPDIR`, /tmp or /var/tmp if memory is short. The facts say what was wrong with each. The file is removed when the command has ended; files of killed runs are removed by the next one.",
  },
  CLIBS_TRACE_METHOD: {
    title: "There is no tracing method of that name",
    text:
      "Methods are `ld_preload` (a library in front of libc), `ptrace` (the kernel stops each call about a path), `auto` (the first, and the second for programs that it cannot see, such as static ones) and `none`.",
  },
  CLIBS_TRACE_PROGRAM: {
    title: "The command to trace cannot be found",
    text:
      "The command stands behind two dashes: `clibs trace -- make -j2`. Its program is looked for on PATH unless its name has a slash.",
  },
  CLIBS_TRACE_UNSUPPORTED: {
    title: "A tracing method does not work on this machine",
    text:
      "Tracing needs Linux on x86_64 or aarch64. Some containers forbid ptrace; `ld_preload` still works there, for programs that are not static. `clibs doctor` tells for each method whether it works, and why not.",
  },
};
