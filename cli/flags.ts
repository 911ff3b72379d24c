/** Flags that several commands share. */

import type { ArgSpec, FlagTable } from "./command.ts";

/** Flags that every command has; they may also stand before its name. */
export const globalFlags = {
  json: { help: "Print one JSON document on stdout, errors included" },
  quiet: { short: "q", help: "Show warnings and errors only" },
  verbose: {
    short: "v",
    help: "Show the commands' output, debug notes and stacks",
  },
  "log-file": {
    value: "FILE",
    complete: "file",
    help: "Append all events to FILE (as JSON lines if named *.jsonl)",
  },
  color: {
    value: "WHEN",
    choices: ["auto", "always", "never"],
    help: "Use colours",
  },
} as const satisfies FlagTable;

/** Packages to work on. */
export const pathsArg = {
  name: "PATHS",
  variadic: true,
  complete: "file",
  help: "Folders to search for pkg.yaml files, or such files (default: .)",
} as const satisfies ArgSpec;

/** Targets to work for; several may be given. */
export const targetFlag = {
  target: {
    short: "t",
    value: "TRIPLE",
    repeat: true,
    help: "Target triple; may be repeated (default: this machine's)",
  },
} as const satisfies FlagTable;

/** Where sources may come from. */
export const sourceFlags = {
  offline: { help: "Use what is on this machine only" },
  locked: { help: "Refuse to write pkg.lock.json" },
} as const satisfies FlagTable;

/** How much is done at once. */
export const jobsFlag = {
  jobs: {
    short: "j",
    value: "N",
    type: "count",
    help: "Do N things at once (default: number of CPUs)",
  },
} as const satisfies FlagTable;

/** How `clibs env` and `clibs export` print variables. */
export const formatFlag = {
  format: {
    value: "FORMAT",
    choices: ["shell", "fish", "dotenv", "json", "github"],
    help: "Form of the output (default: shell)",
  },
} as const satisfies FlagTable;

/** Where engines are. */
export const engineSourceFlag = {
  "source-dir": {
    value: "DIR",
    complete: "dir",
    help: "Folder with the NAME.cpp files (default: core/engines)",
  },
} as const satisfies FlagTable;

/** Where loadable copies of engines go. */
export const engineOutputFlag = {
  "output-dir": {
    value: "DIR",
    complete: "dir",
    help: "Folder for the loadable copies (default: the source folder)",
  },
} as const satisfies FlagTable;

/** What engines are built with. */
export const engineToolFlags = {
  compiler: {
    value: "COMMAND",
    help: "C++ compiler (default: $CXX, else g++)",
  },
  python: {
    value: "PROGRAM",
    complete: "file",
    help: "Python for pybind11 (default: $CLIBS_PYTHON, else python3)",
  },
} as const satisfies FlagTable;
