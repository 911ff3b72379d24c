/** The form of pkg.yaml. */

import type { ObjectSchema, RecordSchema, TextSchema } from "../host/schema.ts";
import {
  notBlank,
  wrongArgument,
  wrongDep,
  wrongFilename,
  wrongName,
  wrongRelative,
  wrongUrl,
  wrongVersion,
} from "./spec_checks.ts";

const NOT_BLANK = "\\S";
const RELATIVE = "^[^-/\\\\][^\\\\]*$";

const environment: RecordSchema = {
  kind: "record",
  description: "Variables for the build command.",
  keys: { pattern: "[A-Za-z_][A-Za-z0-9_]*", what: "a variable's name" },
  values: {
    kind: "text",
    loose: "scalars",
    description: "The variable's value, taken literally.",
  },
};

const command: TextSchema = {
  kind: "text",
  description:
    "A bash script, run with `set -e` in a copy of the sources. It installs into $CLIBS_BUILD_DIR.",
  pattern: NOT_BLANK,
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
      pattern: "^[^-]",
      check: wrongUrl,
      examples: ["https://zlib.net/zlib-1.2.11.tar.gz", "vendor/zlib.tar.gz"],
    },
    filename: {
      kind: "text",
      description: "Name of the saved file. Default: last URL segment.",
      pattern: "^[^-/\\\\][^/\\\\]*$",
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
      pattern: RELATIVE,
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
      unique: true,
      items: {
        kind: "text",
        description: "A URL, or a path relative to this pkg.yaml.",
        pattern: "^[^-]",
        check: wrongUrl,
      },
    },
  },
};

/** The form of pkg.yaml. */
export const packageSchema: ObjectSchema = {
  kind: "object",
  description: "A C/C++ library: where its sources are and how to build it.",
  required: ["version", "build"],
  exclusive: [["git", "files"]],
  fields: {
    name: {
      kind: "text",
      description: "Name of the package. Default: the folder's name.",
      pattern: "^[A-Za-z0-9][A-Za-z0-9._+-]*$",
      check: wrongName,
    },
    version: {
      kind: "text",
      loose: "numbers",
      description:
        "Version of the library. A number needs no quotes: 1.10 keeps its zero.",
      pattern: "^[^\\s/\\\\.-][^/\\\\]*$",
      check: wrongVersion,
      examples: ["1.2.11"],
    },
    git: {
      kind: "object",
      description: "Sources from a git repository; excludes `files`.",
      required: ["repo", "ref"],
      fields: {
        repo: {
          kind: "text",
          description:
            "https, http, ssh, git or file URL, user@host:path, or a path relative to this pkg.yaml.",
          pattern: "^[^-]",
          check: wrongArgument,
          examples: ["https://github.com/ivmai/bdwgc.git"],
        },
        ref: {
          kind: "text",
          loose: "numbers",
          description: "Branch, tag or commit id.",
          pattern: "^[^-]",
          check: wrongArgument,
          examples: ["v8.2.8"],
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
      unique: true,
      items: {
        kind: "text",
        description: "A path below the folder of this pkg.yaml.",
        pattern: RELATIVE,
        check: wrongRelative,
      },
    },
    deps: {
      kind: "list",
      description:
        "Packages that this one needs: paths (with a slash) or names.",
      unique: true,
      items: {
        kind: "text",
        description: "A path or a name.",
        pattern: "^[^-]",
        check: wrongDep,
        examples: ["zlib", "../zlib"],
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
      pattern: NOT_BLANK,
      check: notBlank,
      examples: ["pkg-config --libs zlib | sed 's/^/LIBS=/'"],
    },
  },
};
