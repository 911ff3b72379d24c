/** Errors of the command line, and those of the system below everything. */

import type { Explanations } from "./codes.ts";

/** Explanations of the codes in cli/, lib/errors.ts and lib/host/process.ts. */
export const cliErrors: Explanations = {
  CLIBS_BUG: {
    title: "clibs failed in a way it did not expect",
    text: `Something was thrown that is not one of clibs's own errors.
Nothing half written was published: results appear only when they are complete.

Run the same command again with --verbose to see the stack, and report it
together with the output of \`clibs doctor\`.`,
  },
  CLIBS_CANCELLED: {
    title: "The command was interrupted",
    text:
      `Ctrl-C, SIGTERM, SIGHUP or the caller's AbortSignal stopped the work. Commands
that were running have been ended together with their children. There is nothing
to clean up: run the same command again to go on. The exit code is 130.`,
  },
  CLIBS_DISK_FULL: {
    title: "The disk, or your quota of it, is full",
    text:
      `A write failed because there is no space left (ENOSPC) or because the quota is
used up (EDQUOT). What was complete before is still in place.

\`clibs clean --dry-run\` shows how much clibs can give back. CLIBS_CACHE_DIR moves
the cache of downloads to another disk.`,
  },
  CLIBS_EXPLAIN_UNKNOWN: {
    title: "clibs explain was asked about a code that does not exist",
    text:
      `\`clibs explain CODE\` knows the codes which clibs prints after an error, such as
CLIBS_DISK_FULL. Names of environment variables (CLIBS_CACHE_DIR) look alike but
are not error codes. \`clibs explain\` without a code lists them all.`,
  },
  CLIBS_PERMISSION: {
    title: "A file or a program may not be used",
    text:
      `The system, or Deno's permission check, refused an access. The message names it.

If the system refused it, check the owner and mode of the path and of the folders
above it. If Deno did, the program that uses clibs as a library needs a wider
--allow-read, --allow-write, --allow-run, --allow-net or --allow-env flag.`,
  },
  CLIBS_READ_ONLY: {
    title: "The file system is mounted read-only",
    text:
      `clibs had to write below the package's folder or the cache and could not (EROFS).
A package that is built already can be used from a read-only disk; fetching and
building need a writable one. Copy the folder, or point CLIBS_CACHE_DIR elsewhere
if it is the cache that is read-only.`,
  },
  CLIBS_TOO_MANY_FILES: {
    title: "The limit of open files was reached",
    text:
      `The process (EMFILE) or the whole system (ENFILE) has too many files open. Raise
the limit of your shell with \`ulimit -n 4096\`, or run fewer jobs with --jobs.`,
  },
  CLIBS_TOOL_MISSING: {
    title: "A program that clibs needs is not installed",
    text:
      `clibs runs git, bash and, for some archives, xz, bzip2 or zstd, and did not find
one of them on PATH. Install it with the system's package manager.
\`clibs doctor\` lists every such tool, what it is for and what to install.`,
  },
  CLIBS_USAGE_ARGUMENT: {
    title: "A command got too few or too many arguments",
    text:
      `The command's arguments do not fit. \`clibs help COMMAND\` shows what it takes.
A word that starts with a dash is read as a flag; write it after \`--\`.`,
  },
  CLIBS_USAGE_COMMAND: {
    title: "There is no such command",
    text:
      `The first word after \`clibs\` is not one of its commands. \`clibs help\` lists them.
Folders of packages are arguments of a command: \`clibs build deps/zlib\`.`,
  },
  CLIBS_USAGE_FLAG: {
    title: "There is no such flag",
    text:
      `The command does not know this flag. \`clibs help COMMAND\` lists those it knows.
Flags that every command has (--json, --quiet, ...) may stand before or after the
command's name; its own flags stand after it.`,
  },
  CLIBS_USAGE_OUTPUT: {
    title: "A file that was asked for cannot be written",
    text:
      "Flags such as `--profile FILE` and `--report FILE` of `clibs make` write " +
      "a file. Its folder must exist, and both must be writable. It is opened " +
      "before any work begins, so nothing was done.",
  },
  CLIBS_USAGE_LOG_FILE: {
    title: "The file named by --log-file cannot be written",
    text:
      `The log file is opened for appending before any work starts, so that a mistyped
path does not cost the log of a long build. Its folder must exist and be writable.`,
  },
  CLIBS_USAGE_VALUE: {
    title: "A flag has no value, or one that it does not take",
    text:
      `The flag wants a value, a number in some range, or one of a few words; the message
says which. Write the value after a space or an equals sign: --jobs 4, --jobs=4.`,
  },
};
