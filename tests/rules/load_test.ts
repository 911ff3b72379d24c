import assert from "node:assert/strict";
import { loadDefinition } from "../../lib/rules/load/load.ts";
import { initialLmakefile } from "../../lib/rules/load/init.ts";
import { load, loadFailure, repo } from "./load_support.ts";

Deno.test("rules come in order, with places relative to the root", async () => {
  const { definition, environUsed } = await load({
    "Lmakefile.ts": `import { rule, lmake } from "@clibs/cli/lmake";
import "./sub/more.ts";
rule({ name: "A", target: "a", cmd: "" });
lmake.config = { pathMax: 50 };
`,
    "sub/more.ts": `import { rule } from "@clibs/cli/lmake";

rule({ name: "B", target: "b", cmd: "" });
`,
  });
  assert.deepEqual(
    definition.rules.map(({ name, place }) => [name, place]),
    [["B", "sub/more.ts:3"], ["A", "Lmakefile.ts:3"]],
  );
  assert.equal(definition.config.pathMax, 50);
  assert.deepEqual(environUsed, {});
});

Deno.test("the environment is clean, and what is asked for is told", async () => {
  const environ = {
    ...Deno.env.toObject(),
    CC: "gcc",
    SECRET: "s",
    LD_PRELOAD: "",
  };
  const { definition, environUsed } = await load(
    `
const seen = [Deno.env.get("SECRET"), lmake.userEnviron.CC, lmake.userEnviron.NOPE];
rule({ name: "A", target: "a", cmd: JSON.stringify(seen) });
rule({ name: "B", target: "b", cmd: lmake.repoRoot + " " + all.repoRoot + " " + Deno.cwd() });
rule({ name: "T", target: "t", cmd: lmake.topRepoRoot + " " + all.topRepoRoot });
`,
    { environ, topRoot: "/top" },
  );
  const [a, b, t] = definition.rules.map(({ cmd }) => cmd!.text);
  assert.equal(a, '[null,"gcc",null]');
  const [one, two, three] = b!.split(" ");
  assert.ok(one !== "" && one === two && two === three, b);
  assert.equal(t, "/top /top");
  assert.deepEqual(environUsed, { CC: "gcc", NOPE: null });
});

Deno.test("what the file prints goes to the caller, by line", async () => {
  const lines: string[] = [];
  const { definition } = await load(
    `
console.log("one");
console.error("two");
await new Deno.Command("echo", { args: ["three"] }).spawn().status;
await new Deno.Command("cat", { stdout: "inherit" }).spawn().status;
rule({ name: "A", target: "a", cmd: "" });
`,
    { onOutput: (line) => lines.push(line) },
  );
  assert.deepEqual(lines, ["one", "two", "three"]);
  assert.equal(definition.rules.length, 1);
});

