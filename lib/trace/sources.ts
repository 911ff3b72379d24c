/** The native parts of the tracer, as sources that travel with clibs. */

import type { NativeUnit } from "../toolchain/native.ts";
import filter from "./native/filter.h" with { type: "text" };
import kernel from "./native/kernel.h" with { type: "text" };
import ptrace from "./native/ptrace.c" with { type: "text" };
import ptraceChange from "./native/ptrace_change.c" with { type: "text" };
import ptraceExec from "./native/ptrace_exec.c" with { type: "text" };
import ptraceListen from "./native/ptrace_listen.c" with { type: "text" };
import ptraceLook from "./native/ptrace_look.c" with { type: "text" };
import ptraceLoop from "./native/ptrace_loop.c" with { type: "text" };
import ptraceMemory from "./native/ptrace_memory.c" with { type: "text" };
import ptracePath from "./native/ptrace_path.c" with { type: "text" };
import ptraceReport from "./native/ptrace_report.c" with { type: "text" };
import ptraceTasks from "./native/ptrace_tasks.c" with { type: "text" };
import ptraceHeader from "./native/ptrace.h" with { type: "text" };
import shim from "./native/shim.c" with { type: "text" };
import shimChange from "./native/shim_change.c" with { type: "text" };
import shimElf from "./native/shim_elf.c" with { type: "text" };
import shimEscape from "./native/shim_escape.c" with { type: "text" };
import shimExec from "./native/shim_exec.c" with { type: "text" };
import shimHeader from "./native/shim.h" with { type: "text" };
import shimLoad from "./native/shim_load.c" with { type: "text" };
import shimOpen from "./native/shim_open.c" with { type: "text" };
import shimPath from "./native/shim_path.c" with { type: "text" };
import shimSpawn from "./native/shim_spawn.c" with { type: "text" };
import shimStat from "./native/shim_stat.c" with { type: "text" };
import shimWalk from "./native/shim_walk.c" with { type: "text" };
import trace from "./native/trace.h" with { type: "text" };
import writer from "./native/writer.h" with { type: "text" };

const shared = {
  "filter.h": filter,
  "kernel.h": kernel,
  "trace.h": trace,
  "writer.h": writer,
};

/** The library that is preloaded. */
export const shimUnit: NativeUnit = {
  name: "clibs-trace.so",
  sources: {
    ...shared,
    "shim.h": shimHeader,
    "shim.c": shim,
    "shim_change.c": shimChange,
    "shim_elf.c": shimElf,
    "shim_escape.c": shimEscape,
    "shim_exec.c": shimExec,
    "shim_load.c": shimLoad,
    "shim_open.c": shimOpen,
    "shim_path.c": shimPath,
    "shim_spawn.c": shimSpawn,
    "shim_stat.c": shimStat,
    "shim_walk.c": shimWalk,
  },
  args: [
    "-shared",
    "-fPIC",
    "-O2",
    "-std=gnu11",
    "-w",
    "-fvisibility=hidden",
    // A program may pass null where libc's headers say that it may not.
    "-fno-delete-null-pointer-checks",
    "-D__nonnull(x)=",
    // A listener begins with the exec, and would hold up what comes before.
    "-DTRACE_NO_LISTENER",
  ],
};

/** The program that traces with ptrace. */
export const tracerUnit: NativeUnit = {
  name: "clibs-ptrace",
  sources: {
    ...shared,
    "ptrace.h": ptraceHeader,
    "ptrace.c": ptrace,
    "ptrace_change.c": ptraceChange,
    "ptrace_exec.c": ptraceExec,
    "ptrace_listen.c": ptraceListen,
    "ptrace_look.c": ptraceLook,
    "ptrace_loop.c": ptraceLoop,
    "ptrace_memory.c": ptraceMemory,
    "ptrace_path.c": ptracePath,
    "ptrace_report.c": ptraceReport,
    "ptrace_tasks.c": ptraceTasks,
  },
  args: ["-O2", "-std=gnu11", "-w"],
};
