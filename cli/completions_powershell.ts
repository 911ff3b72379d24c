/** The completion script for PowerShell 5.1 and newer. */

import {
  type CompletionModel,
  firstWords,
  type FlagOffer,
  valueFlags,
} from "./completions_model.ts";

/** Writes the script. */
export function powershellScript(model: CompletionModel): string {
  const values = [...valueFlags(model)];
  return `# PowerShell completion for clibs; load it with:
# clibs completions powershell | Out-String | Invoke-Expression
Register-ArgumentCompleter -Native -CommandName clibs -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)
  $commands = [ordered]@{
${
    firstWords(model).map((c) => `    ${quote(c.name)} = ${quote(c.summary)}`)
      .join("\n")
  }
  }
  $flags = @{
    '' = ${table(model.flags)}
${
    model.commands.map((c) => `    ${quote(c.name)} = ${table(c.flags)}`)
      .join("\n")
  }
  }
  # Words for the value of a flag; an empty list: let the shell offer paths.
  $values = @{}
${
    values.map(([flag, offer]) =>
      `  $values.Add(${quote(flag)}, ${list(offer.words)})`
    ).join("\n")
  }
  $arguments = @{
${
    model.commands.map((c) =>
      `    ${quote(c.name)} = ${list(c.arg?.offer.words ?? [])}`
    ).join("\n")
  }
  }
  $words = @($commandAst.CommandElements |
    Where-Object { $_.Extent.EndOffset -lt $cursorPosition } |
    Select-Object -Skip 1 | ForEach-Object { $_.ToString() })
  $command = ''
  for ($i = 0; $i -lt $words.Count; $i++) {
    if ($words[$i] -clike '-*') {
      if ($values.ContainsKey($words[$i])) { $i++ }
    } else {
      $command = "$command $($words[$i])".Trim()
      if (${list(model.groups)} -cnotcontains $command) { break }
    }
  }
  $previous = if ($words.Count -gt 0) { $words[-1] } else { '' }
  $offer = [ordered]@{}
  if ($previous -clike '-*' -and $values.ContainsKey($previous)) {
    foreach ($word in $values[$previous]) { $offer[$word] = $word }
  } elseif ($wordToComplete -clike '-*') {
    if ($flags.ContainsKey($command)) { $offer = $flags[$command] }
  } elseif ($command -eq '') {
    $offer = $commands
  } elseif ($arguments.ContainsKey($command)) {
    foreach ($word in $arguments[$command]) { $offer[$word] = $word }
  }
  $offer.GetEnumerator() | Where-Object { $_.Key -clike "$wordToComplete*" } |
    ForEach-Object {
      [System.Management.Automation.CompletionResult]::new(
        $_.Key, $_.Key, 'ParameterValue', $_.Value)
    }
}
`;
}

/** Hash tables in PowerShell ignore case, so -V and -v must not both be keys. */
function table(flags: FlagOffer[]): string {
  const entries = flags.map((flag) =>
    `${quote(flag.long)} = ${quote(flag.help)}`
  );
  return `[ordered]@{ ${entries.join("; ")} }`;
}

function list(words: readonly string[]): string {
  return `@(${words.map(quote).join(", ")})`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
