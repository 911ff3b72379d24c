/** The completion script for fish. */

import {
  type CompletionModel,
  firstWords,
  type FlagOffer,
  type Offer,
} from "./completions_model.ts";

/** Writes the script. */
export function fishScript(model: CompletionModel): string {
  const lines = [
    "# fish completion for clibs; load it with: clibs completions fish | source",
    ...commandIs(model).split("\n"),
    "complete -c clibs -e",
    "complete -c clibs -f",
  ];
  const first = "__clibs_command_is";
  for (const flag of model.flags) lines.push(flagLine(first, flag));
  for (const command of model.commands) {
    if (firstWords(model).includes(command)) {
      lines.push(
        `complete -c clibs -n ${first} -a ${command.name} -d ${
          quote(command.summary)
        }`,
      );
    }
    const inside = quote(`__clibs_command_is ${command.name}`);
    for (const flag of command.flags) lines.push(flagLine(inside, flag));
    if (command.arg) {
      const offer = offerText(command.arg.offer);
      if (offer !== "") lines.push(`complete -c clibs -n ${inside} ${offer}`);
    }
  }
  return lines.join("\n") + "\n";
}

/** A fish function: whether the command before the cursor is its argument. */
function commandIs(model: CompletionModel): string {
  const taking = model.flags.filter((flag) => flag.value).map((flag) =>
    flag.long
  );
  return `function __clibs_command_is
  set -l words (commandline -opc)
  set -l command
  set -e words[1]
  while set -q words[1]
    switch $words[1]
      case ${taking.join(" ")}
        set -e words[1]
      case '-*'
      case ${model.groups.join(" ") || "''"}
        set -a command $words[1]
      case '*'
        set -a command $words[1]
        test "$command" = "$argv"
        return
    end
    set -e words[1]
  end
  test "$command" = "$argv"
end`;
}

function flagLine(condition: string, flag: FlagOffer): string {
  return [
    `complete -c clibs -n ${condition}`,
    ...flag.short ? [`-s ${flag.short.slice(1)}`] : [],
    `-l ${flag.long.slice(2)}`,
    ...flag.value ? ["-r", offerText(flag.value.offer)] : [],
    `-d ${quote(flag.help)}`,
  ].filter((part) => part !== "").join(" ");
}

function offerText(offer: Offer): string {
  if (offer.paths === "dir") return "-f -a '(__fish_complete_directories)'";
  if (offer.paths) return "-F";
  return offer.words.length > 0 ? `-f -a ${quote(offer.words.join(" "))}` : "";
}

function quote(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&")}'`;
}
