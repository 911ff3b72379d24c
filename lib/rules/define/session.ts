/** What is known while `Lmakefile.ts` is read, and what it said so far. */

import type { RuleSpec } from "../model.ts";
import type { Pattern } from "../pattern.ts";
import type { Evaluate } from "./deps.ts";
import type { Place } from "./place.ts";

/** A rule with what cannot be plain data. */
export interface DefinedRule {
  /** As plain data; imports of a function are found later. */
  spec: RuleSpec;
  /** Attributes that are functions, by name. */
  functions: Readonly<Record<string, Evaluate>>;
  /** Its star targets, which such functions get as functions. */
  stars: readonly { key: string; pattern: Pattern }[];
  /** File in which it was defined, absolute. */
  file?: string;
  /** Its `vars`, which functions get too. */
  vars: unknown;
}

/** One reading of `Lmakefile.ts`. */
export interface Session {
  /** Root of the repo, absolute; empty if no repo is being read. */
  root: string;
  /** Root of the outermost repo that has this one as a sub-repo. */
  topRoot: string;
  /** Environment of the caller. */
  environ: Readonly<Record<string, string>>;
  /** Variables that were asked for; null: not set. */
  environUsed: Map<string, string | null>;
  /** Rules, in the order in which they were defined. */
  rules: Map<string, DefinedRule>;
  /** What `lmake.config` was set to. */
  config?: Record<string, unknown>;
  /** Where that was. */
  configPlace?: Place;
}

// Two copies of this module, under two specifiers, must share it.
const KEY = Symbol.for("clibs.lmake.session");

/** A session in which nothing was said yet. */
export function newSession(
  known: Partial<Pick<Session, "root" | "topRoot" | "environ">> = {},
): Session {
  const root = known.root ?? "";
  return {
    root,
    topRoot: known.topRoot ?? root,
    environ: known.environ ?? {},
    environUsed: new Map(),
    rules: new Map(),
  };
}

/**
 * The session of this process.
 *
 * Without one, as in a job that imports a module which also defines rules,
 * what is defined goes nowhere.
 */
export function session(): Session {
  const global = globalThis as unknown as Record<symbol, Session | undefined>;
  return global[KEY] ??= newSession();
}

/** Makes a session the one of this process. */
export function beginSession(started: Session): void {
  (globalThis as unknown as Record<symbol, Session>)[KEY] = started;
}