/** Files, and what reading them ends with. */
const failures: [string, string | Record<string, string>, string][] = [
  [
    "no file",
    {},
    "CLIBS_LMAKE_MISSING Cannot read Lmakefile.ts: there is none at the root of the repo\n" +
    "  root ROOT\nhint: run `clibs make --init` to write a first one",
  ],
  [
    "a throw",
    'function f() { throw new TypeError("x is wrong.\\nAnd y"); }\n\nf();',
    "CLIBS_LMAKE_THROWN Cannot read Lmakefile.ts: TypeError: x is wrong\n" +
    "  more And y\n  at Lmakefile.ts:3:22",
  ],
  [
    "a throw of no error",
    "throw 3;",
    "CLIBS_LMAKE_THROWN Cannot read Lmakefile.ts: 3",
  ],
  [
    "a plain error in a module",
    {
      "Lmakefile.ts": 'import "./a.ts";',
      "a.ts": '\nthrow new Error("no");',
    },
    "CLIBS_LMAKE_THROWN Cannot read Lmakefile.ts: no\n  at a.ts:2:7",
  ],
  [
    "a rejection that nobody handles",
    'Promise.reject(new Error("late"));\nawait new Promise((done) => setTimeout(done, 5000));',
    "CLIBS_LMAKE_THROWN Cannot read Lmakefile.ts: late\n  at Lmakefile.ts:3:16",
  ],
  [
    "an error in a callback",
    'setTimeout(() => {\n  throw new Error("late");\n});\nawait new Promise((done) => setTimeout(done, 5000));',
    "CLIBS_LMAKE_THROWN Cannot read Lmakefile.ts: late\n  at Lmakefile.ts:4:9",
  ],
  [
    "a syntax error",
    "const x = ;",
    "CLIBS_LMAKE_SYNTAX Cannot read Lmakefile.ts: Expression expected\n" +
    "  code const x = ;\n  at Lmakefile.ts:3:11",
  ],
  [
    "a name that is not exported",
    { "Lmakefile.ts": 'import { rul } from "@clibs/cli/lmake"; rul();' },
    "CLIBS_LMAKE_SYNTAX Cannot read Lmakefile.ts: The requested module '@clibs/cli/lmake' does not provide an export named 'rul'\n" +
    "  at Lmakefile.ts:1:10",
  ],
  [
    "a module that is not there",
    { "Lmakefile.ts": '\nimport "./nope.ts";' },
    "CLIBS_LMAKE_IMPORT Cannot read Lmakefile.ts: there is no module ROOT/nope.ts\n" +
    "  at Lmakefile.ts:2:8\n" +
    "hint: correct the name in the import; modules of npm and JSR are named in the imports of deno.json",
  ],
  [
    "a bare name that nobody knows",
    { "Lmakefile.ts": 'import "nope";' },
    "CLIBS_LMAKE_IMPORT Cannot read Lmakefile.ts: there is no module nope\n" +
    "  at Lmakefile.ts:1:8\n" +
    "hint: correct the name in the import; modules of npm and JSR are named in the imports of deno.json",
  ],
  [
    "Deno.exit()",
    "\nDeno.exit(4);",
    "CLIBS_LMAKE_EXIT Cannot read Lmakefile.ts: it called exit(4)\n" +
    "  at Lmakefile.ts:4:6\n" +
    "hint: throw an error to give up, or leave rules out to go on",
  ],
  [
    "process.exit() within try",
    {
      "Lmakefile.ts":
        'import process from "node:process";\ntry { process.exit(); } catch {}',
    },
    "CLIBS_LMAKE_EXIT Cannot read Lmakefile.ts: it called exit(0)\n" +
    "  at Lmakefile.ts:2:15\n" +
    "hint: throw an error to give up, or leave rules out to go on",
  ],
  [
    "a wait for nothing",
    "await new Promise(() => {});",
    "CLIBS_LMAKE_THROWN Cannot read Lmakefile.ts: it waits for something that never happens\n" +
    "hint: look at its top-level `await`",
  ],
  [
    "a rule",
    'rule({ name: "A", targets: { A: ["a", "optinal"] }, cmd: "" });',
    "CLIBS_LMAKE_RULE Cannot define the rule A: targets.A has the unknown flag optinal\n" +
    "  at Lmakefile.ts:3\nhint: did you mean optional?",
  ],
  [
    "a setting",
    "\nlmake.config = { pathMx: 1 };",
    "CLIBS_LMAKE_CONFIG Cannot use lmake.config: it has the unknown setting pathMx\n" +
    "  at Lmakefile.ts:4\nhint: did you mean pathMax?",
  ],
  [
    "a setting of a table",
    "lmake.config.console.dat = true;",
    "CLIBS_LMAKE_CONFIG Cannot use lmake.config: console has the unknown setting dat\n" +
    "hint: did you mean date?",
  ],
  [
    "another version",
    'lmake.checkVersion("99");',
    "CLIBS_LMAKE_VERSION Cannot read Lmakefile.ts: it expects version 99.0 of clibs, and this is 0.1.0\n" +
    "hint: install clibs 99, or adapt Lmakefile.ts and its checkVersion()",
  ],
  [
    "a deno.json that is none",
    { "Lmakefile.ts": "", "deno.json": "{" },
    "CLIBS_LMAKE_IMPORT_MAP Cannot read the imports of ROOT/deno.json: " +
    "Expected property name or '}' in JSON at position 1 (line 1 column 2)\n" +
    "hint: Deno would not read it either; repair it",
  ],
];

Deno.test("reading fails with cause, line and hint", async (t) => {
  for (const [name, files, expected] of failures) {
    await t.step(name, async () => {
      assert.equal(await loadFailure(files), expected);
    });
  }
});

Deno.test("an endless loop is stopped", async () => {
  const started = performance.now();
  assert.equal(
    await loadFailure("while (true);", { timeoutMs: 700 }),
    "CLIBS_LMAKE_TIMEOUT Cannot read Lmakefile.ts: it took more than 0.7 s\n" +
      "hint: look for a loop without end; slow work belongs in a rule, whose result is kept",
  );
  assert.ok(performance.now() - started < 5000);
});

Deno.test("a process that is killed is told with its last words", async () => {
  assert.equal(
    await loadFailure(
      'console.log("bye"); Deno.kill(Deno.pid, "SIGKILL"); while (true);',
    ),
    "CLIBS_LMAKE_PROCESS Cannot read Lmakefile.ts: its process ended with code 137\n" +
      "  output bye\nhint: run `deno run -A Lmakefile.ts` to see it alone",
  );
});

