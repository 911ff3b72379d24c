/** Requests whose redirections are followed by hand. */

import { redirectError } from "./errors.ts";
import type { StallWatch } from "./stall.ts";
import { splitCredentials } from "./url.ts";

const MAX_REDIRECTS = 10;

/** What to ask for. */
export interface Follow {
  /** https or http. */
  url: string;
  /** For messages. */
  what: string;
  /** Headers for every server on the way. */
  headers: Record<string, string>;
  /** Ends the request, and is told of every answer. */
  watch: StallWatch;
}

/**
 * Sends a request and follows at most 10 redirections: never from https to
 * http, never from elsewhere to this machine, and with the URL's credentials
 * only to the server that they were written for.
 *
 * @throws {TransferError} `CLIBS_HTTP_REDIRECT` for one that is not followed.
 */
export async function follow(request: Follow): Promise<Response> {
  const first = splitCredentials(request.url);
  const visited = new Set<string>();
  let url = first.url;
  for (let count = 0; count <= MAX_REDIRECTS; count++) {
    if (visited.has(url.href)) {
      throw refuse(request, "the redirections form a loop", url.href);
    }
    visited.add(url.href);
    const headers = new Headers(request.headers);
    if (first.authorization && url.origin === first.url.origin) {
      headers.set("authorization", first.authorization);
    }
    const response = await fetch(url, {
      headers,
      redirect: "manual",
      signal: request.watch.signal,
    });
    request.watch.answered();
    if (![301, 302, 303, 307, 308].includes(response.status)) return response;
    await response.body?.cancel();
    url = nextUrl(request, url, response.headers.get("location"));
  }
  throw refuse(request, `more than ${MAX_REDIRECTS} redirections`);
}

function refuse(request: Follow, why: string, to?: string): Error {
  return redirectError(request.what, request.url, why, to);
}

function nextUrl(request: Follow, from: URL, location: string | null): URL {
  if (location === null || !URL.canParse(location, from)) {
    throw refuse(request, "a redirection leads nowhere");
  }
  const { url } = splitCredentials(new URL(location, from).href);
  if (!/^https?:$/.test(url.protocol)) {
    throw refuse(request, `a redirection leads to ${url.protocol}`, url.href);
  }
  if (from.protocol === "https:" && url.protocol === "http:") {
    throw refuse(request, "a redirection leads from https to http", url.href);
  }
  if (isLocal(url) && !isLocal(from)) {
    throw refuse(
      request,
      "a redirection leads to this machine or its network link",
      url.href,
    );
  }
  return url;
}

/**
 * Whether a URL names this machine or its link, where services trust whoever
 * reaches them. Names that only resolve to such addresses are not recognised.
 */
function isLocal({ hostname }: URL): boolean {
  // The parser has brought 0x7f.1 and the like into the usual form.
  return /^(.*\.)?localhost\.?$/.test(hostname) ||
    /^(0|127|169\.254)\./.test(hostname) ||
    /^\[(::1?|fe[89ab].:.*|::ffff:(0|7f..|a9fe):.*|::ffff:0:.*)\]$/.test(
      hostname,
    );
}
