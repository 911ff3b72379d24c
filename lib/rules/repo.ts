/** A repo of rules: its root, what `Lmakefile.ts` says, and what is remembered. */

import { dirname, join } from "node:path";
import { type Feedback, silent } from "../feedback/bus.ts";
import { type Checksums, loadChecksums } from "../host/checksum.ts";
import { sha256Hex } from "../host/digest.ts";
import { readJsonIfExists, writeFileAtomic } from "../host/files.ts";
import { isLink, lstatNs, stampText } from "../host/statx.ts";
import { AccessLog } from "../trace/access.ts";
import { obtainTools } from "../trace/methods.ts";
import { RecordReader } from "../trace/record.ts";
import { SYSTEM_PREFIXES, TraceSession } from "../trace/session.ts";
import { version } from "../version.ts";
import { differs, Files } from "./engine/files.ts";
import { SystemUse } from "./engine/system.ts";
import { findSources, MANIFEST, type Sources } from "./engine/sources.ts";
import type { Loaded } from "./load/load.ts";
import { RepoMemo } from "./memo.ts";
import type { Definition, Evaluator, RuleSpec } from "./model.ts";
import { type Job, RuleTable } from "./select.ts";
import { findRoot, LMAKEFILE, PRIVATE } from "./root.ts";
import { Store } from "./state/store.ts";
import type { CommandWatch } from "./watch/command.ts";

/** Version of the saved definition. */
const DEFINITION_FORMAT = 2;

/** A repo that is open. */
export interface Repo {
  /** Root, absolute, without links. */
  root: string;
  /** What `Lmakefile.ts` says. */
  definition: Definition;
  /** The rules, for questions by name. */
  table: RuleTable;
  /** What is remembered. */
  store: Store;
  /** Which files are sources. */
  sources: Sources;
  /** The files. */
  files: Files;
  /** Checksums. */
  sums: Checksums;
  /** What jobs used of the system. */
  system: SystemUse;
  /** What earlier commands found out. */
  memo: RepoMemo;
  /** Evaluates attributes that are functions; starts a process at first use. */
  evaluator(): Promise<Evaluator>;
  /** Name of a job in the store. */
  idOf(job: Job): string;
  /** Whether `Lmakefile.ts` had to be read. */
  reread: boolean;
  /** Vouches for files, if the repo is watched. */
  watch?: CommandWatch;
  /** Ends what is open. */
  close(): Promise<void>;
}

/** How a repo is opened. */
export interface OpenOptions {
  /** Changes nothing on disk. Default: false. */
  readOnly?: boolean;
  /** Environment of the caller. Default: that of this process. */
  environ?: Readonly<Record<string, string>>;
  /** Where messages go. */
  feedback?: Feedback;
  /** Its memory, if that is open already; it is not closed then. */
  store?: Store;
  /** Checksums, if they are loaded already. */
  sums?: Checksums;
  /** What earlier commands found out. */
  memo?: RepoMemo;
  /** Watches the repo, if its config says so. */
  watch?: (isOn: boolean) => Promise<CommandWatch | undefined>;
}

/**
 * Opens the repo that a folder is in, and reads its rules if something that
 * they depend on has changed.
 *
 * @throws {ClibsError} `CLIBS_LMAKE_REPO` if there is none, and what
 *   {@linkcode loadDefinition} throws for rules that are wrong.
 */
