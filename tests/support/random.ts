/** What the random program says a tracer must have seen, and whether it has. */

import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Method } from "../../lib/trace/methods.ts";
import { traceCommand, type TraceResult } from "../../lib/trace/run.ts";
import { find } from "./find.ts";
import { type Known, knownOf } from "./known.ts";
import type { Kind } from "./calls.ts";
import { toBytes } from "./oracle.ts";

/** What must be known of one path, a byte string. */
export interface Expected {
  /** How it was read, at least. */
  kinds: Set<Kind>;
  /** Whether no other kind may be named. */
  exact: boolean;
  /** Whether it was changed, or a name of it. */
  wrote: boolean;
  /** Whether that is a matter of taste. */
  mayWrite: boolean;
  /** Whether it must be named at all. */
  named: boolean;
  /** What the first access found, if that was a read. */
  first: "found" | "absent" | "error" | undefined;
}

/** One sequence of operations. */
export interface Sequence {
  seed: number;
  folder: string;
  expected: Map<string, Expected>;
  /** What was not there, or no folder, where a path went through it. */
  missing: Set<string>;
  /** Names in a rename. */
  moved: Set<string>;
  /** Its log, for a person who looks for a fault. */
  log: string[];
  /** Where the operations themselves did not do as they must. */
  faults: string[];
}

const KINDS: Record<string, Kind[]> = {
  R: ["regular", "link"],
  S: ["regular", "link", "stat"],
  A: ["link", "stat"],
  L: ["link"],
  D: ["readdir"],
  X: ["exec"],
};

const STATES = { F: "found", N: "absent", E: "error" } as const;

/** Reads the program's output. */
export function readSequences(output: string): Sequence[] {
  const sequences: Sequence[] = [];
  for (const line of output.split("\n")) {
    const start = /^= (\d+) (.*)$/.exec(line);
    if (start) {
      sequences.push({
        seed: Number(start[1]),
        folder: start[2] ?? "",
        expected: new Map(),
        missing: new Set(),
        moved: new Set(),
        log: [],
        faults: [],
      });
      continue;
    }
    const sequence = sequences.at(-1);
    if (!sequence) continue;
    sequence.log.push(line);
    if (line.startsWith("!")) sequence.faults.push(line);
    const event = /^(\w)([FNE]) (.*)$/.exec(line);
    if (!event) continue;
    const [, kind = "", state = "F", text = ""] = event;
    const path = text.replace(
      /%([0-9a-f]{2})/g,
      (_, digits: string) => String.fromCharCode(parseInt(digits, 16)),
    );
    // What lies around the sequence's folder is shared with the others.
    if (!path.startsWith(`${sequence.folder}/`)) continue;
    if (kind === "M" || kind === "T") {
      (kind === "M" ? sequence.missing : sequence.moved).add(path);
      continue;
    }
    let one = sequence.expected.get(path);
    if (!one) {
      one = {
        kinds: new Set(),
        exact: true,
        wrote: false,
        mayWrite: false,
        named: false,
        first: /[RSAL]/.test(kind)
          ? STATES[state as keyof typeof STATES]
          : undefined,
      };
      sequence.expected.set(path, one);
    }
    for (const each of KINDS[kind] ?? []) one.kinds.add(each);
    if (!KINDS[kind]) one.exact = false;
    if (kind === "D" || kind === "X") one.exact = false;
    if (kind === "n" || kind === "v") one.mayWrite = true;
    if (kind === "W" || kind === "o") one.wrote = true;
    if (kind !== "V" && kind !== "v") one.named = true;
  }
  return sequences;
}

/** Says what is wrong with what a tracer knows; nothing if all is right. */
export function differences(
  sequence: Sequence,
  known: ReadonlyMap<string, Known>,
  options: { loose?: boolean } = {},
): string[] {
  const found: string[] = [...sequence.faults];
  for (const [path, expected] of sequence.expected) {
    const isMissing = [...sequence.missing].some((prefix) =>
      path.startsWith(`${prefix}/`) && known.get(prefix)?.first
    );
    const mayWrite = expected.mayWrite || isIn(path, sequence.moved);
    const got = known.get(path);
    const name = JSON.stringify(path.slice(sequence.folder.length + 1));
    if (!got) {
      // That what it would be in is not there says the same.
      if (expected.named && !options.loose && !isMissing) {
        found.push(`${name} is not named`);
      }
      continue;
    }
    for (const kind of expected.kinds) {
      if (!got.kinds.has(kind)) found.push(`${name} lacks ${kind}`);
    }
    for (const kind of got.kinds) {
      if (!options.loose && expected.exact && !expected.kinds.has(kind)) {
        found.push(`${name} has ${kind}`);
      }
    }
    if (!mayWrite && expected.named && got.wrote !== expected.wrote) {
      found.push(`${name} was ${got.wrote ? "not " : ""}changed`);
    }
    // Whether it may be executed is not for all tracers to say.
    const isRight = got.first === expected.first ||
      expected.first === "error" && got.first === "found";
    if (got.first && expected.first && !isRight) {
      found.push(`${name} was first ${expected.first}, not ${got.first}`);
    }
  }
  for (const [path, { first, wrote }] of known) {
    if (!path.startsWith(`${sequence.folder}/`)) continue;
    // What lies in something that is not there is not there either.
    if (isIn(path, sequence.missing) && first === "absent" && !wrote) continue;
    if (!sequence.expected.has(path) && !isIn(path, sequence.moved)) {
      found.push(
        `${
          JSON.stringify(path.slice(sequence.folder.length + 1))
        } was never accessed`,
      );
    }
  }
  return found;
}

