import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";
import * as define from "../../lib/rules/define/mod.ts";
import { compilePattern } from "../../lib/rules/pattern.ts";
import { asExpression } from "../../lib/rules/job/evaluate.ts";
import { jobImportMap, toStarTarget } from "../../lib/rules/job/command.ts";
import { Session } from "./job_support.ts";

Deno.test("a function gets its values, vars and the job module by name", async () => {
  await using session = await Session.open();
  const result = await session.runFunction(
    `(j) => {
      console.log(Object.keys(j).sort().join());
      console.log(j.F, j.OBJ, j.SRC, j.cpu, JSON.stringify(j.vars));
      console.log(j.PART("a1"), j.PART({ N: "b2" }), j.TWO("x", 3));
      console.error("to stderr");
      console.log(Object.keys(j.lmake).sort().join(" "));
    }`,
    {
      vars: { flags: ["-O2"], deep: { x: null } },
      values: {
        stems: { F: "f" },
        targets: {
          OBJ: "f.o",
          PART: { star: ["p/", { stem: "N", regexp: "\\w+" }, ".txt"] },
          TWO: {
            star: [
              { stem: "A", regexp: ".*" },
              "-",
              { stem: "*0", regexp: "\\d" },
              "-",
              { stem: "A", regexp: ".*" },
            ],
          },
        },
        deps: { SRC: "f.c" },
        resources: { cpu: 2 },
      },
    },
  );
  assert.deepEqual(result, {
    code: 0,
    stdout: `F,OBJ,PART,SRC,TWO,cpu,lmake,vars
f f.o f.c 2 {"flags":["-O2"],"deep":{"x":null}}
p/a1.txt p/b2.txt x-3-x
Autodep checkDeps cpTargetTree decode depend encode getAutodep listDeps listRoot listTargets mvTargetTree reportImport rmTargetTree runCc setAutodep target xxhsum xxhsumFile
`,
    stderr: "to stderr\n",
  });
});

Deno.test("a pattern becomes a function of its star stems", async () => {
  await using session = await Session.open();
  const pattern = compilePattern("{D}/{N*:[a-z\\@]+}.{:x|y}/{*:\\d+}{N*}", {
    D: "\\w+",
  });
  assert.throws(() => toStarTarget(pattern, {}), /stem D has no value/);
  const star = toStarTarget(pattern, { D: "dir", ":0": "x" });
  const name = pattern.bind({ D: "dir", ":0": "x" }).expand(["a@b", "7"]);
  const { stdout } = await session.runFunction(
    `(j) => console.log(j.OUT("a@b", 7))`,
    { values: { stems: {}, targets: { OUT: star }, deps: {}, resources: {} } },
  );
  assert.deepEqual([stdout, name], ["dir/a@b.x/7a@b\n", "dir/a@b.x/7a@b"]);
});

Deno.test("star targets refuse what does not name one", async () => {
  await using session = await Session.open();
  const targets = {
    OUT: { star: ["o/", { stem: "N", regexp: "\\w+" }] },
  };
  for (
    const [call, message] of [
      [`j.OUT("a b")`, `"a b" does not match \\w+`],
      [`j.OUT()`, "it has 1 star stem, not 0"],
      [`j.OUT("a", "b")`, "it has 1 star stem, not 2"],
      [`j.OUT({ M: "a" })`, "it has 1 star stem, not 0"],
    ]
  ) {
    const { code, stderr } = await session.runFunction(`(j) => ${call}`, {
      values: { stems: {}, targets, deps: {}, resources: {} },
    });
    assert.deepEqual([code, stderr], [
      1,
      `TypeError: Cannot name target OUT: ${message}\n    at cmd of Test, line 1\n`,
    ]);
  }
});

const forms = [
  `async (j) => { console.log("ran") }`,
  `(j) => { if (j) { console.log("ran") } }`,
  `j => console.log("ran")`,
  `async j => console.log("ran")`,
  `async => console.log("ran")`,
  `async /* here */ (j) => { console.log("ran") }`,
  `function (j) { console.log("ran") }`,
  `async function named(j) { console.log("ran") }`,
  `async cmd(j) { console.log("ran") }`,
  `cmd(j) { console.log("ran") }`,
  `"a name"(j) { console.log("ran") }`,
  `["computed"](j) { console.log("ran") }`,
  `cmd(j) { console.log("ran") } // and a comment`,
];