export async function openRepo(
  cwd: string,
  options: OpenOptions = {},
): Promise<Repo> {
  const root = findRoot(cwd);
  const environ = options.environ ?? Deno.env.toObject();
  const feedback = options.feedback ?? silent;
  const sums = options.sums ?? await loadChecksums();
  const readOnly = options.readOnly ?? false;
  const store = options.store ?? await Store.open(root, { readOnly });
  let loaded: Loaded | undefined;
  let loading: Promise<Loaded> | undefined;
  let watch: CommandWatch | undefined;
  try {
    const memo = options.memo ?? new RepoMemo();
    const saved = savedDefinition(root, environ, sums, store, memo);
    let definition = saved?.definition;
    if (!definition) {
      const found = await load(root, environ, feedback, readOnly, sums, store);
      loaded = found;
      definition = found.definition;
    }
    const sources = await rememberedSources(root, definition, memo);
    const table = rememberedTable(definition, saved, memo);
    memo.keep(definition, sources);
    watch = await options.watch?.(definition.config.watch ?? false);
    const ids = new Map<string, string>();
    return {
      root,
      definition,
      table,
      store,
      sources,
      sums,
      memo,
      files: new Files(
        root,
        store,
        sums,
        sources.dirs,
        definition.config.diskDatePrecision,
        watch,
      ),
      system: new SystemUse({
        root,
        mode: definition.config.systemDeps,
        files: new Files("/", store, sums),
        own: [OURS],
        readOnly,
      }),
      reread: saved === undefined,
      ...(watch ? { watch } : {}),
      async evaluator() {
        if (loaded) return loaded.evaluator;
        const { loadRepo } = await import("./load/sub_repos.ts");
        // Several may ask before the first has its answer.
        loading ??= loadRepo({ root, environ });
        loaded ??= await loading;
        return loaded.evaluator;
      },
      idOf(job) {
        let signature = ids.get(job.rule.name);
        if (signature === undefined) {
          signature = signatureOf(job.rule, definition.rules);
          ids.set(job.rule.name, signature);
        }
        const stems = Object.keys(job.stems).sort()
          .flatMap((name) => [name, job.stems[name]]);
        return JSON.stringify([signature, ...stems]);
      },
      async close() {
        watch?.end();
        await loaded?.evaluator.close();
        if (!options.store) store.close();
      },
    };
  } catch (error) {
    watch?.end();
    await loaded?.evaluator.close();
    if (!options.store) store.close();
    throw error;
  }
}

/**
 * What tells a rule from others in the store: what it matches, not its name,
 * so that a rule may be renamed.
 */
function signatureOf(rule: RuleSpec, all: readonly RuleSpec[]): string {
  const text = ({ targets, deps, stems, kind, sub }: RuleSpec) =>
    JSON.stringify([
      kind,
      ...(sub === undefined ? [] : [sub]),
      targets.map(({ key, pattern }) => [key, pattern]),
      deps === "dynamic"
        ? deps
        : deps.map(({ key, pattern }) => [key, pattern]),
      Object.entries(stems).sort(),
    ]);
  const own = text(rule);
  const isUnique = all.every((other) => other === rule || text(other) !== own);
  const digest = sha256Hex(own).slice(0, 12);
  return isUnique ? digest : `${digest} ${rule.name}`;
}

/** What the rules were read from. */
interface SavedDefinition {
  format: number;
  clibs: string;
  definition: Definition;
  environ: Record<string, string | null>;
  /** Checksums by absolute path. */
  files: Record<string, string>;
}

function definitionPath(root: string): string {
  return join(root, PRIVATE, "definition.json");
}

function installed(): string {
  return `${version} ${import.meta.url}`;
}

/** Rules with their patterns compiled, once for each definition. */
function rememberedTable(
  definition: Definition,
  saved: SavedDefinition | undefined,
  memo: RepoMemo,
): RuleTable {
  if (memo.definition && memo.definition.saved === saved) {
    return memo.definition.table;
  }
  return new RuleTable(definition);
}

/** Sources, listed anew when the file that lists them has changed. */
async function rememberedSources(
  root: string,
  definition: Definition,
  memo: RepoMemo,
): Promise<Sources> {
  const stamp = sourcesStamp(root, definition.config);
  if (stamp !== "" && memo.sources?.stamp === stamp) {
    return memo.sources.sources;
  }
  const sources = await findSources(root, definition.config);
  memo.sources = { stamp, sources };
  return sources;
}

/** Status of what lists the sources; empty: ask each time. */
function sourcesStamp(root: string, config: Definition["config"]): string {
  if (config.sources) return JSON.stringify(config.sources);
  const stat = lstatNs(join(root, config.manifest ?? MANIFEST));
  if (!stat || isLink(stat)) return "";
  const age = BigInt(Date.now()) * 1_000_000n - stat.mtimeNs;
  // Written just now, it may be written again without looking different.
  return age < 20_000_000n ? "" : stampText(stat);
}

