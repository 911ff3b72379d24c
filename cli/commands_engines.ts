/** The commands of engines, as data; part of the table in commands.ts. */

import type { CommandModule, CommandSpec } from "./command.ts";
import {
  engineOutputFlag,
  engineSourceFlag,
  engineToolFlags,
  jobsFlag,
} from "./flags.ts";

type Loaded = Promise<CommandModule>;

const names = {
  name: "NAMES",
  variadic: true,
  help: "Names of engines (default: all)",
} as const;

const timeout = {
  value: "SECONDS",
  type: "count",
  help: "Limit of one compile (default: 300)",
} as const;

const allowUnverified = {
  help: "Use prebuilts that no manifest has a digest for",
} as const;

const dryRun = {
  short: "n",
  help: "Only tell what would be removed",
} as const;

/** Commands by their names, in the order in which help lists them. */
export const engineCommands = {
  "engines list": {
    group: "Engines",
    summary: "List the engines of a folder",
    args: [],
    flags: { ...engineSourceFlag },
    examples: [["clibs engines list", "The engines in core/engines"]],
    load: (): Loaded => import("./engines_list.ts"),
  },
  "engines build": {
    group: "Engines",
    summary: "Obtain engines by policy: prebuilt, cache or compiler",
    description:
      "What is built, or found in the cache, is saved as the prebuilt of this " +
      "machine's ABI in assets/binaries, with its digest. What was just built " +
      "is loaded once, in a process of its own. Exit code 2: at least one " +
      "engine failed; the others are ready.",
    args: [names],
    flags: {
      ...engineSourceFlag,
      ...engineOutputFlag,
      policy: {
        value: "POLICY",
        choices: [
          "prefer_prebuilt",
          "prefer_cache",
          "build_only",
          "prebuilt_only",
        ],
        help: "Where engines come from (default: prefer_prebuilt)",
      },
      ...engineToolFlags,
      ...jobsFlag,
      timeout,
      "allow-unverified": allowUnverified,
    },
    examples: [
      ["clibs engines build", "Make every engine ready"],
      ["clibs engines build cpu --policy build_only", "Compile one again"],
    ],
    load: (): Loaded => import("./engines_build.ts"),
  },
  "engines fast-build": {
    group: "Engines",
    summary: "Compile what the cache lacks, without loading",
    args: [names],
    flags: {
      ...engineSourceFlag,
      ...engineOutputFlag,
      ...engineToolFlags,
      ...jobsFlag,
      timeout,
      "allow-unverified": allowUnverified,
    },
    examples: [["clibs engines fast-build", "Before a program is started"]],
    load: (): Loaded => import("./engines_fast_build.ts"),
  },
  "engines types": {
    group: "Engines",
    summary: "Write TypeScript declarations of engines",
    args: [names],
    flags: {
      ...engineSourceFlag,
      "output-dir": {
        value: "DIR",
        complete: "dir",
        help: "Folder for the .d.ts files (default: the source folder)",
      },
      ...engineToolFlags,
    },
    examples: [["clibs engines types cpu", "Write core/engines/cpu.d.ts"]],
    load: (): Loaded => import("./engines_types.ts"),
  },
  "engines healthcheck": {
    group: "Engines",
    summary: "Check tools, sources, prebuilts and the cache",
    args: [],
    flags: { ...engineSourceFlag, ...engineOutputFlag, ...engineToolFlags },
    examples: [["clibs engines healthcheck --json", "The same for a program"]],
    load: (): Loaded => import("./engines_healthcheck.ts"),
  },
  "engines toolchain": {
    group: "Engines",
    summary: "Take down the toolchain; tell what has changed",
    args: [],
    flags: { ...engineSourceFlag, ...engineToolFlags },
    examples: [["clibs engines toolchain", "Has the compiler changed?"]],
    load: (): Loaded => import("./engines_toolchain.ts"),
  },
  "engines run": {
    group: "Engines",
    summary: "Run script duties: .py, .js and .ts files",
    args: [{
      name: "SCRIPTS",
      variadic: true,
      complete: "file",
      help: "Scripts below the folder (default: all)",
    }],
    flags: {
      "source-dir": {
        value: "DIR",
        complete: "dir",
        help: "Folder with the scripts (default: core/scripts)",
      },
      timeout: {
        value: "SECONDS",
        type: "count",
        help: "Limit of one script (default: 60)",
      },
      allow: {
        value: "PERMISSION",
        repeat: true,
        help: "Deno permission of .js and .ts, such as read or net=localhost",
      },
      python: engineToolFlags.python,
    },
    examples: [
      ["clibs engines run report.py", "Run core/scripts/report.py"],
      ["clibs engines run --allow read --allow env", "Run all of them"],
    ],
    load: (): Loaded => import("./engines_run.ts"),
  },
  "engines prune": {
    group: "Engines",
    summary: "Remove old versions from the cache of engines",
    args: [],
    flags: {
      ...engineSourceFlag,
      "max-versions": {
        value: "N",
        type: "count",
        help: "ABI keys to keep, the newest (default: 3)",
      },
      "max-age-days": {
        value: "DAYS",
        type: "count",
        help: "Remove what is older (default: 30)",
      },
      "dry-run": dryRun,
    },
    examples: [["clibs engines prune --max-versions 1", "Keep the newest key"]],
    load: (): Loaded => import("./engines_prune.ts"),
  },
  "engines clean": {
    group: "Engines",
    summary: "Remove what can be built again",
    description:
      "Removes loadable copies, leftovers and the cache; never prebuilts, " +
      "files that git tracks, or anything outside of the project. dev: light, " +
      "keeps the cache. ci: standard, and caches of Python and build files. " +
      "release: deep, all of it.",
    args: [],
    flags: {
      ...engineSourceFlag,
      ...engineOutputFlag,
      profile: {
        value: "PROFILE",
        choices: ["dev", "ci", "release"],
        help: "What the cleaning is for",
      },
      mode: {
        value: "MODE",
        choices: ["light", "standard", "deep"],
        help: "How much goes (default: standard)",
      },
      pycache: { help: "Also __pycache__ folders" },
      "build-artifacts": { help: "Also build folders, object files and logs" },
      exclude: {
        value: "PATH",
        repeat: true,
        complete: "file",
        help: "Keep this file or folder; may be repeated",
      },
      "dry-run": dryRun,
      "no-cache": { help: "Keep the cache" },
      "no-local-outputs": { help: "Keep the loadable copies" },
      "no-orphans": { help: "Keep what belongs to no engine any more" },
    },
    examples: [
      ["clibs engines clean --dry-run", "See what could be freed"],
      ["clibs engines clean --profile release", "Before a release"],
    ],
    load: (): Loaded => import("./engines_clean.ts"),
  },
} as const satisfies Record<string, CommandSpec>;