Deno.test("functions in all their forms are run", async (t) => {
  await using session = await Session.open();
  for (const form of forms) {
    await t.step(form, async () => {
      assert.deepEqual(await session.runFunction(form), {
        code: 0,
        stdout: "ran\n",
        stderr: "",
      });
    });
  }
  assert.equal(asExpression("j => 1"), "(j => 1\n)");
});

Deno.test("both ways to import the job module lead to the same functions", async () => {
  await using session = await Session.open();
  session.dir.write({
    "helper.ts":
      `import { depend } from "@clibs/cli/lmake"; export const same: unknown = depend;`,
  });
  const helper = pathToFileURL(session.dir.join("helper.ts")).href;
  const result = await session.runFunction(
    `async (j) => {
      const module = await import("@clibs/cli/lmake");
      for (const [name, value] of Object.entries(j.lmake)) {
        if (module[name] !== value) throw new Error(name);
      }
      console.log(depend === j.lmake.depend, same === depend, lmake === j.lmake);
      await target("t");
    }`,
    {
      imports: [
        `import {
           depend,
           lmake, rule, target } from "@clibs/cli/lmake"`,
        `import { same } from "${helper}";`,
      ],
    },
  );
  assert.deepEqual(result, { code: 0, stdout: "true true true\n", stderr: "" });
  assert.equal(session.services.calls[0]?.[0], "target");
});

Deno.test("an import map may name more", () => {
  const { imports } = JSON.parse(jobImportMap({ "x": "file:///x.ts" }));
  assert.deepEqual(Object.keys(imports), ["x", "@clibs/cli/lmake"]);
  assert.match(imports["@clibs/cli/lmake"], /^file:.*lmake_entry\.ts$/);
});

Deno.test("an error is told with the user's own frames", async () => {
  await using session = await Session.open();
  session.dir.write({
    "lib/helper.ts": `export function check(x: number): never {
  throw new RangeError("too many: " + x);
}
`,
  });
  const helper = pathToFileURL(session.dir.join("lib/helper.ts")).href;
  const result = await session.runFunction(
    `async cmd(j) {
  const inner = () => check(3);
  await Promise.resolve();
  inner();
}`,
    { imports: [`import { check } from "${helper}"`], rule: "Count" },
  );
  assert.deepEqual(result, {
    code: 1,
    stdout: "",
    stderr: `RangeError: too many: 3
    at check (lib/helper.ts:2:9)
    at inner (cmd of Count, line 2)
    at cmd (cmd of Count, line 4)
`,
  });
});

const failures: [what: string, text: string, stderr: string][] = [
  [
    "an error with several lines",
    `() => { throw new Error("one\\ntwo") }`,
    "Error: one\ntwo\n    at cmd of Test, line 1\n",
  ],
  ["a string", `() => { throw "text" }`, "Error: text\n"],
  ["an object", `() => { throw { a: 1 } }`, "Error: { a: 1 }\n"],
  ["undefined", `() => { throw undefined }`, "Error: undefined\n"],
  [
    "no message",
    `() => { throw new Error() }`,
    "Error\n    at cmd of Test, line 1\n",
  ],
  [
    "a cause",
    `() => { throw new Error("a", { cause: new TypeError("b") }) }`,
    "Error: a\n    at cmd of Test, line 1\nCaused by: TypeError: b\n    at cmd of Test, line 1\n",
  ],
  [
    "a rejection that nobody awaits",
    `() => { Promise.reject(new Error("lost")) }`,
    "Error: lost\n    at cmd of Test, line 1\n",
  ],
  [
    "an error in a timer",
    `() => { setTimeout(() => { throw new Error("late") }, 1) }`,
    "Error: late\n    at cmd of Test, line 1\n",
  ],
  [
    "a missing file",
    `(j) => {\n Deno.readTextFileSync("none") }`,
    "NotFound: No such file or directory (os error 2): readfile 'none'\n    at cmd of Test, line 2\n",
  ],
  [
    "what the runner refuses",
    `async (j) => {\n  await j.lmake.depend("a", { reed: true });\n}`,
    'Error: Cannot call depend: there is no option "reed" (nearest: read)\n    at cmd of Test, line 2\n',
  ],
  [
    "what the runner refuses, not awaited",
    `(j) => { j.lmake.depend("") }`,
    "Error: Cannot call depend: the name of a file is empty\n",
  ],
  [
    "an error with a hint",
    `async (j) => { await j.lmake.decode("t", "c", "x") }`,
    "Error: Cannot decode x: table t has no such code\n    at cmd of Test, line 1\nhint: see what codes there are\n",
  ],
  [
    "a command",
    `async (j) => { await j.lmake.runCc("sh", "-c", "echo its own >&2; exit 3") }`,
    "its own\nError: sh failed with exit code 3\n",
  ],
];