/** The definition of last time, if nothing that it came from has changed. */
function savedDefinition(
  root: string,
  environ: Readonly<Record<string, string>>,
  sums: Checksums,
  store: Store,
  memo: RepoMemo,
): SavedDefinition | undefined {
  const saved = rememberedSaved(definitionPath(root), memo);
  if (!saved) return undefined;
  for (const [name, value] of Object.entries(saved.environ)) {
    if ((environ[name] ?? null) !== value) return undefined;
  }
  const files = new Files("/", store, sums);
  for (const [path, sum] of Object.entries(saved.files)) {
    const look = files.look(path);
    // What names a folder may have become one.
    if (differs(sum, look.sum, 7)) return undefined;
  }
  return saved;
}

/** The saved definition, parsed once for each status of its file. */
function rememberedSaved(
  path: string,
  memo: RepoMemo,
): SavedDefinition | undefined {
  const stat = lstatNs(path);
  const stamp = stat ? stampText(stat) : "";
  if (memo.definition && memo.definition.stamp === stamp) {
    return memo.definition.saved as SavedDefinition;
  }
  const saved = readSaved(path);
  memo.definition = saved && {
    stamp,
    saved,
    table: new RuleTable(saved.definition),
  };
  return saved;
}

function readSaved(path: string): SavedDefinition | undefined {
  try {
    const saved = readJsonIfExists(path) as SavedDefinition | undefined;
    return saved?.format === DEFINITION_FORMAT && saved.clibs === installed()
      ? saved
      : undefined;
  } catch {
    return undefined;
  }
}

async function load(
  root: string,
  environ: Readonly<Record<string, string>>,
  feedback: Feedback,
  readOnly: boolean,
  sums: Checksums,
  store: Store,
): Promise<Loaded> {
  const { loadRepo, noteSubRepos } = await import("./load/sub_repos.ts");
  const tools = await obtainTools("auto", { feedback }).catch((error) => {
    // A machine that cannot trace still shows what its rules are.
    if (readOnly) return undefined;
    throw error;
  });
  using session = new TraceSession(tools ? "auto" : "none", tools ?? {}, {
    prefixes: prefixesFor(root),
  });
  const loaded = await loadRepo({
    root,
    environ,
    onOutput: (line) =>
      feedback.emit("info", "note", line, { about: "lmakefile.output" }),
    wrap: (argv, env) => session.wrap(argv[0]!, argv, env, false),
  });
  if (readOnly) return loaded;
  const reader = new RecordReader(session.path);
  const log = new AccessLog();
  reader.read((record) => log.add(record));
  reader.close();
  const look = new Files("/", store, sums);
  const files: Record<string, string> = {};
  for (const access of log.accesses.values()) {
    if (access.firstRead === 0 || access.firstWrite !== 0) continue;
    if (!isInput(access.path, root)) continue;
    const { sum, stat } = look.lookAtSource(access.path);
    if (stat && sum === "none") continue;
    files[access.path] = sum;
  }
  // Read by Deno itself before the tracer sees it.
  for (const path of loaded.lookedAt) {
    files[path] = look.lookAtSource(path).sum;
  }
  files[join(root, LMAKEFILE)] ??= look.lookAtSource(join(root, LMAKEFILE)).sum;
  const saved: SavedDefinition = {
    format: DEFINITION_FORMAT,
    clibs: installed(),
    definition: loaded.definition,
    environ: loaded.environUsed,
    files,
  };
  Deno.mkdirSync(join(root, PRIVATE), { recursive: true });
  writeFileAtomic(definitionPath(root), JSON.stringify(saved));
  noteSubRepos(root, loaded.definition);
  return loaded;
}

/** Whether a path that was read while rules were read is the user's. */
function isInput(path: string, root: string): boolean {
  if (path.startsWith(`${root}/${PRIVATE}/`)) return false;
  return path.startsWith(`${root}/`) || /\.(m?[jt]sx?|json)$/.test(path) &&
      !path.includes("/node_modules/") && !isOurs(path) &&
      !path.includes("/deno/") && !/\/\.cache\//.test(path);
}

const OURS = dirname(dirname(import.meta.dirname ?? "/nowhere/lib/rules"));

/** Whether a path belongs to clibs itself. */
export function isOurs(path: string): boolean {
  return path.startsWith(`${OURS}/lib/`) || path === `${OURS}/deno.json` ||
    path === `${OURS}/deno.lock`;
}

/** System prefixes without those that the repo is in. */
export function prefixesFor(root: string): string[] {
  return SYSTEM_PREFIXES.filter((prefix) => !root.startsWith(`${prefix}/`));
}
