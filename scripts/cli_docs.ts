/**
 * Writes docs/cli.md from the table of commands; with `--check`, fails when it
 * is out of date.
 */

import type { CommandSpec, FlagTable } from "../cli/command.ts";
import { commandList } from "../cli/commands.ts";
import { globalFlags } from "../cli/flags.ts";
import { flagHelp, flagText, usageLine } from "../cli/help.ts";

const PATH = new URL("../docs/cli.md", import.meta.url);

/** The page. */
export function cliPage(): string {
  return [
    "# The clibs command",
    "Written by `deno run -A scripts/cli_docs.ts` from `cli/commands.ts`; " +
    "change that file instead.",
    "Results go to standard output; progress, warnings and errors to standard " +
    "error. `clibs` alone prints its help.",
    "| Exit code | Meaning |\n|---|---|\n| 0 | done |\n| 1 | the work failed |\n" +
    "| 2 | the command line was wrong; of `engines build` and `fast-build`, " +
    "also: an engine failed |\n| 130 | interrupted |",
    "Ctrl-C ends what is running, with all its children; a second Ctrl-C " +
    "leaves at once.",
    "With `--json`, standard output is one JSON object: `version` is 1, the " +
    "other fields depend on the command, and `error` (`code`, `message`, " +
    "`facts`, `hint`) is there if the command failed. " +
    "The exit code is the same as without.",
    "Colours are used on a terminal. `NO_COLOR` turns them off, `FORCE_COLOR` " +
    "on where there is no terminal, `--color` decides over both. With `CI` " +
    "set or `TERM=dumb`, progress is plain lines, as when it is piped.",
    "## Flags of every command",
    list([
      ...flagItems(globalFlags),
      "`-h, --help`: Print help",
    ]) + "\n",
    "`clibs --version` prints the version.",
    ...commandList.map(([name, spec]) => section(name, spec)),
  ].map((part) => part.trimEnd()).join("\n\n") + "\n";
}

function section(name: string, spec: CommandSpec): string {
  const items = [
    ...spec.args.map((arg) => `\`${arg.name}\`: ${flagHelp(arg)}`),
    ...flagItems(spec.flags),
  ];
  return [
    `## clibs ${name}`,
    `${spec.summary}.`,
    "```text\n" + usageLine(name, spec) + "\n```",
    ...spec.description ? [spec.description] : [],
    ...items.length > 0 ? [list(items)] : [],
    ...spec.examples.map(([line, what]) =>
      `${what}:\n\n\`\`\`sh\n${line}\n\`\`\``
    ),
  ].join("\n\n");
}

function flagItems(flags: FlagTable): string[] {
  return Object.entries(flags).map(([name, flag]) =>
    `\`${flagText(name, flag).trim()}\`: ${flagHelp(flag)}`
  );
}

function list(items: string[]): string {
  return items.map((item) => `- ${item}`).join("\n");
}

/** The page as `deno fmt` leaves it. */
async function formatted(text: string): Promise<string> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--quiet", "--ext=md", "-"],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
  const { stdout, success } = await child.output();
  if (!success) throw new Error("deno fmt failed");
  return new TextDecoder().decode(stdout);
}

if (import.meta.main) {
  const page = await formatted(cliPage());
  if (!Deno.args.includes("--check")) Deno.writeTextFileSync(PATH, page);
  else if (page !== Deno.readTextFileSync(PATH)) {
    console.error(
      "docs/cli.md is out of date; run: deno run -A scripts/cli_docs.ts",
    );
    Deno.exitCode = 1;
  }
}