Deno.test("failures are told once, without our own frames", async (t) => {
  await using session = await Session.open();
  for (const [what, text, stderr] of failures) {
    await t.step(what, async () => {
      assert.deepEqual(await session.runFunction(text), {
        code: 1,
        stdout: "",
        stderr,
      });
    });
  }
});

Deno.test("a module that cannot be imported is named", async () => {
  await using session = await Session.open();
  const { code, stderr } = await session.runFunction(`() => {}`, {
    imports: [`import "file:///no/such/module.ts"`],
  });
  assert.equal(code, 1);
  assert.match(
    stderr,
    /^TypeError: Module not found "file:\/\/\/no\/such\/module\.ts"/,
  );
  assert.doesNotMatch(stderr, /lib\/rules/);
});

Deno.test("the function says how the process ends", async () => {
  await using session = await Session.open();
  const exits = await session.runFunction(`() => Deno.exit(7)`);
  assert.equal(exits.code, 7);
  const code = await session.runFunction(`() => { Deno.exitCode = 5 }`);
  assert.equal(code.code, 5);
  // What is left to do is done, calls that nobody awaits included.
  const late = await session.runFunction(`(j) => {
    j.lmake.depend("a");
    setTimeout(() => { console.log("late"); j.lmake.depend("b") }, 5);
  }`);
  assert.deepEqual(late, { code: 0, stdout: "late\n", stderr: "" });
  assert.deepEqual(session.services.calls.map(([, , files]) => files), [
    ["a"],
    ["b"],
  ]);
});

Deno.test("without a runner, the function runs until it asks for something", async () => {
  await using session = await Session.open();
  const env = { CLIBS_JOB_SOCKET: "" };
  const fine = await session.runFunction(`() => console.log("ran")`, {}, env);
  assert.deepEqual(fine, { code: 0, stdout: "ran\n", stderr: "" });
  const { code, stderr } = await session.runFunction(
    `async (j) => { await j.lmake.listDeps() }`,
    {},
    env,
  );
  assert.deepEqual([code, stderr], [
    1,
    `Error: Cannot call listDeps: it only works inside cmd, while a job runs
    at cmd of Test, line 1
hint: call it in the function that is the cmd of a rule
`,
  ]);
  const gone = await session.runFunction(
    `async (j) => { await j.lmake.listDeps() }`,
    {},
    { CLIBS_JOB_SOCKET: session.folder.join("gone") },
  );
  assert.match(gone.stderr, /^Error: Cannot ask the runner: /);
});

Deno.test("rules that a module defines go nowhere in a job", async () => {
  await using session = await Session.open();
  session.dir.write({
    "rules.ts": `import * as all from "@clibs/cli/lmake";
import { dirRule, lmake, rule, version } from "@clibs/cli/lmake";
dirRule();
const { name } = rule({ name: "R", target: "x", cmd: "" });
const settings = lmake as any;
settings.config = { pathMax: 100 };
settings.config.backends.local.cpu = 8;
all.checkVersion(version[0], version[1]);
export const answer = [name, all.repoRoot, all.topRepoRoot, typeof lmake.depend];
export const names = Object.keys(all);
`,
  });
  const url = pathToFileURL(session.dir.join("rules.ts")).href;
  const result = await session.runFunction(
    `() => console.log(JSON.stringify([answer, names]))`,
    { imports: [`import { answer, names } from "${url}"`], topRoot: "/top" },
  );
  assert.deepEqual([result.code, result.stderr], [0, ""]);
  const [answer, names] = JSON.parse(result.stdout);
  assert.deepEqual(answer, ["R", session.dir.path, "/top", "function"]);
  // Whatever a module may import, it finds.
  const missing = Object.keys(define).filter((name) => !names.includes(name));
  assert.deepEqual(missing, []);
});

Deno.test("constants are the same in a job, but for the environment", async () => {
  await using session = await Session.open();
  const result = await session.runFunction(`async () => {
    const { autodeps, backends, version, userEnviron } = await import("@clibs/cli/lmake");
    console.log(JSON.stringify({ autodeps, backends, version }));
    userEnviron.CC;
  }`);
  const { autodeps, backends, version } = define;
  assert.deepEqual(JSON.parse(result.stdout), { autodeps, backends, version });
  assert.equal(
    result.stderr,
    `Error: Cannot read userEnviron.CC: it is known only while Lmakefile.ts is read
    at cmd of Test, line 4
hint: pass its value to the function through the \`vars\` of the rule
`,
  );
});
