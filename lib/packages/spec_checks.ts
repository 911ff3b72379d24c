/** What single texts of a pkg.yaml must be like. Each says what is wrong. */

import { quoted } from "../host/cite.ts";
import { DOWNLOAD_STATE } from "./state.ts";

// No name or path of ours may have control characters.
// deno-lint-ignore no-control-regex
const CONTROL = /[\x00-\x1f\x7f-\x9f]/;

/** File systems take no longer names. */
const MAX_NAME_BYTES = 255;

/** Checks that there is something but spaces. */
export function notBlank(text: string): string | undefined {
  return text.trim() === "" ? "must not be empty" : undefined;
}

/** Checks a text that could become an argument of a command. */
export function wrongArgument(text: string): string | undefined {
  if (notBlank(text)) return notBlank(text);
  if (CONTROL.test(text)) return "must not have control characters";
  return text.startsWith("-") ? "must not start with a dash" : undefined;
}

/** Checks a version: it may become a part of a file's name. */
export function wrongVersion(text: string): string | undefined {
  const wrong = wrongArgument(text);
  if (wrong) return wrong;
  if (/[\\/]/.test(text)) return "must not have a slash";
  if (text.startsWith(".")) return "must not start with a dot";
  return text.trim() === text ? undefined : "must not start or end in a space";
}

/** Checks the name of a package. */
export function wrongName(text: string): string | undefined {
  return /^[A-Za-z0-9][A-Za-z0-9._+-]*$/.test(text)
    ? undefined
    : "must be letters, digits and . _ + - only, and start with a letter or digit";
}

/** Checks a dep: a path if it has a slash, else a name. */
export function wrongDep(text: string): string | undefined {
  const wrong = wrongArgument(text);
  if (wrong || text.includes("/")) return wrong;
  return wrongName(text) === undefined
    ? undefined
    : "must be the name of a package, or a path with a slash";
}

/** Checks a URL to download, or a path relative to pkg.yaml. */
export function wrongUrl(text: string): string | undefined {
  const wrong = wrongArgument(text);
  if (wrong) return wrong;
  const scheme = schemeOf(text);
  if (scheme === undefined) return wrongRelative(text, true);
  if (!/^(https?|file)$/.test(scheme)) {
    return `has the scheme ${
      quoted(scheme)
    }; known are https, http, file, and paths relative to pkg.yaml`;
  }
  // Programs differ in what they make of these; none of them is a URL.
  if (/[\s\\]/.test(text)) {
    return "must not have a space or backslash; write %20 for a space";
  }
  const start = scheme === "file"
    ? /^file:\/\/(localhost)?\//i
    : /^https?:\/\/[^/]/i;
  if (start.test(text) && URL.canParse(text)) return undefined;
  return `is not a URL such as ${
    scheme === "file" ? "file:///folder/name" : `${scheme}://host/name`
  }`;
}

function schemeOf(text: string): string | undefined {
  return /^([a-z][a-z0-9+.-]*):/i.exec(text)?.[1]?.toLowerCase();
}

/** Checks a path below some folder; `up` allows it to leave that folder. */
export function wrongRelative(text: string, up = false): string | undefined {
  const wrong = wrongArgument(text);
  if (wrong) return wrong;
  if (text.startsWith("/") || /^[A-Za-z]:[\\/]/.test(text)) {
    return "must be a relative path";
  }
  if (!up && text.split(/[\\/]/).includes("..")) {
    return "must not leave its folder";
  }
  return text.includes("\\")
    ? "must have / between folders, not \\"
    : undefined;
}

/** Checks the name under which a download is saved. */
export function wrongFilename(text: string): string | undefined {
  const wrong = wrongArgument(text);
  if (wrong) return wrong;
  if (/[\\/]/.test(text)) return "must not have a slash; use `dir` for folders";
  if (text === "." || text === "..") return "must be a file name";
  if (new TextEncoder().encode(text).length > MAX_NAME_BYTES) {
    return `must not be longer than ${MAX_NAME_BYTES} bytes`;
  }
  return DOWNLOAD_STATE.includes(text)
    ? "is a name that clibs uses itself"
    : undefined;
}

/** The file name in a URL or path; undefined if it has none that may be used. */
export function lastSegment(url: string): string | undefined {
  let name = url.split("/").at(-1) ?? "";
  if (schemeOf(url) !== undefined) {
    try {
      name = decodeURIComponent(new URL(url).pathname.split("/").at(-1) ?? "");
    } catch {
      return undefined;
    }
  }
  return wrongFilename(name) === undefined ? name : undefined;
}
