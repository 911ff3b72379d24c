/** The commands about what a program accesses. */

import type { CommandModule, CommandSpec } from "./command.ts";

type Loaded = Promise<CommandModule>;

/** By name, in the order in which help lists them. */
export const traceCommands = {
  trace: {
    group: "Tracing",
    summary: "Run a command and list the files that it reads and writes",
    description:
      "Runs the command with its own terminal, standard streams and exit code, " +
      "then lists what it read, what it looked for in vain, what it wrote, and " +
      "the folders that it listed. Accesses to system files are only counted.",
    args: [{
      name: "COMMAND",
      required: true,
      variadic: true,
      complete: "file",
      help: "Program and arguments, best behind two dashes",
    }],
    flags: {
      method: {
        value: "METHOD",
        choices: ["auto", "ld_preload", "ptrace", "none"],
        help: "How accesses are found (default: auto)",
      },
      system: { help: "List system files too" },
      env: { help: "List the variables that it asks for" },
      save: {
        value: "FILE",
        complete: "file",
        help: "Save the trace for `clibs trace check`",
      },
      perfetto: {
        value: "FILE",
        complete: "file",
        help: "Write a timeline for ui.perfetto.dev and Chrome",
      },
    },
    passThrough: true,
    ownSignals: true,
    examples: [
      ["clibs trace -- make", "What a build really reads and writes"],
      [
        "clibs trace --save make.json -- make && clibs trace check make.json",
        "Save a trace, and ask whether it still holds",
      ],
    ],
    load: (): Loaded => import("./trace.ts"),
  },
  "trace check": {
    group: "Tracing",
    summary: "Tell whether a saved trace still holds",
    description:
      "Exits with 0 if every file is as it was when the trace was saved, and " +
      "with 1 and the first that is not.",
    args: [{
      name: "FILE",
      required: true,
      complete: "file",
      help: "What `clibs trace --save` or `--json` wrote",
    }],
    flags: {},
    examples: [[
      "clibs trace check make.json",
      "Would make do the same again?",
    ]],
    load: (): Loaded => import("./trace_check.ts"),
  },
  xxhsum: {
    group: "Tracing",
    summary: "Print the checksums by which changes are detected",
    description:
      "XXH3-64 of content and execute bit, with -R for files and -L for links; " +
      "`none` if there is no file. Without FILE, that of the text on stdin. Not " +
      "for trust: use sha256sum for that.",
    args: [{ name: "FILE", variadic: true, complete: "file", help: "Files" }],
    flags: {},
    examples: [["clibs xxhsum main.c util.c", "Print the sums of two files"]],
    load: (): Loaded => import("./xxhsum.ts"),
  },
} as const satisfies Record<string, CommandSpec>;
