/** `clibs trace`, `clibs trace check` and `clibs xxhsum` as commands. */

import assert from "node:assert/strict";
import { cliArgs, clibs, type CliResult, NEUTRAL } from "../support/cli.ts";
import { loadedBy } from "../support/loaded.ts";
import { plainUserPrefix } from "../support/plain_user.ts";
import { TempDir } from "../support/temp.ts";
import { has } from "../support/tools.ts";
import { isLinux, works } from "../support/trace.ts";

const ignore = !isLinux || !has("cc");
const methods: Record<string, boolean> = {};
if (!ignore) {
  // Also builds what tracing needs: that would be told in a test's output.
  for (const method of ["ld_preload", "ptrace"] as const) {
    methods[method] = await works(method);
  }
}

/** A folder, and the command in it with a PATH of system folders only. */
class Place extends TempDir {
  clibs(...args: string[]): Promise<CliResult> {
    return clibs(args, { cwd: this.path, env: { PATH: "/usr/bin:/bin" } });
  }

  /** Runs a shell line, in which `clibs` is the command. */
  async bash(line: string): Promise<CliResult> {
    const words = [Deno.execPath(), ...cliArgs()];
    const quoted = words.map((word) => `'${word}'`).join(" ");
    const { code, stdout, stderr } = await new Deno.Command("bash", {
      args: ["-c", `clibs() { ${quoted} "$@"; }; ${line}`],
      cwd: this.path,
      // In others a shell writes \u as it stands.
      env: { ...NEUTRAL, PATH: "/usr/bin:/bin", LC_ALL: "C.UTF-8" },
      stdin: "null",
    }).output();
    const decoder = new TextDecoder();
    return {
      code,
      stdout: decoder.decode(stdout),
      stderr: decoder.decode(stderr),
    };
  }
}

const errors: [string, string[], number, string][] = [
  [
    "no command",
    ["trace"],
    2,
    `error: Cannot run clibs trace: COMMAND is missing
hint: clibs help trace
more: clibs explain CLIBS_USAGE_ARGUMENT
`,
  ],
  [
    "an unknown method",
    ["trace", "--method", "ptrac", "--", "true"],
    2,
    `error: Cannot use --method "ptrac": it takes auto, ld_preload, ptrace, none
hint: write --method ptrace
more: clibs explain CLIBS_USAGE_VALUE
`,
  ],
  [
    "an unknown flag",
    ["trace", "--jsn", "true"],
    2,
    `error: Cannot run clibs trace: there is no flag "--jsn"
  nearest  --json
hint: clibs help trace
more: clibs explain CLIBS_USAGE_FLAG
`,
  ],
  [
    "a program that is not on PATH",
    ["trace", "--", "no-such-program"],
    127,
    `error: Cannot run no-such-program: it is not on PATH
hint: install no-such-program, or name it with its path
more: clibs explain CLIBS_TRACE_PROGRAM
`,
  ],
  [
    "a program that is not there",
    ["trace", "./none"],
    127,
    `error: Cannot run ./none: there is no such file
hint: check its name, and that of its interpreter
more: clibs explain CLIBS_TRACE_PROGRAM
`,
  ],
  [
    "a program that is a folder",
    ["trace", "./folder"],
    126,
    `error: Cannot run ./folder: it is a folder
more: clibs explain CLIBS_TRACE_EXEC
`,
  ],
  [
    "a program that is not executable",
    ["trace", "./text"],
    126,
    `error: Cannot run ./text: it is not executable
hint: chmod +x ./text
more: clibs explain CLIBS_TRACE_EXEC
`,
  ],
  [
    "a place to save that is no place",
    ["trace", "--save", "none/t.json", "--", "true"],
    2,
    `error: Cannot use --save none/t.json: No such file or directory (os error 2): open 'none/t.json'
hint: name a file in a folder that exists and is writable
more: clibs explain CLIBS_USAGE_VALUE
`,
  ],
  [
    "a timeline that is a folder",
    ["trace", "--perfetto", "folder", "--", "true"],
    2,
    `error: Cannot use --perfetto folder: Is a directory (os error 21): open 'folder'
hint: name a file in a folder that exists and is writable
more: clibs explain CLIBS_USAGE_VALUE
`,
  ],
  [
    "nothing to check",
    ["trace", "check"],
    2,
    `error: Cannot run clibs trace check: FILE is missing
hint: clibs help trace check
more: clibs explain CLIBS_USAGE_ARGUMENT
`,
  ],
  [
    "a trace that is not there",
    ["trace", "check", "none.json"],
    1,
    `error: Cannot check the trace none.json: there is no such file
hint: make it with: clibs trace --save none.json -- COMMAND
more: clibs explain CLIBS_TRACE_FILE
`,
  ],
  [
    "a trace that is none",
    ["trace", "check", "text"],
    1,
    `error: Cannot check a trace: the file is not one that clibs can read
  file     text
  problem  its format is "new", and this clibs reads 1
hint: make it anew with: clibs trace --save FILE -- COMMAND
more: clibs explain CLIBS_TRACE_FILE
`,
  ],
];

