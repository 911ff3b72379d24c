/** Downloads files into the content cache. */

import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { setTimeout as sleep } from "node:timers/promises";
import { CancelledError, ClibsError } from "../../errors.ts";
import { type Feedback, runTask, silent } from "../../feedback/bus.ts";
import { lookUp, partialDir, publish } from "../cache.ts";
import { sha256File, sha256Hex } from "../digest.ts";
import { isAbsent, removeTree } from "../files.ts";
import { withLock } from "../lock.ts";
import { TransferError } from "./errors.ts";
import { transfer, type Transferred } from "./transfer.ts";
import { redactUrl, urlProblem } from "./url.ts";

/** What to download. */
export interface DownloadRequest {
  /** The URL and its mirrors, in order: https, http, file, or absolute paths. */
  urls: readonly string[];
  /** Expected SHA-256, lower-case hex; without it anything goes. */
  sha256?: string;
  /** Name of the file, for messages and for `mirrors`. */
  filename: string;
  /** Folder of the content cache. */
  cache: string;
  /** URL prefixes or folders that are tried first, by digest and by name. */
  mirrors?: readonly string[];
  /** Caches and local files only. Default: false. */
  offline?: boolean;
  /** Give up on a server that is silent for so long. Default: 60,000. */
  stallMs?: number;
  /** How often a failed transfer is tried again. Default: 4. */
  retries?: number;
  /** First pause between tries; each is twice the last. Default: 500. */
  pauseMs?: number;
  /** Interrupts the download; what has come stays for the next. */
  signal?: AbortSignal;
  /** Where progress is reported. Default: nowhere. */
  feedback?: Feedback;
  /** What the file is for, as in "Cannot fetch zlib: …". */
  what: string;
}

/** A downloaded file. */
export interface DownloadResult {
  /** Absolute path, in the cache or of a local file; not to be written to. */
  path: string;
  /** SHA-256, lower-case hex. */
  sha256: string;
  /** Size in bytes. */
  size: number;
  /** Where it came from, without credentials. */
  url: string;
  /** Whether it was in the cache. */
  cached: boolean;
}

/** The longest pause that a server can ask for. */
const MAX_PAUSE_MS = 30_000;
/** A try that got this much further, in bytes, is no failure: it may go on. */
const WORTHWHILE = 1 << 20;

/**
 * Gets a file from the cache, a local path, a mirror or a server, and checks
 * its digest.
 *
 * @throws {ClibsError} `CLIBS_HTTP_…` for a server's failure, `CLIBS_FETCH_DIGEST`
 *   for wrong bytes, `CLIBS_FETCH_FAILED` if several places failed,
 *   `CLIBS_OFFLINE` if it would need the network.
 */
export async function download(
  request: DownloadRequest,
): Promise<DownloadResult> {
  const feedback = request.feedback ?? silent;
  if (request.sha256 !== undefined) {
    const hit = lookUp(request.cache, request.sha256, (path) =>
      feedback.emit(
        "warn",
        "note",
        `${path} was corrupt; fetching it again`,
        { about: "cache.corrupt", path },
      ));
    if (hit) {
      const url = redactUrl(request.urls[0] ?? "");
      return { ...hit, sha256: request.sha256, url, cached: true };
    }
  }
  const failures: [string, ClibsError][] = [];
  for (const candidate of candidates(request)) {
    try {
      const result = await obtain(request, candidate, feedback);
      if (result) return result;
    } catch (error) {
      if (!(error instanceof ClibsError) || error instanceof CancelledError) {
        throw error;
      }
      // A mirror that lacks a file is as it should be.
      const missing = candidate.mirror && error.code === "CLIBS_HTTP_STATUS";
      if (!missing) failures.push([candidate.url, error]);
    }
  }
  throw summary(request, failures);
}

/** A place where the file may be. */
interface Candidate {
  url: string;
  mirror: boolean;
}

function candidates(request: DownloadRequest): Candidate[] {
  const found: Candidate[] = [];
  for (const mirror of request.mirrors ?? []) {
    const base = mirror.replace(/\/+$/, "");
    if (request.sha256) {
      found.push({ url: `${base}/sha256/${request.sha256}`, mirror: true });
    }
    const name = isRemote(base)
      ? encodeURIComponent(request.filename)
      : request.filename;
    found.push({ url: `${base}/${name}`, mirror: true });
  }
  return [...found, ...request.urls.map((url) => ({ url, mirror: false }))];
}

function isRemote(url: string): boolean {
  return /^https?:/i.test(url);
}

async function obtain(
  request: DownloadRequest,
  candidate: Candidate,
  feedback: Feedback,
): Promise<DownloadResult | undefined> {
  const { url, mirror } = candidate;
  const problem = urlProblem(url);
  if (problem !== undefined) {
    throw new ClibsError(
      "CLIBS_URL",
      `Cannot fetch ${request.what}: ${problem}`,
      {
        facts: { url: redactUrl(url) },
        hint: "use an https:, http: or file: URL, or a path",
      },
    );
  }
  if (!isRemote(url)) return local(request, url, mirror);
  if (request.offline) return undefined;
  return await runTask(
    feedback,
    "fetch",
    request.filename,
    (progress) =>
      remote(
        request,
        url,
        (bytes, totalBytes) => progress({ bytes, totalBytes }),
      ),
  );
}

