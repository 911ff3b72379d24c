/** The attributes of rules: their checks, and which may be functions. */

import type { Attributes } from "../model.ts";
import {
  amount,
  BadValue,
  type Check,
  flag,
  list,
  number,
  someText,
  table,
  text,
  textOrNumber,
  whole,
  words,
} from "./check.ts";

/** Checks of all attributes that are values. */
export const ATTRIBUTES: {
  readonly [Key in keyof Attributes]: Check<Attributes[Key]>;
} = {
  environ: table(textOrNumber),
  environResources: table(textOrNumber),
  environAncillary: table(textOrNumber),
  resources: table(amount),
  shell: words,
  interpreter: words,
  autodep: someText,
  backend: someText,
  cache: text,
  compression: whole(0, 9),
  timeout: number(0),
  force: flag,
  keepTmp: flag,
  killSigs: list(whole(0, 64)),
  killDaemons: flag,
  maxSubmits: whole(1),
  maxRuns: whole(0),
  maxRetriesOnLost: whole(0),
  maxStderrLen: whole(0),
  startDelay: number(0),
  stderrOk: flag,
  readdirOk: flag,
  autoMkdir: flag,
  checkAbsPaths: flag,
  useScript: flag,
  retriedErrors: list(errorKind),
};

/** Kinds of errors by the names that they may have, and how runs end so. */
const ERROR_KINDS: Readonly<Record<string, string>> = {
  earlyerr: "early_err",
  earlyerror: "early_err",
  err: "err",
  forbidden: "forbidden",
  joberr: "err",
  joberror: "err",
  panic: "panic",
  terminationerror: "termination_error",
  timeout: "timeout",
};

/** A kind of error, in any spelling; `-` turns one off. */
function errorKind(value: unknown): string {
  const word = someText(value);
  const isOff = word.startsWith("-");
  const name = word.slice(isOff ? 1 : 0).replaceAll("_", "").toLowerCase();
  const kind = ERROR_KINDS[name];
  if (kind !== undefined) return isOff ? `-${kind}` : kind;
  throw new BadValue(
    `must be a kind of error, not ${JSON.stringify(value)}`,
    "known: job_error timeout termination_error forbidden early_error panic",
  );
}

/** Attributes that may be functions, besides `deps` and `dep`. */
export const DYNAMIC_ATTRIBUTES: readonly (keyof Attributes)[] = [
  "environ",
  "environResources",
  "environAncillary",
  "resources",
  "shell",
  "timeout",
  "autodep",
  "backend",
];

/** Attributes in whose strings `{NAME}` is filled in. */
export const TEMPLATE_ATTRIBUTES: readonly (keyof Attributes)[] = [
  "environ",
  "environResources",
  "environAncillary",
  "resources",
];

/** Everything that a rule may say about itself. */
export const RULE_KEYS: readonly string[] = [
  "name",
  "jobName",
  "stems",
  "target",
  "targets",
  "sideTargets",
  "dep",
  "deps",
  "sideDeps",
  "cmd",
  "vars",
  "prio",
  ...Object.keys(ATTRIBUTES),
];

/** Everything that an anti or a source rule may say. */
export const PATTERN_RULE_KEYS: readonly string[] = [
  "name",
  "stems",
  "target",
  "targets",
  "prio",
];
