import assert from "node:assert/strict";
import { clibs } from "../support/cli.ts";
import { TempDir } from "../support/temp.ts";
import { has } from "../support/tools.ts";
import { globalFlags } from "../../cli/flags.ts";
import { commandList } from "../../cli/commands.ts";

const names = [
  ...commandList.map(([name]) => name).filter((name) => !name.includes(" ")),
  "engines",
  "help",
].sort();

const engines = commandList.filter(([name]) => name.startsWith("engines "));

const common = [...Object.keys(globalFlags), "help"];

/** A folder with things to complete, and the script of a shell in it. */
async function prepare(shell: string): Promise<TempDir> {
  const dir = new TempDir();
  const { code, stdout } = await clibs(["completions", shell]);
  assert.equal(code, 0);
  dir.write({ script: stdout, "deps/zlib/pkg.yaml": "", "log file.txt": "" });
  return dir;
}

async function output(
  dir: TempDir,
  command: string,
  ...args: string[]
): Promise<string> {
  const { stdout, stderr, code } = await new Deno.Command(command, {
    args,
    cwd: dir.path,
    stdin: "null",
    // Shells look for their start-up files at home.
    env: { HOME: dir.path, XDG_CONFIG_HOME: dir.path, TERM: "dumb" },
  }).output();
  assert.equal(new TextDecoder().decode(stderr), "");
  assert.equal(code, 0);
  return new TextDecoder().decode(stdout);
}

/** What is offered for the last word, sorted; by the words before the cursor. */
type Case = [words: string[], offered: string[]];

const cases: Case[] = [
  [[""], names],
  [["b"], ["build"]],
  [["build", "--k"], ["--keep-work"]],
  [["--color", ""], ["always", "auto", "never"]],
  [["--json", "env", "--format", "f"], ["fish"]],
  [["--log-file", "x", "st"], ["status"]],
  [["completions", "p"], ["powershell"]],
  [["explain", "CLIBS_DISK"], ["CLIBS_DISK_FULL"]],
  [["help", "comp"], ["completions"]],
  [["engines", "b"], ["build"]],
  [["engines", "he"], ["healthcheck"]],
  [["--json", "engines", "build", "--po"], ["--policy"]],
  [["engines", "build", "--policy", "build"], ["build_only"]],
  [["engines", "prune", "--max-a"], ["--max-age-days"]],
  [["trace", "--method", "l"], ["ld_preload"]],
  [["engines", ""], engines.map(([name]) => name.split(" ")[1]!).sort()],
  [["engines", "--q"], ["--quiet"]],
  [["build", "--json", "--k"], ["--keep-work"]],
  [["env", "-q", "--format", "f"], ["fish"]],
  [["engines", "--color", "never", "fa"], ["fast-build"]],
  [["--json", "engines", "-q", "build", "-v", "--po"], ["--policy"]],
  [["engines", "--po"], []],
  [["engines", "run", "--policy"], []],
  [["engines", "build", "--color", "n"], ["never"]],
  [["help", "eng"], ["engines"]],
  [["help", "engines", "t"], ["toolchain", "types"]],
  ...engines.map(([name, spec]): Case => [
    [...name.split(" "), "--"],
    [...Object.keys(spec.flags), ...common].map((flag) => `--${flag}`).sort(),
  ]),
];

Deno.test("the bash script completes commands, flags, values and paths", async () => {
  using dir = await prepare("bash");
  const more: Case[] = [
    [["env", "--format", "="], ["dotenv", "fish", "github", "json", "shell"]],
    [["env", "--format", "=", "g"], ["github"]],
    [["build", "d"], ["deps"]],
    [["trace", "d"], ["deps"]],
    [["trace", "check", "lo"], ["log file.txt"]],
    [["build", "--log-file", "log"], ["log file.txt"]],
    [["init", "u", "--dir", "l"], []],
  ];
  for (const [words, offered] of [...cases, ...more]) {
    const line = await output(
      dir,
      "bash",
      "--norc",
      "-c",
      `. ./script
complete -p clibs >/dev/null || exit 3
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_clibs
[ \${#COMPREPLY[@]} = 0 ] || printf '%s\\n' "\${COMPREPLY[@]}"`,
      "bash",
      "clibs",
      ...words,
    );
    const found = line.split("\n").filter((word) => word !== "").sort();
    assert.deepEqual(found, offered, words.join(" "));
  }
});

