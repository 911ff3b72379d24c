/**
 * The module `@clibs/cli/lmake`, which `Lmakefile.ts` imports.
 *
 * @example A rule
 * ```ts ignore
 * import { rule } from "@clibs/cli/lmake";
 *
 * rule({
 *   name: "Compile",
 *   targets: { OBJ: "{F:.*}.o" },
 *   deps: { SRC: "{F}.c" },
 *   cmd: "gcc -c -o {OBJ} {SRC}",
 * });
 * ```
 *
 * @module
 */

import { lmake } from "./lmake.ts";
import { session } from "./session.ts";

export { antiRule, rule, sourceRule } from "./rules.ts";
export {
  aliasRule,
  type AliasRuleInput,
  dirRule,
  type DirRuleInput,
  homelessRule,
  traceRule,
} from "./predefined.ts";
export {
  autodeps,
  backends,
  type Lmake,
  lmake,
  type RepoSettings,
} from "./lmake.ts";
export { checkVersion, version } from "./version.ts";
export { type UserEnviron, userEnviron } from "./environ.ts";
export { type Pdict, pdict } from "./pdict.ts";
export type { ConfigInput, ConfigValue, PoolInput } from "./config.ts";
export type * from "./infer.ts";
export type * from "./types.ts";
export * from "../job/outside.ts";
export type * from "../job/types.ts";
export type { Attributes, SlurmSettings } from "../model.ts";

/** Root of the repo, absolute. */
export const repoRoot: string = session().root;

/** Root of the outermost repo; another one in a sub-repo only. */
export const topRepoRoot: string = session().topRoot;

export default lmake;
