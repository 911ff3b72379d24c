/** Answers that are expensive to get and stay the same while a file does. */

import { dirname } from "node:path";
import { readJsonIfExists, writeFileAtomic } from "./files.ts";

/** How many answers a file holds at most; older ones are dropped. */
const MAX_ENTRIES = 100;

/**
 * An answer about a file, such as a program's version: from the memo if the
 * file's size, times and inode are as they were, else asked for and noted.
 *
 * @param memo JSON file of the answers. If it cannot be written, the answer is
 *   asked for again the next time.
 * @param path The file that the answer is about.
 * @param question What else the answer depends on.
 * @param ask Gets the answer; undefined and what it throws are not noted.
 */
export async function remembered<T>(
  memo: string,
  path: string,
  question: string,
  ask: () => Promise<T | undefined>,
): Promise<T | undefined> {
  const key = [stampOf(path), path, question].join(" ");
  const before = entriesOf(memo);
  if (Object.hasOwn(before, key)) return before[key] as T;
  const answer = await ask();
  if (answer === undefined) return undefined;
  // Read again: asking took a while. Of two writers the last one wins.
  const entries = { ...entriesOf(memo), [key]: answer };
  const kept = Object.entries(entries).slice(-MAX_ENTRIES);
  try {
    Deno.mkdirSync(dirname(memo), { recursive: true });
    writeFileAtomic(memo, JSON.stringify(Object.fromEntries(kept)));
  } catch {
    // A read-only project is served as well, only more slowly.
  }
  return answer;
}

function entriesOf(memo: string): Record<string, unknown> {
  const value = readJsonIfExists(memo);
  return typeof value === "object" && value !== null
    ? value as Record<string, unknown>
    : {};
}

function stampOf(path: string): string {
  const info = Deno.statSync(path);
  const times = [info.mtime, info.ctime].map((time) => time?.getTime());
  return [info.size, info.ino, ...times].join(" ");
}