Deno.test({
  name: "what trace cannot do is said, with the exit code of a shell",
  ignore,
  fn: async (t) => {
    using place = new Place();
    place.write({ "folder/x": "", text: '{"format": "new"}' });
    for (const [what, args, code, stderr] of errors) {
      await t.step(what, async () => {
        assert.deepEqual(await place.clibs(...args), {
          code,
          stdout: "",
          stderr,
        });
      });
    }
  },
});

Deno.test({
  name: "trace lists what a command does, after what it prints",
  ignore,
  fn: async (t) => {
    const expected = (method: string) =>
      `1
deps (2)
  in
  old (and changed)
not there (1)
  none
targets (2)
  out
  old
listed folders (1)
  folder
2 commands, N accesses to system files; method ${method}
`;
    for (const method of ["auto", "ld_preload", "ptrace"]) {
      if (methods[method] === false) continue;
      await t.step(method, async () => {
        using place = new Place();
        place.write({ in: "1\n", old: "0\n", "folder/x": "" });
        const { code, stdout, stderr } = await place.clibs(
          "trace",
          "--method",
          method,
          "--",
          "bash",
          "-c",
          "cat in; read x < none; echo > out; echo >> old; : folder/*; exit 5",
        );
        assert.equal(code, 5);
        assert.equal(
          stderr,
          "bash: line 1: none: No such file or directory\n",
        );
        assert.equal(
          stdout.replace(/[\d,]+ accesses/, "N accesses"),
          expected(method),
        );
      });
    }
  },
});

Deno.test({
  name: "trace shows more with --verbose, and only the command with --quiet",
  ignore,
  fn: async () => {
    using place = new Place();
    const script = "echo hi; : > tmp; rm tmp";
    const { stdout } = await place.clibs("trace", "-v", "sh", "-c", script);
    assert.match(
      stdout,
      new RegExp(`^hi
written and removed \\(1\\)
  tmp
commands \\(2\\)
  sh -c echo hi; : > tmp; rm tmp
  rm tmp
2 commands, 1 file written and removed, \\d+ accesses to system files; method auto
$`),
    );
    assert.deepEqual(await place.clibs("trace", "-q", "sh", "-c", script), {
      code: 0,
      stdout: "hi\n",
      stderr: "",
    });
  },
});

