/** URLs in messages and as names of files. */

/** Parameters whose values are secrets more often than not. */
const SECRET_NAME = /token|sig|key|secret|pass|auth|cred/i;

/** A URL as it may be shown: without credentials and without control characters. */
export function redactUrl(text: string): string {
  if (!URL.canParse(text)) return text;
  const url = new URL(text);
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
    `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`,
  );
  url.username = "";
  url.password = "";
  return { url, authorization: `Basic ${btoa(String.fromCharCode(...bytes))}` };
}
