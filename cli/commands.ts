/** The commands, as data: parser, help, completions and docs read this table. */

import type { CommandModule, CommandSpec, FlagValues } from "./command.ts";
import { engineCommands } from "./commands_engines.ts";
import { rulesCommands } from "./commands_rules.ts";
import { traceCommands } from "./commands_trace.ts";
import {
  formatFlag,
  type globalFlags,
  jobsFlag,
  pathsArg,
  sourceFlags,
  targetFlag,
} from "./flags.ts";

type Loaded = Promise<CommandModule>;

/** Every command by its name, in the order in which help lists them. */
export const commands = {
  build: {
    group: "Packages",
    summary: "Fetch and build the packages that are out of date",
    description:
      "Builds every package at and below PATHS, and what they depend on, each " +
      "after its deps. The failure of a package stops only its dependents.",
    args: [pathsArg],
    flags: {
      ...targetFlag,
      ...jobsFlag,
      force: { short: "f", help: "Build even what is up to date" },
      ...sourceFlags,
      "keep-work": { help: "Keep the working copies of builds that succeed" },
    },
    examples: [
      ["clibs build", "Build everything below this folder"],
      ["clibs build deps/zlib -t aarch64-linux-gnu", "Cross-compile zlib"],
      ["clibs build --locked --json", "In CI: change no lock, print JSON"],
    ],
    load: (): Loaded => import("./build.ts"),
  },
  fetch: {
    group: "Packages",
    summary: "Fetch sources without building",
    description:
      "Fetches what is missing or out of date into _download, so that a later " +
      "`clibs build --offline` needs no network.",
    args: [pathsArg],
    flags: {
      ...jobsFlag,
      force: { short: "f", help: "Fetch again, even if nothing changed" },
      ...sourceFlags,
    },
    examples: [
      ["clibs fetch", "Fetch the sources of everything below this folder"],
      ["clibs fetch --force deps/zlib", "Drop local edits in _download"],
    ],
    load: (): Loaded => import("./fetch.ts"),
  },
  update: {
    group: "Packages",
    summary: "Renew pkg.lock.json from what pkg.yaml names now",
    description:
      "Resolves refs and downloads files again, and writes the new commits and " +
      "digests. Look at the difference before you commit it.",
    args: [pathsArg],
    flags: { ...jobsFlag },
    examples: [["clibs update deps/bdwgc", "Follow the branch to its new tip"]],
    load: (): Loaded => import("./update.ts"),
  },
  status: {
    group: "Packages",
    summary: "Tell what is up to date, and what is not and why",
    args: [pathsArg],
    flags: { ...targetFlag },
    examples: [["clibs status", "The state of everything below this folder"]],
    load: (): Loaded => import("./status.ts"),
  },
  list: {
    group: "Packages",
    summary: "List the packages with version and source",
    args: [pathsArg],
    flags: {},
    examples: [["clibs list --json", "The same for a program"]],
    load: (): Loaded => import("./list.ts"),
  },
  init: {
    group: "Packages",
    summary: "Write a pkg.yaml for an archive or a git repository",
    description:
      "Looks into the sources and guesses the build command: CMake, Meson, " +
      "autotools or make.",
    args: [{
      name: "URL_OR_REPO",
      required: true,
      complete: "file",
      help: "URL or path of an archive, or address of a git repository",
    }],
    flags: {
      dir: {
        value: "DIR",
        complete: "dir",
        help: "Folder to write to (default: the package's name)",
      },
      name: { value: "NAME", help: "Name of the package (default: guessed)" },
      version: {
        value: "VERSION",
        help: "Version of the package (default: guessed)",
      },
      ref: { value: "REF", help: "Branch, tag or commit of the repository" },
      command: {
        value: "SCRIPT",
        help: "Build command (default: guessed from the sources)",
      },
      force: { short: "f", help: "Replace an existing pkg.yaml" },
    },
    examples: [
      [
        "clibs init https://example.com/zlib-1.3.tar.gz",
        "Write zlib/pkg.yaml",
      ],
      [
        "clibs init https://example.com/gc.git --ref v8.2.8",
        "The same from a git tag",
      ],
    ],
    load: (): Loaded => import("./init.ts"),
  },
  clean: {
    group: "Packages",
    summary: "Remove what can be made again",
    description:
      "Removes built trees, their logs and working copies. _prebuilt, pkg.yaml " +
      "and pkg.lock.json always stay.",
    args: [pathsArg],
    flags: {
      "dry-run": { short: "n", help: "Only tell what would be removed" },
      work: { help: "Only working copies left by failed builds" },
      all: { help: "Fetched sources too" },
      cache: { help: "The user's cache of downloads instead of packages" },
    },
    examples: [
      ["clibs clean --dry-run --all", "See what could be freed"],
      ["clibs clean --cache", "Empty the cache of downloads"],
    ],
    load: (): Loaded => import("./clean.ts"),
  },
  env: {
    group: "Use of built packages",
    summary: "Print the variables that compilers need to find packages",
    description:
      "CLIBS_LIB_DIR, CLIBS_INCLUDE_DIR, and the search paths of pkg-config, " +
      "CMake and plain compilers.",
    args: [pathsArg],
    flags: { ...targetFlag, ...formatFlag },
    examples: [
      ['eval "$(clibs env deps/zlib)"', "Set them in this shell"],
      ["clibs env --format fish | source", "The same in fish"],
      ['clibs env --format github >> "$GITHUB_ENV"', "In GitHub Actions"],
    ],
    load: (): Loaded => import("./env.ts"),
  },
  export: {
    group: "Use of built packages",
    summary: "Run the packages' export scripts and print their variables",
    args: [pathsArg],
    flags: { ...targetFlag, ...formatFlag },
    examples: [["clibs export deps/wasi-sdk", "Print its KEY=VALUE lines"]],
    load: (): Loaded => import("./export.ts"),
  },
  ...engineCommands,
  ...traceCommands,
  ...rulesCommands,
  doctor: {
    group: "Help",
    summary: "Check tools, disk, cache and network; tell what to install",
    args: [],
    flags: {
      offline: { help: "Skip the checks that need the network" },
    },
    examples: [["clibs doctor --json", "The same for a program"]],
    load: (): Loaded => import("./doctor.ts"),
  },
  explain: {
    group: "Help",
    summary: "Explain an error code",
    args: [{
      name: "CODE",
      complete: "code",
      help: "Code that an error showed (default: list them all)",
    }],
    flags: {},
    examples: [["clibs explain CLIBS_DISK_FULL", "Tell what to do about it"]],
    load: (): Loaded => import("./explain.ts"),
  },
  completions: {
    group: "Help",
    summary: "Print a completion script for a shell",
    args: [{
      name: "SHELL",
      required: true,
      choices: ["bash", "zsh", "fish", "powershell"],
      help: "The shell",
    }],
    flags: {},
    examples: [
      ['eval "$(clibs completions bash)"', "In ~/.bashrc"],
      ["source <(clibs completions zsh)", "In ~/.zshrc, after compinit"],
      ["clibs completions fish | source", "In ~/.config/fish/config.fish"],
      [
        "clibs completions powershell | Out-String | Invoke-Expression",
        "In $PROFILE",
      ],
    ],
    load: (): Loaded => import("./completions.ts"),
  },
} as const satisfies Record<string, CommandSpec>;

/** Name of a command. */
export type CommandName = keyof typeof commands;

/** Values of a command's own flags; one that was not given is undefined. */
export type Flags<N extends CommandName> = FlagValues<
  (typeof commands)[N]["flags"]
>;

/** Values of the flags that every command has. */
export type GlobalFlags = FlagValues<typeof globalFlags>;

/** Names with their commands, in order. */
export const commandList: readonly (readonly [CommandName, CommandSpec])[] =
  Object.entries(commands) as [CommandName, CommandSpec][];

/** First words of commands of two words, each with a line about them. */
export const groupList: readonly (readonly [string, string])[] = [
  ["engines", "Build and load C++ modules for Deno, Node-API and Python"],
];