Deno.test({
  name: "trace --json prints one document; the command prints to stderr",
  ignore,
  fn: async () => {
    using place = new Place();
    place.write({ in: "1" });
    const { code, stdout, stderr } = await place.clibs(
      "trace",
      "--json",
      "sh",
      "-c",
      "cat in; kill -USR1 $$",
    );
    assert.equal(stderr, "1");
    assert.equal(code, 138);
    const document = JSON.parse(stdout);
    assert.deepEqual(Object.keys(document), [
      "version",
      "code",
      "signal",
      "trace",
    ]);
    assert.equal(document.signal, "SIGUSR1");
    assert.equal(document.code, 138);
    assert.deepEqual(Object.keys(document.trace), [
      "format",
      "command",
      "cwd",
      "method",
      "complete",
      "deps",
      "absent",
      "targets",
      "removed",
      "scratch",
      "folders",
      "listed",
      "unstable",
      "env",
      "commands",
      "escapes",
      "systemReads",
      "lost",
      "durationMs",
    ]);
    assert.equal(document.trace.deps[0].path, place.join("in"));

    // What stays behind holds the output open, but nobody up.
    const start = performance.now();
    const left = await place.bash(
      "clibs trace --json sh -c 'sleep 20 & echo $!' 2>pid; kill $(cat pid)",
    );
    assert.equal(left.code, 0, left.stderr);
    assert.ok(performance.now() - start < 10_000);

    const failed = await place.clibs("trace", "--json", "./none");
    assert.equal(failed.code, 127);
    assert.deepEqual(JSON.parse(failed.stdout), {
      version: 1,
      code: 127,
      error: {
        code: "CLIBS_TRACE_PROGRAM",
        message: "Cannot run ./none: there is no such file",
        facts: {},
        hint: "check its name, and that of its interpreter",
      },
    });
  },
});

Deno.test({
  name: "a saved trace holds until something changes",
  ignore,
  fn: async () => {
    using place = new Place();
    place.write({ in: "1\n" });
    const script = "cat in > out; test -e none";
    const line = ["--save", "t.json", "--env", "sh", "-c", script];
    const first = await place.clibs("trace", "-q", ...line);
    assert.deepEqual(first, { code: 1, stdout: "", stderr: "" });
    const { stdout } = await place.clibs("trace", "check", "t.json");
    assert.match(stdout, /^holds: \d+ facts checked, \d files? read\n$/);
    const quiet = await place.clibs("trace", "check", "-q", "t.json");
    assert.deepEqual(quiet, { code: 0, stdout: "", stderr: "" });

    place.write({ "none": "" });
    assert.deepEqual(await place.clibs("trace", "check", "t.json"), {
      code: 1,
      stdout: "changed: absent none was none, is present\n",
      stderr: "",
    });
    Deno.removeSync(place.join("none"));
    Deno.removeSync(place.join("in"));
    const { code, stdout: json } = await place.clibs(
      "trace",
      "check",
      "--json",
      "t.json",
    );
    assert.equal(code, 1);
    const { checked: _, reread: __, ...report } = JSON.parse(json);
    assert.deepEqual(report, {
      version: 1,
      holds: false,
      broken: {
        kind: "dep",
        name: place.join("in"),
        was: report.broken.was,
        now: "none",
      },
    });
    // What --json printed is a saved trace as well.
    const again = await place.clibs("trace", "--json", "true");
    place.write({ "again.json": again.stdout });
    const check = await place.clibs("trace", "check", "again.json");
    assert.equal(check.code, 0, check.stdout);
  },
});

Deno.test({
  name: "trace --perfetto writes a timeline",
  ignore,
  fn: async () => {
    using place = new Place();
    const line = ["--perfetto", "t.json", "sh", "-c", "ls; cat /dev/null"];
    await place.clibs("trace", "-q", ...line);
    const { traceEvents } = JSON.parse(place.read("t.json"));
    const names = traceEvents.map(({ name }: { name: string }) => name);
    assert.deepEqual(names, ["process_name", "sh", "ls", "cat"]);
  },
});

