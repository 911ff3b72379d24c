/** Failures of downloads. */

import { ClibsError, type ErrorCode } from "../../errors.ts";
import { escapeControls } from "../../feedback/escape.ts";
import { redactUrl } from "./url.ts";

/** A failure of one attempt, and whether another may go better. */
export class TransferError extends ClibsError {
  override name = "TransferError";
  /** Whether the same request may succeed later. */
  readonly retry: boolean;
  /** How long the server asked to wait, in milliseconds. */
  readonly retryAfterMs: number | undefined;
  /** The cause alone, for a list of several. */
  readonly why: string;

  constructor(
    code: ErrorCode,
    what: string,
    why: string,
    url: string,
    options: {
      retry: boolean;
      retryAfterMs?: number;
      facts?: Record<string, string>;
      hint: string;
      cause?: unknown;
    },
  ) {
    super(code, `Cannot fetch ${what}: ${why}`, {
      facts: { url: redactUrl(url), ...options.facts },
      hint: options.hint,
      cause: options.cause,
    });
    this.why = why;
    this.retry = options.retry;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** The server answered with an error. */
export function statusError(
  what: string,
  url: string,
  response: Response,
): TransferError {
  const { status, statusText } = response;
  const hints: Record<number, string> = {
    401: "the server wants credentials; check the URL's, or use a mirror",
    403: "the server refuses; check the URL, or use a mirror",
    404: "check the URL; old releases are often moved: add `mirrors:`",
  };
  return new TransferError(
    "CLIBS_HTTP_STATUS",
    what,
    `the server answered ${status}${statusText ? ` ${statusText}` : ""}`,
    url,
    {
      retry: status >= 500 || status === 429 || status === 408,
      retryAfterMs: retryAfter(response.headers.get("retry-after")),
      hint: hints[status] ?? "try again later, or add `mirrors:`",
    },
  );
}

/** `Retry-After` in milliseconds: seconds or a date. */
function retryAfter(value: string | null): number | undefined {
  if (value === null) return undefined;
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}

/** The server said nothing, or next to nothing, for too long. */
export function stallError(
  what: string,
  url: string,
  stallMs: number,
  bytes: number,
): TransferError {
  const seconds = `${stallMs / 1000} s`;
  return new TransferError(
    "CLIBS_HTTP_STALL",
    what,
    bytes === 0
      ? `the server was silent for ${seconds}`
      : `the server sent only ${bytes} byte${
        bytes === 1 ? "" : "s"
      } in ${seconds}`,
    url,
    {
      retry: true,
      hint:
        "try again, or allow more with CLIBS_HTTP_STALL_S=300, or add `mirrors:`",
    },
  );
}

/**
 * No connection, or one that broke.
 *
 * @param thrown What fetch threw. It does not become the error's cause: its
 *   text has the whole URL, with the secrets of signed redirections.
 */
export function connectError(
  what: string,
  url: string,
  thrown: unknown,
): TransferError {
  const reason = rootCause(thrown);
  const certificate = /certificate/i.test(reason);
  return new TransferError(
    "CLIBS_HTTP_CONNECT",
    what,
    certificate
      ? "the server's certificate is not trusted"
      : NO_SUCH_NAME.test(reason)
      ? "the server's name cannot be resolved"
      : "the connection failed",
    url,
    {
      retry: !certificate && !NO_SUCH_NAME.test(reason),
      facts: { reason },
      hint: certificate
        ? "if your network has a certificate authority of its own, name its PEM file in DENO_CERT"
        : "check the network and HTTPS_PROXY, or add `mirrors:`; --offline uses caches only",
    },
  );
}

/** The resolver's final answers; that it cannot be reached may pass. */
const NO_SUCH_NAME =
  /Name or service not known|nodename nor servname|No such host|No address associated/i;

/** The innermost of a chain of causes, without addresses. */
function rootCause(error: unknown): string {
  let inner = error;
  while (inner instanceof Error && inner.cause instanceof Error) {
    inner = inner.cause;
  }
  const message = inner instanceof Error ? inner.message : String(inner);
  const last = /invalid peer certificate.*/.exec(message)?.[0] ??
    message.split(/: (?=[a-z])/i).at(-1) ?? message;
  return escapeControls(last.replace(/https?:\S+/g, "URL"));
}

/** Fewer bytes than promised. */
export function shortError(
  what: string,
  url: string,
  received: number,
  expected: number,
): TransferError {
  return new TransferError(
    "CLIBS_HTTP_SHORT",
    what,
    "the body ended too early",
    url,
    {
      retry: true,
      facts: { received: `${received} bytes`, expected: `${expected} bytes` },
      hint: "try again, or add `mirrors:`",
    },
  );
}

/** The server cannot add to what is there; the next try starts from nothing. */
export function changedError(what: string, url: string): TransferError {
  return new TransferError(
    "CLIBS_HTTP_STATUS",
    what,
    "the server cannot go on where an earlier download ended",
    url,
    { retry: true, hint: "try again" },
  );
}

/** A redirection that is not followed. */
export function redirectError(
  what: string,
  url: string,
  why: string,
  to?: string,
): TransferError {
  return new TransferError("CLIBS_HTTP_REDIRECT", what, why, url, {
    retry: false,
    facts: to === undefined ? {} : { to: redactUrl(to) },
    hint: "write the final https URL into pkg.yaml",
  });
}
