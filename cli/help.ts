/** Help texts, written from the table of commands; 80 columns wide. */

import { version } from "../mod.ts";
import type { ArgSpec, CommandSpec, FlagSpec, FlagTable } from "./command.ts";
import {
  commandList,
  type CommandName,
  commands,
  groupList,
} from "./commands.ts";
import { globalFlags } from "./flags.ts";
import { wrap } from "./text.ts";

const COLUMNS = 80;

/** Help of the whole program. */
export function programHelp(): string {
  const groups = Map.groupBy(commandList, ([, spec]) => spec.group);
  return sections([
    `clibs ${version}: fetches and builds C and C++ libraries from pkg.yaml`,
    "Usage: clibs COMMAND [ARGUMENTS] [FLAGS]",
    ...[...groups].map(([group, list]) =>
      `${group}:\n` + table(list.map(([name, spec]) => [name, spec.summary]))
    ),
    "Flags of every command:\n" + table([
      ...flagRows(globalFlags),
      ["-h, --help", "Print help; `clibs help COMMAND` does too"],
      ["-V, --version", "Print the version (without a command)"],
    ]),
    "Exit codes: 0 done, 1 the work failed, 2 usage, 130 interrupted.",
  ]);
}

/** Help of a command, of the first word of several, or of the program. */
export function helpOf(topic: string | undefined): string {
  if (topic === undefined) return programHelp();
  return Object.hasOwn(commands, topic)
    ? commandHelp(topic as CommandName)
    : groupHelp(topic);
}

/** Help of commands that have their first word in common. */
export function groupHelp(group: string): string {
  const summary = groupList.find(([name]) => name === group)?.[1] ?? "";
  const members = commandList.filter(([name]) => name.startsWith(`${group} `));
  return sections([
    `${summary}.`,
    `Usage: clibs ${group} COMMAND [ARGUMENTS] [FLAGS]`,
    "Commands:\n" + table(members.map(([name, spec]) => [name, spec.summary])),
    `\`clibs help ${group} COMMAND\` tells more about one of them.`,
  ]);
}

/** Help of one command. */
export function commandHelp(name: CommandName): string {
  const spec: CommandSpec = commands[name];
  const below = commandList.filter(([other]) => other.startsWith(`${name} `))
    .map(([other, { summary }]): [string, string] => [other, summary]);
  return sections([
    `${spec.summary}.`,
    `Usage: ${usageLine(name, spec)}`,
    ...spec.description ? [wrap(spec.description, COLUMNS).join("\n")] : [],
    ...spec.args.length > 0 ? ["Arguments:\n" + table(argRows(spec.args))] : [],
    ...Object.keys(spec.flags).length > 0
      ? ["Flags:\n" + table(flagRows(spec.flags))]
      : [],
    "Flags of every command:\n" + table([
      ...flagRows(globalFlags),
      ["-h, --help", "Print this help"],
    ]),
    ...spec.examples.length > 0 ? ["Examples:\n" + exampleLines(spec)] : [],
    ...below.length > 0 ? ["Commands:\n" + table(below)] : [],
  ]);
}

/**
 * How to call a command: `clibs build [PATHS...] [FLAGS]`. What follows the
 * first argument of `clibs trace [FLAGS] [--] COMMAND...` is not for clibs.
 */
export function usageLine(name: string, spec: CommandSpec): string {
  const args = spec.args.map((arg) => {
    const text = arg.variadic ? `${arg.name}...` : arg.name;
    return arg.required ? text : `[${text}]`;
  });
  return spec.passThrough
    ? ["clibs", name, "[FLAGS]", "[--]", ...args].join(" ")
    : ["clibs", name, ...args, "[FLAGS]"].join(" ");
}

/** A flag with its short form and value: `-j, --jobs N`. */
export function flagText(name: string, flag: FlagSpec): string {
  const long = flag.value ? `--${name} ${flag.value}` : `--${name}`;
  return flag.short ? `-${flag.short}, ${long}` : `    ${long}`;
}

/** A flag's help with the values it takes. */
export function flagHelp(spec: FlagSpec | ArgSpec): string {
  return spec.choices
    ? `${spec.help}: ${spec.choices.join(", ")}`.replace(
      /^(.*) (\(default: .*\)): (.*)$/,
      "$1: $3 $2",
    )
    : spec.help;
}

function flagRows(flags: FlagTable): [string, string][] {
  return Object.entries(flags).map((
    [name, flag],
  ) => [flagText(name, flag), flagHelp(flag)]);
}

function argRows(args: readonly ArgSpec[]): [string, string][] {
  return args.map((arg) => [arg.name, flagHelp(arg)]);
}

function exampleLines(spec: CommandSpec): string {
  return spec.examples.map(([line, what]) => `  ${line}\n      ${what}`)
    .join("\n");
}

function table(rows: [string, string][]): string {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => {
    const lines = wrap(right, COLUMNS - width - 4);
    return lines.map((line, i) =>
      `  ${(i === 0 ? left : "").padEnd(width)}  ${line}`
    ).join("\n");
  }).join("\n");
}

function sections(parts: string[]): string {
  return parts.join("\n\n") + "\n";
}
