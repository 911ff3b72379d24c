import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { cliArgs, clibs, NEUTRAL } from "../support/cli.ts";
import { TempDir } from "../support/temp.ts";
import config from "../../deno.json" with { type: "json" };

const frame = fileURLToPath(new URL("testdata/frame.ts", import.meta.url));
const scene = (...args: string[]) => clibs(["build", ...args], { main: frame });

const usage: [string, string[], string][] = [
  [
    "unknown command",
    ["bulid", "--force"],
    `error: Cannot run "bulid": clibs has no such command
  nearest  build
hint: clibs build
more: clibs explain CLIBS_USAGE_COMMAND
`,
  ],
  [
    "unknown command like no other",
    ["frobnicate"],
    `error: Cannot run "frobnicate": clibs has no such command
hint: clibs help
more: clibs explain CLIBS_USAGE_COMMAND
`,
  ],
  [
    "help of an unknown command",
    ["help", "fetsh"],
    `error: Cannot run "fetsh": clibs has no such command
  nearest  fetch
hint: clibs fetch
more: clibs explain CLIBS_USAGE_COMMAND
`,
  ],
  [
    "unknown flag",
    ["build", "--frce"],
    `error: Cannot run clibs build: there is no flag "--frce"
  nearest  --force
hint: clibs help build
more: clibs explain CLIBS_USAGE_FLAG
`,
  ],
  [
    "unknown flag after an argument that is a command's name",
    ["fetch", "build", "--keep-work"],
    `error: Cannot run clibs fetch: there is no flag "--keep-work"
hint: clibs help fetch
more: clibs explain CLIBS_USAGE_FLAG
`,
  ],
  [
    "unknown flag before the command",
    ["--jsn", "build"],
    `error: Cannot run clibs: there is no flag "--jsn"
  nearest  --json
hint: clibs help
more: clibs explain CLIBS_USAGE_FLAG
`,
  ],
  [
    "control characters in the command line",
    ["build", "--\x1b[2J"],
    `error: Cannot run clibs build: there is no flag "--\\u001b[2J"
hint: clibs help build
more: clibs explain CLIBS_USAGE_FLAG
`,
  ],
  [
    "missing value",
    ["build", "--jobs"],
    `error: Cannot run clibs build: -j, --jobs <N> has no value
hint: clibs help build
more: clibs explain CLIBS_USAGE_VALUE
`,
  ],
  [
    "empty value",
    ["build", "--target="],
    `error: Cannot use --target "": it takes a value
more: clibs explain CLIBS_USAGE_VALUE
`,
  ],
  [
    "not a number",
    ["build", "-j", "many"],
    `error: Cannot use --jobs "many": it takes a number from 1 up
more: clibs explain CLIBS_USAGE_VALUE
`,
  ],
  [
    "not one of the choices",
    ["env", "--format", "dotnev"],
    `error: Cannot use --format "dotnev": it takes shell, fish, dotenv, json, github
hint: write --format dotenv
more: clibs explain CLIBS_USAGE_VALUE
`,
  ],
  [
    "missing argument",
    ["init"],
    `error: Cannot run clibs init: URL_OR_REPO is missing
hint: clibs help init
more: clibs explain CLIBS_USAGE_ARGUMENT
`,
  ],
  [
    "too many arguments",
    ["explain", "CLIBS_BUG", "CLIBS_BUG"],
    `error: Cannot run clibs explain: it got more arguments than it takes
hint: clibs help explain
more: clibs explain CLIBS_USAGE_ARGUMENT
`,
  ],
  [
    "unknown shell",
    ["completions", "zhs"],
    `error: Cannot use SHELL "zhs": it takes bash, zsh, fish, powershell
hint: write zsh
more: clibs explain CLIBS_USAGE_VALUE
`,
  ],
  [
    "unknown error code",
    ["explain", "CLIBS_DISK_FUL"],
    `error: Cannot explain "CLIBS_DISK_FUL": there is no such error code
  nearest  CLIBS_DISK_FULL
hint: clibs explain CLIBS_DISK_FULL
more: clibs explain CLIBS_EXPLAIN_UNKNOWN
`,
  ],
];

