/** Reads and checks pkg.yaml. */

import { basename, dirname, posix, relative } from "node:path";
import { ClibsError, type ErrorCode } from "../errors.ts";
import { escapeControls } from "../feedback/escape.ts";
import { quoted } from "../host/cite.ts";
import { LineIndex, type Problem } from "../host/document.ts";
import { documentError } from "../host/document_error.ts";
import { checkDocument, jsonSchema } from "../host/schema.ts";
import { readYaml } from "../host/yaml.ts";
import { lastSegment } from "./spec_checks.ts";
import { packageSchema } from "./spec_schema.ts";
import type { FileSource, PackageSpec, TargetOverride } from "./spec.ts";

/** Largest pkg.yaml that is read. */
const MAX_BYTES = 1 << 20;

/** The values of a pkg.yaml that has been checked. */
interface RawSpec {
  name?: string;
  version: string;
  git?: { repo: string; ref: string; submodules?: boolean };
  files?: (Partial<FileSource> & { url: string })[];
  patches?: string[];
  deps?: string[];
  build: {
    command: string;
    env?: Record<string, string>;
    empty?: boolean;
    targets?: Record<
      string,
      { command?: string; env?: Record<string, string> }
    >;
  };
  export?: string;
}

/**
 * Reads and checks a pkg.yaml.
 *
 * @param bytes Content of the file.
 * @param path Its absolute path.
 * @throws {ClibsError} `CLIBS_PKG_YAML` if it is not YAML, `CLIBS_PKG_SCHEMA` if
 *   it is not a package, `CLIBS_PKG_TOO_LARGE` over 1 MiB.
 */
export async function parsePackageSpec(
  bytes: Uint8Array,
  path: string,
): Promise<PackageSpec> {
  const file = new SpecFile(bytes, path);
  const { root, problems } = await readYaml(file.text);
  if (problems.length > 0) throw file.error("CLIBS_PKG_YAML", problems);
  if (!root) {
    throw file.error("CLIBS_PKG_SCHEMA", [{
      place: { line: 1, column: 1 },
      message: "it is empty",
      hint: "run `clibs init` to write one",
    }]);
  }
  const checked = checkDocument(packageSchema, root);
  const raw = checked.value as unknown as RawSpec;
  // What is wrong in itself cannot be compared with the rest.
  const found = checked.problems.length > 0
    ? checked.problems
    : sameFiles(raw, (key) => checked.places[key] ?? root.place);
  if (found.length > 0) throw file.error("CLIBS_PKG_SCHEMA", found);
  return complete(raw, path, checked.places);
}

/** The JSON Schema of pkg.yaml, draft 2020-12. */
export function packageJsonSchema(): Record<string, unknown> {
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "pkg.yaml",
    ...jsonSchema(packageSchema),
  };
}

function complete(
  raw: RawSpec,
  path: string,
  positions: PackageSpec["positions"],
): PackageSpec {
  const dir = dirname(path);
  return {
    path,
    dir,
    name: raw.name ?? basename(dir),
    version: raw.version,
    ...(raw.git
      ? { git: { ...raw.git, submodules: raw.git.submodules ?? false } }
      : {}),
    files: (raw.files ?? []).map((file) => ({
      ...file,
      filename: file.filename ?? lastSegment(file.url) ?? "",
      ...(file.sha256 ? { sha256: file.sha256.toLowerCase() } : {}),
      dir: cleanPath(file.dir),
      strip: file.strip ?? "auto",
      mirrors: file.mirrors ?? [],
    })),
    patches: raw.patches ?? [],
    deps: raw.deps ?? [],
    build: {
      command: raw.build.command,
      env: raw.build.env ?? {},
      empty: raw.build.empty ?? false,
      targets: Object.entries(raw.build.targets ?? {}).map(
        ([pattern, override]): TargetOverride => ({
          pattern,
          ...(override.command === undefined
            ? {}
            : { command: override.command }),
          env: override.env ?? {},
        }),
      ),
    },
    ...(raw.export === undefined ? {} : { export: raw.export }),
    positions,
  };
}

/** A path without `./`, doubled slashes and a slash at its end. */
function cleanPath(path = "."): string {
  return posix.normalize(path).replace(/(?<=.)\/$/, "");
}

function hintFor(code: ErrorCode, problem: Problem): string {
  if (problem.hint !== undefined) return problem.hint;
  if (problem.nearest) return `did you mean "${problem.nearest}"?`;
  return code === "CLIBS_PKG_YAML"
    ? "mend the YAML at that place; a text with special characters needs quotes"
    : "`clibs explain CLIBS_PKG_SCHEMA` lists what a pkg.yaml may hold";
}

/** Finds files that have no name, or that of another. */
function sameFiles(
  raw: RawSpec,
  place: (key: string) => Problem["place"],
): Problem[] {
  const problems: Problem[] = [];
  const names = new Map<string, number>();
  for (const [index, file] of (raw.files ?? []).entries()) {
    const name = file.filename ?? lastSegment(file.url);
    if (name === undefined) {
      problems.push({
        place: place(`files.${index}.url`),
        message: `files.${index}.url ends in no file name`,
        hint: "set `filename`",
      });
      continue;
    }
    const target = posix.join(cleanPath(file.dir), name);
    const other = names.get(target);
    if (other !== undefined) {
      problems.push({
        place: place(`files.${index}`),
        message: `files.${index} is saved as ${
          quoted(target)
        }, as files.${other} is`,
        hint: "set another `filename` or `dir`",
      });
    }
    names.set(target, index);
  }
  return problems;
}

/** A pkg.yaml as text, for messages that show a piece of it. */
class SpecFile {
  readonly text: string;
  readonly #path: string;

  constructor(bytes: Uint8Array, path: string) {
    this.#path = path;
    if (bytes.length > MAX_BYTES) {
      throw new ClibsError(
        "CLIBS_PKG_TOO_LARGE",
        `Cannot read ${this.#shown}: it has more than ${MAX_BYTES} bytes`,
        { hint: "keep scripts and data in files of their own" },
      );
    }
    this.text = new TextDecoder().decode(bytes).replaceAll("\r\n", "\n");
    const problem = unreadable(bytes, this.text);
    if (problem) throw this.error("CLIBS_PKG_YAML", [problem]);
  }

  /** Folder and name: enough to find it, short enough for a line. */
  get #shown(): string {
    return escapeControls(relative(dirname(dirname(this.#path)), this.#path));
  }

  error(code: ErrorCode, problems: Problem[]): ClibsError {
    return documentError(
      { code, shown: this.#shown, text: this.text, problems },
      (problem) => hintFor(code, problem),
    );
  }
}

/** What keeps the bytes from being text in UTF-8. */
function unreadable(bytes: Uint8Array, text: string): Problem | undefined {
  const isUtf16 = bytes[0] === 0xff && bytes[1] === 0xfe ||
    bytes[0] === 0xfe && bytes[1] === 0xff;
  let at = -1;
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    // The lenient decoder left this where it could not go on.
    at = Math.max(0, text.indexOf("\ufffd"));
  }
  if (at >= 0) {
    return {
      place: new LineIndex(text).place(at),
      message: isUtf16 ? "it is UTF-16, not UTF-8" : "it is not UTF-8",
      hint: "save the file as UTF-8",
    };
  }
  // deno-lint-ignore no-control-regex
  const control = /[\x00-\x08\x0b-\x1f\x7f]/.exec(text);
  if (!control) return undefined;
  return {
    place: new LineIndex(text).place(control.index),
    message: `it has the control character ${escapeControls(control[0])}`,
    hint: "remove the character",
  };
}
