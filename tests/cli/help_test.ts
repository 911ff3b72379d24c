import assert from "node:assert/strict";
import { commandList, groupList } from "../../cli/commands.ts";
import { commandHelp, groupHelp, helpOf, programHelp } from "../../cli/help.ts";
import { parse } from "../../cli/program.ts";

Deno.test("every help text fits 80 columns and ends its lines cleanly", () => {
  const pages = [
    programHelp(),
    ...commandList.map(([name]) => commandHelp(name)),
    ...groupList.map(([group]) => groupHelp(group)),
  ];
  for (const page of pages) {
    for (const line of page.split("\n")) {
      assert.ok(line.length <= 80, line);
      assert.equal(line, line.trimEnd());
    }
  }
});

Deno.test("the program's help lists every command", () => {
  const help = programHelp();
  for (const [name, spec] of commandList) {
    assert.match(help, new RegExp(`^  ${name} +${spec.summary}$`, "m"));
  }
});

Deno.test("every command of two words belongs to a first word, which lists it", () => {
  for (const [name, spec] of commandList) {
    const [group, second] = name.split(" ");
    if (second === undefined) continue;
    const isGroup = groupList.some(([known]) => known === group);
    assert.ok(isGroup || commandList.some(([known]) => known === group), name);
    assert.match(
      isGroup ? groupHelp(group!) : helpOf(group),
      new RegExp(`^  ${name} +${spec.summary}$`, "m"),
    );
    assert.match(
      commandHelp(name),
      new RegExp(`^Usage: clibs ${name} .*\\[FLAGS\\]$`, "m"),
    );
  }
});

Deno.test("the program's help lists engines in a section of their own", () => {
  const [, section] = programHelp().match(/\n\nEngines:\n([\s\S]*?)\n\n/)!;
  assert.deepEqual(
    section!.split("\n").map((line) => line.trim().split(/ {2,}/)[0]),
    commandList.map(([name]) => name).filter((name) => /^engines /.test(name)),
  );
});

Deno.test("commandHelp() shows arguments, flags and examples", () => {
  assert.equal(
    commandHelp("env"),
    `Print the variables that compilers need to find packages.

Usage: clibs env [PATHS...] [FLAGS]

CLIBS_LIB_DIR, CLIBS_INCLUDE_DIR, and the search paths of pkg-config, CMake and
plain compilers.

Arguments:
  PATHS  Folders to search for pkg.yaml files, or such files (default: .)

Flags:
  -t, --target TRIPLE  Target triple; may be repeated (default: this machine's)
      --format FORMAT  Form of the output: shell, fish, dotenv, json, github
                       (default: shell)

Flags of every command:
      --json           Print one JSON document on stdout, errors included
  -q, --quiet          Show warnings and errors only
  -v, --verbose        Show the commands' output, debug notes and stacks
      --log-file FILE  Append all events to FILE (as JSON lines if named
                       *.jsonl)
      --color WHEN     Use colours: auto, always, never
  -h, --help           Print this help

Examples:
  eval "$(clibs env deps/zlib)"
      Set them in this shell
  clibs env --format fish | source
      The same in fish
  clibs env --format github >> "$GITHUB_ENV"
      In GitHub Actions
`,
  );
});

Deno.test("every example is a command line that the parser takes", async (t) => {
  for (const [name, spec] of commandList) {
    for (const [line] of spec.examples) {
      await t.step(line, () => {
        const words = line.match(/clibs ([^|>")]*)/)![1]!.trim().split(/ +/);
        const parsed = parse(words);
        assert.equal(parsed.kind, "command");
        assert.equal((parsed as { command: string }).command, name);
      });
    }
  }
});

Deno.test("no two flags of a command share a letter, and none hides a common one", () => {
  for (const [name, spec] of commandList) {
    const letters = ["q", "v", "h"];
    for (const flag of Object.values(spec.flags)) {
      if (!flag.short) continue;
      assert.ok(!letters.includes(flag.short), `${name} -${flag.short}`);
      letters.push(flag.short);
    }
  }
});
