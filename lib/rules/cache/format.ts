/** What one entry of a result cache says, and how it is written and read. */

import { sha256Hex } from "../../host/digest.ts";
import type { DepFlag, TargetFlag } from "../model.ts";
import type { DepRecord } from "../state/record.ts";
import { isDepName, isTargetName, MAX_LINK } from "./names.ts";

/**
 * Version of a cache's files, part of the name of their folder: two releases
 * can share one cache.
 *
 * Bump it when bytes or their meaning change, and add a line here:
 * 1: the first.
 */
export const CACHE_FORMAT = 1;

/** Longest entry that is read. */
export const MAX_ENTRY_BYTES = 64 * 2 ** 20;
/** Longest standard output or error that is kept. */
export const MAX_TEXT = 2 ** 20;
/** A century: no job runs longer. */
const MAX_DURATION_MS = 100 * 365 * 86_400_000;

/** The content of a file, kept beside the entries under its digest. */
export interface Content {
  /** SHA-256 of the content, in lower-case hex. */
  sha256: string;
  /** Bytes of the content. */
  size: number;
}

/** What a job made of a target. */
export type KeptTarget =
  & {
    /** Name from the repo's root. */
    file: string;
    /** Flags that the run gave it; those of the rule are looked up again. */
    flags: TargetFlag[];
  }
  & (
    | { kind: "file"; content: Content; executable: boolean }
    | { kind: "link"; text: string }
    /** A phony target that was not made. */
    | { kind: "none" }
  );

/** Sources in a folder that a job listed. */
export interface Listing {
  /** Name of the folder from the repo's root; empty for the root. */
  folder: string;
  /** Digest of the names of the sources directly in it. */
  digest: string;
}

/** One run of a job, as another repo can have it. */
export interface Entry {
  /** Name of the rule, for people. */
  rule: string;
  /** The job as lines show it, for people. */
  job: string;
  /** How long it ran: what a hit saves. */
  durationMs: number;
  /** Deps in order of first access, each with what it saw. */
  deps: DepRecord[];
  /** Folders of the repo that it was allowed to list, and did. */
  listings: Listing[];
  /** What it used of the system; see `SystemUse`. Absent: nothing is known. */
  system?: readonly string[];
  /** Targets in order of first write. */
  targets: KeptTarget[];
  /** Standard output, if that was no target. */
  stdout: string;
  /** Standard error. */
  stderr: string;
}

/** An entry as it is stored. */
export interface WrittenEntry {
  /** Name of its file: digest of the deps, and digest of all of it. */
  name: string;
  /** Its text. */
  text: string;
}

/** Digest of what an entry depends on: entries that share it exclude each other. */
export function depsDigest({ deps, listings, system }: Entry): string {
  const all = [
    deps.map(({ file, kinds, sum, told, codec }) => [
      file,
      kinds,
      sum,
      told ?? null,
      codec ?? false,
    ]),
    listings,
    ...(system === undefined ? [] : [system]),
  ];
  return sha256Hex(JSON.stringify(all)).slice(0, 32);
}

/** The distinct contents that an entry needs. */
export function contentsOf({ targets }: Pick<Entry, "targets">): Content[] {
  const found = new Map<string, Content>();
  for (const target of targets) {
    if (target.kind === "file") {
      found.set(target.content.sha256, target.content);
    }
  }
  return [...found.values()];
}

/**
 * The text of an entry.
 *
 * Its first line is for whoever only counts: how long the job ran, and which
 * contents the entry needs.
 */
export function writeEntry(entry: Entry): WrittenEntry {
  const head: Head = {
    durationMs: entry.durationMs,
    contents: contentsOf(entry).map(({ sha256 }) => sha256),
  };
  const text = `${JSON.stringify(head)}\n${JSON.stringify(entry)}\n`;
  return { name: `${depsDigest(entry)}-${sha256Hex(text)}`, text };
}

/** The first line of an entry. */
export interface Head {
  /** How long the job ran. */
  durationMs: number;
  /** Digests of the contents that it needs. */
  contents: string[];
}

/** Whether a name may be that of an entry. */
export function isEntryName(name: string): boolean {
  return /^[0-9a-f]{32}-[0-9a-f]{64}$/.test(name);
}

/**
 * Reads the first line of an entry only, without checking the rest.
 *
 * @returns Undefined if it is damaged.
 */
export function readHead(text: string): Head | undefined {
  const value = parse(text.slice(0, text.indexOf("\n")));
  if (!isObject(value)) return undefined;
  const { durationMs, contents } = value;
  if (!isDuration(durationMs) || !Array.isArray(contents)) return undefined;
  if (!contents.every(isSha256)) return undefined;
  return { durationMs, contents };
}

/**
 * Reads an entry, whoever wrote it.
 *
 * @param name Name of its file, which vouches for its bytes.
 * @param maxBytes Most that its targets may take together.
 * @returns The entry, or what is wrong with it.
 */
export function readEntry(
  name: string,
  text: string,
  maxBytes: number,
): Entry | string {
  if (!name.endsWith(`-${sha256Hex(text)}`)) return "it is damaged";
  const value = parse(text.slice(text.indexOf("\n") + 1));
  if (!isObject(value)) return "it is no entry";
  const { rule, job, durationMs, deps, listings, targets, stdout, stderr } =
    value;
  if (typeof rule !== "string" || typeof job !== "string") {
    return "it does not tell its job";
  }
  if (!isDuration(durationMs)) return "its job ran for no time";
  if (!isText(stdout) || !isText(stderr)) return "its output is too long";
  if (!Array.isArray(deps) || !deps.every(isDep)) return "its deps are wrong";
  if (!Array.isArray(listings) || !listings.every(isListing)) {
    return "its listings are wrong";
  }
  const { system } = value;
  if (system !== undefined && !isLines(system)) return "its system is wrong";
  if (!Array.isArray(targets)) return "its targets are wrong";
  const bad = targets.find((target) => !isTarget(target));
  if (bad !== undefined) return `a target is refused: ${excerpt(bad)}`;
  const entry: Entry = {
    rule,
    job,
    durationMs,
    deps: deps.map(plainDep),
    listings: listings.map(({ folder, digest }) => ({ folder, digest })),
    ...(system === undefined ? {} : { system }),
    targets: targets.map(plainTarget),
    stdout,
    stderr,
  };
  return problemOf(entry, name, maxBytes) ?? entry;
}

