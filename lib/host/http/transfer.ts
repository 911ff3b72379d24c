/** One attempt to download one URL, going on where an earlier one ended. */

import { createHash } from "node:crypto";
import { join } from "node:path";
import { CancelledError, ClibsError } from "../../errors.ts";
import { readJsonIfExists, removeTree, writeFileAtomic } from "../files.ts";
import {
  changedError,
  connectError,
  shortError,
  stallError,
  statusError,
} from "./errors.ts";
import { follow } from "./follow.ts";
import { StallWatch } from "./stall.ts";

/** What to transfer. */
export interface Transfer {
  /** https or http. */
  url: string;
  /** For messages. */
  what: string;
  /** Folder for the unfinished file and what is known about it. */
  dir: string;
  /** Give up after so long without a byte. */
  stallMs: number;
  signal?: AbortSignal;
  /** Told of every piece, with the bytes so far and in all. */
  onProgress: (bytes: number, totalBytes: number | undefined) => void;
}

/** A complete body on disk, flushed. */
export interface Transferred {
  /** Where it is. */
  path: string;
  /** SHA-256, lower-case hex. */
  sha256: string;
  /** Bytes. */
  size: number;
  /** Whether it began with bytes of an earlier try. */
  resumed: boolean;
}

/** What is known about an unfinished file. */
interface Partial {
  /** Strong entity tag: only bytes of the same entity may be joined. */
  etag: string;
  /** Size of the whole entity, in bytes, if the server said it. */
  total?: number;
}

/** Downloads to `<dir>/body`. */
export async function transfer(request: Transfer): Promise<Transferred> {
  Deno.mkdirSync(request.dir, { recursive: true });
  const path = join(request.dir, "body");
  const meta = join(request.dir, "meta.json");
  const known = readPartial(meta);
  using file = Deno.openSync(path, { read: true, write: true, create: true });
  const found = file.statSync().size;
  const present = known ? found : 0;
  using watch = new StallWatch(request.stallMs, request.signal);
  let size = 0;
  let total: number | undefined;
  try {
    const { url, what } = request;
    const headers = requestHeaders(present, known);
    const response = await follow({ url, what, headers, watch });
    if (!response.ok && response.status !== 416) {
      await response.body?.cancel();
      throw statusError(what, url, response);
    }
    const start = resumedAt(response, present, known);
    if (start === undefined) {
      await response.body?.cancel();
      // What is there is of no use: the next try starts from nothing.
      removeTree(meta);
      file.truncateSync(0);
      throw changedError(what, url);
    }
    const hash = createHash("sha256");
    if (start > 0) rehash(file, hash);
    else if (found > 0) file.truncateSync(0);
    total = totalLength(response, start);
    rememberPartial(meta, response, total);
    size = start;
    request.onProgress(size, total);
    for await (const chunk of response.body ?? []) {
      watch.received(chunk.length);
      for (let at = 0; at < chunk.length;) {
        at += file.writeSync(chunk.subarray(at));
      }
      hash.update(chunk);
      size += chunk.length;
      request.onProgress(size, total);
    }
    if (total !== undefined && size < total) {
      throw shortError(what, url, size, total);
    }
    // Not flushed: whoever takes it from the cache checks the digest, and after a
    // power cut a torn file is fetched again.
    return { path, sha256: hash.digest("hex"), size, resumed: start > 0 };
  } catch (error) {
    if (request.signal?.aborted) throw new CancelledError();
    if (watch.stalled) {
      const { what, url, stallMs } = request;
      throw stallError(what, url, stallMs, watch.bytes);
    }
    if (error instanceof ClibsError) throw error;
    if (isSystemError(error)) throw error;
    if (total !== undefined) {
      throw shortError(request.what, request.url, size, total);
    }
    throw connectError(request.what, request.url, error);
  }
}

/** What an earlier try left; undefined if it is of no use. */
function readPartial(meta: string): Partial | undefined {
  const known = readJsonIfExists(meta) as Partial | null | undefined;
  // Anything else could not be sent as a header.
  return /^"[!-~]*"$/.test(String(known?.etag)) ? known! : undefined;
}

/** Notes what the next try needs, before the first byte is written. */
function rememberPartial(
  meta: string,
  response: Response,
  total: number | undefined,
): void {
  const etag = response.headers.get("etag");
  if (etag !== null && !etag.startsWith("W/")) {
    writeFileAtomic(meta, JSON.stringify({ etag, total }));
  } else if (response.status !== 206) removeTree(meta);
}

function requestHeaders(
  present: number,
  known: Partial | undefined,
): Record<string, string> {
  const headers: Record<string, string> = {
    // Makes fetch hand over the bytes as they are sent, also of a server that
    // marks a .tar.gz as gzip-coded.
    "accept-encoding": "identity",
    "user-agent": "clibs",
  };
  if (present > 0 && known) {
    headers.range = `bytes=${present}-`;
    headers["if-range"] = known.etag;
  }
  return headers;
}

/** A full disk and the like are not the network's failures. */
function isSystemError(error: unknown): boolean {
  return error instanceof Error && /\(os error \d+\)/.test(error.message) &&
    !(error instanceof TypeError) &&
    !/connect|reset|pipe|network|host/i.test(error.message);
}

/**
 * Where the body starts in the file; undefined if the bytes do not belong to
 * those that are there. Some servers answer with a range of another version
 * whatever `If-Range` says, so everything that tells versions apart is compared.
 */
function resumedAt(
  response: Response,
  present: number,
  known: Partial | undefined,
): number | undefined {
  if (response.status === 416) return undefined;
  if (response.status !== 206) return 0;
  const range = contentRange(response);
  const etag = response.headers.get("etag");
  const same = range?.start === present && present > 0 &&
    (etag === null || etag === known?.etag) &&
    (range.total === undefined || known?.total === undefined ||
      range.total === known.total);
  return same ? present : undefined;
}

function contentRange(
  response: Response,
): { start: number; total?: number } | undefined {
  const value = response.headers.get("content-range") ?? "";
  const [, start, total] = /^bytes (\d+)-\d+\/(?:(\d+)|\*)$/.exec(value) ?? [];
  if (start === undefined) return undefined;
  return {
    start: Number(start),
    ...(total === undefined ? {} : { total: Number(total) }),
  };
}

/** Size of the whole entity; undefined if the server does not say. */
function totalLength(response: Response, start: number): number | undefined {
  const whole = response.status === 206
    ? contentRange(response)?.total
    : undefined;
  if (whole !== undefined) return whole;
  const length = response.headers.get("content-length");
  return length === null ? undefined : start + Number(length);
}

function rehash(
  file: Deno.FsFile,
  hash: { update(data: Uint8Array): unknown },
): void {
  file.seekSync(0, Deno.SeekMode.Start);
  const buffer = new Uint8Array(1 << 20);
  for (let n; (n = file.readSync(buffer)) !== null;) {
    hash.update(buffer.subarray(0, n));
  }
}