Deno.test({
  name: "the command line of the command is its own",
  ignore,
  fn: async () => {
    using place = new Place();
    const cases: [string, string][] = [
      ["clibs trace -q printf '%s|' --json -q -- a", "--json|-q|--|a|"],
      ["clibs trace -q -- printf '%s|' --json check", "--json|check|"],
      ["clibs -q trace printf '%s|' check --help", "check|--help|"],
      ["clibs trace -q -- sh -c 'cat <&5' 5<<<five", "five\n"],
      ["clibs trace -q cat <<<text", "text\n"],
      ["ulimit -n 77; clibs trace -q -- bash -c 'ulimit -n'", "77\n"],
      ["umask 027; clibs trace -q -- sh -c umask", "0027\n"],
      ["clibs trace -q -- sh -c 'yes | head -1'", "y\n"],
      ["clibs trace -q -- cat <&-", ""],
      ["A=$'\\xfe' clibs trace -q -- printenv A | od -An -tx1", " fe 0a\n"],
    ];
    for (const [line, expected] of cases) {
      const { stdout, stderr } = await place.bash(line);
      assert.equal(stderr, "", line);
      assert.equal(stdout, expected, line);
    }
    const check = await place.bash("clibs trace -- check");
    assert.equal(check.code, 127);
    const help = await place.bash("clibs help trace check");
    assert.match(help.stdout, /^Tell whether a saved trace still holds/);
  },
});

Deno.test({
  name: "an argument that Deno cannot hand on is refused",
  ignore,
  fn: async () => {
    using place = new Place();
    assert.deepEqual(await place.bash("clibs trace -- echo $'\\xff'"), {
      code: 2,
      stdout: "",
      stderr: `error: Cannot hand on an argument of the command: it is not UTF-8
hint: put the command into a script, and trace that
more: clibs explain CLIBS_USAGE_VALUE
`,
    });
    const sign = await place.bash("clibs trace -q -- echo $'\\uFFFD'");
    assert.equal(sign.stdout, "\ufffd\n");
  },
});

Deno.test({
  name: "names cannot harm the terminal, and bytes that are not UTF-8 show",
  ignore,
  fn: async () => {
    using place = new Place();
    using other = new TempDir();
    const saved = other.join("t.json");
    const { stdout } = await place.bash(
      `: > $'a\\xffb'; : > $'c\\e[31md'; : > $'e\\nf'; : > $'g\\u202eh'
       mkdir $'\\xe9'; cd $'\\xe9'; clibs trace --save ${saved} -- sh -c 'cat ../*'`,
    );
    assert.ok(stdout.includes(`${place.path}/a\\xffb\n`), stdout);
    assert.ok(stdout.includes("/c\\x1b[31md\n"), stdout);
    assert.ok(stdout.includes("/e\\nf\n"), stdout);
    assert.ok(stdout.includes("/g\\u202eh\n"), stdout);
    const held = await place.clibs("trace", "check", saved);
    assert.equal(held.code, 0, held.stdout);
    await place.bash("echo x > $'a\\xffb'");
    const broken = await place.clibs("trace", "check", saved);
    assert.match(
      broken.stdout,
      /^changed: dep a\\xffb was empty-R, is \w{16}-R\n$/,
    );
  },
});

Deno.test({
  name: "programs that are looked for in many folders take few lines",
  ignore,
  fn: async () => {
    using place = new Place();
    const { stdout } = await place.bash(
      `PATH="$PWD/1:/none/bin:$PATH"; mkdir sub; cd sub
       clibs trace -- sh -c 'for i in true false cat ls cp mv rm ln wc; do
         command -v $i; done > /dev/null; for i in 1 2 3 4 5 6 7 8; do
         test -e /none/a-name-that-is-long-$i; done; test -e here'`,
    );
    assert.equal(
      stdout.replace(/\d+ accesses.*/, "N accesses")
        .replaceAll(place.path, "PLACE"),
      `not there (23)
  here
  PLACE/1/cat, ls, cp, mv, rm, ln, wc
  /none/bin/cat, ls, cp, mv, rm, ln, wc
  /none/a-name-that-is-long-1, a-name-that-is-long-2, a-name-that-is-long-3,
    a-name-that-is-long-4, a-name-that-is-long-5, a-name-that-is-long-6,
    a-name-that-is-long-7, a-name-that-is-long-8
1 command, N accesses
`,
    );
    for (const line of stdout.split("\n")) assert.ok(line.length <= 80, line);
  },
});

