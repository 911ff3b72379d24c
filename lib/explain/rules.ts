import type { Explanations } from "./codes.ts";

/** Failures of making files by rules. */
export const rulesErrors: Explanations = {
  CLIBS_JOB_START: {
    title: "The process of a job cannot be started",
    text:
      "The shell or interpreter of the rule is not there, may not be run, or the system has no more processes or memory. The number is that of the C library's errno.h.",
  },
  CLIBS_LMAKE_BACKEND: {
    title: "There is no backend of that name",
    text:
      "The `backend` of a rule says where its jobs run; `lmake.backends` lists those there are. `local`, this machine, is always there.",
  },
  CLIBS_LMAKE_EXISTS: {
    title: "There are rules already",
    text:
      "`clibs make --init` writes a first Lmakefile.ts and never replaces one. Remove the file, or go on with it.",
  },
  CLIBS_LMAKE_OUTSIDE: {
    title: "A file is not of this repo",
    text:
      "`clibs make` makes files below the folder of Lmakefile.ts. Names are relative to the current folder. What is under `LMAKE` is private to clibs.",
  },
  CLIBS_LMAKE_REPO: {
    title: "There are no rules here",
    text:
      "A repo is the folder with Lmakefile.ts, looked for here and in the folders above. `clibs make --init` writes a first one.",
  },
  CLIBS_LMAKE_RESOURCE: {
    title: "A job asks for resources that cannot be had",
    text:
      "`resources` of a rule takes amounts from the pools in `lmake.config.backends.local`: `cpu`, `mem` and `tmp` in megabytes, and counters of your own. A job that asks for more than there is at all never runs.",
  },
  CLIBS_LMAKE_SERVER: {
    title: "The server of a repo cannot be had",
    text:
      "Commands of one repo share a server, which `clibs make` starts and which goes when it is idle. What it printed is in LMAKE/server.log. With `CLIBS_MAKE_SERVER=0` a command works by itself.",
  },
  CLIBS_LMAKE_SOURCES: {
    title: "Nothing tells which files are sources",
    text:
      "Sources are listed in the file Manifest, one name a line, or known to git, or given in `lmake.config.sources`. A name that ends with a slash makes a source of every file below it.",
  },
};
