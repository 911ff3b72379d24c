/** The commands about files that rules make. */

import type { CommandModule, CommandSpec, FlagTable } from "./command.ts";

type Loaded = Promise<CommandModule>;

/** How arguments name jobs. */
const jobFlags = {
  job: { short: "J", help: "The arguments are names of jobs, not files" },
  rule: {
    short: "R",
    value: "RULE",
    help: "Of several jobs, the one of this rule",
  },
} as const satisfies FlagTable;

const filesArg = {
  name: "FILES",
  variadic: true,
  complete: "file",
  help: "Files that jobs make",
} as const;

/** By name, in the order in which help lists them. */
export const rulesCommands = {
  make: {
    group: "Rules",
    summary: "Make files by the rules of Lmakefile.ts",
    description:
      "Runs the jobs that FILES need and that are not up to date; without FILES, " +
      "only reads Lmakefile.ts. What jobs read and write is traced, so that " +
      "their deps are always complete. $LMAKE_ARGS has flags that come first. " +
      "See docs/lmake.md, also for the exit codes of all commands about rules.",
    args: [{ ...filesArg, help: "Files to make" }],
    flags: {
      archive: {
        short: "a",
        help: "Make what was removed of intermediate files, too",
      },
      "forget-errors": { short: "e", help: "Run jobs again that failed" },
      jobs: {
        short: "j",
        value: "N",
        type: "count",
        help: "Run N jobs at once (default: what the pools allow)",
      },
      local: { short: "l", help: "Run all jobs on this machine" },
      "live-out": {
        short: "o",
        help: "Show what the jobs of FILES print, as they do",
      },
      "keep-tmp": { short: "t", help: "Keep each job's $TMPDIR" },
      "source-ok": { short: "s", help: "Let jobs write to sources" },
      "no-incremental": {
        short: "I",
        help: "Remove incremental targets before jobs run",
      },
      retry: {
        short: "r",
        value: "N",
        type: "count",
        help: "Run a job that fails up to N times more",
      },
      "max-submits": {
        short: "m",
        value: "N",
        type: "count",
        help: "Start a job N times at most",
      },
      "max-runs": {
        short: "M",
        value: "N",
        type: "count",
        help: "Run a job N times at most",
      },
      "ignore-non-essential": {
        short: "d",
        help: "Leave deps alone that are not essential",
      },
      "ignore-deps": { short: "D", help: "Leave all deps alone" },
      backend: {
        short: "b",
        value: "ARGS",
        help: "Arguments for the backend of the jobs",
      },
      "cache-method": {
        short: "c",
        value: "METHOD",
        choices: ["none", "download", "check", "plain"],
        help: "How the cache of results is used",
      },
      ...jobFlags,
      sync: { short: "S", help: "Wait until the server has ended" },
      profile: {
        value: "FILE",
        complete: "file",
        help: "Write where the time went, as a trace for ui.perfetto.dev",
      },
      report: {
        value: "FILE",
        complete: "file",
        help: "Write where the time went, as a page of HTML",
      },
      init: { help: "Write a first Lmakefile.ts" },
    },
    exitCodes: "lmake",
    examples: [
      ["clibs make hello", "Make hello and what it needs"],
      ["clibs make -e -j 8 all", "Also try again what failed, 8 jobs at once"],
      [
        "clibs make --report time.html all",
        "See where the time goes: slowest jobs, critical path, timeline",
      ],
      ["clibs make --init", "Write a first Lmakefile.ts"],
    ],
    load: (): Loaded => import("./make.ts"),
  },
  show: {
    group: "Rules",
    summary: "Show what is known about files and the jobs that make them",
    description:
      "Tells about the last run of the job of each of FILES. Changes nothing, " +
      "so that it works where nothing can be written. docs/lmake.md explains " +
      "the columns.",
    args: [filesArg],
    flags: {
      info: { short: "i", help: "How the job ended, and why it ran (default)" },
      deps: { short: "d", help: "What it read; with -v, with checksums" },
      "inverse-deps": { short: "D", help: "The jobs that read the files" },
      targets: { short: "t", help: "What it wrote; with -v, with checksums" },
      "inverse-targets": { short: "T", help: "The job that makes each file" },
      cmd: { short: "c", help: "Its command, with everything filled in" },
      stderr: { short: "e", help: "What it wrote to standard error" },
      stdout: { short: "o", help: "What it wrote to standard output" },
      env: { short: "E", help: "Its environment" },
      bom: { short: "b", help: "The sources that the files were made of" },
      running: { short: "r", help: "The jobs that are running" },
      trace: { short: "u", help: "What it did, in order of time" },
      system: {
        help: "With -d or -b: the system packages, too",
      },
      graph: {
        value: "FORMAT",
        choices: ["svg", "dot", "html"],
        help: "All that they are made of, drawn; with -v, each node by itself",
      },
      porcelain: { short: "p", help: "Print one JSON array for programs" },
      ...jobFlags,
    },
    exitCodes: "lmake",
    examples: [
      ["clibs show main.o", "Why main.o was made, and how that ended"],
      ["clibs show -dv main.o", "What it was made from, with checksums"],
      ["clibs show -b hello", "All sources of hello"],
      [
        "clibs show --graph html hello >hello.html",
        "A page to look around in what hello is made of",
      ],
    ],
    load: (): Loaded => import("./show.ts"),
  },
  forget: {
    group: "Rules",
    summary: "Have jobs run again although they are up to date",
    args: [filesArg],
    flags: {
      deps: { short: "d", help: "Forget deps that are not the rule's, too" },
      targets: {
        short: "t",
        help: "Forget targets that the rule does not name, too",
      },
      resources: {
        short: "r",
        help: "All jobs whose resources have changed",
      },
      ...jobFlags,
    },
    exitCodes: "lmake",
    examples: [
      ["clibs forget main.o", "Make main.o again with the next command"],
      ["clibs forget -d a.out", "After a cycle was removed from the rules"],
    ],
    load: (): Loaded => import("./forget.ts"),
  },
  mark: {
    group: "Rules",
    summary: "Freeze files, or keep their changes from running jobs",
    description:
      "A frozen target is taken as it is, like a source: its job does not run. " +
      "Changes of a file that does not trigger run no job.",
    args: [{ ...filesArg, help: "Files to mark" }],
    flags: {
      freeze: { short: "f", help: "Targets that are to be taken as they are" },
      "no-trigger": { short: "t", help: "Files whose changes run nothing" },
      add: { short: "a", help: "Mark FILES" },
      delete: { short: "d", help: "Unmark FILES" },
      list: { short: "l", help: "List the marked files" },
      clear: { short: "c", help: "Unmark all files" },
      ...jobFlags,
    },
    exitCodes: "lmake",
    examples: [
      ["clibs mark -fa gen.h", "Edit gen.h by hand for a while"],
      ["clibs mark -fl", "List what is frozen"],
      ["clibs mark -tc", "Let all changes run jobs again"],
    ],
    load: (): Loaded => import("./mark.ts"),
  },
  debug: {
    group: "Rules",
    summary: "Run a job again by hand, outside the rules",
    description:
      "Writes a script below LMAKE/debug with the job's environment, folder, " +
      "input and command, prints its path and runs it. Nothing is traced, and " +
      "nothing is remembered of it.",
    args: [{ ...filesArg, name: "FILE", variadic: false, required: true }],
    flags: {
      "dry-run": { short: "n", help: "Write the script and do not run it" },
      ...jobFlags,
    },
    exitCodes: "lmake",
    examples: [["clibs debug -n main.o", "Print the path of the script"]],
    load: (): Loaded => import("./debug.ts"),
  },
  repair: {
    group: "Rules",
    summary: "Make the memory of a repo anew from the records of its jobs",
    description:
      "For a repo whose memory is suspected to be wrong. Looks at every target " +
      "and remembers those again that are what their job left. No other " +
      "command may run meanwhile. With TABLES, puts tables of codes in order " +
      "instead that are folders, after codes were made by hand.",
    args: [{
      name: "TABLES",
      variadic: true,
      complete: "dir",
      help: "Tables of codes (default: the memory of the repo)",
    }],
    flags: {},
    exitCodes: "lmake",
    examples: [
      ["clibs repair", "Look at all targets of this repo"],
      ["clibs repair shared/codes", "Give values the codes made by hand"],
    ],
    load: (): Loaded => import("./repair.ts"),
  },
  collect: {
    group: "Rules",
    summary: "Remove files that jobs made and no rule makes any more",
    description:
      "Files that were changed since, sources, and what no job wrote stay.",
    args: [{
      name: "DIRS",
      variadic: true,
      complete: "dir",
      help: "Folders to look into (default: the whole repo)",
    }],
    flags: {
      "dry-run": { short: "n", help: "Only tell what would be removed" },
    },
    exitCodes: "lmake",
    examples: [["clibs collect -n", "See what would be removed"]],
    load: (): Loaded => import("./collect.ts"),
  },
} as const satisfies Record<string, CommandSpec>;