Deno.test({
  name: "what a method cannot see is warned about",
  ignore,
  fn: async () => {
    using place = new Place();
    const { code } = await place.bash(
      "echo 'int main(void) { return 4; }' > m.c; cc -static -o static m.c",
    );
    if (code !== 0) return console.log("there is no static C library here");
    const line = ["trace", "--method", "ld_preload"];
    const first = await place.clibs(...line, "./static");
    assert.deepEqual({ ...first, stdout: "" }, {
      code: 4,
      stdout: "",
      stderr: "warning: not traced: static (static); " +
        "use --method ptrace\n",
    });
    const inside = await place.clibs(...line, "-q", "sh", "-c", "./static");
    assert.equal(
      inside.stderr,
      "warning: not traced: static (static); use --method ptrace\n",
    );
    if (!methods.ptrace) return;
    const { stdout, stderr } = await place.clibs("trace", "./static");
    assert.equal(stderr, "");
    assert.match(stdout, /method auto, 1 program followed with\s+ptrace\n$/);
  },
});

Deno.test({
  name: "a reader that goes away ends the listing quietly",
  ignore,
  fn: async () => {
    using place = new Place();
    const { stdout, stderr } = await place.bash(
      "clibs trace -- sh -c 'for i in $(seq 3000); do test -e n$i; done' | head -1",
    );
    assert.deepEqual([stdout, stderr], ["not there (3,000)\n", ""]);
  },
});