Deno.test("a wrong command line exits with 2 and says what is wrong", async (t) => {
  for (const [name, args, stderr] of usage) {
    await t.step(name, async () => {
      assert.deepEqual(await clibs(args), { code: 2, stdout: "", stderr });
    });
  }
});

Deno.test("--json turns a usage error into a document", async () => {
  const { code, stdout, stderr } = await clibs(["bulid", "--json"]);
  assert.equal(code, 2);
  assert.deepEqual(JSON.parse(stdout), {
    version: 1,
    error: {
      code: "CLIBS_USAGE_COMMAND",
      message: 'Cannot run "bulid": clibs has no such command',
      facts: { nearest: "build" },
      hint: "clibs build",
    },
  });
  assert.match(stderr, /^error: Cannot run "bulid"/);
});

Deno.test("--version prints the version of deno.json", async () => {
  const stdout = `clibs ${config.version}\n`;
  assert.deepEqual(await clibs(["--version"]), { code: 0, stdout, stderr: "" });
  assert.deepEqual(await clibs(["-V"]), { code: 0, stdout, stderr: "" });
  const json = await clibs(["--version", "--json"]);
  assert.deepEqual(JSON.parse(json.stdout), {
    version: 1,
    clibs: config.version,
  });
});

Deno.test("every way to ask for help gives the same text, on stdout", async () => {
  const bare = await clibs([]);
  assert.equal(bare.code, 0);
  assert.match(bare.stdout, /^clibs \d.*\n\nUsage: clibs COMMAND /);
  for (const args of [["--help"], ["-h"], ["help"], ["-q"]]) {
    assert.deepEqual(await clibs(args), bare, args.join(" "));
  }
  const build = await clibs(["help", "build"]);
  assert.match(build.stdout, /\nUsage: clibs build \[PATHS...\] \[FLAGS\]\n/);
  assert.deepEqual(await clibs(["build", "--help"]), build);
  // A missing argument does not stand in the way of help.
  assert.equal((await clibs(["init", "--help"])).code, 0);
  const json = await clibs(["help", "build", "--json"]);
  assert.deepEqual(JSON.parse(json.stdout), { version: 1, help: build.stdout });
});

Deno.test("mod.ts run directly is the command", async () => {
  const main = fileURLToPath(new URL("../../mod.ts", import.meta.url));
  const { code, stdout } = await clibs(["--version"], { main });
  assert.deepEqual([code, stdout], [0, `clibs ${config.version}\n`]);
});

Deno.test("explain prints the text, and as JSON", async () => {
  const text = await clibs(["explain", "too_many_files"]);
  assert.deepEqual(text, {
    code: 0,
    stdout: `CLIBS_TOO_MANY_FILES: The limit of open files was reached

The process (EMFILE) or the whole system (ENFILE) has too many files open. Raise
the limit of your shell with \`ulimit -n 4096\`, or run fewer jobs with --jobs.
`,
    stderr: "",
  });
  const json = await clibs(["explain", "CLIBS_TOO_MANY_FILES", "--json"]);
  const document = JSON.parse(json.stdout);
  assert.equal(document.version, 1);
  assert.equal(document.code, "CLIBS_TOO_MANY_FILES");
  assert.equal(document.title, "The limit of open files was reached");
});

Deno.test("--json prints the result and its error as one document", async () => {
  const failed = await scene("fail", "--json");
  assert.deepEqual({ ...failed, stdout: JSON.parse(failed.stdout) }, {
    code: 1,
    stdout: { version: 1, packages: ["zlib"] },
    stderr: "",
  });
  assert.equal((await scene("fail")).stdout, "zlib failed\n");
  const thrown = await scene("throws", "--json");
  assert.equal(thrown.code, 1);
  assert.deepEqual(JSON.parse(thrown.stdout), {
    version: 1,
    packages: ["zlib"],
    error: {
      code: "CLIBS_DISK_FULL",
      message: "Cannot build zlib",
      facts: { log: "/x\x1b[2J", tail: "a\nb" },
      hint: "free some space",
    },
  });
});

