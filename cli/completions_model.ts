/** What the completion scripts of all shells are made from. */

import type { ArgSpec, CommandSpec, FlagSpec, FlagTable } from "./command.ts";
import { globalFlags } from "./flags.ts";

/** What may follow: words, or paths. */
export interface Offer {
  /** Fixed words. */
  words: readonly string[];
  /** Paths of files and folders, or of folders only. */
  paths?: "file" | "dir";
}

/** A flag as shells complete it. */
export interface FlagOffer {
  /** With its dashes. */
  long: string;
  /** With its dash. */
  short?: string;
  help: string;
  repeat: boolean;
  /** Name of its value and what to offer for it; undefined for a switch. */
  value?: { name: string; offer: Offer };
}

/** A command as shells complete it. */
export interface CommandOffer {
  name: string;
  summary: string;
  flags: FlagOffer[];
  /** Its argument. No command takes two different ones. */
  arg?: { name: string; variadic: boolean; offer: Offer };
}

/** Everything to complete. */
export interface CompletionModel {
  /** Flags that may stand before the command. */
  flags: FlagOffer[];
  /**
   * The commands. Those of two words come after one that is named by their
   * first word, whose argument is the second.
   */
  commands: CommandOffer[];
  /** Commands whose argument may be the second word of a command. */
  groups: string[];
}

/** The commands that may be a first word. */
export function firstWords(model: CompletionModel): CommandOffer[] {
  return model.commands.filter(({ name }) => !name.includes(" "));
}

/** Reads the model off the table of commands. */
export function completionModel(
  commands: readonly (readonly [string, CommandSpec])[],
  codes: readonly string[],
  groups: readonly (readonly [string, string])[],
): CompletionModel {
  const help: FlagOffer = {
    long: "--help",
    short: "-h",
    help: "Print help",
    repeat: false,
  };
  const common = [...flagOffers(globalFlags, codes), help];
  const offers = commands.map(([name, spec]): CommandOffer => ({
    name,
    summary: spec.summary,
    flags: [...flagOffers(spec.flags, codes), ...common],
    arg: spec.args[0] && {
      name: spec.args[0].name,
      variadic: spec.args[0].variadic ?? false,
      offer: offerOf(spec.args[0], codes),
    },
  }));
  const offerOfWords = (
    name: string,
    summary: string,
    words: string[],
  ): CommandOffer => ({
    name,
    summary,
    flags: common,
    arg: { name: "COMMAND", variadic: false, offer: { words } },
  });
  const names = commands.map(([name]) => name);
  const groupOffers = groups.flatMap(([group, summary]) => {
    const seconds = names.filter((name) => name.startsWith(`${group} `))
      .map((name) => name.slice(group.length + 1));
    return [
      offerOfWords(group, summary, seconds),
      offerOfWords(`help ${group}`, summary, seconds),
    ];
  });
  return {
    flags: [...common, {
      long: "--version",
      short: "-V",
      help: "Print the version",
      repeat: false,
    }],
    groups: [...groups.map(([group]) => group), "help"],
    commands: [
      ...offers,
      ...groupOffers,
      offerOfWords("help", "Print help", [
        ...names.filter((name) => !name.includes(" ")),
        ...groups.map(([group]) => group),
      ]),
    ],
  };
}

function flagOffers(flags: FlagTable, codes: readonly string[]): FlagOffer[] {
  return Object.entries(flags).map(([name, flag]) => ({
    long: `--${name}`,
    short: flag.short && `-${flag.short}`,
    help: flag.help,
    repeat: flag.repeat ?? false,
    value: flag.value === undefined
      ? undefined
      : { name: flag.value, offer: offerOf(flag, codes) },
  }));
}

function offerOf(spec: FlagSpec | ArgSpec, codes: readonly string[]): Offer {
  if (spec.choices) return { words: spec.choices };
  if (spec.complete === "code") return { words: codes };
  if (spec.complete === undefined) return { words: [] };
  return { words: [], paths: spec.complete };
}

/** The flag's spellings. */
export function spellings(flag: FlagOffer): string[] {
  return flag.short ? [flag.short, flag.long] : [flag.long];
}

/** All flags that take a value, each spelling once, program and commands alike. */
export function valueFlags(model: CompletionModel): Map<string, Offer> {
  const all = [model, ...model.commands].flatMap((owner) => owner.flags);
  return new Map(
    all.flatMap((flag) =>
      flag.value
        ? spellings(flag).map((text) => [text, flag.value!.offer] as const)
        : []
    ),
  );
}