Deno.test("an interrupt ends the process", async () => {
  const controller = new AbortController();
  using dir = repo('console.log("here"); while (true);');
  await assert.rejects(
    loadDefinition({
      root: dir.path,
      signal: controller.signal,
      onOutput: () => controller.abort(),
    }),
    { code: "CLIBS_CANCELLED" },
  );
  await assert.rejects(
    loadDefinition({ root: dir.path, signal: controller.signal }),
    { code: "CLIBS_CANCELLED" },
  );
});

Deno.test("a program left running does not hold the reading up", async () => {
  const started = performance.now();
  await load('new Deno.Command("sleep", { args: ["30"] }).spawn().unref();');
  assert.ok(performance.now() - started < 10_000);
});

Deno.test("a wrapper gets command and environment", async () => {
  using dir = repo(
    'rule({ name: "A", target: "a", cmd: Deno.env.get("MARK") ?? "" });',
  );
  const { definition } = await loadDefinition({
    root: dir.path,
    wrap: (argv, env) => ({
      argv: ["/usr/bin/env", "-u", "HOME", ...argv],
      env: { ...env, MARK: "m" },
    }),
  });
  assert.equal(definition.rules[0]!.cmd!.text, "m");
});

Deno.test("another file and another way to run modules", async () => {
  using dir = repo({
    "rules.js":
      'import { rule } from "@clibs/cli/lmake";\nrule({ name: "A", target: "a", cmd: "" });',
  });
  const seen: string[] = [];
  const { definition } = await loadDefinition({
    root: dir.path,
    file: "rules.js",
    runner: (module, { importMap }) => {
      seen.push(module);
      return [
        Deno.execPath(),
        "run",
        "-A",
        "--no-config",
        `--import-map=data:application/json,${
          encodeURIComponent(JSON.stringify(importMap))
        }`,
        module,
      ];
    },
  });
  assert.match(seen[0]!, /load\/child\.ts$/);
  assert.equal(definition.rules[0]!.place, "rules.js:2");
});

Deno.test("imports of deno.json hold, and its lock file stays as it is", async () => {
  using dir = repo({
    "deno.jsonc": `{
  // a comment, and a comma at the end
  "imports": { "#lib/": "./lib/", "@clibs/cli/lmake": "./nope.ts", },
}`,
    "deno.lock": '{ "version": "5" }',
    "lib/x.ts": 'export const x = "// no comment,}";',
    "Lmakefile.ts": 'import { rule } from "@clibs/cli/lmake";\n' +
      'import { x } from "#lib/x.ts";\nrule({ name: x, target: "a", cmd: "" });',
  });
  const { definition, lookedAt } = await loadDefinition({ root: dir.path });
  assert.equal(definition.rules[0]!.name, "// no comment,}");
  assert.deepEqual(
    lookedAt,
    ["deno.json", "deno.jsonc", "deno.lock"].map((name) => dir.join(name)),
  );
  assert.equal(dir.read("deno.lock"), '{ "version": "5" }');
});

Deno.test("an import map in a file of its own, and names with blanks", async () => {
  using dir = repo({
    "deno.json": '{ "importMap": "./maps/map.json" }',
    "maps/map.json": '{ "imports": { "y": "../a b#ü.ts" } }'.replace(
      "a b#ü",
      "a%20b%23%C3%BC",
    ),
    "a b#ü.ts": 'export default "y";',
    "sub dir%/Lmakefile.ts": 'import { rule } from "@clibs/cli/lmake";\n' +
      'import y from "y";\nrule({ name: y, target: "a", cmd: "" });',
  });
  const { definition } = await loadDefinition({ root: dir.join("sub dir%") });
  assert.equal(definition.rules[0]!.name, "y");
});

const dynamicRules = `
import fs, { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
const { readTextFileSync } = Deno;
rule({
  name: "A",
  targets: { O: "{F:.*}.o", P: "p/{F}/{N*:\\\\d+}" },
  deps: async (j) => ({
    SRC: await Deno.readTextFile(j.F + ".src"),
    D: await readFile("d.txt", "utf8") + readTextFileSync("e.txt"),
    B: [readFileSync("b.txt", "utf8"), "critical"],
    C: fs.existsSync("/nowhere/c") ? "c" : j.P("7"),
  }),
  timeout: (j) => j.F.length,
  environ: (j) => ({ V: lmake.userEnviron.VAR ?? "unset", S: j.SRC }),
  cmd: "cat {SRC}",
});
rule({ name: "Bad", target: "bad", timeout: () => "x", shell: () => { throw new Error("no shell"); },
  autodep: () => Deno.exit(1), cmd: "" });
`;

