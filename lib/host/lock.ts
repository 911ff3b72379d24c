/** Kernel locks between processes: a killed holder leaves nothing to clean. */

import { setTimeout as sleep } from "node:timers/promises";
import { dirname } from "node:path";
import { CancelledError } from "../errors.ts";
import { type Feedback, silent } from "../feedback/bus.ts";

/** Options of {@linkcode withLock}. */
export interface LockOptions {
  /** What the holder is doing, shown to those who wait: `building zlib`. */
  doing: string;
  /** Where "waiting for …" is reported. Default: nowhere. */
  feedback?: Feedback;
  /** Gives up waiting. */
  signal?: AbortSignal;
}

/**
 * Runs `work` while holding an exclusive lock on the file `path`.
 *
 * The file stays after the lock is released: removing it would let two
 * processes lock two different files of one name. Its content only names the
 * holder for those who wait; the lock itself is the kernel's.
 *
 * @throws {CancelledError} If `signal` fires while waiting.
 */
export async function withLock<T>(
  path: string,
  options: LockOptions,
  work: () => Promise<T>,
): Promise<T> {
  Deno.mkdirSync(dirname(path), { recursive: true });
  using file = Deno.openSync(path, { read: true, write: true, create: true });
  if (!file.tryLockSync(true)) await waitForLock(file, path, options);
  const owner = new TextEncoder().encode(`pid ${Deno.pid} ${options.doing}\n`);
  file.truncateSync(0);
  file.seekSync(0, Deno.SeekMode.Start);
  file.writeSync(owner);
  try {
    return await work();
  } finally {
    file.truncateSync(0);
    file.unlockSync();
  }
}

async function waitForLock(
  file: Deno.FsFile,
  path: string,
  options: LockOptions,
): Promise<void> {
  const feedback = options.feedback ?? silent;
  let shown: string | undefined;
  for (let delayMs = 2;; delayMs = Math.min(delayMs * 2, 100)) {
    // Polling, because a blocking lock could not be given up on Ctrl-C.
    await sleep(delayMs);
    if (options.signal?.aborted) throw new CancelledError();
    if (file.tryLockSync(true)) return;
    const owner = readOwner(path);
    if (owner !== undefined && owner !== shown) {
      shown = owner;
      feedback.emit("info", "lock.wait", `waiting for ${owner}`, {
        path,
        owner,
      });
    }
  }
}

function readOwner(path: string): string | undefined {
  const text = Deno.readTextFileSync(path).trim();
  return text === "" ? undefined : text;
}
