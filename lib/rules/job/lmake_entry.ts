/**
 * What `@clibs/cli/lmake` is in a function job: the job functions, and the
 * names that only make sense while `Lmakefile.ts` is read.
 *
 * @module
 */

import { lmake as job } from "./mod.ts";

export * from "./mod.ts";

function onlyInLmakefile(name: string): () => never {
  return () => {
    throw new Error(
      `Cannot call ${name}: it only works at the top level of Lmakefile.ts`,
    );
  };
}

/** Throws: rules are defined in `Lmakefile.ts`. */
export const rule: () => never = onlyInLmakefile("rule");
/** Throws: rules are defined in `Lmakefile.ts`. */
export const antiRule: () => never = onlyInLmakefile("antiRule");
/** Throws: rules are defined in `Lmakefile.ts`. */
export const sourceRule: () => never = onlyInLmakefile("sourceRule");
/** Throws: rules are defined in `Lmakefile.ts`. */
export const dirRule: () => never = onlyInLmakefile("dirRule");
/** Throws: rules are defined in `Lmakefile.ts`. */
export const aliasRule: () => never = onlyInLmakefile("aliasRule");
/** Throws: rules are defined in `Lmakefile.ts`. */
export const homelessRule: () => never = onlyInLmakefile("homelessRule");
/** Throws: rules are defined in `Lmakefile.ts`. */
export const traceRule: () => never = onlyInLmakefile("traceRule");
/** Throws: versions are checked in `Lmakefile.ts`. */
export const checkVersion: () => never = onlyInLmakefile("checkVersion");

export default job;
