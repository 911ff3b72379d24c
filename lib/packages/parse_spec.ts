/** Reads and checks pkg.yaml. */

import { basename, dirname, relative } from "node:path";
import { ClibsError, type ErrorCode } from "../errors.ts";
import type { Problem } from "../host/document.ts";
import { checkDocument, jsonSchema, quoted } from "../host/schema.ts";
import { readYaml } from "../host/yaml.ts";
import { packageSchema } from "./spec_schema.ts";
import type { FileSource, PackageSpec, TargetOverride } from "./spec.ts";

/** Largest pkg.yaml that is read. */
const MAX_BYTES = 1 << 20;
/** How many problems one message lists. */
const MAX_PROBLEMS = 10;

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
    }]);
  }
  const checked = checkDocument(packageSchema, root);
  const raw = checked.value as unknown as RawSpec;
  const found = checked.problems.length > 0
    ? checked.problems
    : crossChecks(raw, (key) => checked.places[key] ?? root.place);
  if (found.length > 0) throw file.error("CLIBS_PKG_SCHEMA", found);
  return complete(raw, path, checked.places);
}

/** The JSON Schema of pkg.yaml, draft 2020-12. */
export function packageJsonSchema(): Record<string, unknown> {
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "pkg.yaml",
    ...jsonSchema(packageSchema),
    not: { required: ["git", "files"] },
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
      dir: file.dir ?? ".",
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

function hintFor(code: ErrorCode, problem: Problem): string {
  if (problem.nearest) return `did you mean "${problem.nearest}"?`;
  return code === "CLIBS_PKG_YAML"
    ? "mend the YAML at that place; a text with special characters needs quotes"
    : "`clibs explain CLIBS_PKG_SCHEMA` lists what a pkg.yaml may hold";
}

/** What no single value shows. */
function crossChecks(
  raw: RawSpec,
  place: (key: string) => Problem["place"],
): Problem[] {
  const problems: Problem[] = [];
  const report = (key: string, message: string) =>
    problems.push({ place: place(key), message });
  if (raw.git && raw.files) {
    report("files", 'the keys "git" and "files" exclude each other');
  }
  const names = new Map<string, number>();
  for (const [index, file] of (raw.files ?? []).entries()) {
    const name = file.filename ?? lastSegment(file.url);
    if (name === undefined) {
      report(
        `files.${index}.url`,
        `files.${index}.url ends in no file name; set \`filename\``,
      );
      continue;
    }
    const target = `${file.dir ?? "."}/${name}`;
    if (names.has(target)) {
      report(
        `files.${index}`,
        `files.${index} is saved as ${quoted(name)}, as files.${
          names.get(target)
        } is`,
      );
    }
    names.set(target, index);
  }
  for (const list of ["deps", "patches"] as const) {
    const seen = new Set<string>();
    for (const [index, item] of (raw[list] ?? []).entries()) {
      if (seen.has(item)) {
        report(`${list}.${index}`, `${list} names ${quoted(item)} twice`);
      }
      seen.add(item);
    }
  }
  return problems;
}

/** The file name in a URL or path; undefined if it has none that may be used. */
function lastSegment(url: string): string | undefined {
  const path = url.replace(/[?#].*$/, "").replace(/^[a-z+.-]+:\/\/[^/]*/i, "");
  const segment = path.split("/").at(-1) ?? "";
  try {
    const name = decodeURIComponent(segment);
    // deno-lint-ignore no-control-regex
    const unusable = /^$|^\.{1,2}$|^-|[\\/\x00-\x1f\x7f]/;
    return unusable.test(name) ? undefined : name;
  } catch {
    return undefined;
  }
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
        `Cannot read ${this.#shown}: it has ${bytes.length} bytes, and at most ${MAX_BYTES} are read`,
        { hint: "keep scripts and data in files of their own" },
      );
    }
    try {
      this.text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    } catch (cause) {
      throw new ClibsError(
        "CLIBS_PKG_YAML",
        `Cannot read ${this.#shown}: it is not UTF-8`,
        { cause, hint: "save the file as UTF-8" },
      );
    }
  }

  /** Folder and name: enough to find it, short enough for a line. */
  get #shown(): string {
    return relative(dirname(dirname(this.#path)), this.#path);
  }

  error(code: ErrorCode, problems: Problem[]): ClibsError {
    const [first, ...more] = problems as [Problem, ...Problem[]];
    const { line, column } = first.place;
    const facts: Record<string, string> = {
      at: `${this.#shown}:${line}:${column}`,
      line: this.#excerpt(line, column),
    };
    if (first.nearest) facts.nearest = first.nearest;
    const listed = more.slice(0, MAX_PROBLEMS - 1).map((problem) =>
      `${problem.place.line}:${problem.place.column} ${problem.message}`
    );
    const rest = more.length - listed.length;
    if (rest > 0) listed.push(`and ${rest} more`);
    if (listed.length > 0) facts.also = listed.join("\n");
    return new ClibsError(
      code,
      `Cannot read ${this.#shown}: ${first.message}`,
      {
        facts,
        hint: hintFor(code, first),
      },
    );
  }

  #excerpt(line: number, column: number): string {
    const text = this.text.split(/\r?\n/)[line - 1] ?? "";
    // deno-lint-ignore no-control-regex
    const printable = text.replace(/[\x00-\x1f\x7f]/g, " ");
    const start = Math.max(0, column - 40);
    return `${printable.slice(start, start + 70)}\n${
      " ".repeat(column - 1 - start)
    }^`;
  }
}
