/** Errors of reading `Lmakefile.ts`. */

import type { Explanations } from "./codes.ts";

/** What `clibs explain` says about rules that cannot be read. */
export const rulesLoadErrors: Explanations = {
  CLIBS_LMAKE_MISSING: {
    title: "The repo has no Lmakefile.ts",
    text: "Rules are read from `Lmakefile.ts` at the root of the repo.\n\n" +
      "`clibs make --init` writes a first one, with a `deno.json` by which\n" +
      "editors find the types.",
  },
  CLIBS_LMAKE_SYNTAX: {
    title: "Lmakefile.ts, or a module that it imports, cannot be parsed",
    text:
      "The file is TypeScript or JavaScript and is not well formed at the\n" +
      "place shown, or imports a name that the other module does not export.\n\n" +
      "Types are not checked when it is read: editors, and `deno check\n" +
      "Lmakefile.ts`, do that.",
  },
  CLIBS_LMAKE_IMPORT: {
    title: "Lmakefile.ts imports a module that there is not",
    text:
      "A relative name is looked for beside the file that imports it. Bare\n" +
      "names come from the `imports` of the `deno.json` at or above the root\n" +
      "of the repo; `@clibs/cli/lmake` is always known.",
  },
  CLIBS_LMAKE_IMPORT_MAP: {
    title: "The deno.json of a repo cannot be read",
    text: "`Lmakefile.ts` may use what `deno.json` (or `deno.jsonc`) names\n" +
      "under `imports`, so that it must be well-formed JSON, with comments if\n" +
      "need be.",
  },
  CLIBS_LMAKE_THROWN: {
    title: "Lmakefile.ts, or a function in it, threw an error",
    text:
      "The code of the repo failed at the place shown. Nothing was built.\n\n" +
      "What it prints by console.log() goes to the standard error of the\n" +
      "command. Variables of the environment are only to be had through\n" +
      "`lmake.userEnviron`.",
  },
  CLIBS_LMAKE_EXIT: {
    title: "Lmakefile.ts called exit()",
    text:
      "Reading the rules ended the process. Code that runs when the rules\n" +
      "are read must return: throw an error to give up.",
  },
  CLIBS_LMAKE_TIMEOUT: {
    title: "Reading Lmakefile.ts took too long",
    text: "It is stopped after a minute, as is each attribute that is a\n" +
      "function. Look for a loop without end, or for a download at each\n" +
      "reading.\n\n" +
      "Slow work belongs in a rule: its result is kept until something that it\n" +
      "read changes.",
  },
  CLIBS_LMAKE_PROCESS: {
    title: "The process that read Lmakefile.ts ended before its time",
    text: "It crashed, was killed, or ran out of memory; its last output is\n" +
      "shown. Run `deno run -A Lmakefile.ts` to see it alone.",
  },
  CLIBS_LMAKE_RULE: {
    title: "A rule is not well formed",
    text:
      "The message names the rule and the attribute, and `at` the line. All\n" +
      "attributes are in docs/lmakefile.md; editors complete them, and mark\n" +
      "those that do not exist.",
  },
  CLIBS_LMAKE_PATTERN: {
    title: "A pattern of a rule is not well formed",
    text:
      "A pattern is the name of a file, seen from the root of the repo, with\n" +
      "stems in braces: `{F}` is defined in `stems` or elsewhere in the rule,\n" +
      "`{F:.*}` brings its regular expression, `{F*:.*}` varies within a job,\n" +
      "`{:.*}` has no name. `{{` and `}}` are braces that belong to the name.",
  },
  CLIBS_LMAKE_TEMPLATE: {
    title: "Braces in a string of a rule do not match, or hold no name",
    text:
      "In commands, deps and variables, `{NAME}` is replaced by a stem, a\n" +
      "target, a dep or a resource. All other braces are doubled: `${{HOME}}`,\n" +
      "`awk '{{ print $1 }}'`.",
  },
  CLIBS_LMAKE_NAME: {
    title: "A string of a rule uses a name that stands for nothing",
    text:
      "In commands, deps and variables, `{NAME}` is replaced by a stem, a\n" +
      "target, a dep or a resource of the rule. A target with star stems\n" +
      "stands for many files: `{PART('x')}` names one.\n\n" +
      "Double the braces if they are meant as such: `${{NAME}}`.",
  },
  CLIBS_LMAKE_STEM: {
    title: "A value does not fit a star stem",
    text:
      "A target with star stems is used as a function of their values, in\n" +
      "order. Each must match the regular expression of its stem, otherwise\n" +
      "the name would be of no target.",
  },
  CLIBS_LMAKE_FUNCTION: {
    title: "A function cannot be run as the command of a job",
    text:
      "A `cmd` that is a function runs in a process of its own, for which\n" +
      "its text is taken. It can use what it gets as `j` (stems, targets,\n" +
      "deps, resources, `vars`, `lmake`), global names, names imported at the\n" +
      "top of the file, and what it imports itself by `import()`. Variables and\n" +
      "functions of the file around it do not go along.\n\n" +
      "Pass values as `vars: { x }` and use `j.vars.x`; move functions to a\n" +
      "module and import it.",
  },
  CLIBS_LMAKE_CONFIG: {
    title: "lmake.config is not well formed",
    text: "The message names the setting. All settings are in\n" +
      "docs/lmakefile.md; editors complete them, and mark those that do not\n" +
      "exist.",
  },
  CLIBS_LMAKE_DYNAMIC: {
    title: "A function for an attribute returned something unusable",
    text:
      "An attribute may be a function of stems, targets and deps. What it\n" +
      "returns must be what the attribute could be as a value; names of files\n" +
      "in it are taken as they are, without braces being filled in.",
  },
  CLIBS_LMAKE_ENVIRON: {
    title: "userEnviron can only be read by name",
    text:
      "Each variable that is read through `lmake.userEnviron` is a dep of\n" +
      "the rules: they are read again when it changes. Listing would make all\n" +
      "of them deps, and writing would change nothing outside.",
  },
  CLIBS_LMAKE_VERSION: {
    title: "Lmakefile.ts expects another version of clibs",
    text:
      "`checkVersion(major, minor)` needs the same major version, and at\n" +
      "least that minor one. Install a version that fits, or adapt the rules\n" +
      "and the call.",
  },
};