Deno.test("attributes that are functions are evaluated in the process", async () => {
  using dir = repo(dynamicRules.replace("\nimport", "import"));
  dir.write({ "foo.src": "main.c", "b.txt": "b", "d.txt": "d", "e.txt": "e" });
  const { definition, evaluator } = await loadDefinition({
    root: dir.path,
    environ: { ...Deno.env.toObject(), VAR: "v" },
  });
  try {
    const [a] = definition.rules;
    assert.equal(a!.deps, "dynamic");
    assert.deepEqual(a!.dynamic, ["deps", "environ", "timeout"]);
    // Asked at once, answered one by one.
    const [deps, timeout, environ, again] = await Promise.all([
      evaluator.evaluate("A", "deps", { F: "foo", O: "foo.o" }),
      evaluator.evaluate("A", "timeout", { F: "foo", O: "foo.o" }),
      evaluator.evaluate("A", "environ", { F: "foo", SRC: "main.c" }),
      evaluator.evaluate("A", "environ", { F: "x", SRC: "y" }),
    ]);
    assert.deepEqual(deps, {
      value: [
        { key: "SRC", pattern: "main.c", flags: ["essential", "required"] },
        { key: "D", pattern: "de", flags: ["essential", "required"] },
        {
          key: "B",
          pattern: "b",
          flags: ["critical", "essential", "required"],
        },
        { key: "C", pattern: "p/foo/7", flags: ["essential", "required"] },
      ],
      files: [
        dir.join("foo.src"),
        dir.join("d.txt"),
        dir.join("e.txt"),
        dir.join("b.txt"),
        "/nowhere/c",
      ],
      environ: {},
    });
    assert.deepEqual(timeout, { value: 3, files: [], environ: {} });
    assert.deepEqual(environ, {
      value: { V: "v", S: "main.c" },
      files: [],
      environ: { VAR: "v" },
    });
    assert.deepEqual(again.environ, {});
    await assert.rejects(evaluator.evaluate("Bad", "timeout", {}), {
      code: "CLIBS_LMAKE_DYNAMIC",
      message:
        'Cannot use timeout of the rule Bad: what the function returned must be a number of at least 0, not "x"',
    });
    await assert.rejects(evaluator.evaluate("Bad", "shell", {}), (error) => {
      assert.deepEqual((error as { toJSON(): unknown }).toJSON(), {
        code: "CLIBS_LMAKE_THROWN",
        message: "Cannot find shell of the rule Bad: no shell",
        facts: { at: "Lmakefile.ts:19:77" },
      });
      return true;
    });
    // The process goes on after such errors, until it ends itself.
    assert.equal(
      (await evaluator.evaluate("A", "timeout", { F: "xx" })).value,
      2,
    );
    await assert.rejects(evaluator.evaluate("Bad", "autodep", {}), {
      code: "CLIBS_LMAKE_EXIT",
      message: "Cannot find autodep of the rule Bad: it called exit(1)",
    });
    await assert.rejects(evaluator.evaluate("A", "timeout", { F: "xx" }), {
      code: "CLIBS_LMAKE_PROCESS",
    });
  } finally {
    await evaluator.close();
  }
  await assert.rejects(evaluator.evaluate("A", "timeout", { F: "xx" }), {
    code: "CLIBS_LMAKE_PROCESS",
    message:
      "Cannot find timeout of the rule A: the process that read Lmakefile.ts has ended",
  });
});

Deno.test("an attribute that never comes is given up", async () => {
  using dir = repo(
    'rule({ name: "A", target: "a", timeout: () => { while (true); }, cmd: "" });',
  );
  const { evaluator } = await loadDefinition({
    root: dir.path,
    timeoutMs: 1000,
  });
  await assert.rejects(evaluator.evaluate("A", "timeout", {}), {
    code: "CLIBS_LMAKE_TIMEOUT",
    message: "Cannot find timeout of the rule A: it took more than 1 s",
  });
  await evaluator.close();
});

Deno.test("places are found in folders with strange names", async () => {
  using dir = repo({
    "a(b) c%20/Lmakefile.ts": 'import { rule } from "@clibs/cli/lmake";\n\n' +
      'rule({ name: "A", target: "a", cmd: "" });\nrule({ name: "A" } as never);',
  });
  await assert.rejects(
    loadDefinition({ root: dir.join("a(b) c%20") }),
    (error) => {
      assert.deepEqual((error as { facts: unknown }).facts, {
        at: "Lmakefile.ts:4",
      });
      return true;
    },
  );
});

Deno.test("very long definitions come through", async () => {
  const { definition } = await load(
    'for (let i = 0; i < 500; i++) rule({ name: "R" + i, target: "t" + i, cmd: "# " + "ü".repeat(1000) });',
  );
  assert.equal(definition.rules.length, 500);
  assert.equal(definition.rules[499]!.cmd!.text, `# ${"ü".repeat(1000)}`);
});

Deno.test("the first Lmakefile.ts can be read", async () => {
  const { definition } = await load(initialLmakefile());
  assert.deepEqual(
    definition.rules.map(({ name }) => name),
    ["Compile", "Link", "DirRule"],
  );
});
