/**
 * What `@clibs/cli/lmake` is in a function job: the job functions, and the
 * names that are for `Lmakefile.ts`.
 *
 * A module that a function imports may define rules besides. They were read
 * before the job began, so here what is defined goes nowhere.
 *
 * @module
 */

import { pdict } from "../define/pdict.ts";
import { checkVersion, version } from "../define/version.ts";
import { jobError } from "./client.ts";
import { lmake as job } from "./mod.ts";
import { repoRoot as root, topRepoRoot as topRoot } from "./root.ts";

export * from "./mod.ts";
export { checkVersion, pdict, version };

type Input = Readonly<Record<string, unknown>>;

function ignored(input: Input = {}): Input {
  return input;
}

/** Defines nothing: rules were read before. */
export const rule: (input?: Input) => Input = ignored;
/** Defines nothing: rules were read before. */
export const antiRule: (input?: Input) => Input = ignored;
/** Defines nothing: rules were read before. */
export const sourceRule: (input?: Input) => Input = ignored;
/** Defines nothing: rules were read before. */
export const dirRule: (input?: Input) => Input = ignored;
/** Defines nothing: rules were read before. */
export const aliasRule: (input?: Input) => Input = ignored;
/** Defines nothing: rules were read before. */
export const homelessRule: (input?: Input) => Input = ignored;
/** Defines nothing: rules were read before. */
export const traceRule: (input?: Input) => Input = ignored;

/** Methods that find what a job reads and writes. */
export const autodeps: readonly string[] = Object.freeze([
  "auto",
  "ld_preload",
  "ptrace",
  "none",
]);

/** Where jobs can run. */
export const backends: readonly string[] = Object.freeze(["local", "slurm"]);

/** Root of the repo, absolute. */
export const repoRoot: string = root();

/** Root of the outermost repo; another one in a sub-repo only. */
export const topRepoRoot: string = topRoot();

/** Refuses to be read: a job does not know the caller's environment. */
export const userEnviron: Readonly<Record<string, string | undefined>> =
  new Proxy({}, {
    get(_, name) {
      throw jobError(
        "CLIBS_JOB_OUTSIDE",
        `Cannot read userEnviron.${
          String(name)
        }: it is known only while Lmakefile.ts is read`,
        "pass its value to the function through the `vars` of the rule",
      );
    },
  });

/** The job functions, with what else `lmake` has in `Lmakefile.ts`. */
export const lmake = Object.assign(job, {
  autodeps,
  backends,
  checkVersion,
  version,
  repoRoot,
  topRepoRoot,
  userEnviron,
  pdict,
});

// Settings that a module makes besides go nowhere either.
Object.defineProperty(lmake, "config", {
  get: () => ({
    backends: { local: {}, slurm: {} },
    slurm: {},
    console: {},
    caches: {},
  }),
  set: () => {},
});

export default lmake;
