/** The command line that runs a function job. */

import { fileURLToPath } from "node:url";
import type { Pattern } from "../pattern.ts";
import { embedRegex } from "../pattern_regex.ts";
import type { StarTarget } from "./description.ts";

/** What the runner of functions consists of, for who must tell it from a job's own files. */
export const RUNNER_FOLDERS: readonly string[] = ["./", "../channel/"]
  .map((dir) => fileURLToPath(new URL(dir, import.meta.url)));

/** Specifier of the job module in `Lmakefile.ts`. */
const SPECIFIER = "@clibs/cli/lmake";

/**
 * The command line of a function job.
 *
 * Its environment needs `DENO_DIR`, which else is below `HOME`, the repo.
 *
 * @param deno The Deno to run, with what comes before its `run`.
 * @param description File with a `JobDescription`.
 * @param importMap File made of {@linkcode jobImportMap}, if there are bare
 *   specifiers besides that of the job module.
 */
export function functionCommand(
  deno: readonly string[],
  description: string,
  importMap: string = path("./import_map.json"),
): string[] {
  return [
    ...deno,
    "run",
    "--allow-all",
    "--quiet",
    "--no-check",
    "--no-config",
    "--no-lock",
    // Its database would be written by each job; the text changes with `vars`.
    "--no-code-cache",
    `--import-map=${importMap}`,
    path("./main.ts"),
    description,
  ];
}

/**
 * A star target as the function gets it.
 *
 * @param stems Values of the static stems.
 */
export function toStarTarget(
  pattern: Pick<Pattern, "parts">,
  stems: Readonly<Record<string, string>>,
): StarTarget {
  return {
    star: pattern.parts.map((part) => {
      if (part.kind === "literal") return part.text;
      const { name, regex = ".*" } = part;
      if (part.star) {
        return { stem: name, regexp: embedRegex(regex, 0, 0).source };
      }
      const value = stems[name];
      if (value === undefined) throw new TypeError(`stem ${name} has no value`);
      return value;
    }),
  };
}

/**
 * An import map for function jobs, as JSON.
 *
 * @param imports Further specifiers, with absolute addresses.
 */
export function jobImportMap(imports: Record<string, string> = {}): string {
  const entry = new URL("./lmake_entry.ts", import.meta.url).href;
  return JSON.stringify({ imports: { ...imports, [SPECIFIER]: entry } });
}

function path(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url));
}
