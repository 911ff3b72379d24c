/** URLs: which are fetched, and how they are shown. */

import { escapeControls } from "../../feedback/escape.ts";

/** Parameters whose values are secrets more often than not. */
const SECRET_NAME = /token|sig|key|secret|pass|auth|cred/i;

/** A scheme; one letter is a drive of Windows. */
const SCHEME = /^([a-z][a-z0-9+.-]+):/i;

/**
 * Why a URL cannot be fetched; undefined if it can, or is a path.
 *
 * @param text https, http, file, or a path.
 */
export function urlProblem(text: string): string | undefined {
  const scheme = SCHEME.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined) return undefined;
  if (!["https", "http", "file"].includes(scheme)) {
    return `${scheme}: URLs are not fetched`;
  }
  if (!URL.canParse(text)) return "this is not a URL";
  if (scheme === "file" && new URL(text).hostname !== "") {
    return "a file: URL cannot name another host";
  }
  return undefined;
}

/** A URL as it may be shown: without credentials and without control characters. */
export function redactUrl(text: string): string {
  if (!SCHEME.test(text)) return escapeControls(text);
  if (!URL.canParse(text)) {
    // Which part is a secret cannot be told, so all that may be one goes.
    const cut = text.replace(/\/\/.*@/s, "//").replace(/\?.*/s, "?***");
    return escapeControls(cut);
  }
  const url = new URL(text);
  url.hash = "";
  url.username = "";
  url.password = "";
  for (const name of new Set(url.searchParams.keys())) {
    if (SECRET_NAME.test(name)) url.searchParams.set(name, "***");
  }
  // The parser has escaped control characters already.
  return url.href;
}

/** A URL's own credentials as a Basic header, and the URL without them. */
export function splitCredentials(
  text: string,
): { url: URL; authorization?: string } {
  const url = new URL(text);
  if (url.username === "" && url.password === "") return { url };
  const bytes = new TextEncoder().encode(
    `${decoded(url.username)}:${decoded(url.password)}`,
  );
  url.username = "";
  url.password = "";
  return { url, authorization: `Basic ${btoa(String.fromCharCode(...bytes))}` };
}

/** A percent sign that escapes nothing stands for itself. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
