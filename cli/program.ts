/** The one place that knows the argument parser: `commander`. */

import { Command, CommanderError, Option } from "commander";
import { nearest, UsageError } from "../mod.ts";
import type { ArgSpec, FlagSpec, FlagTable } from "./command.ts";
import {
  commandList,
  type CommandName,
  type GlobalFlags,
  groupList,
} from "./commands.ts";
import { globalFlags } from "./flags.ts";

/** What a command line asks for. */
export type Parsed =
  | { kind: "version"; global: GlobalFlags }
  | {
    kind: "help";
    /** A command, or the first word of several; undefined: the program. */
    topic?: string;
    global: GlobalFlags;
  }
  | {
    kind: "command";
    command: CommandName;
    args: string[];
    flags: Record<string, unknown>;
    global: GlobalFlags;
  };

/**
 * Parses a command line.
 *
 * @throws {UsageError} If it is wrong.
 */
export function parse(argv: readonly string[]): Parsed {
  let parsed: Parsed | undefined;
  const line = helpWord(argv);
  const program = quiet(new Command("clibs"), (error) => {
    if (isHelp(error)) parsed = { kind: "help", global: helpFlags(argv) };
    else throw usageError(error, "clibs", {}, "clibs help");
  }).enablePositionalOptions();
  addFlags(program, globalFlags);
  program.option("-V, --version");
  // A command that is not in the line need not be made: that takes time.
  const words = line.slice(0, [...line, "--"].indexOf("--"));
  const isNamed = (name: string) =>
    name.split(" ").every((word) => words.includes(word));
  const groups = new Map<string, Command>();
  for (const [group] of groupList.filter(([name]) => isNamed(name))) {
    const sub = quiet(program.command(group), (error) => {
      if (!isHelp(error)) {
        throw usageError(error, `clibs ${group}`, {}, `clibs help ${group}`);
      }
      parsed = { kind: "help", topic: group, global: helpFlags(argv) };
    }).enablePositionalOptions();
    addFlags(sub, globalFlags);
    // A bare `clibs engines`, or a second word that is none of its commands.
    sub.argument("[COMMAND...]").allowUnknownOption().action(() => {
      const global: GlobalFlags = { ...program.opts(), ...sub.opts() };
      const [second] = sub.args;
      if (second?.startsWith("-")) {
        throw unknownFlag(
          second,
          `clibs ${group}`,
          {},
          `clibs help ${group}`,
        );
      }
      if (second !== undefined) throw unknownCommand(second, group);
      parsed = { kind: "help", topic: group, global };
    });
    groups.set(group, sub);
  }
  for (const [name, spec] of commandList.filter(([name]) => isNamed(name))) {
    const [first = "", second] = name.split(" ");
    const parent = second === undefined ? program : groups.get(first)!;
    const command = quiet(parent.command(second ?? first), (error) => {
      if (isHelp(error)) {
        parsed = { kind: "help", topic: name, global: helpFlags(argv) };
      } else {
        throw usageError(
          error,
          `clibs ${name}`,
          spec.flags,
          `clibs help ${name}`,
        );
      }
    });
    // A command of one word may have others below it, as `trace check`.
    if (second === undefined) {
      groups.set(first, command.enablePositionalOptions());
    }
    if (spec.passThrough) command.passThroughOptions();
    for (const arg of spec.args) command.argument(argText(arg));
    addFlags(command, spec.flags);
    addFlags(command, globalFlags);
    command.action(() => {
      const above = parent === program ? {} : parent.opts();
      const flags = ownFlags(spec.flags, command.opts());
      parsed = {
        kind: "command",
        command: name,
        args: command.args.map((arg, i) => checkedArg(spec.args, arg, i)),
        flags,
        global: { ...program.opts(), ...above, ...flags },
      };
    });
  }
  // What is left: a bare `clibs`, one with nothing but flags, and mistakes.
  program.argument("[COMMAND...]").allowUnknownOption().action(() => {
    const global: GlobalFlags & { version?: boolean } = program.opts();
    const [first] = program.args;
    if (first?.startsWith("-")) {
      throw unknownFlag(first, "clibs", {}, "clibs help");
    }
    if (first !== undefined) throw unknownCommand(first);
    parsed = { kind: global.version ? "version" : "help", global };
  });
  try {
    program.parse(line, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError) || !parsed) throw error;
  }
  return parsed!;
}

