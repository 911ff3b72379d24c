/** Looks for the root of the repo in what a job wrote; see `checkAbsPaths`. */

import { pathToBytes } from "../../host/bytes_path.ts";
import { readChunks } from "../../host/read_chunks.ts";
import { isFile, isLink, readLinkNs } from "../../host/statx.ts";
import type { TargetRecord } from "../state/record.ts";
import type { Files } from "./files.ts";

/** The targets that have the root of the repo in them, as sentences. */
export function absolutePaths(
  files: Files,
  targets: readonly TargetRecord[],
): string[] {
  return targets.filter(({ file }) => hasRoot(files, file)).map(({ file }) =>
    `absolute path of the repo in ${file}: another repo could not use it`
  );
}

function hasRoot(files: Files, file: string): boolean {
  const path = files.path(file);
  const { stat } = files.look(file);
  if (!stat) return false;
  if (isLink(stat)) return readLinkNs(path)?.includes(files.root) ?? false;
  return isFile(stat) && contains(path, pathToBytes(files.root));
}

/** Whether a file has some bytes in it; they may lie across two chunks. */
function contains(path: string, bytes: Uint8Array): boolean {
  let rest = new Uint8Array(0);
  let isThere = false;
  readChunks(path, (chunk) => {
    const text = new Uint8Array(rest.length + chunk.length);
    text.set(rest);
    text.set(chunk, rest.length);
    isThere ||= indexOf(text, bytes) >= 0;
    rest = text.slice(Math.max(0, text.length - bytes.length + 1));
  });
  return isThere;
}

function indexOf(text: Uint8Array, bytes: Uint8Array): number {
  const first = bytes[0]!;
  for (
    let at = text.indexOf(first);
    at >= 0;
    at = text.indexOf(first, at + 1)
  ) {
    if (bytes.every((byte, i) => text[at + i] === byte)) return at;
  }
  return -1;
}
