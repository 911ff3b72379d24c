/** The form of engines.json. */

import { POLICIES } from "../artifacts/policy.ts";
import type {
  ChoiceSchema,
  ListSchema,
  RecordSchema,
  TextSchema,
} from "../host/schema.ts";
import { KINDS } from "./kind.ts";

/** What an engine may be called: also the name of a Python module and a file. */
export const ENGINE_NAME = "[A-Za-z_][A-Za-z0-9_]*";

function text(description: string, examples: string[] = []): TextSchema {
  return {
    kind: "text",
    description,
    pattern: "\\S",
    check: (value) => value.trim() === "" ? "must not be blank" : undefined,
    ...(examples.length > 0 ? { examples } : {}),
  };
}

function list(
  description: string,
  item: string,
  examples?: string[],
): ListSchema {
  return { kind: "list", description, items: text(item, examples) };
}

function choice(description: string, words: readonly string[]): ChoiceSchema {
  return { kind: "choice", description, words: [...words], integer: false };
}

/** Schema of engines.json. */
export const enginesSchema: RecordSchema = {
  kind: "record",
  description: "Overrides for engines, by name.",
  keys: { pattern: ENGINE_NAME, what: "an engine's name" },
  values: {
    kind: "object",
    description: "Overrides for one engine.",
    required: [],
    fields: {
      policy: choice(
        "Where it is taken from. Default: the caller's policy.",
        POLICIES,
      ),
      kind: choice(
        "How it is loaded. Default: as the source tells.",
        KINDS,
      ),
      compiler: text(
        "C++ compiler and its first flags. Default: $CXX, else g++.",
        [
          "clang++",
        ],
      ),
      std: text("C++ standard. Default: c++17.", ["c++20"]),
      sources: list(
        "More source files, relative to this folder.",
        "A source file.",
      ),
      include_dirs: list(
        "Folders to search for headers, relative to this folder.",
        "A folder.",
      ),
      packages: list(
        "clibs packages to compile and link against: folders with a pkg.yaml, relative to this folder.",
        "A package's folder.",
      ),
      extra_compile_args: list("More flags for the compiler.", "A flag.", [
        "-O3",
      ]),
      extra_link_args: list(
        "More flags for the linker, after the sources.",
        "A flag.",
        [
          "-lnvidia-ml",
        ],
      ),
      python: text(
        "Python that a pybind11 engine is for. Default: the caller's.",
        ["/usr/bin/python3"],
      ),
      smoke: {
        kind: "object",
        description:
          "A call that must succeed when a prebuilt is first loaded on a machine.",
        required: ["call"],
        shorthand: "call",
        fields: {
          call: text("Name of the function."),
          args: {
            kind: "list",
            description: "Its arguments. Default: none.",
            items: {
              kind: "text",
              loose: "scalars",
              description: "A text, number or truth value.",
            },
          },
        },
      },
      nonblocking: list(
        "Functions of an ffi engine that run on another thread and return a promise.",
        "Name of a function.",
      ),
      allow_unverified: {
        kind: "boolean",
        description:
          "Whether a prebuilt without a digest in a manifest may be used. Default: false.",
      },
    },
  },
};