function local(
  request: DownloadRequest,
  url: string,
  mirror: boolean,
): DownloadResult | undefined {
  const path = /^file:/i.test(url) ? fileURLToPath(url) : url;
  const info = statIfExists(path);
  if (!info?.isFile) {
    if (mirror) return undefined;
    throw new ClibsError(
      "CLIBS_FETCH_LOCAL",
      `Cannot fetch ${request.what}: there is no such file`,
      {
        facts: { file: path },
        hint: "check the path; it is relative to pkg.yaml",
      },
    );
  }
  const sha256 = sha256File(path);
  checkDigest(request, url, {
    path,
    sha256,
    size: info.size,
    resumed: false,
  });
  return { path, sha256, size: info.size, url: redactUrl(url), cached: false };
}

function statIfExists(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.statSync(path);
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

async function remote(
  request: DownloadRequest,
  url: string,
  onProgress: (bytes: number, totalBytes: number | undefined) => void,
): Promise<DownloadResult> {
  const dir = partialDir(request.cache, sha256Hex(url).slice(0, 32));
  const lock = {
    doing: `fetching ${request.filename}`,
    feedback: request.feedback,
    signal: request.signal,
  };
  return await withLock(`${dir}.lock`, lock, async () => {
    // Somebody else may have fetched it while this process waited.
    const hit = request.sha256 === undefined
      ? undefined
      : lookUp(request.cache, request.sha256, () => {});
    if (hit && request.sha256) {
      return {
        ...hit,
        sha256: request.sha256,
        url: redactUrl(url),
        cached: true,
      };
    }
    let body = await attempts(request, url, dir, onProgress);
    if (body.resumed && isWrong(request, body)) {
      // The server may have changed the file and kept its entity tag, or a
      // power cut may have eaten what was there.
      removeTree(dir);
      body = await attempts(request, url, dir, onProgress);
    }
    try {
      checkDigest(request, url, body);
    } catch (error) {
      removeTree(dir);
      throw error;
    }
    const path = publish(request.cache, body.sha256, body.path);
    removeTree(dir);
    const { sha256, size } = body;
    return { path, sha256, size, url: redactUrl(url), cached: false };
  });
}

/** Tries until it goes well; a try that got much further does not count. */
async function attempts(
  request: DownloadRequest,
  url: string,
  dir: string,
  onProgress: (bytes: number, totalBytes: number | undefined) => void,
): Promise<Transferred> {
  const retries = request.retries ?? 4;
  let furthest = 0;
  for (let failed = 0;;) {
    const before = furthest;
    try {
      return await transfer({
        url,
        what: request.what,
        dir,
        stallMs: request.stallMs ?? 60_000,
        signal: request.signal,
        onProgress: (bytes, total) => {
          furthest = Math.max(furthest, bytes);
          onProgress(furthest, total);
        },
      });
    } catch (error) {
      if (!(error instanceof TransferError) || !error.retry) throw error;
      failed = furthest - before >= WORTHWHILE ? 1 : failed + 1;
      if (failed > retries) throw error;
      const pause = (request.pauseMs ?? 500) * 2 ** (failed - 1);
      // Jitter, so that many clients do not come back in step.
      const ms = error.retryAfterMs ?? pause * (0.5 + Math.random());
      request.feedback?.emit(
        "info",
        "note",
        `${request.filename}: ${error.why}; trying again`,
        { about: "fetch.retry", attempt: failed },
      );
      await pauseFor(Math.min(ms, MAX_PAUSE_MS), request.signal);
    }
  }
}

async function pauseFor(
  ms: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch {
    throw new CancelledError();
  }
}

function isWrong(request: DownloadRequest, body: Transferred): boolean {
  return request.sha256 !== undefined && request.sha256 !== body.sha256;
}

function checkDigest(
  request: DownloadRequest,
  url: string,
  body: Transferred,
): void {
  if (!isWrong(request, body)) return;
  throw new ClibsError(
    "CLIBS_FETCH_DIGEST",
    `Cannot fetch ${request.what}: ${request.filename} has another digest than expected`,
    {
      facts: {
        url: redactUrl(url),
        expected: `sha256:${request.sha256}`,
        actual: `sha256:${body.sha256}`,
        size: `${body.size} bytes`,
        ...(looksLikeHtml(body.path)
          ? { content: "an HTML page, such as a login or error page" }
          : {}),
      },
      hint: "check the URL and the digest; the file may have been replaced",
    },
  );
}

function looksLikeHtml(path: string): boolean {
  using file = Deno.openSync(path);
  const bytes = new Uint8Array(256);
  const n = file.readSync(bytes) ?? 0;
  const text = new TextDecoder("latin1").decode(bytes.subarray(0, n));
  return /^\s*<(!doctype html|html)/i.test(text);
}

function summary(
  request: DownloadRequest,
  failures: [string, ClibsError][],
): ClibsError {
  const [first] = failures;
  if (request.offline && (!first || failures.length < request.urls.length)) {
    return new ClibsError(
      "CLIBS_OFFLINE",
      `Cannot fetch ${request.what}: ${request.filename} is not in the cache, and --offline allows nothing else`,
      {
        facts: {
          url: redactUrl(request.urls[0] ?? ""),
          ...(request.sha256 ? { sha256: request.sha256 } : {}),
          cache: join(request.cache),
        },
        hint:
          "run `clibs fetch` with a network once, or name a folder that has the file in CLIBS_MIRROR",
      },
    );
  }
  if (failures.length === 1 && first) return first[1];
  const facts: Record<string, string> = {};
  for (const [url, error] of failures) {
    const why = error.message.replace(/^Cannot fetch .*?: /, "");
    facts[redactUrl(url)] = why;
  }
  return new ClibsError(
    "CLIBS_FETCH_FAILED",
    `Cannot fetch ${request.what}: no place has ${basename(request.filename)}`,
    {
      facts,
      hint: "check the URLs and the network",
      cause: first?.[1],
    },
  );
}