Deno.test("what a command throws is shown once, its stack only with --verbose", async () => {
  const text = `error: Cannot build zlib
  log   /x\\x1b[2J
  tail  a
        b
hint: free some space
more: clibs explain CLIBS_DISK_FULL
`;
  assert.deepEqual(await scene("throws"), {
    code: 1,
    stdout: "",
    stderr: text,
  });
  const verbose = await scene("throws", "-v");
  assert.match(
    verbose.stderr.slice(text.length),
    /^caused by: Error: no space\n {2}at Object\.throws /,
  );
  const bug = await scene("bug");
  assert.deepEqual(bug, {
    code: 1,
    stdout: "",
    stderr: `error: Unexpected failure: x is not a function
hint: this is a bug in clibs; run again with --verbose for the stack
more: clibs explain CLIBS_BUG
`,
  });
});

Deno.test("--quiet and --verbose choose what is shown", async () => {
  assert.deepEqual((await scene("notes")).stderr.split("\n"), [
    "a info note",
    "warning: a warn note",
    "error: a error note",
    "waiting for pid 12 building zlib",
    "build zlib ...",
    "build zlib (0.3 s)",
    "",
  ]);
  assert.deepEqual((await scene("notes", "--quiet")).stderr.split("\n"), [
    "warning: a warn note",
    "error: a error note",
    "waiting for pid 12 building zlib",
    "",
  ]);
  assert.deepEqual((await scene("notes", "--verbose")).stderr.split("\n"), [
    "debug: a debug note",
    "a info note",
    "warning: a warn note",
    "error: a error note",
    "waiting for pid 12 building zlib",
    "build zlib ...",
    "zlib | cc -c a.c",
    "build zlib (0.3 s)",
    "",
  ]);
});

Deno.test("--log-file gets every event, whatever is shown", async () => {
  using dir = new TempDir();
  const log = dir.join("clibs.log");
  await scene("notes", "-q", "--log-file", log);
  await scene("throws", "-q", "--log-file", log);
  const lines = dir.read("clibs.log").trimEnd().split("\n");
  assert.match(lines[0]!, /^\d{4}-\d\d-\d\dT[\d:.]+Z DEBUG a debug note$/);
  assert.match(lines.at(-1)!, / ERROR Cannot build zlib$/);
  assert.equal(lines.length, 9);
  const missing = dir.join("none", "clibs.log");
  const { code, stderr } = await scene("notes", "--log-file", missing);
  assert.equal(code, 2);
  assert.equal(
    stderr,
    `error: Cannot write the log file ${missing}: No such file or directory (os error 2): open '${missing}'
hint: name a file in a folder that exists and is writable
more: clibs explain CLIBS_USAGE_LOG_FILE
`,
  );
});

Deno.test("a reader that goes away ends the output quietly", async () => {
  const words = [Deno.execPath(), ...cliArgs(frame), "build", "flood"];
  const command = words.map((word) => `'${word}'`).join(" ");
  const { stdout, stderr } = await new Deno.Command("bash", {
    args: ["-c", `${command} | head -n 1; echo "codes \${PIPESTATUS[*]}"`],
    env: NEUTRAL,
  }).output();
  const text = new TextDecoder();
  assert.equal(text.decode(stdout), "line 0\ncodes 0 0\n");
  assert.equal(text.decode(stderr), "");
});

Deno.test("a pipe gets all of a long output", async () => {
  const { stdout } = await scene("flood");
  assert.equal(stdout.split("\n").length, 20001);
  assert.ok(stdout.endsWith("line 19999\n"));
});