/** Starts a trace without a terminal; sends a signal once it is ready. */
async function signalled(
  place: Place,
  signal: Deno.Signal,
  script: string,
): Promise<CliResult> {
  const args = [...cliArgs(), "trace", "--", "bash", "-c", script];
  const child = new Deno.Command("setsid", {
    args: [
      "-w",
      "bash",
      "-c",
      'echo $$ > pid; exec "$0" "$@"',
      Deno.execPath(),
      ...args,
    ],
    cwd: place.path,
    env: { ...NEUTRAL, PATH: "/usr/bin:/bin" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const output = child.output();
  while (!place.has("ready")) await new Promise((done) => setTimeout(done, 5));
  Deno.kill(Number(place.read("pid")), signal);
  const { code, stdout, stderr } = await output;
  const decoder = new TextDecoder();
  return {
    code,
    stdout: decoder.decode(stdout),
    stderr: decoder.decode(stderr),
  };
}

Deno.test({
  name: "signals are the command's: it decides what becomes of them",
  ignore: ignore || !has("setsid"),
  fn: async (t) => {
    const wait = "> ready; while :; do sleep 0.01; done";
    for (const signal of ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT"] as const) {
      await t.step(signal, async () => {
        using place = new Place();
        const name = signal.slice(3);
        const script = `trap 'echo got ${name}; exit 9' ${name}; ${wait}`;
        const { code, stdout, stderr } = await signalled(place, signal, script);
        assert.equal(stderr, "");
        assert.match(stdout, new RegExp(`^got ${name}\n`));
        assert.ok(stdout.includes("\ntargets (1)\n  ready\n"), stdout);
        assert.equal(code, 9);
      });
    }
    await t.step("a command that dies of it", async () => {
      using place = new Place();
      const { code } = await signalled(place, "SIGTERM", wait);
      assert.equal(code, 143);
    });
  },
});

Deno.test({
  name:
    "Ctrl-C goes to the command in the terminal, once each, and to it alone",
  ignore: ignore || !has("script"),
  fn: async () => {
    using place = new Place();
    place.write({
      "run.sh": `trap 'n=$((n+1)); echo "got $n"' INT; n=0; tty -s && echo tty
: > ready
while test $n -lt 3; do sleep 0.01; done
: > done
exit 6
`,
    });
    const words = [
      Deno.execPath(),
      ...cliArgs(),
      "trace",
      "--",
      "bash",
      "run.sh",
    ];
    const child = new Deno.Command("script", {
      // In the shell's place: some shells end with Ctrl-C's code themselves.
      args: [
        "-qec",
        `exec ${words.map((word) => `'${word}'`).join(" ")}`,
        "/dev/null",
      ],
      cwd: place.path,
      env: { ...NEUTRAL, PATH: "/usr/bin:/bin" },
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    let seen = "";
    const reading = (async () => {
      const text = child.stdout.pipeThrough(new TextDecoderStream());
      for await (const part of text) seen += part;
    })();
    const until = async (text: string) => {
      while (!seen.includes(text)) {
        await new Promise((done) => setTimeout(done, 5));
      }
    };
    const keyboard = child.stdin.getWriter();
    await until("tty");
    for (const n of [1, 2, 3]) {
      while (!place.has("ready")) await until("tty");
      await keyboard.write(new TextEncoder().encode("\x03"));
      await until(`got ${n}`);
    }
    await keyboard.close();
    const { code } = await child.status;
    await reading;
    assert.equal(code, 6, seen);
    assert.ok(seen.includes("method auto"), seen);
    assert.equal(seen.match(/got/g)?.length, 3);
  },
});

Deno.test({
  name: "xxhsum prints sums of files, links and text",
  ignore,
  fn: async () => {
    using place = new Place();
    place.write({ a: "abc", b: "abc", empty: "", "folder/x": "" });
    Deno.chmodSync(place.join("b"), 0o755);
    Deno.symlinkSync("a", place.join("link"));
    const one = await place.clibs("xxhsum", "a");
    assert.deepEqual(one, {
      code: 0,
      stdout: "78af5f94892f3950-R\n",
      stderr: "",
    });
    const { stdout, code } = await place.bash(
      "mkfifo pipe; clibs xxhsum a b empty link folder none pipe /dev/null",
    );
    assert.equal(code, 0);
    const sums = stdout.trimEnd().split("\n").map((line) => line.split(" "));
    assert.deepEqual(sums.map(([, name]) => name), [
      "a",
      "b",
      "empty",
      "link",
      "folder",
      "none",
      "pipe",
      "/dev/null",
    ]);
    const [a, b, empty, link, ...others] = sums.map(([sum]) => sum!);
    assert.equal(a, "78af5f94892f3950-R");
    assert.match(b!, /^[0-9a-f]{16}-R$/);
    assert.notEqual(a, b);
    assert.equal(empty, "empty-R");
    assert.match(link!, /^[0-9a-f]{16}-L$/);
    assert.deepEqual(others, ["none", "none", "none", "none"]);

    const text = await place.bash("printf abc | clibs xxhsum");
    assert.match(text.stdout, /^[0-9a-f]{16}\n$/);
    assert.notEqual(text.stdout.trim(), a!.slice(0, 16));
    const bytes = await Promise.all(
      ["\\xff", "\\xfe", "\\uFFFD", "\\uFEFFabc"].map((escaped) =>
        place.bash(`printf %s $'${escaped}' | clibs xxhsum`)
      ),
    );
    const distinct = new Set([text, ...bytes].map(({ stdout }) => stdout));
    assert.equal(distinct.size, 5);

    const json = await place.clibs("xxhsum", "--json", "a");
    assert.deepEqual(JSON.parse(json.stdout), {
      version: 1,
      sums: [{ file: "a", sum: a }],
    });
  },
});

Deno.test({
  name: "xxhsum says which files it may not read, and sums the others",
  ignore,
  fn: async () => {
    using place = new Place();
    place.write({ a: "abc", secret: "" });
    Deno.chmodSync(place.join("secret"), 0);
    const { code, stdout, stderr } = await clibs(["xxhsum", "secret", "a"], {
      cwd: place.path,
      prefix: plainUserPrefix(),
    });
    assert.equal(code, 1);
    assert.equal(stdout, "78af5f94892f3950-R a\n");
    assert.match(stderr, /^error: System call failed: Permission denied/);
  },
});

Deno.test("a command that does not trace loads nothing of the tracer", async () => {
  const loaded = await loadedBy("cli/run.ts");
  assert.ok(loaded.length > 20, `${loaded.length}`);
  const tracers = loaded.map((name) => name.replace(/^lib\//, ""))
    .filter((name) => /^trace\/|toolchain\/native|xxh3/.test(name));
  assert.deepEqual(tracers, ["trace/api.ts"]);
});
