/** One attempt to download one URL, going on where an earlier one ended. */

import { createHash } from "node:crypto";
import { join } from "node:path";
import { CancelledError, ClibsError } from "../../errors.ts";
import { readJsonIfExists, removeTree, writeFileAtomic } from "../files.ts";
import {
  connectError,
  redirectError,
  shortError,
  stallError,
  statusError,
  TransferError,
} from "./errors.ts";
import { splitCredentials } from "./url.ts";

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
  path: string;
  sha256: string;
  size: number;
}

const MAX_REDIRECTS = 10;

/** What is known about an unfinished file. */
interface Partial {
  /** Strong entity tag: only bytes of the same entity may be joined. */
  etag: string;
}

/** Downloads to `<dir>/body`. */
export async function transfer(request: Transfer): Promise<Transferred> {
  Deno.mkdirSync(request.dir, { recursive: true });
  const path = join(request.dir, "body");
  const meta = join(request.dir, "meta.json");
  const known = readJsonIfExists(meta) as Partial | undefined;
  using file = Deno.openSync(path, { read: true, write: true, create: true });
  const present = known ? file.statSync().size : 0;
  using watch = new StallWatch(request.stallMs, request.signal);
  let size = 0;
  let total: number | undefined;
  try {
    const response = await follow(request, watch, present, known?.etag);
    const start = resumedAt(response, present);
    if (response.status === 416) {
      // The entity changed, or the file was complete already: start over.
      await response.body?.cancel();
      removeTree(meta);
      file.truncateSync(0);
      throw statusErrorToRetry(request);
    }
    if (start === undefined) {
      await response.body?.cancel();
      throw statusError(request.what, request.url, response);
    }
    const hash = createHash("sha256");
    if (start === 0) file.truncateSync(0);
    else rehash(file, hash);
    const etag = response.headers.get("etag");
    if (etag !== null && !etag.startsWith("W/")) {
      writeFileAtomic(meta, JSON.stringify({ etag }));
    } else removeTree(meta);
    total = totalLength(response, start);
    size = start;
    request.onProgress(size, total);
    for await (const chunk of response.body ?? []) {
      watch.alive();
      for (let at = 0; at < chunk.length;) {
        at += file.writeSync(chunk.subarray(at));
      }
      hash.update(chunk);
      size += chunk.length;
      request.onProgress(size, total);
    }
    if (total !== undefined && size < total) {
      throw shortError(request.what, request.url, size, total);
    }
    file.syncSync();
    return { path, sha256: hash.digest("hex"), size };
  } catch (error) {
    if (request.signal?.aborted) throw new CancelledError();
    if (watch.stalled) {
      throw stallError(request.what, request.url, request.stallMs);
    }
    if (error instanceof ClibsError) throw error;
    if (isSystemError(error)) throw error;
    if (total !== undefined) {
      throw shortError(request.what, request.url, size, total);
    }
    throw connectError(request.what, request.url, error);
  }
}

/** A full disk and the like are not the network's failures. */
function isSystemError(error: unknown): boolean {
  return error instanceof Error && /\(os error \d+\)/.test(error.message) &&
    !(error instanceof TypeError) &&
    !/connect|reset|pipe|network|host/i.test(error.message);
}

function statusErrorToRetry(request: Transfer): TransferError {
  return new TransferError(
    "CLIBS_HTTP_STATUS",
    request.what,
    "the server cannot go on where an earlier download ended",
    request.url,
    { retry: true, hint: "try again" },
  );
}

/** Where the body starts in the file; undefined for an error status. */
function resumedAt(response: Response, present: number): number | undefined {
  if (response.status === 206) {
    const range = /^bytes (\d+)-/.exec(
      response.headers.get("content-range") ?? "",
    );
    return range && Number(range[1]) === present ? present : undefined;
  }
  return response.status === 200 || response.status === 203 ? 0 : undefined;
}

/** Size of the whole entity; undefined if the server does not say. */
function totalLength(response: Response, start: number): number | undefined {
  // A request that names the codings it accepts gets the bytes as sent, so this
  // is right for a server that marks a .tar.gz as gzip-coded as well.
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

/**
 * Sends the request and follows redirections by hand: never from https to
 * http, and with credentials only to the host that they were written for.
 */
async function follow(
  request: Transfer,
  watch: StallWatch,
  present: number,
  etag: string | undefined,
): Promise<Response> {
  const first = splitCredentials(request.url);
  let url = first.url;
  const visited = new Set<string>();
  for (let count = 0;; count++) {
    if (count > MAX_REDIRECTS) {
      throw redirectError(
        request.what,
        request.url,
        `more than ${MAX_REDIRECTS} redirections`,
      );
    }
    if (visited.has(url.href)) {
      throw redirectError(
        request.what,
        request.url,
        "the redirections form a loop",
        url.href,
      );
    }
    visited.add(url.href);
    const headers = new Headers({
      "accept-encoding": "identity",
      "user-agent": "clibs",
    });
    if (first.authorization && url.origin === first.url.origin) {
      headers.set("authorization", first.authorization);
    }
    if (present > 0 && etag !== undefined) {
      headers.set("range", `bytes=${present}-`);
      headers.set("if-range", etag);
    }
    const response = await fetch(url, {
      headers,
      redirect: "manual",
      signal: watch.signal,
    });
    watch.alive();
    if (![301, 302, 303, 307, 308].includes(response.status)) return response;
    await response.body?.cancel();
    url = nextUrl(request, url, response.headers.get("location"));
  }
}

function nextUrl(request: Transfer, from: URL, location: string | null): URL {
  const fail = (why: string, to?: string) =>
    redirectError(request.what, request.url, why, to);
  if (location === null || !URL.canParse(location, from)) {
    throw fail("a redirection leads nowhere");
  }
  const { url } = splitCredentials(new URL(location, from).href);
  if (!/^https?:$/.test(url.protocol)) {
    throw fail(`a redirection leads to ${url.protocol}`, url.href);
  }
  if (from.protocol === "https:" && url.protocol === "http:") {
    throw fail("a redirection leads from https to http", url.href);
  }
  return url;
}

/** Aborts a request when nothing has come for a while, or the caller says so. */
class StallWatch implements Disposable {
  stalled = false;
  readonly #controller = new AbortController();
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #outer: AbortSignal | undefined;
  readonly #onAbort = () => this.#controller.abort();
  #last = performance.now();

  constructor(stallMs: number, outer: AbortSignal | undefined) {
    this.#outer = outer;
    outer?.addEventListener("abort", this.#onAbort, { once: true });
    if (outer?.aborted) this.#controller.abort();
    // One timer for all pieces: re-arming one for each costs more than reading.
    this.#timer = setInterval(() => {
      if (performance.now() - this.#last < stallMs) return;
      this.stalled = true;
      this.#controller.abort();
    }, Math.max(10, Math.min(1000, stallMs / 4)));
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Something came. */
  alive(): void {
    this.#last = performance.now();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#outer?.removeEventListener("abort", this.#onAbort);
  }
}
