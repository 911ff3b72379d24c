/** What is said to a job's node, and what it says; see `native/node.c`. */

import { pathToBytes } from "../../host/bytes_path.ts";
import { type ProcessEnd, signalName } from "../engine/process.ts";
import type { BackendJobSpec } from "./backend.ts";

/** Files by which a job and we talk. */
export interface JobFiles {
  /** What to run; renamed to {@linkcode JobFiles.ticket} by who runs it. */
  request: string;
  /** Says that it may go on. */
  ticket: string;
  /** Says that it runs, and where. */
  started: string;
  /** Says how it ended. */
  ended: string;
  /** What Slurm itself has to say of it. */
  log: string;
}

/**
 * Writes a request.
 *
 * @param address How jobs on other machines reach us.
 */
export function writeRequest(
  files: JobFiles,
  spec: BackendJobSpec,
  address: string,
): void {
  const env = Object.entries(spec.env).map(([name, value]) =>
    `${name}=${value}`
  );
  const texts = [
    bootId(),
    files.started,
    files.ended,
    `${Math.ceil(spec.timeout * 1000)}`,
    spec.killSigs.join(" "),
    spec.killGroup ? "1" : "0",
    spec.trace ?? "",
    address,
    spec.cwd,
    spec.stdin,
    spec.stdout,
    spec.stderr,
    `${spec.argv.length}`,
    `${env.length}`,
    ...spec.argv,
    ...env,
  ];
  // A NUL would end a text early; no argument and no variable can have one.
  const text = texts.map((one) => `${one.replaceAll("\0", "")}\0`).join("");
  // The job's id is in it, by which others could speak for the job.
  Deno.writeFileSync(files.request, pathToBytes(text), { mode: 0o600 });
}

/** How a job ended, as its node tells. */
export interface NodeEnd extends ProcessEnd {
  /** Error of the system if it could not be started; else 0. */
  error: number;
  /** Whether Slurm, or somebody through it, wanted its end. */
  cancelled: boolean;
}

/** Reads how a job ended; undefined if it is not told. */
export function readEnd(path: string): NodeEnd | undefined {
  const text = readIfThere(path);
  const fields = text?.trim().split(" ").map(Number);
  if (!fields || fields.length < 9) return undefined;
  const [error, code, signal, timedOut, killed, cancelled, ranMs] = fields as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  return {
    error,
    code: code < 0 ? undefined : code,
    signal: signal === 0 ? undefined : signalName(signal),
    timedOut: timedOut === 1,
    killed: killed === 1,
    cancelled: cancelled === 1,
    ranMs,
  };
}

/** Slurm's number of the job that runs, and its node; undefined before. */
export function readStart(
  path: string,
): { id: number; node: string } | undefined {
  const [id, node] = readIfThere(path)?.trim().split(" ") ?? [];
  return id === undefined ? undefined : { id: Number(id), node: node ?? "" };
}

/**
 * Takes a request back, after which nobody can run it.
 *
 * @returns Whether nobody had taken it.
 */
export function takeBack({ request }: JobFiles): boolean {
  try {
    Deno.renameSync(request, `${request}.off`);
    return true;
  } catch {
    return false;
  }
}

/**
 * Removes all files of a job.
 *
 * @param isTold Whether it ran to its end, and what it ran is not waiting any
 *   more: to find that something is not there takes long.
 */
export function removeFiles(files: JobFiles, isTold: boolean): void {
  const { request, ticket, started, ended, log } = files;
  const waiting = isTold ? [] : [request, `${request}.off`];
  for (const path of [...waiting, ticket, started, ended, log]) {
    try {
      Deno.removeSync(path);
    } catch {
      // Never written.
    }
  }
}

/** A file's text, if it is there. */
export function readIfThere(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return undefined;
  }
}

let boot: string | undefined;

/** Tells this machine, as it runs now, from all others. */
function bootId(): string {
  return boot ??= Deno.readTextFileSync("/proc/sys/kernel/random/boot_id")
    .trim();
}
