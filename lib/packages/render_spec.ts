/** Writes the text of a pkg.yaml. */

/** What {@linkcode renderPackageYaml} writes down. */
export interface PackageDescription {
  /** URL of the JSON Schema, for editors. Default: not named. */
  schema?: string;
  /** Name; left out where it is the folder's. */
  name?: string;
  /** Version of the library. */
  version: string;
  /** Sources from git. */
  git?: { repo: string; ref: string };
  /** Sources from files. */
  files?: { url: string; sha256?: string }[];
  /** The build command. */
  command: string;
}

/** A pkg.yaml, with comments, for a person to go on from. */
export function renderPackageYaml(description: PackageDescription): string {
  const { schema, name, version, git, files, command } = description;
  return [
    ...(schema ? [`# yaml-language-server: $schema=${schema}`] : []),
    ...(name === undefined ? [] : [`name: ${quote(name)}`]),
    `version: ${quote(version)}`,
    ...(git
      ? ["git:", `  repo: ${quote(git.repo)}`, `  ref: ${quote(git.ref)}`]
      : []),
    ...(files ? ["files:"] : []),
    ...(files ?? []).flatMap((file) => [
      `  - url: ${quote(file.url)}`,
      ...(file.sha256 === undefined ? [] : [`    sha256: ${file.sha256}`]),
    ]),
    "build:",
    "  # Runs with `set -e` in a copy of the sources; installs to $CLIBS_BUILD_DIR.",
    ...commandLines(command),
    "",
  ].join("\n");
}

/** A text in double quotes: YAML's escapes contain those of JSON. */
function quote(text: string): string {
  return JSON.stringify(text);
}

function commandLines(command: string): string[] {
  const text = command.trimEnd();
  // A block of lines cannot hold control characters, nor start with a space.
  // deno-lint-ignore no-control-regex
  if (text === "" || /^\s|[\x00-\x08\x0b-\x1f\x7f-\x9f]/.test(text)) {
    return [`  command: ${quote(command)}`];
  }
  const lines = text.split("\n");
  return ["  command: |", ...lines.map((line) => line && `    ${line}`)];
}
