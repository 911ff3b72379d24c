/** Puts a dir table in order after it was edited by hand or cut by a crash. */

import { join } from "node:path";
import { bytesToPath } from "../../host/bytes_path.ts";
import type { Checksums } from "../../host/checksum.ts";
import { removeFile, sortedEntries } from "../../host/files.ts";
import { readBytes } from "../../host/read_chunks.ts";
import { isFile, lstatNs, readLinkNs, statNs } from "../../host/statx.ts";
import { readDirConfig } from "./dir_config.ts";
import { DirFiles } from "./dir_files.ts";
import {
  contextDir,
  DECODE,
  ENCODE,
  isContext,
  isEntryCode,
  STORE,
  storeLink,
  storePath,
  TAB,
} from "./dir_layout.ts";
import type { Association } from "./line.ts";
import { settle } from "./settle.ts";

/** What a repair has found and done. */
export interface DirRepair {
  /** Associations that the table holds now. */
  associations: Association[];
  /** Values that have another code now, with the one they had. */
  recoded: (Association & { before: string })[];
  /** Entries that led nowhere, by their path in the table; they are gone. */
  dropped: string[];
}

/** Younger files may be of somebody who is at work. */
const IN_USE_NS = 3_600_000_000_000n;

/**
 * Makes a table right: each `.decode` that leads to a value is kept (as a
 * regular file it is a code made by hand), conflicts are settled, everything
 * else in it follows.
 *
 * Nobody should use the table meanwhile: a code could change under them.
 *
 * @throws {ClibsError} `CLIBS_CODEC_CONFIG`
 */
export function repairDirTable(root: string, sums: Checksums): DirRepair {
  const files = new DirFiles(root, readDirConfig(root));
  const found: Association[] = [];
  const dropped: string[] = [];
  /** Entries to be removed unless they turn out to be right. */
  const entries = new Set<string>();
  for (const entry of entriesOf(root, "")) {
    entries.add(`${entry.context}/${entry.name}`);
    if (!entry.name.endsWith(DECODE)) continue;
    const code = entry.name.slice(0, -DECODE.length);
    const value = isEntryCode(code)
      ? valueAt(join(contextDir(root, entry.context), entry.name))
      : undefined;
    if (value === undefined) dropped.push(`${entry.context}/${entry.name}`);
    else found.push({ context: entry.context, code, value });
  }
  const associations = settle(found, sums.text);
  const used = new Set<string>();
  for (const { context, code, value } of associations) {
    const sum = sums.text(value);
    used.add(sum);
    if (valueAt(storePath(root, sum)) !== value) files.storeAnew(sum, value);
    const links = [
      [`${code}${DECODE}`, storeLink(context, sum)],
      [`${sum}${ENCODE}`, `${code}${DECODE}`],
    ] as const;
    for (const [name, target] of links) {
      entries.delete(`${context}/${name}`);
      const path = join(contextDir(root, context), name);
      if (readLinkNs(path) !== target) files.replaceLink(target, path);
    }
  }
  for (const entry of entries) removeFile(join(root, TAB, entry));
  removeUnused(root, used);
  return { associations, recoded: recodedOf(found, associations), dropped };
}

/** Entries of a context and of those below it; only those with our endings. */
function* entriesOf(
  root: string,
  context: string,
): Generator<{ context: string; name: string }> {
  const dir = join(root, TAB, context);
  for (const entry of sortedEntries(dir)) {
    const name = context === "" ? entry.name : `${context}/${entry.name}`;
    if (entry.isDirectory) {
      if (isContext(name)) yield* entriesOf(root, name);
    } else if (context !== "" && /\.(?:de|en)code$/.test(entry.name)) {
      yield { context, name: entry.name };
    } else if (entry.name.endsWith(".tmp")) removeIfOld(join(dir, entry.name));
  }
}

/** Content of a file, through links; undefined if there is none. */
function valueAt(path: string): string | undefined {
  const stat = statNs(path);
  return stat && isFile(stat) ? bytesToPath(readBytes(path)) : undefined;
}

function removeUnused(root: string, used: ReadonlySet<string>): void {
  for (const { name: start } of sortedEntries(join(root, STORE))) {
    const dir = join(root, STORE, start);
    for (const { name: rest } of sortedEntries(dir)) {
      if (!used.has(start + rest)) removeIfOld(join(dir, rest));
    }
  }
}

function removeIfOld(path: string): void {
  const stat = lstatNs(path);
  const now = BigInt(Date.now()) * 1_000_000n;
  if (stat && isFile(stat) && now - stat.ctimeNs > IN_USE_NS) removeFile(path);
}

function recodedOf(
  found: readonly Association[],
  associations: readonly Association[],
): (Association & { before: string })[] {
  const key = (one: Association) => JSON.stringify([one.context, one.value]);
  const codes = new Map(associations.map((one) => [key(one), one]));
  return found.flatMap((one) => {
    const now = codes.get(key(one))!;
    return now.code === one.code ? [] : [{ ...now, before: one.code }];
  });
}
