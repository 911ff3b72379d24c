/** Compares what a method sees of a command with what strace sees. */

import { SYSTEM_PREFIXES } from "../../lib/trace/session.ts";
import { findProgram } from "../../lib/host/process.ts";
import type { Method } from "../../lib/trace/methods.ts";
import { traceCommand, type TraceResult } from "../../lib/trace/run.ts";
import type { Kind } from "./calls.ts";
import { type OracleRun, runOracle, type Seen, toBytes } from "./oracle.ts";
import { type Known, knownOf } from "./known.ts";
import { TempDir } from "./temp.ts";

/** A command to compare. */
export interface Case {
  command: readonly string[];
  /** Makes what the command needs, in its folder. */
  prepare: (dir: TempDir) => void;
  /** Variables added to the environment. */
  env?: Record<string, string>;
  /** Names that differ from run to run, and what stands for them. */
  random?: readonly (readonly [RegExp, string])[];
  /** Paths that may differ, such as where threads race. */
  ignore?: RegExp;
}

/** Names that compilers, shells and build tools make up. */
const RANDOM: readonly (readonly [RegExp, string])[] = [
  [/\/(cc|st|sh|tmp\.|tmp|conf|\.nfs)[A-Za-z0-9_]{6,}(?=[./]|$)/g, "/$1~"],
  [/(cmTC_|TryCompile-)[0-9A-Za-z]+/g, "$1~"],
  [/\.tmp[0-9a-f]{5}$/, ".tmp~"],
  [/\/tmp_(obj|pack|idx|rev)_\w{6}/g, "/tmp_$1_~"],
  [/(\.pyc)\.\d+$/, "$1.~"],
  [/\/\.git\/t\w{6}$/, "/.git/t~"],
];

/** One folder for all runs of a case: its paths are compared. */
class Place implements Disposable {
  readonly #dir = new TempDir();

  /** The folder as the case wants it, whatever was there. */
  fresh(one: Case): TempDir {
    const { path } = this.#dir;
    for (const { name } of Deno.readDirSync(path)) {
      removeAll(`${path}/${name}`);
    }
    Deno.mkdirSync(`${path}/tmp`);
    Deno.mkdirSync(`${path}/home`);
    Deno.mkdirSync(`${path}/work`);
    const work = Object.create(this.#dir, {
      path: { value: `${path}/work` },
    }) as TempDir;
    one.prepare(work);
    return work;
  }

  get path(): string {
    return this.#dir.path;
  }

  [Symbol.dispose](): void {
    removeAll(this.path);
  }
}

/** Deno cannot remove folders that are too deep, or names that are not UTF-8. */
function removeAll(path: string): void {
  new Deno.Command("rm", { args: ["-rf", path] }).outputSync();
}

/** Runs a command under strace and each method; says where they differ. */
export async function compareMethods(
  one: Case,
  methods: readonly Method[],
): Promise<string[]> {
  using place = new Place();
  const env = {
    ...Deno.env.toObject(),
    HOME: `${place.path}/home`,
    TMPDIR: `${place.path}/tmp`,
    LC_ALL: "C.UTF-8",
    ...one.env,
  };
  const cwd = place.fresh(one).path;
  // Looking for the program is the caller's business.
  const [name = "", ...args] = one.command;
  const command = [
    name.includes("/") ? name : findProgram(name) ?? name,
    ...args,
  ];
  const oracle = await runOracle({
    command,
    cwd,
    env,
    roots: [place.path],
  });
  const found = oracle.doubts.slice(0, 5).map((text) => `strace: ${text}`);
  for (const method of methods) {
    const result = await traceCommand({
      command,
      cwd: place.fresh(one).path,
      env,
      method,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    });
    found.push(
      ...differ(oracle, result, one).map((text) => `${method}: ${text}`),
    );
  }
  return found;
}