/** The command of one word that a line names, be it well formed or not. */
export function namedCommand(argv: readonly string[]): CommandName | undefined {
  const [first, second] = wordPlaces(argv).map((place) => argv[place]!);
  const word = first === "help" ? second : first;
  return commandList.find(([name]) => name === word)?.[0];
}

/** Undoes that commander takes `--no-cache` for a `cache` that is true. */
function ownFlags(
  flags: FlagTable,
  values: Record<string, unknown>,
): Record<string, unknown> {
  const own = { ...values };
  for (const name of Object.keys(flags)) {
    if (!name.startsWith("no-")) continue;
    const opposite = camel(name.slice("no-".length));
    if (own[opposite] === false) own[camel(name)] = true;
    delete own[opposite];
  }
  return own;
}

function camel(name: string): string {
  return name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}

/** Makes commander print nothing and leave errors to `onExit`. */
function quiet(
  command: Command,
  onExit: (error: CommanderError) => void,
): Command {
  return command.exitOverride((error) => {
    onExit(error);
    throw error;
  }).configureOutput({ writeOut() {}, writeErr() {}, outputError() {} })
    .showSuggestionAfterError(false).helpOption("-h, --help")
    .helpCommand(false);
}

/** Help stops the parser at once: the one flag that matters may come later. */
function helpFlags(argv: readonly string[]): GlobalFlags {
  return { json: argv.includes("--json") };
}

function isHelp(error: CommanderError): boolean {
  return error.code.startsWith("commander.help");
}

/** `clibs help X` is `clibs X --help`; X may be two words. */
function helpWord(argv: readonly string[]): string[] {
  const [at, ...topic] = wordPlaces(argv);
  if (at === undefined || argv[at] !== "help") return [...argv];
  const before = argv.slice(0, at);
  const [first, second] = topic.map((place) => argv[place]!);
  if (first === undefined) return [...before, "--help"];
  const isGroup = groupList.some(([group]) => group === first);
  if (isGroup && second === undefined) return [...before, first, "--help"];
  const isKnown = (name: string) => commandList.some(([one]) => one === name);
  const both = `${first} ${second}`;
  const name = isGroup || isKnown(both) ? both : first;
  if (!isKnown(name)) {
    throw isGroup ? unknownCommand(second!, first) : unknownCommand(first);
  }
  return [...before, ...name.split(" "), "--help"];
}

/** Where the words are that are neither flags nor values of common flags. */
function wordPlaces(argv: readonly string[]): number[] {
  const flags: FlagTable = globalFlags;
  const places: number[] = [];
  for (let i = 0; i < argv.length; i++) {
    const arg = argv[i]!;
    if (!arg.startsWith("-")) places.push(i);
    else if (arg.startsWith("--") && flags[arg.slice(2)]?.value) i++;
  }
  return places;
}

function argText(arg: ArgSpec): string {
  const name = arg.variadic ? `${arg.name}...` : arg.name;
  return arg.required ? `<${name}>` : `[${name}]`;
}

function addFlags(command: Command, flags: FlagTable): void {
  for (const [name, flag] of Object.entries(flags)) {
    const option = new Option(flagText(name, flag));
    if (flag.value !== undefined) {
      option.argParser((text: string, before: unknown) => {
        const value = checkedValue(name, flag, text);
        return flag.repeat ? [...(before as unknown[] ?? []), value] : value;
      });
    }
    command.addOption(option);
  }
}

