/** The object `lmake`: what `Lmakefile.ts` may ask, and set. */

import * as job from "../job/outside.ts";
import type { JobModule } from "../job/types.ts";
import {
  type ConfigInput,
  type ConfigValue,
  emptyConfig,
  withTables,
} from "./config.ts";
import { type UserEnviron, userEnviron } from "./environ.ts";
import { pdict } from "./pdict.ts";
import { callerPlace } from "./place.ts";
import { session } from "./session.ts";
import { checkVersion, version } from "./version.ts";

/** Methods that find what a job reads and writes. */
export const autodeps: readonly string[] = Object.freeze([
  "auto",
  "ld_preload",
  "ptrace",
  "none",
]);

/** Where jobs can run. */
export const backends: readonly string[] = Object.freeze(["local", "slurm"]);

/** What belongs to the repo whose `Lmakefile.ts` is being read. */
export class RepoSettings {
  /** Root of the repo, absolute. */
  get repoRoot(): string {
    return session().root;
  }

  /** Root of the outermost repo; another one in a sub-repo only. */
  get topRepoRoot(): string {
    return session().topRoot;
  }

  /** Settings of the repo. */
  get config(): ConfigValue {
    const current = session();
    // What it was set to may be wrong; that is said when all has been read.
    current.config ??= emptyConfig();
    return current.config as ConfigValue;
  }

  /** Settings of the repo. */
  set config(value: ConfigInput) {
    Object.assign(session(), {
      config: withTables(value),
      configPlace: callerPlace(),
    });
  }
}

/** What `Lmakefile.ts` may ask, and set; in a job, what it may call. */
export interface Lmake extends JobModule, RepoSettings {
  /** Methods that find what a job reads and writes. */
  readonly autodeps: readonly string[];
  /** Where jobs can run. */
  readonly backends: readonly string[];
  /** Makes sure that this version does what `Lmakefile.ts` expects. */
  checkVersion(major: string | number, minor?: number): void;
  /** Native version: major and minor. */
  readonly version: readonly [major: string, minor: number];
  /** The caller's environment; what is asked for becomes a dep. */
  readonly userEnviron: UserEnviron;
  /** Makes tables whose items are properties of maps, throughout. */
  pdict: typeof pdict;
}

/** What `Lmakefile.ts` may ask, and set. */
export const lmake: Lmake = Object.assign(new RepoSettings(), job, {
  autodeps,
  backends,
  checkVersion,
  version,
  userEnviron,
  pdict,
});
