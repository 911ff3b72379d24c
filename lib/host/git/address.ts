/** Addresses of git repositories: which are accepted, and how they are shown. */

import { isAbsolute, normalize } from "node:path";
import { ClibsError } from "../../errors.ts";
import { hasControlCharacters, printable } from "./text.ts";

/** A user and password that were written into an address. */
export interface GitCredential {
  /** Decoded user name. */
  user: string;
  /** Decoded password. */
  password: string;
  /** Scheme, host and port for which they are meant; nobody else gets them. */
  origin: string;
}

/** An accepted address. */
export interface GitAddress {
  /** How the repository is reached. */
  transport: "https" | "http" | "git" | "ssh" | "file";
  /** What git is given; it never holds a password. */
  url: string;
  /** For messages and results: without user and password. */
  shown: string;
  /** Sent with the requests, but never as an argument of a process. */
  credential?: GitCredential;
}

const TRANSPORTS = ["https", "http", "git", "ssh", "file"] as const;
const SCP_LIKE = /^(?:([A-Za-z0-9_][\w.+-]*)@)?([A-Za-z0-9_][\w.-]*):(.+)$/;
const HOST = /^(?:[A-Za-z0-9_][\w.-]*|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/;

/**
 * Checks that an address names a repository and nothing else.
 *
 * @param repo A https, http, ssh, git or file URL, an scp-like address
 *   (`user@host:path`), or an absolute path.
 * @throws {ClibsError} `CLIBS_GIT_URL` for anything else.
 */
export function checkGitAddress(repo: string): void {
  parseGitAddress(repo);
}

/** Takes an address apart; throws as {@linkcode checkGitAddress} does. */
export function parseGitAddress(repo: string): GitAddress {
  const refuse = (why: string) => refusal(repo, why);
  if (repo === "") throw refuse("it is empty");
  if (hasControlCharacters(repo)) throw refuse("it has a control character");
  if (repo.startsWith("-")) throw refuse("it begins with `-`");
  if (isAbsolute(repo)) return localAddress(repo);
  // Also in upper case, and whatever the name before it: git would run a helper
  // program of that name. Colons of an IPv6 host are within brackets.
  if (repo.replace(/\[[0-9A-Fa-f:.]+\]/, "").includes("::")) {
    throw refuse("`::` would run a remote helper program");
  }
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//.exec(repo)?.[1];
  if (scheme === undefined && /^file:\//.test(repo)) {
    return localAddress(decode(repo.slice("file:".length), refuse));
  }
  if (scheme === undefined) return scpAddress(repo, refuse);
  const transport = TRANSPORTS.find((name) => name === scheme);
  if (!transport) {
    throw refuse(`${scheme}:// is not one of ${TRANSPORTS.join(", ")}`);
  }
  if (transport !== "file") return urlAddress(repo, transport, refuse);
  const path = decode(repo.slice("file://".length), refuse);
  if (!path.startsWith("/")) throw refuse("a file URL has no host");
  return localAddress(path);
}

type Refuse = (why: string) => ClibsError;

function refusal(repo: string, why: string): ClibsError {
  return new ClibsError(
    "CLIBS_GIT_URL",
    `Cannot use git address "${printable(withoutUserInfo(repo))}": ${why}`,
    {
      hint: "write it as https://HOST/PATH, ssh://USER@HOST/PATH, " +
        "USER@HOST:PATH, file:///PATH or an absolute path",
    },
  );
}

function decode(text: string, refuse: Refuse): string {
  try {
    const decoded = decodeURIComponent(text);
    if (!hasControlCharacters(decoded)) return decoded;
  } catch {
    throw refuse("a % is not followed by two hex digits");
  }
  throw refuse("it has a control character");
}

function localAddress(path: string): GitAddress {
  return { transport: "file", url: path, shown: path };
}

function scpAddress(repo: string, refuse: Refuse): GitAddress {
  const [, user, host, path] = SCP_LIKE.exec(repo) ?? [];
  if (host === undefined || path === undefined) {
    throw refuse(
      /@-|^-|:-/.test(repo)
        ? "a part of it begins with `-`"
        : "it is neither a URL, nor HOST:PATH, nor an absolute path",
    );
  }
  if (path.startsWith("-")) throw refuse("its path begins with `-`");
  const at = user === undefined ? "" : `${user}@`;
  return {
    transport: "ssh",
    url: `${at}${host}:${path}`,
    shown: `${at}${host}:${path}`,
  };
}

function urlAddress(
  repo: string,
  transport: "https" | "http" | "git" | "ssh",
  refuse: Refuse,
): GitAddress {
  const rest = repo.slice(`${transport}://`.length);
  const slash = rest.indexOf("/");
  const authority = slash < 0 ? rest : rest.slice(0, slash);
  const path = slash < 0 ? "" : rest.slice(slash);
  const at = authority.lastIndexOf("@");
  const host = authority.slice(at + 1);
  if (host === "") throw refuse("it has no host");
  if (host.startsWith("-")) throw refuse("its host begins with `-`");
  if (!HOST.test(host)) throw refuse("its host is not a host name");
  if (!/^\/./.test(path)) throw refuse("it has no path");
  // git decodes the path before it hands it to ssh.
  if (/^\/?-/.test(decode(path, refuse))) {
    throw refuse("its path begins with `-`");
  }
  const userInfo = at < 0 ? "" : authority.slice(0, at);
  const colon = userInfo.indexOf(":");
  const user = colon < 0 ? userInfo : userInfo.slice(0, colon);
  if (decode(user, refuse).startsWith("-")) {
    throw refuse("its user begins with `-`");
  }
  const origin = `${transport}://${host}`;
  const web = transport === "https" || transport === "http";
  const withUser = user === "" ? "" : `${user}@`;
  if (colon < 0 || !web) {
    return {
      transport,
      url: `${transport}://${withUser}${host}${path}`,
      // A web address's user may well be a token.
      shown: `${transport}://${web ? "" : withUser}${host}${path}`,
    };
  }
  const password = decode(userInfo.slice(colon + 1), refuse);
  return {
    transport,
    url: `${origin}${path}`,
    shown: `${origin}${path}`,
    credential: { user: decode(user, refuse), password, origin },
  };
}

/** Removes `user:password@` from every URL within a text. */
export function withoutUserInfo(text: string): string {
  return text.replace(/([A-Za-z][A-Za-z0-9+.-]*:\/\/)[^\s/"'<>]*@/g, "$1");
}

/**
 * Address of a submodule.
 *
 * @param parent Address of the repository that has the submodule, as written.
 * @param url What `.gitmodules` says; relative if it begins with `./` or `../`.
 */
export function resolveSubmoduleUrl(parent: string, url: string): string {
  if (!/^\.\.?(\/|$)/.test(url)) return url;
  let base = parent.replace(/\/+$/, "");
  let rest = url;
  for (;;) {
    if (/^\.\.(\/|$)/.test(rest)) {
      const cut = Math.max(base.lastIndexOf("/"), base.lastIndexOf(":"));
      const head = base.slice(0, Math.max(cut, 0));
      // Never up into the host or the scheme of the parent.
      if (cut <= 0 || /^[a-z]+:\/{0,2}$/.test(`${head}/`)) {
        throw refusal(url, "it leads above the root of its parent's address");
      }
      base = base[cut] === ":" ? `${head}:` : head;
      rest = rest.slice(2).replace(/^\/+/, "");
    } else if (/^\.(\/|$)/.test(rest)) {
      rest = rest.slice(1).replace(/^\/+/, "");
    } else {
      break;
    }
  }
  const joined = base.endsWith(":") ? base + rest : `${base}/${rest}`;
  return isAbsolute(joined) ? normalize(joined) : joined.replace(/\/$/, "");
}
