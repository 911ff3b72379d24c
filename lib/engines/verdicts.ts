/** Which prebuilts this machine has loaded before, and how that went. */

import { join } from "node:path";
import {
  readJsonIfExists,
  readTextIfExists,
  writeFileAtomic,
} from "../host/files.ts";

/** How the first load of a module went. */
export interface Verdict {
  /** Whether it may be loaded. */
  ok: boolean;
  /** Why not. */
  reason?: string;
}

/** What a verdict is about. */
export interface VerdictSubject {
  /** Digest of the module. */
  sha256: string;
  /** C library and its version: after an upgrade all is tried again. */
  libc: string;
  /** What loads it, such as the version of Python. */
  runtime: string;
  /** The call that was made, as JSON; empty if none was. */
  smoke: string;
}

/**
 * What is known about a module on this machine; undefined if it was never
 * loaded here.
 *
 * @param cache The user's cache.
 */
export function readVerdict(
  cache: string,
  subject: VerdictSubject,
): Verdict | undefined {
  const value = readJsonIfExists(pathOf(cache, subject)) as
    | { subject?: unknown; verdict?: Verdict }
    | undefined;
  const same =
    JSON.stringify(value?.subject) === JSON.stringify(whole(subject));
  return same ? value?.verdict : undefined;
}

/** Remembers how a load went; a cache that cannot be written forgets it. */
export function writeVerdict(
  cache: string,
  subject: VerdictSubject,
  verdict: Verdict,
): void {
  const path = pathOf(cache, subject);
  try {
    Deno.mkdirSync(join(path, ".."), { recursive: true });
    const text = JSON.stringify({ subject: whole(subject), verdict });
    writeFileAtomic(path, text);
  } catch {
    // The module is tried again the next time.
  }
}

/** A home folder may be shared between machines. */
function whole(subject: VerdictSubject): VerdictSubject & { machine: string } {
  const machine = readTextIfExists("/etc/machine-id")?.trim() ??
    Deno.hostname();
  return { ...subject, machine };
}

function pathOf(cache: string, { sha256 }: VerdictSubject): string {
  return join(cache, "verdicts-v1", `${sha256}.json`);
}
