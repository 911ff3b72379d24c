import type { Explanations } from "./codes.ts";

/** Failures of downloads. */
export const httpErrors: Explanations = {
  CLIBS_HTTP_STATUS: {
    title: "A server answered with an error",
    text:
      "404: the file is not there; old releases are often moved, so give `mirrors:`. 401 and 403: the server wants credentials or refuses. 429 and 5xx were tried again several times, with growing pauses.",
  },
  CLIBS_HTTP_STALL: {
    title: "A server stopped sending",
    text:
      "Nothing, or less than 1 KiB, came for 60 s (`CLIBS_HTTP_STALL_S` changes that). What had come is kept, and the next run goes on there if the server allows it.",
  },
  CLIBS_HTTP_CONNECT: {
    title: "There was no connection to a server, or it broke",
    text:
      "The name cannot be resolved, the server refuses, its certificate is not trusted, or the connection was reset. `DENO_CERT` names the PEM file of a certificate authority of your own. `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` are honoured. What had come is kept for the next run.",
  },
  CLIBS_HTTP_SHORT: {
    title: "A body ended before its promised length",
    text:
      "The connection was closed early, several times in a row. The part that came is kept, and the next run goes on there if the server allows it.",
  },
  CLIBS_HTTP_REDIRECT: {
    title: "A redirection was not followed",
    text:
      "At most 10 redirections are followed, never from https to http, never to another scheme, and never from elsewhere to this machine (`localhost`, 127.0.0.1, link-local addresses). Write the final URL into pkg.yaml.",
  },
  CLIBS_FETCH_DIGEST: {
    title: "A file has another SHA-256 than expected",
    text:
      "The digest in pkg.yaml or pkg.lock.json vouches for the file, so other bytes are never used. The server's file was replaced, the digest was mistyped, or something between changed it, such as a login page.",
  },
  CLIBS_FETCH_FAILED: {
    title: "Every URL and mirror of a file failed",
    text:
      "The message lists each place with its own reason, in the order tried.",
  },
  CLIBS_URL: {
    title: "A URL is of a kind that is not fetched",
    text:
      "Files come from `https:`, `http:` and `file:` URLs and from paths. A `file:` URL is of this machine: it has three slashes.",
  },
  CLIBS_FETCH_LOCAL: {
    title: "A local source file is not there",
    text:
      "A `url` without a scheme is a path relative to pkg.yaml; `file:` URLs are absolute.",
  },
  CLIBS_OFFLINE: {
    title: "Something would need the network, and --offline forbids it",
    text:
      "With --offline only caches and local files are used. Run `clibs fetch` once with a network, or set `CLIBS_MIRROR` to a folder that has the files by name, or as `sha256/<digest>`.",
  },
};
