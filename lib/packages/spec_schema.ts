/** The form of pkg.yaml. */

import {
  type ObjectSchema,
  quoted,
  type RecordSchema,
  type TextSchema,
} from "../host/schema.ts";
import { DOWNLOAD_STATE } from "./state.ts";

/** Whether a text has characters that no name or path of ours may have. */
// deno-lint-ignore no-control-regex
const CONTROL = /[\x00-\x1f\x7f]/;

function notBlank(text: string): string | undefined {
  return text.trim() === "" ? "must not be empty" : undefined;
}

function wrongArgument(text: string): string | undefined {
  if (notBlank(text)) return notBlank(text);
  if (CONTROL.test(text)) return "must not have control characters";
  return text.startsWith("-") ? "must not start with a dash" : undefined;
}

function wrongUrl(text: string): string | undefined {
  const wrong = wrongArgument(text);
  if (wrong) return wrong;
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(text)?.[1];
  if (scheme === undefined) return wrongRelative(text, true);
  if (!/^(https?|file)$/i.test(scheme)) {
    return `has the scheme ${
      quoted(scheme)
    }; known are https, http, file, and paths relative to pkg.yaml`;
  }
  return URL.canParse(text) ? undefined : "is not a URL";
}

/** Checks a path below some folder; `up` allows it to leave that folder. */
function wrongRelative(text: string, up = false): string | undefined {
  const wrong = wrongArgument(text);
  if (wrong) return wrong;
  if (text.startsWith("/") || /^[A-Za-z]:[\\/]/.test(text)) {
    return "must be a relative path";
  }
  if (!up && text.split(/[\\/]/).includes("..")) {
    return "must not leave its folder";
  }
  return undefined;
}

function wrongFilename(text: string): string | undefined {
  const wrong = wrongArgument(text);
  if (wrong) return wrong;
  if (/[\\/]/.test(text)) return "must not have a slash; use `dir` for folders";
  if (text === "." || text === "..") return "must be a file name";
  return DOWNLOAD_STATE.includes(text)
    ? "is a name that clibs uses itself"
    : undefined;
}

const environment: RecordSchema = {
  kind: "record",
  description: "Variables for the build command.",
  keys: { pattern: "[A-Za-z_][A-Za-z0-9_]*", what: "a variable's name" },
  values: {
    kind: "text",
    loose: true,
    description: "The variable's value, taken literally.",
  },
};

const command: TextSchema = {
  kind: "text",
  description:
    "A bash script, run with `set -e` in a copy of the sources. It installs into $CLIBS_BUILD_DIR.",
  check: notBlank,
  examples: [
    "cmake -B out -DCMAKE_INSTALL_PREFIX=$CLIBS_BUILD_DIR && cmake --build out && cmake --install out",
  ],
};

const file: ObjectSchema = {
  kind: "object",
  description: "One file to download.",
  required: ["url"],
  fields: {
    url: {
      kind: "text",
      description:
        "https, http or file URL, or a path relative to this pkg.yaml.",
      check: wrongUrl,
    },
    filename: {
      kind: "text",
      description: "Name of the saved file. Default: last URL segment.",
      check: wrongFilename,
    },
    sha256: {
      kind: "text",
      description: "Expected SHA-256, 64 hex digits.",
      pattern: "^[0-9a-fA-F]{64}$",
      check: (text) =>
        /^[0-9a-f]{64}$/i.test(text) ? undefined : "must be 64 hex digits",
    },
    extract: {
      kind: "boolean",
      description: "Whether to unpack it. Default: true for known archives.",
    },
    dir: {
      kind: "text",
      description:
        "Folder in the sources to unpack or save it below. Default: the top.",
      check: wrongRelative,
    },
    strip: {
      kind: "choice",
      words: ["auto"],
      integer: true,
      description:
        "Leading folders to drop when unpacking; `auto` (the default) drops a single top folder.",
    },
    mirrors: {
      kind: "list",
      description: "Further URLs of the same bytes, tried in order.",
      items: { kind: "text", description: "A URL.", check: wrongUrl },
    },
  },
};

/** The form of pkg.yaml. */
export const packageSchema: ObjectSchema = {
  kind: "object",
  description: "A C/C++ library: where its sources are and how to build it.",
  required: ["version", "build"],
  fields: {
    name: {
      kind: "text",
      description: "Name of the package. Default: the folder's name.",
      pattern: "^[A-Za-z0-9][A-Za-z0-9._+-]*$",
      check: (text) =>
        /^[A-Za-z0-9][A-Za-z0-9._+-]*$/.test(text)
          ? undefined
          : "must be letters, digits and . _ + - only, and start with a letter or digit",
    },
    version: {
      kind: "text",
      loose: true,
      description: "Version of the library.",
      check: (text) =>
        CONTROL.test(text)
          ? "must not have control characters"
          : notBlank(text),
    },
    git: {
      kind: "object",
      description: "Sources from a git repository; excludes `files`.",
      required: ["repo", "ref"],
      fields: {
        repo: {
          kind: "text",
          description: "Address of the repository.",
          check: wrongArgument,
        },
        ref: {
          kind: "text",
          loose: true,
          description: "Branch, tag or commit id.",
          check: wrongArgument,
        },
        submodules: {
          kind: "boolean",
          description: "Whether to fetch submodules. Default: false.",
        },
      },
    },
    files: {
      kind: "list",
      description: "Sources from files; excludes `git`.",
      items: file,
    },
    patches: {
      kind: "list",
      description:
        "Patch files beside this pkg.yaml, applied in order with one leading folder stripped.",
      items: { kind: "text", description: "A path.", check: wrongRelative },
    },
    deps: {
      kind: "list",
      description:
        "Packages that this one needs: paths (with a slash) or names.",
      items: {
        kind: "text",
        description: "A path or a name.",
        check: wrongArgument,
      },
    },
    build: {
      kind: "object",
      description: "How the library is built.",
      required: ["command"],
      fields: {
        command,
        env: environment,
        empty: {
          kind: "boolean",
          description:
            "Whether a build that installs nothing is fine. Default: false.",
        },
        targets: {
          kind: "record",
          description:
            "What changes for target triples, by glob; the first match wins.",
          keys: { pattern: "[A-Za-z0-9_.*?-]+", what: "a glob on triples" },
          values: {
            kind: "object",
            description: "A command, or a command and variables.",
            required: [],
            shorthand: "command",
            fields: { command, env: environment },
          },
        },
      },
    },
    export: {
      kind: "text",
      description: "A bash script that prints KEY=VALUE lines for consumers.",
      check: notBlank,
    },
  },
};