/** A flag as help shows it: `-j, --jobs <N>`. */
function flagText(name: string, flag: FlagSpec): string {
  const short = flag.short ? `-${flag.short}, ` : "";
  return `${short}--${name}${flag.value ? ` <${flag.value}>` : ""}`;
}

function checkedValue(
  name: string,
  flag: FlagSpec,
  text: string,
): string | number {
  if (flag.type === "count") {
    if (/^[1-9][0-9]{0,8}$/.test(text)) return Number(text);
    throw new UsageError(
      "CLIBS_USAGE_VALUE",
      `Cannot use --${name} ${quote(text)}: it takes a number from 1 up`,
    );
  }
  if (text === "") {
    throw new UsageError(
      "CLIBS_USAGE_VALUE",
      `Cannot use --${name} "": it takes a value`,
    );
  }
  if (flag.choices) {
    return choice(`--${name}`, flag.choices, text, `write --${name} `);
  }
  return text;
}

function checkedArg(
  specs: readonly ArgSpec[],
  text: string,
  index: number,
): string {
  const spec = specs[Math.min(index, specs.length - 1)];
  return spec?.choices ? choice(spec.name, spec.choices, text, "write ") : text;
}

function choice(
  what: string,
  choices: readonly string[],
  text: string,
  hint: string,
): string {
  if (choices.includes(text)) return text;
  const near = nearest(text, choices);
  throw new UsageError(
    "CLIBS_USAGE_VALUE",
    `Cannot use ${what} ${quote(text)}: it takes ${choices.join(", ")}`,
    { hint: near ? `${hint}${near}` : undefined },
  );
}

function unknownCommand(word: string, group?: string): UsageError {
  // Words are compared without the group, which would make all of them alike.
  const prefix = group === undefined ? "" : `${group} `;
  const near = nearest(
    word,
    [...commandList, ...groupList].map(([name]) => name)
      .filter((name) => name.startsWith(prefix))
      .map((name) => name.slice(prefix.length)),
  );
  return new UsageError(
    "CLIBS_USAGE_COMMAND",
    `Cannot run ${quote(prefix + word)}: clibs has no such command`,
    {
      facts: near ? { nearest: prefix + near } : {},
      hint: near ? `clibs ${prefix}${near}` : `clibs help ${prefix}`.trimEnd(),
    },
  );
}

/** Commander's message in the words of the house. */
function usageError(
  error: CommanderError,
  running: string,
  flags: FlagTable,
  help: string,
): UsageError {
  const [, subject = ""] = error.message.match(/'([\s\S]*?)'/) ?? [];
  switch (error.code) {
    case "commander.unknownOption":
      return unknownFlag(subject, running, flags, help);
    case "commander.optionMissingArgument":
      return new UsageError(
        "CLIBS_USAGE_VALUE",
        `Cannot run ${running}: ${subject} has no value`,
        { hint: help },
      );
    case "commander.missingArgument":
      return new UsageError(
        "CLIBS_USAGE_ARGUMENT",
        `Cannot run ${running}: ${subject} is missing`,
        { hint: help },
      );
    default:
      return new UsageError(
        "CLIBS_USAGE_ARGUMENT",
        `Cannot run ${running}: it got more arguments than it takes`,
        { hint: help },
      );
  }
}

function unknownFlag(
  flag: string,
  running: string,
  own: FlagTable,
  help: string,
): UsageError {
  const known = [
    ...Object.keys({ ...own, ...globalFlags }),
    "help",
    ...running === "clibs" ? ["version"] : [],
  ];
  const name = flag.replace(/^--?/, "").replace(/=.*/s, "");
  const near = flag.startsWith("--") ? nearest(name, known) : undefined;
  return new UsageError(
    "CLIBS_USAGE_FLAG",
    `Cannot run ${running}: there is no flag ${quote(flag)}`,
    {
      facts: near ? { nearest: `--${near}` } : {},
      hint: help,
    },
  );
}

function quote(text: string): string {
  return JSON.stringify(text);
}
