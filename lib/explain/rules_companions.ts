/** Errors of the commands around `clibs make`. */

import type { Explanations } from "./codes.ts";

/** What `clibs explain` says about `clibs show`, `forget`, `mark` and the like. */
export const rulesCompanionsErrors: Explanations = {
  CLIBS_LMAKE_NO_JOB: {
    title: "No job that ran makes the file",
    text:
      "`clibs show`, `forget`, `debug` and others tell about the last run\n" +
      "of the job that makes a file. This file is a source, or nothing was run\n" +
      "for it yet, or no rule has it as a target.\n\n" +
      "`clibs make FILE` runs its job. With `--job`, the arguments are names\n" +
      "of jobs as `clibs make` prints them, such as `parts/{N*}.txt`.",
  },
  CLIBS_LMAKE_MARK: {
    title: "A file cannot have this mark, or has not got it",
    text:
      "Only files that a job makes can be frozen: a source is taken as it\n" +
      "is anyway. A file has one mark at a time.\n\n" +
      "`clibs mark --list` shows what is marked, `clibs mark -fd FILE` and\n" +
      "`clibs mark -td FILE` take a mark away.",
  },
  CLIBS_LMAKE_BUSY: {
    title: "Another command is running in the repo",
    text:
      "`clibs repair` and `clibs collect` must not see the work of another\n" +
      "command half done, so that they refuse instead of waiting.\n\n" +
      "Run the command again when the other one has ended. A command that was\n" +
      "killed leaves no lock behind.",
  },
};