Deno.test({
  name: "the fish script completes commands, flags, values and paths",
  ignore: !has("fish"),
  async fn() {
    using dir = await prepare("fish");
    const more: Case[] = [
      [["env", "--format=g"], ["--format=github"]],
      [["build", "d"], ["deps/"]],
      [["trace", "--method", "ptrace", "d"], ["deps/"]],
    ];
    for (const [words, offered] of [...cases, ...more]) {
      const text = await output(
        dir,
        "fish",
        "--no-config",
        "-c",
        `source script; complete -C "clibs ${words.join(" ")}"`,
      );
      const found = text.split("\n").filter((line) => line !== "")
        .map((line) => line.split("\t")[0]!).sort();
      assert.deepEqual(found, offered, words.join(" "));
    }
  },
});

Deno.test({
  name: "the zsh script completes commands, flags, values and paths",
  ignore: !has("zsh"),
  async fn() {
    using dir = await prepare("zsh");
    const more: Case[] = [
      [["env", "--format=g"], ["github"]],
      [["build", "d"], ["deps"]],
      [["trace", "check", "d"], ["deps"]],
    ];
    // zsh completes only in its line editor: type there, by its own pty module,
    // and have what compadd is given printed between marks.
    dir.write({ ".zshrc": ZSHRC, "type.zsh": TYPE });
    for (const [words, offered] of [...cases, ...more]) {
      const text = await output(dir, "zsh", "-f", "type.zsh", words.join(" "));
      const found = [...text.matchAll(/<<(.*?)>>/g)].map(([, word]) => word!);
      assert.deepEqual([...new Set(found)].sort(), offered, words.join(" "));
    }
  },
});

const ZSHRC = `
PS1= PS2= RPS1=
unsetopt zle_bracketed_paste beep 2>/dev/null
autoload -Uz compinit && compinit -u -d ./.dump
source ./script
compadd() {
  local -a offered
  builtin compadd -O offered "$@"
  (( $#offered )) && print -rl -- "<<\${(@)^offered}>>" >>./offered
  builtin compadd "$@"
}
complete-and-finish() { zle list-choices; print -rn -- '<done>' }
zle -N complete-and-finish
bindkey '^I' complete-and-finish
print -rn -- '<ready>'
`;

const TYPE = `
zmodload zsh/zpty
zpty shell 'ZDOTDIR=$PWD TERM=vt100 zsh -i'
zpty -r shell text '*<ready>*'
zpty -w -n shell "clibs $1"$'\\t'
zpty -r shell text '*<done>*'
zpty -d shell
[[ ! -e offered ]] || { cat offered; rm offered }
`;

// Debian has no PowerShell: without it only the script's words can be checked.
if (has("pwsh")) {
  Deno.test("the PowerShell script loads and completes", async () => {
    using dir = await prepare("powershell");
    for (const [words, offered] of cases.filter(([words]) => words.at(-1))) {
      const line = `clibs ${words.join(" ")}`;
      const text = await output(
        dir,
        "pwsh",
        "-NoProfile",
        "-Command",
        `Get-Content -Raw script | Invoke-Expression
(TabExpansion2 '${line}' ${line.length}).CompletionMatches |
  ForEach-Object { $_.CompletionText }`,
      );
      assert.deepEqual(text.split(/\r?\n/).filter(Boolean).sort(), offered);
    }
  });
}

Deno.test("the PowerShell script names every command and flag", async () => {
  const { stdout, code } = await clibs(["completions", "powershell"]);
  assert.equal(code, 0);
  assert.match(stdout, /Register-ArgumentCompleter -Native -CommandName clibs/);
  for (const [name, spec] of commandList) {
    const flags = stdout.match(new RegExp(`^    '${name}' = (.*--.*)$`, "m"));
    for (const flag of [...Object.keys(spec.flags), ...common]) {
      assert.ok(flags?.[1]?.includes(`'--${flag}' = `), `${name} --${flag}`);
    }
  }
  for (const word of ["engines", "fast-build", "github", "build_only"]) {
    assert.ok(stdout.includes(`'${word}'`), word);
  }
});