function differ(oracle: OracleRun, result: TraceResult, one: Case): string[] {
  const found: string[] = [];
  const decoder = new TextDecoder();
  const [stdout, stderr] = [result.stdout, result.stderr].map((bytes) =>
    decoder.decode(bytes)
  );
  if (result.code !== oracle.code) {
    found.push(`code ${result.code}, not ${oracle.code}: ${stderr}`);
  }
  if (normal(stdout ?? "", one) !== normal(oracle.stdout, one)) {
    found.push(
      `printed ${stdout?.slice(-500)}, not ${oracle.stdout.slice(-500)}`,
    );
  }
  if (!result.trace.complete) {
    found.push(`not complete: ${JSON.stringify(result.trace.escapes)}`);
  }
  // The C library looks at / itself before it reads nsswitch.conf, for whoever
  // asks for a user: a preloaded library cannot see that, and nothing depends
  // on it.
  const isOf = (path: string) =>
    path !== "/" && !SYSTEM_PREFIXES.some((prefix) =>
      path === prefix || path.startsWith(`${prefix}/`)
    ) && !one.ignore?.test(path);
  const seen = new Map<string, Seen>();
  for (const [path, each] of oracle.seen) {
    if (isOf(path)) addSeen(seen, normal(path, one), each);
  }
  const known = new Map<string, Known>();
  for (const [path, each] of knownOf(result.log)) {
    if (isOf(path)) addKnown(known, normal(path, one), each);
  }
  const vague = new Set([...oracle.vague].map((path) => normal(path, one)));
  for (const [path, each] of seen) {
    const text = missing(each, known.get(path), path.includes("~"));
    if (text === "" || vague.has(path)) continue;
    const calls = [...each.calls].slice(0, 3).join("\n    ");
    found.push(`${JSON.stringify(path)} ${text}\n    ${calls}`);
  }
  const moved = [...oracle.moved].map((path) => `${normal(path, one)}/`);
  for (const [path, { kinds, wrote, first }] of known) {
    if (seen.has(path) || vague.has(path)) continue;
    // What a renamed folder took along has a new name that nobody used.
    if (kinds.size === 0 && moved.some((to) => path.startsWith(to))) continue;
    found.push(
      `${JSON.stringify(path)} was never accessed (${
        wrote ? "changed" : first
      })`,
    );
  }
  found.push(...differOfFacts(seen, result, one));
  return found;
}

/** Compares the lists of a trace with what they must be, as the files are now. */
function differOfFacts(
  seen: Map<string, Seen>,
  { trace }: TraceResult,
  one: Case,
): string[] {
  const lists = {
    dep: new Set(trace.deps.map(({ path }) => toBytes(path))),
    absent: new Set(trace.absent.map(toBytes)),
    target: new Set(trace.targets.map(({ path }) => toBytes(path))),
  };
  const found = trace.unstable.map((path) => `${path} is called unstable`);
  for (const [path, { result, kinds, wrote, readFirst }] of seen) {
    // Names of one run only, and those that Deno cannot ask about.
    if (path.includes("~") || /[^\x20-\x7e]/.test(path)) continue;
    if (normal(path, one) !== path || path.length > 4000) continue;
    const now = typeNow(path);
    const must = {
      dep: readFirst && now === "file" && result === "found" && kinds.size > 0,
      absent: readFirst && now === "absent" && result === "absent" && !wrote,
      target: wrote && now === "file",
    };
    for (const list of ["dep", "absent", "target"] as const) {
      if (must[list] === lists[list].has(path)) continue;
      // A refused change, and new modes, are both told in another way.
      if (result === "error" || !readFirst && list !== "target") continue;
      if (list === "target" && !must.target !== !wrote) continue;
      // What the run read and then removed cannot be had any more.
      if (list === "dep" && wrote && now !== "file") continue;
      found.push(`${path} is ${must[list] ? "no" : "a"} ${list}`);
    }
  }
  return found;
}

function typeNow(path: string): "file" | "folder" | "absent" {
  try {
    return Deno.lstatSync(path).isDirectory ? "folder" : "file";
  } catch {
    return "absent";
  }
}

/** What a method lacks; empty if nothing. */
function missing(
  seen: Seen,
  known: Known | undefined,
  isRandom: boolean,
): string {
  // A folder that is only gone into or through need not be named.
  if (!known) return seen.kinds.size === 0 && !seen.wrote ? "" : "is not named";
  // Of what is not there, existence is all that can be read.
  const isAbsent = seen.result === "absent" && known.first === "absent" &&
    known.kinds.size > 0;
  const lacks: (Kind | string)[] = [...seen.kinds].filter((kind) =>
    !known.kinds.has(kind) && !isAbsent
  );
  if (seen.wrote !== known.wrote) {
    lacks.push(seen.wrote ? "that it was changed" : "that it was not changed");
  }
  if (!isRandom && seen.result && known.first && seen.result !== known.first) {
    if (seen.result !== "error" && known.first !== "error") {
      lacks.push(`that it was ${seen.result} at first`);
    }
  }
  return lacks.length > 0 ? `lacks ${lacks.join(", ")}` : "";
}

function normal(text: string, one: Case): string {
  return [...RANDOM, ...one.random ?? []].reduce(
    (path, [from, to]) => path.replace(from, to),
    text,
  );
}

function addSeen(to: Map<string, Seen>, path: string, each: Seen): void {
  const before = to.get(path);
  if (!before) return void to.set(path, each);
  to.set(path, {
    kinds: before.kinds.union(each.kinds),
    wrote: before.wrote || each.wrote,
    readFirst: before.readFirst,
    result: before.result ?? each.result,
    calls: before.calls.union(each.calls),
  });
}

function addKnown(to: Map<string, Known>, path: string, each: Known): void {
  const before = to.get(path);
  if (!before) return void to.set(path, each);
  to.set(path, {
    kinds: new Set([...before.kinds, ...each.kinds]),
    wrote: before.wrote || each.wrote,
    first: before.first ?? each.first,
  });
}
