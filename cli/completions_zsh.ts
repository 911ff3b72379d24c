/** The completion script for zsh: for `source <(...)` or a file on fpath. */

import {
  type CommandOffer,
  type CompletionModel,
  firstWords,
  type FlagOffer,
  type Offer,
} from "./completions_model.ts";

// Without -A, a common flag after the command would count as one before it, and
// the words left to complete would not begin with the command.
const ARGUMENTS = "_arguments -C -S -A '-*'";

/** Writes the script. */
export function zshScript(model: CompletionModel): string {
  return `#compdef clibs
# zsh completion for clibs; load it with: source <(clibs completions zsh)
_clibs() {
  local curcontext=$curcontext state line
  typeset -A opt_args
  local -a commands=(
${
    firstWords(model).map((c) => `    ${quote(`${c.name}:${c.summary}`)}`)
      .join("\n")
  }
  )
  ${ARGUMENTS} \\
${flagLines(model.flags)}
    '1:command:->command' \\
    '*::argument:->argument'
  case $state in
    command) _describe -t commands 'clibs command' commands ;;
    argument)
      case $words[1] in
${
    firstWords(model).map((command) =>
      model.groups.includes(command.name)
        ? groupCase(model, command)
        : commandCase(command, command.name)
    ).join("\n")
  }
      esac ;;
  esac
}
if [[ $funcstack[1] == _clibs ]]; then
  _clibs "$@"
else
  compdef _clibs clibs
fi
`;
}

/** What may follow a command, as a branch of a `case`. */
function commandCase(command: CommandOffer, word: string): string {
  return `        ${word})
          _arguments -S${
    [...command.flags.map(flagSpec), ...argSpec(command.arg)]
      .map((spec) => ` \\\n            ${spec}`).join("")
  } ;;`;
}

/** The same for a first word: the second decides. */
function groupCase(model: CompletionModel, group: CommandOffer): string {
  const members = model.commands.filter(({ name }) =>
    name.startsWith(`${group.name} `)
  );
  const describe = (group.arg?.offer.words ?? []).map((word) => {
    const find = (wanted: string) =>
      model.commands.find(({ name }) => name === wanted);
    // The words after `help` are commands themselves.
    const meant = find(`${group.name} ${word}`) ?? find(word);
    return quote(`${word}:${meant?.summary ?? ""}`);
  });
  return `        ${group.name})
          ${ARGUMENTS} \\
${flagLines(group.flags)}
            '1:command:->command' '*::argument:->argument'
          case $state in
            command)
              commands=(${describe.join(" ")})
              _describe -t commands 'clibs ${group.name} command' commands ;;
            argument)
              case $words[1] in
${
    members.map((member) => commandCase(member, member.name.split(" ")[1]!))
      .join("\n")
  }
              esac ;;
          esac ;;`;
}

function flagLines(flags: FlagOffer[]): string {
  return flags.map((flag) => `    ${flagSpec(flag)} \\`).join("\n");
}

/** \`'(-j --jobs)'{-j+,--jobs=}'[help]:N:action'\` */
function flagSpec(flag: FlagOffer): string {
  const value = flag.value
    ? `:${escapeSpec(flag.value.name)}:${action(flag.value.offer)}`
    : "";
  const rest = quote(`[${escapeSpec(flag.help)}]${value}`);
  const long = flag.value ? `${flag.long}=` : flag.long;
  if (!flag.short) {
    return `${flag.repeat ? "'*'" : ""}${long}${rest}`;
  }
  const once = flag.repeat ? "'*'" : `'(${flag.short} ${flag.long})'`;
  const short = flag.value ? `${flag.short}+` : flag.short;
  return `${once}{${short},${long}}${rest}`;
}

function argSpec(
  arg: CompletionModel["commands"][number]["arg"],
): string[] {
  if (!arg) return [];
  return [
    quote(`${arg.variadic ? "*" : "1"}:${arg.name}:${action(arg.offer)}`),
  ];
}

function action(offer: Offer): string {
  if (offer.paths) return offer.paths === "dir" ? "_files -/" : "_files";
  return offer.words.length > 0 ? `(${offer.words.join(" ")})` : " ";
}

function escapeSpec(text: string): string {
  return text.replace(/[\[\]:\\]/g, "\\$&");
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
