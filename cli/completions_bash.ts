/** The completion script for bash (4.0 or newer; needs no bash-completion). */

import {
  type CompletionModel,
  firstWords,
  type FlagOffer,
  type Offer,
  spellings,
} from "./completions_model.ts";

/** Writes the script. */
export function bashScript(model: CompletionModel): string {
  return `# bash completion for clibs; load it with: eval "$(clibs completions bash)"
_clibs_words() {
  local word
  while IFS= read -r word; do COMPREPLY+=("$word"); done \\
    < <(compgen -W "$1" -- "$cur")
}
_clibs_paths() {
  local path
  compopt -o filenames 2>/dev/null
  while IFS= read -r path; do COMPREPLY+=("$path"); done \\
    < <(compgen "$1" -- "$cur")
}
_clibs() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev="" command="" word i
  COMPREPLY=()
  # bash splits --flag=value into three words.
  if [[ $cur == = ]]; then
    cur="" prev=\${COMP_WORDS[COMP_CWORD-1]}
  elif ((COMP_CWORD > 1)); then
    prev=\${COMP_WORDS[COMP_CWORD-1]}
    [[ $prev == = ]] && prev=\${COMP_WORDS[COMP_CWORD-2]}
  fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    case $word in
${indent(flagSkips(model.flags), 6)}
      -*|=) ;;
      *)
        command=\${command:+$command }$word
        case $command in ${
    model.groups.join("|") || "''"
  }) ;; *) break ;; esac ;;
    esac
  done
  case $command in
    "")
      case $prev in
${indent(valueCases(model.flags), 8)}
      esac
      if [[ $cur == -* ]]; then
        _clibs_words "${flagWords(model.flags)}"
      else
        _clibs_words "${firstWords(model).map((c) => c.name).join(" ")}"
      fi ;;
${
    model.commands.map((command) =>
      `    "${command.name}")
      case $prev in
${indent(valueCases(command.flags), 8)}
      esac
      if [[ $cur == -* ]]; then
        _clibs_words "${flagWords(command.flags)}"
      else
        ${command.arg ? offerCall(command.arg.offer) : ":"}
      fi ;;`
    ).join("\n")
  }
  esac
}
complete -F _clibs clibs
`.replace(/\n\s+case \$prev in\n\s*\n\s+esac/g, "");
}

/** Skips the value of a flag that stands before the command. */
function flagSkips(flags: FlagOffer[]): string {
  const names = flags.filter((flag) => flag.value).flatMap(spellings);
  return `${
    names.join("|")
  }) [[ \${COMP_WORDS[i+1]} == = ]] && ((i++)); ((i++)) ;;`;
}

function valueCases(flags: FlagOffer[]): string {
  return flags.filter((flag) => flag.value).map((flag) =>
    `${spellings(flag).join("|")}) ${offerCall(flag.value!.offer)}; return ;;`
  ).join("\n");
}

function offerCall(offer: Offer): string {
  if (offer.paths) return `_clibs_paths ${offer.paths === "dir" ? "-d" : "-f"}`;
  return offer.words.length > 0
    ? `_clibs_words "${offer.words.join(" ")}"`
    : ":";
}

function flagWords(flags: FlagOffer[]): string {
  return flags.map((flag) => flag.long).join(" ");
}

function indent(text: string, columns: number): string {
  return text.split("\n").map((line) => " ".repeat(columns) + line).join("\n");
}