/** Whether a value is a list of `NAME VERSION`, or of `PATH CHECKSUM`. */
function isLines(value: unknown): value is string[] {
  return Array.isArray(value) &&
    value.every((line) => typeof line === "string" && /^.+ \S+$/.test(line));
}

/** What is wrong with the whole of an entry. */
function problemOf(
  entry: Entry,
  name: string,
  maxBytes: number,
): string | undefined {
  const names = new Set<string>();
  let bytes = 0;
  for (const target of entry.targets) {
    if (names.has(target.file)) return `it has ${target.file} twice`;
    names.add(target.file);
    if (target.kind === "file") bytes += target.content.size;
  }
  if (bytes > maxBytes) return `its targets take ${bytes} bytes`;
  for (const { file } of entry.targets) {
    // A link among the targets must not lead another one out of the repo.
    for (let at = file.indexOf("/"); at > 0; at = file.indexOf("/", at + 1)) {
      const above = file.slice(0, at);
      if (names.has(above)) return `it has ${above}, and a file below it`;
    }
  }
  return name.startsWith(depsDigest(entry))
    ? undefined
    : "its name does not fit its deps";
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isDuration(value: unknown): value is number {
  return typeof value === "number" && value >= 0 && value < MAX_DURATION_MS;
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value.length <= MAX_TEXT;
}

function isSha256(value: unknown): value is string {
  return typeof value === "string" && /^[0-9a-f]{64}$/.test(value);
}

const DEP_FLAGS = new Set<unknown>(
  [
    "critical",
    "essential",
    "ignore",
    "ignoreError",
    "noStar",
    "readdirOk",
    "required",
    "top",
  ] satisfies DepFlag[],
);

const TARGET_FLAGS = new Set<unknown>(
  [
    "allow",
    "essential",
    "ignore",
    "noWarning",
    "optional",
    "phony",
  ] satisfies TargetFlag[],
);

/** Those of the flags of a dep that an entry has. */
export function keptDepFlags(flags: readonly DepFlag[]): DepFlag[] {
  return flags.filter((flag) => DEP_FLAGS.has(flag));
}

/** Those of the flags of a target that an entry has. */
export function keptTargetFlags(flags: readonly TargetFlag[]): TargetFlag[] {
  return flags.filter((flag) => TARGET_FLAGS.has(flag));
}

function areFlags(value: unknown, known: ReadonlySet<unknown>): boolean {
  return Array.isArray(value) && value.every((flag) => known.has(flag));
}

/** Checksums that jobs may have seen; of an association, any answer. */
const SUM = /^(?:none|empty-R|[0-9a-f]{16}-[RL])$/;

function isDep(value: unknown): value is DepRecord {
  if (!isObject(value)) return false;
  const { file, codec, kinds, flags, sum, group, key, told } = value;
  if (typeof file !== "string" || typeof sum !== "string") return false;
  const isNamed = codec === true
    ? file.length < 10_000 && sum !== ""
    : codec === undefined && isDepName(file) && SUM.test(sum);
  return isNamed && areFlags(flags, DEP_FLAGS) &&
    isWhole(kinds, 7) && isWhole(group, Number.MAX_SAFE_INTEGER) &&
    (key === undefined || typeof key === "string") &&
    (told === undefined || typeof told === "string");
}

function plainDep(dep: DepRecord): DepRecord {
  const { file, codec, kinds, flags, sum, group, key, told } = dep;
  return {
    file,
    ...(codec ? { codec } : {}),
    kinds,
    flags,
    sum,
    group,
    ...(key === undefined ? {} : { key }),
    ...(told === undefined ? {} : { told }),
  };
}

function isListing(value: unknown): value is Listing {
  return isObject(value) && typeof value["digest"] === "string" &&
    typeof value["folder"] === "string" &&
    (value["folder"] === "" || isDepName(value["folder"]));
}

function isTarget(value: unknown): value is KeptTarget {
  if (!isObject(value)) return false;
  const { file, flags, kind, content, executable, text } = value;
  if (!isTargetName(file) || !areFlags(flags, TARGET_FLAGS)) return false;
  switch (kind) {
    case "none":
      return true;
    case "link":
      return typeof text === "string" && text !== "" &&
        !text.includes("\0") && text.length <= MAX_LINK;
    case "file":
      return isObject(content) && isSha256(content["sha256"]) &&
        isWhole(content["size"], Number.MAX_SAFE_INTEGER) &&
        typeof executable === "boolean";
    default:
      return false;
  }
}

function plainTarget(target: KeptTarget): KeptTarget {
  const { file, flags, kind } = target;
  switch (kind) {
    case "none":
      return { file, flags, kind };
    case "link":
      return { file, flags, kind, text: target.text };
    case "file": {
      const { content: { sha256, size }, executable } = target;
      return { file, flags, kind, content: { sha256, size }, executable };
    }
  }
}

function isWhole(value: unknown, most: number): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 &&
    (value as number) <= most;
}

function excerpt(value: unknown): string {
  return (JSON.stringify(value) ?? "").slice(0, 100);
}
