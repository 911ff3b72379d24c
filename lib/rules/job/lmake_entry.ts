/**
 * What `@clibs/cli/lmake` is in a function job: the job functions, and the
 * names that are for `Lmakefile.ts`.
 *
 * A module that a function imports may define rules besides. They were read
 * before the job began, so here what is defined goes nowhere.
 *
 * @module
 */

import { lmake } from "./mod.ts";

export * from "./mod.ts";
export default lmake;

function ignored(..._args: unknown[]): void {}

/** Does nothing: rules were read before. */
export const rule: (...args: unknown[]) => void = ignored;
/** Does nothing: rules were read before. */
export const antiRule: (...args: unknown[]) => void = ignored;
/** Does nothing: rules were read before. */
export const sourceRule: (...args: unknown[]) => void = ignored;
/** Does nothing: rules were read before. */
export const dirRule: (...args: unknown[]) => void = ignored;
/** Does nothing: rules were read before. */
export const aliasRule: (...args: unknown[]) => void = ignored;
/** Does nothing: rules were read before. */
export const homelessRule: (...args: unknown[]) => void = ignored;
/** Does nothing: rules were read before. */
export const traceRule: (...args: unknown[]) => void = ignored;
/** Does nothing: the version was checked before. */
export const checkVersion: (...args: unknown[]) => void = ignored;
