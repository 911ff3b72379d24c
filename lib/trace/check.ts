/** Says whether a saved trace still holds. */

import { ClibsError } from "../errors.ts";
import { type Checksums, loadChecksums } from "../host/checksum.ts";
import { isFolder, lstatNs, stampText } from "../host/statx.ts";
import {
  envDigest,
  type Fact,
  factOf,
  listDigest,
  type Trace,
  TRACE_FORMAT,
} from "./trace.ts";

/** A fact that is no longer so. */
export interface BrokenFact {
  /** What the fact is about. */
  kind: "dep" | "absent" | "target" | "folder" | "listed" | "env" | "unstable";
  /** Path, or name of the variable. */
  name: string;
  /** What it was. */
  was: string;
  /** What it is. */
  now: string;
}

/** Whether a trace holds. */
export interface CheckReport {
  /** Whether the command would do the same again. */
  holds: boolean;
  /** The first fact that does not hold. */
  broken?: BrokenFact;
  /** How many facts were looked at. */
  checked: number;
  /** How many files had to be read again. */
  reread: number;
}

/**
 * Reads a saved trace.
 *
 * @throws {ClibsError} `CLIBS_TRACE_FILE` if it is none, or of another version.
 */
export function parseTrace(text: string, path: string): Trace {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw refused(path, (cause as Error).message, cause);
  }
  const saved = value as { trace?: unknown } | null;
  const trace = (saved?.trace ?? saved) as Partial<Trace> | null;
  if (typeof trace !== "object" || trace === null) {
    throw refused(path, "it is not an object");
  }
  if (trace.format !== TRACE_FORMAT) {
    throw refused(
      path,
      `its format is ${
        JSON.stringify(trace.format)
      }, and this clibs reads ${TRACE_FORMAT}`,
    );
  }
  const lists = ["deps", "absent", "targets", "folders", "listed", "unstable"];
  for (const list of lists) {
    if (!Array.isArray(trace[list as keyof Trace])) {
      throw refused(path, `"${list}" is not a list`);
    }
  }
  return trace as Trace;
}

function refused(path: string, problem: string, cause?: unknown): ClibsError {
  return new ClibsError(
    "CLIBS_TRACE_FILE",
    "Cannot check a trace: the file is not one that clibs can read",
    {
      facts: { file: path, problem },
      hint: "make it anew with: clibs trace --save FILE -- COMMAND",
      cause,
    },
  );
}

/**
 * Looks at every fact of a trace until one does not hold.
 *
 * A file whose size, times, mode and inode are as they were is not read.
 */
export async function checkTrace(
  trace: Trace,
  env: (name: string) => string | undefined,
): Promise<CheckReport> {
  const checksums = await loadChecksums();
  const report: CheckReport = { holds: true, checked: 0, reread: 0 };
  for (const broken of brokenFacts(trace, env, checksums, report)) {
    if (broken) return { ...report, holds: false, broken };
  }
  return report;
}

function* brokenFacts(
  trace: Trace,
  env: (name: string) => string | undefined,
  checksums: Checksums,
  report: CheckReport,
): Generator<BrokenFact | undefined> {
  for (const name of trace.unstable) {
    yield {
      kind: "unstable",
      name,
      was: "one thing when it was read",
      now: "another: it changed during the run",
    };
  }
  for (const fact of trace.deps) yield compare("dep", fact, checksums, report);
  for (const path of trace.absent) {
    report.checked++;
    yield lstatNs(path)
      ? { kind: "absent", name: path, was: "none", now: "present" }
      : undefined;
  }
  for (const path of trace.folders) {
    report.checked++;
    const stat = lstatNs(path);
    yield stat && isFolder(stat) ? undefined : {
      kind: "folder",
      name: path,
      was: "folder",
      now: stat ? "file" : "none",
    };
  }
  for (const { path, digest } of trace.listed) {
    report.checked++;
    const now = listDigest(path) ?? "none";
    yield now === digest
      ? undefined
      : { kind: "listed", name: path, was: digest, now };
  }
  for (const [name, digest] of Object.entries(trace.env)) {
    report.checked++;
    const now = envDigest(env(name));
    yield now === digest ? undefined : {
      kind: "env",
      name,
      was: digest ?? "not set",
      now: now ?? "not set",
    };
  }
  for (const fact of trace.targets) {
    yield compare("target", fact, checksums, report);
  }
}

function compare(
  kind: "dep" | "target",
  fact: Fact,
  checksums: Checksums,
  report: CheckReport,
): BrokenFact | undefined {
  report.checked++;
  const stat = lstatNs(fact.path);
  if (!stat) {
    return { kind, name: fact.path, was: fact.digest, now: "none" };
  }
  if (fact.stamp === stampText(stat)) return undefined;
  report.reread++;
  const { digest } = factOf(fact.path, stat, checksums);
  return digest === fact.digest
    ? undefined
    : { kind, name: fact.path, was: fact.digest, now: digest };
}