function isIn(path: string, folders: ReadonlySet<string>): boolean {
  return [...folders].some((folder) => path.startsWith(`${folder}/`));
}

const SOURCES = fileURLToPath(
  new URL("../trace/programs/random/", import.meta.url),
);

/** Compiles the program, and one without a loader, in a folder. */
export function compileRandom(dir: string): string {
  const sources = [...Deno.readDirSync(SOURCES)]
    .filter(({ name }) => name.endsWith(".c"))
    .map(({ name }) => join(SOURCES, name));
  const variants: Record<string, string[]> = {
    program: [],
    static: ["-static", "-DSTATIC"],
  };
  for (const [name, flags] of Object.entries(variants)) {
    const { success, stderr } = new Deno.Command("gcc", {
      args: [
        ...["-O1", "-w", ...flags, "-o", join(dir, name), ...sources],
        ...["-lpthread", "-ldl"],
      ],
    }).outputSync();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
  }
  return dir;
}

/** Runs sequences under a tracer; says what is wrong. */
export async function traceSequences(
  programs: string,
  method: Method,
  dir: string,
  first: number,
  count: number,
): Promise<{ problems: string[]; result: TraceResult }> {
  const base = join(dir, `${method}-${first}`);
  Deno.mkdirSync(base);
  for (const name of ["program", "static"]) {
    copyFileSync(join(programs, name), join(base, name));
  }
  // The library alone does not see into programs without a loader.
  const twin = method === "ld_preload" ? [] : ["static"];
  const result = await traceCommand({
    command: [join(base, "program"), base, `${first}`, `${count}`, ...twin],
    cwd: base,
    method,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
  const decoder = new TextDecoder();
  const problems: string[] = [];
  const stderr = decoder.decode(result.stderr);
  if (stderr !== "") problems.push(`stderr: ${stderr.slice(0, 2000)}`);
  if (result.code !== 0) problems.push(`exit code ${result.code}`);
  if (!result.trace.complete) problems.push("the trace is not complete");
  const sequences = readSequences(decoder.decode(result.stdout));
  if (sequences.length !== count) {
    problems.push(`${sequences.length} of ${count} sequences ran`);
  }
  const known = byFolder(knownOf(result.log), base);
  const targets = new Set(
    result.trace.targets.map(({ path }) => toBytes(path)),
  );
  const deps = result.trace.deps.map(({ path }) => toBytes(path));
  const unstable = result.trace.unstable.map(toBytes);
  for (const sequence of sequences) {
    const own = known.get(sequence.folder) ?? new Map();
    problems.push(
      ...differences(sequence, own).map((text) => explain(sequence, text)),
    );
  }
  // Whatever is there now was made by a sequence.
  const files = find([base], ["-mindepth", "2", "!", "-type", "d", "-print0"]);
  const links = new Set(
    find([base], ["-mindepth", "2", "-type", "l", "-print0"]),
  );
  const wrong = [
    ...files.filter((path) => !targets.has(path))
      .map((path) => [path, "is no target"] as const),
    ...[...deps, ...unstable].map((path) =>
      [path, "is taken for another's"] as const
    ),
  ];
  for (const [path, what] of wrong) {
    const sequence = sequences.find(({ folder }) =>
      path.startsWith(`${folder}/`)
    );
    // Where a link was put since, the path leads elsewhere.
    if (!sequence || isIn(path, links)) continue;
    // A name that no file can have was refused, wherever its folder went.
    if (/[^/]{256}/.test(path)) continue;
    problems.push(explain(sequence, named(sequence, path, what)));
  }
  return { problems, result };
}

function named(sequence: Sequence, path: string, what: string): string {
  return `${JSON.stringify(path.slice(sequence.folder.length + 1))} ${what}`;
}

/** Paths by the folder in `base` that they are in. */
function byFolder(
  known: Map<string, Known>,
  base: string,
): Map<string, Map<string, Known>> {
  const folders = new Map<string, Map<string, Known>>();
  for (const [path, one] of known) {
    const end = path.indexOf("/", base.length + 1);
    if (!path.startsWith(`${base}/`) || end < 0) continue;
    const folder = path.slice(0, end);
    let own = folders.get(folder);
    if (!own) folders.set(folder, own = new Map());
    own.set(path, one);
  }
  return folders;
}

/** The last lines of a sequence's log that concern a difference. */
export function explain(sequence: Sequence, difference: string): string {
  const quoted = /^("(?:[^"\\]|\\.)*")/.exec(difference)?.[1];
  const name = quoted === undefined ? "" : JSON.parse(quoted) as string;
  const lines = sequence.log.filter((line) =>
    name !== "" &&
      line.replace(
        /%([0-9a-f]{2})/g,
        (_, digits: string) => String.fromCharCode(parseInt(digits, 16)),
      ).endsWith(`${sequence.folder}/${name}`) || line.startsWith("!")
  );
  return `seed ${sequence.seed}: ${difference}\n  ${
    lines.slice(0, 12).join("\n  ")
  }`;
}
