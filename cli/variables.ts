/** Variables of the environment, as various readers want them. */

import { UsageError } from "../mod.ts";
import type { CommandContext } from "./command.ts";

/** A form in which variables are printed. */
export type VariableFormat = "shell" | "fish" | "dotenv" | "json" | "github";

/** Prints variables; returns the exit code. */
export function showVariables(
  context: CommandContext,
  variables: Readonly<Record<string, string>>,
  format: VariableFormat = "shell",
): number {
  context.result({ variables });
  context.stdout(formatVariables(variables, format));
  return 0;
}

/** Variables as text that ends with a newline, or is empty. */
export function formatVariables(
  variables: Readonly<Record<string, string>>,
  format: VariableFormat,
): string {
  if (format === "json") return `${JSON.stringify(variables, undefined, 2)}\n`;
  return Object.entries(variables)
    .map(([name, value]) => `${line(name, value, format)}\n`)
    .join("");
}

function line(name: string, value: string, format: VariableFormat): string {
  switch (format) {
    case "fish":
      return `set -gx ${name} '${value.replace(/[\\']/g, "\\$&")}'`;
    case "dotenv":
      return `${name}=${dotenv(value)}`;
    case "github":
      return github(name, value);
    default:
      return `export ${name}='${value.replaceAll("'", `'\\''`)}'`;
  }
}

function dotenv(value: string): string {
  if (/^[\w@%+:,./-]*$/.test(value)) return value;
  const escaped = value.replace(/[\\"$`]/g, "\\$&").replaceAll("\n", "\\n");
  return `"${escaped}"`;
}

/** The form of a GITHUB_ENV file; a value of several lines needs a delimiter. */
function github(name: string, value: string): string {
  if (!value.includes("\n")) return `${name}=${value}`;
  let end = "CLIBS_END";
  while (value.includes(end)) end += "_";
  return `${name}<<${end}\n${value}\n${end}`;
}

/** The one target of a command that can only take one. */
export function oneTarget(
  targets: readonly string[] | undefined,
): string | undefined {
  if (targets && targets.length > 1) {
    throw new UsageError(
      "CLIBS_USAGE_VALUE",
      "Cannot print variables for several targets at once",
      {
        facts: { targets: targets.join(", ") },
        hint: "give --target once, and run the command for each target",
      },
    );
  }
  return targets?.[0];
}
