import assert from "node:assert/strict";
import {
  aliasRule,
  antiRule,
  dirRule,
  homelessRule,
  lmake,
  pdict,
  rule,
  sourceRule,
  traceRule,
  version,
} from "../../lib/rules/define/mod.ts";
import { readConfig } from "../../lib/rules/define/config.ts";
import { evaluate } from "../../lib/rules/define/evaluate.ts";
import { METHODS } from "../../lib/trace/methods.ts";
import { version as clibsVersion } from "../../lib/version.ts";
import { defined, failureOf } from "./define_support.ts";

// What the types refuse is what many of these tests are about.
type Loose = (input: unknown) => void;
const loose = rule as unknown as Loose;

Deno.test("rule() makes plain data", () => {
  const { rules } = defined(() => {
    rule({
      name: "Cc",
      jobName: "compile {F}",
      prio: 2,
      stems: { F: /\w+/s, M: "a|b" },
      targets: {
        OBJ: "{F}-{M}.o",
        LOG: ["{F}-{M}.log", "optional", "incremental", "-incremental"],
        PART: "parts/{F}/{M}/{N*:\\d+}",
      },
      sideTargets: { J: ["junk{*:.*}", "ignore", "readdirOk"] },
      deps: { SRC: "{F}.c", P: ["{PART('1')}", "critical", "-essential"] },
      dep: ["{F}.in", "ignoreError"],
      sideDeps: { X: ["/usr/{*:.*}", "ignore"] },
      resources: { cpu: 2, mem: "{F}G" },
      environ: { A: "{F}{SRC}", B: "$TMPDIR" },
      shell: "/bin/sh",
      killSigs: [15, 0],
      timeout: 1.5,
      stderrOk: true,
      cmd: "gcc -j{cpu} {SRC} -o {OBJ} {PART('2')} <{dep} ${{HOME}}",
    });
  });
  const [spec] = rules;
  assert.match(spec!.place, /^define_test\.ts:\d+$/);
  assert.deepEqual(spec, {
    name: "Cc",
    kind: "plain",
    prio: 2,
    jobName: "compile {F}",
    stems: { F: "\\w+", M: "a|b", N: "\\d+" },
    targets: [
      { key: "OBJ", pattern: "{F}-{M}.o", star: false, flags: [] },
      { key: "LOG", pattern: "{F}-{M}.log", star: false, flags: ["optional"] },
      {
        key: "PART",
        pattern: "parts/{F}/{M}/{N*:\\d+}",
        star: true,
        flags: [],
      },
    ],
    sideTargets: [
      {
        key: "J",
        pattern: "junk{*:.*}",
        star: true,
        flags: ["ignore", "readdirOk"],
      },
    ],
    deps: [
      {
        key: "dep",
        pattern: "{F}.in",
        flags: ["essential", "ignoreError", "required"],
      },
      { key: "SRC", pattern: "{F}.c", flags: ["essential", "required"] },
      { key: "P", pattern: "{PART('1')}", flags: ["critical", "required"] },
    ],
    sideDeps: [{ key: "X", pattern: "/usr/{*:.*}", flags: ["ignore"] }],
    cmd: {
      kind: "shell",
      text: "gcc -j{cpu} {SRC} -o {OBJ} {PART('2')} <{dep} ${{HOME}}",
    },
    attributes: {
      resources: { cpu: 2, mem: "{F}G" },
      environ: { A: "{F}{SRC}", B: "$TMPDIR" },
      shell: ["/bin/sh"],
      killSigs: [15, 0],
      timeout: 1.5,
      stderrOk: true,
    },
    dynamic: [],
    place: spec!.place,
  });
  assert.deepEqual(JSON.parse(JSON.stringify(spec)), spec);
});

Deno.test("a function stays in the process, its text and vars do not", () => {
  const { rules } = defined(() => {
    rule({
      name: "F",
      target: "f",
      vars: { a: [1, { b: null }], u: undefined },
      deps: (j) => ({ X: j.target }),
      timeout: () => 3,
      prio: Infinity,
      cmd(j) {
        console.log(j.vars.a);
      },
    });
  });
  const { cmd, deps, dynamic, prio } = rules[0]!;
  assert.ok(cmd?.kind === "function");
  assert.match(cmd.text, /^cmd\s?\(j\) \{\s+console\.log\(j\.vars\.a\);\s+\}$/);
  assert.deepEqual(cmd.vars, { a: [1, { b: null }] });
  assert.equal(deps, "dynamic");
  assert.deepEqual(dynamic, ["deps", "timeout"]);
  assert.equal(prio, null);
});

Deno.test("attributes can be spread from a base", () => {
  const base = { stderrOk: true, environ: { A: "1" } };
  const { rules } = defined(() => {
    rule({ ...base, name: "A", target: "a", cmd: "" });
    rule({ ...base, name: "B", target: "b", stderrOk: false, cmd: "" });
  });
  assert.deepEqual(rules[0]!.attributes, {
    environ: { A: "1" },
    stderrOk: true,
  });
  assert.deepEqual(rules[1]!.attributes, {
    environ: { A: "1" },
    stderrOk: false,
  });
});

const ok = { name: "R", target: "r", cmd: "" };

/** What rule() is given, and how its refusal reads after the message's start. */
const refused: [unknown, string][] = [
  [
    undefined,
    "CLIBS_LMAKE_RULE Cannot define a rule: it is not given as one object with its attributes\n" +
    'hint: write rule({ name: "...", ... })',
  ],
  [
    { target: "r", cmd: "" },
    "CLIBS_LMAKE_RULE Cannot define a rule: name must be a string that is not empty, not undefined",
  ],
  [
    { ...ok, stderrOK: true },
    "CLIBS_LMAKE_RULE Cannot define the rule R: it has the unknown attribute stderrOK\n" +
    "hint: did you mean stderrOk?",
  ],
  [
    { name: "R", cmd: "" },
    "CLIBS_LMAKE_RULE Cannot define the rule R: it has no target\n" +
    'hint: give target: "NAME", or targets: { KEY: "NAME" }',
  ],
  [
    { name: "R", target: "r" },
    "CLIBS_LMAKE_RULE Cannot define the rule R: cmd is missing\n" +
    "hint: give a shell script, or a function of j; an empty string does nothing",
  ],
  [
    { ...ok, timeout: "3" },
    'CLIBS_LMAKE_RULE Cannot define the rule R: timeout must be a number of at least 0, not "3"',
  ],
  [
    { ...ok, maxSubmits: 0 },
    "CLIBS_LMAKE_RULE Cannot define the rule R: maxSubmits must be a whole number of at least 1, not 0",
  ],
  [
    { ...ok, compression: 10 },
    "CLIBS_LMAKE_RULE Cannot define the rule R: compression must be a whole number from 0 to 9, not 10",
  ],
  [
    { ...ok, stderrOk: 1 },
    "CLIBS_LMAKE_RULE Cannot define the rule R: stderrOk must be true or false, not 1",
  ],
  [
    { ...ok, stderrOk: () => true },
    "CLIBS_LMAKE_RULE Cannot define the rule R: stderrOk must be a value, not a function\n" +
    "hint: functions may be: deps dep environ environResources environAncillary resources shell timeout autodep backend",
  ],
  [
    { ...ok, environ: { A: [] } },
    "CLIBS_LMAKE_RULE Cannot define the rule R: environ.A must be a string, not an array",
  ],
  [
    { ...ok, shell: ["a", 1] },
    "CLIBS_LMAKE_RULE Cannot define the rule R: shell[1] must be a string, not 1",
  ],
  [
    { ...ok, resources: { cpu: -1 } },
    "CLIBS_LMAKE_RULE Cannot define the rule R: resources.cpu must be a number of at least 0, or a string such as 2G, not -1",
  ],
  [
    { ...ok, targets: { A: ["r", "optinal"] } },
    "CLIBS_LMAKE_RULE Cannot define the rule R: targets.A has the unknown flag optinal\n" +
    "hint: did you mean optional?",
  ],
  [
    { ...ok, deps: { A: ["r", "-critcal"] } },
    "CLIBS_LMAKE_RULE Cannot define the rule R: deps.A has the unknown flag critcal\n" +
    "hint: did you mean critical?",
  ],
  [
    { ...ok, deps: { A: ["r", "-required"] } },
    "CLIBS_LMAKE_RULE Cannot define the rule R: deps.A turns off required, which a static dep always is\n" +
    "hint: for a file that need not exist, call depend(file, { required: false }) in the job",
  ],
  [
    { ...ok, deps: { A: ["r", "ignore"] } },
    "CLIBS_LMAKE_RULE Cannot define the rule R: deps.A has the flag ignore, which does not go here\n" +
    "hint: a static dep must be there; sideDeps may have it",
  ],
  [
    { ...ok, sideTargets: { A: ["r", "phony"] } },
    "CLIBS_LMAKE_RULE Cannot define the rule R: sideTargets.A has the flag phony, which does not go here\n" +
    "hint: it is for targets, which select the rule",
  ],
  [
    { ...ok, targets: { A: ["r", 3] } },
    "CLIBS_LMAKE_RULE Cannot define the rule R: targets.A has 3 among its flags\n" +
    "hint: flags are strings after the pattern",
  ],
  [
    { ...ok, targets: { A: 3 } },
    "CLIBS_LMAKE_RULE Cannot define the rule R: targets.A must be a string, or an array of one and flags, not 3",
  ],
  [
    { ...ok, targets: { "A-B": "x" } },
    'CLIBS_LMAKE_RULE Cannot define the rule R: targets.A-B has a target with the name "A-B"\n' +
    "hint: names consist of letters, digits and _, and begin with no digit",
  ],
  [
    { ...ok, deps: { vars: "x" } },
    "CLIBS_LMAKE_RULE Cannot define the rule R: deps.vars has a dep with the name vars, which commands use for something else\n" +
    "hint: choose another name",
  ],
  [
    { ...ok, target: "{F:.*}.o", deps: { F: "x" } },
    "CLIBS_LMAKE_RULE Cannot define the rule R: deps.F has the name F for a dep and for a stem\n" +
    "hint: a command knows each of them by its name: rename one",
  ],
  [
    { ...ok, resources: { target: 1 } },
    "CLIBS_LMAKE_RULE Cannot define the rule R: resources has the name target for a resource and for a target\n" +
    "hint: a command knows each of them by its name: rename one",
  ],
  [
    { ...ok, target: "{F*:.*}" },
    "CLIBS_LMAKE_RULE Cannot define the rule R: target has star stems, and is one file that gets stdout\n" +
    'hint: use targets: { KEY: "..." } and write to the files',
  ],
  [
    { ...ok, target: "{F}.o", stems: { File: ".*" } },
    'CLIBS_LMAKE_PATTERN Cannot read the pattern "{F}.o": the stem F is not defined\n' +
    "  in the rule R\n  attribute target\n" +
    '  at define_test.ts:N\nhint: define it: {F:.*}, or stems: {F: ".*"}',
  ],
  [
    { ...ok, target: "{F}.o", stems: { F: "(" } },
    'CLIBS_LMAKE_PATTERN Cannot read the pattern "{F}.o": the regular expression of F (() is wrong: unterminated group\n' +
    "  in the rule R\n  attribute target\n  at define_test.ts:N\n" +
    "hint: stems use the regular expressions of JavaScript, with the flags s and u",
  ],
  [
    { ...ok, stems: { F: /a/i } },
    "CLIBS_LMAKE_RULE Cannot define the rule R: stems has the flag i on the regular expression of F\n" +
    "hint: flags of single stems have no effect; write (?i:...) in it",
  ],
  [
    { ...ok, stems: { F: 1 } },
    "CLIBS_LMAKE_RULE Cannot define the rule R: stems must give F a regular expression, not 1",
  ],
  [
    { name: "R", targets: { A: "{F:.*}.a", B: "b" }, cmd: "" },
    "CLIBS_LMAKE_RULE Cannot define the rule R: targets.B has no static stems, and targets.A has the static stems F\n" +
    "hint: all targets of a job are known by the same static stems; make one that varies a star stem: {N*:...}",
  ],
  [
    { name: "R", targets: { A: "{F:.*}.a", B: "{F:.+}.b" }, cmd: "" },
    "CLIBS_LMAKE_RULE Cannot define the rule R: targets.B defines the stem F as .+, and it is .* already\n" +
    "hint: define it once; write {F} here",
  ],
  [
    { name: "R", targets: { A: "{F:.*}.a", B: "{F*}.b" }, cmd: "" },
    "CLIBS_LMAKE_RULE Cannot define the rule R: targets.B has F as a star stem, and it is a static stem in targets.A\n" +
    "hint: give one of them another name",
  ],
  [
    { name: "R", targets: { A: "{:.*}.a", B: "{:.*}.b" }, cmd: "" },
    "CLIBS_LMAKE_RULE Cannot define the rule R: targets.A has a static stem without a name, which other patterns cannot share\n" +
    "hint: give it a name: {F:...}; or make it a star stem: {*:...}",
  ],
  [
    { ...ok, target: "{File:.*}", sideTargets: { S: "{Fil:.*}.s" } },
    "CLIBS_LMAKE_RULE Cannot define the rule R: sideTargets.S has the static stem Fil, which target has not\n" +
    "hint: did you mean {File}?",
  ],
  [
    { ...ok, deps: { A: "./x" } },
    'CLIBS_LMAKE_RULE Cannot define the rule R: deps.A cannot be "./x": it has the part .\n' +
    "hint: write the name as it is seen from the root of the repo",
  ],
  [
    { ...ok, deps: { A: "{SRC}" } },
    "CLIBS_LMAKE_NAME Cannot expand {SRC}: no stem, target, dep or resource has that name\n" +
    "  known target\n  in the rule R\n  attribute deps.A\n  at define_test.ts:N\n" +
    "hint: write {{ and }} for braces that are meant as such: {{SRC}}",
  ],
  [
    { ...ok, deps: { SRC: "x" }, cmd: "cat {SRCS}" },
    "CLIBS_LMAKE_NAME Cannot expand {SRCS}: no stem, target, dep or resource has that name\n" +
    "  known target SRC cpu\n  in the rule R\n  attribute cmd\n  at define_test.ts:N\n" +
    "hint: did you mean {SRC}?",
  ],
  [
    { ...ok, environ: { A: "{B}" } },
    "CLIBS_LMAKE_NAME Cannot expand {B}: no stem, target, dep or resource has that name\n" +
    "  known target cpu\n  in the rule R\n  attribute environ\n  at define_test.ts:N\n" +
    "hint: write {{ and }} for braces that are meant as such: {{B}}",
  ],
  [
    { ...ok, cmd: "awk '{print}'" },
    "CLIBS_LMAKE_NAME Cannot expand {print}: no stem, target, dep or resource has that name\n" +
    "  known target cpu\n  in the rule R\n  attribute cmd\n  at define_test.ts:N\n" +
    "hint: write {{ and }} for braces that are meant as such: {{print}}",
  ],
  [
    { ...ok, vars: { a: 1 } },
    "CLIBS_LMAKE_RULE Cannot define the rule R: it has vars, which only functions get, and a string as cmd\n" +
    "hint: write the values into cmd, which may be a template literal of TypeScript",
  ],
  [
    { ...ok, cmd: 3 },
    "CLIBS_LMAKE_RULE Cannot define the rule R: cmd must be a string or a function, not 3\n" +
    "hint: give a shell script, or a function of j; an empty string does nothing",
  ],
  [
    { ...ok, cmd: Math.max },
    "CLIBS_LMAKE_RULE Cannot define the rule R: cmd is a bound or built-in function, whose text cannot be had\n" +
    "hint: write a function that makes the call: (j) => ...",
  ],
  [
    { ...ok, cmd: (() => {}).bind(null) },
    "CLIBS_LMAKE_RULE Cannot define the rule R: cmd is a bound or built-in function, whose text cannot be had\n" +
    "hint: write a function that makes the call: (j) => ...",
  ],
  [
    { ...ok, cmd: class {} },
    "CLIBS_LMAKE_RULE Cannot define the rule R: cmd is a class\n" +
    "hint: write a function: (j) => ...",
  ],
  [
    { ...ok, cmd: async function* () {} },
    "CLIBS_LMAKE_RULE Cannot define the rule R: cmd is a generator, whose body nobody would run\n" +
    "hint: write a plain or async function, without *",
  ],
  [
    { ...ok, cmd: () => {}, vars: { a: [new Map()] } },
    "CLIBS_LMAKE_RULE Cannot define the rule R: vars.a[0] must survive JSON, and a Map does not\n" +
    "hint: vars are kept with the command: use strings, numbers, booleans, null, arrays and plain objects",
  ],
  [
    { ...ok, cmd: () => {}, vars: NaN },
    "CLIBS_LMAKE_RULE Cannot define the rule R: vars must survive JSON, and NaN does not\n" +
    "hint: vars are kept with the command: use strings, numbers, booleans, null, arrays and plain objects",
  ],
  [
    { ...ok, prio: "1" },
    'CLIBS_LMAKE_RULE Cannot define the rule R: prio must be a number, not "1"',
  ],
];

Deno.test("rule() refuses what is not well formed, naming rule, attribute and line", async (t) => {
  for (const [input, expected] of refused) {
    const [head = "", ...rest] = expected.split("\n");
    const hasPlace = rest.some((line) => line.startsWith("  at "));
    const full = hasPlace
      ? expected
      : [head, "  at define_test.ts:N", ...rest].join("\n");
    await t.step(head, () => {
      assert.equal(failureOf(() => loose(input)), full);
    });
  }
});

Deno.test("vars that contain themselves are refused", () => {
  const a: Record<string, unknown> = {};
  a.b = a;
  assert.match(
    failureOf(() => loose({ ...ok, cmd: () => {}, vars: a })),
    /vars\.b contains itself/,
  );
});

Deno.test("two rules of one name are refused", () => {
  assert.equal(
    failureOf(() => {
      rule({ name: "R", target: "a", cmd: "" });
      rule({ name: "R", target: "b", cmd: "" });
    }),
    "CLIBS_LMAKE_RULE Cannot define the rule R: there is one of that name\n" +
      "  first define_test.ts:N\n  at define_test.ts:N\n" +
      "hint: give one of them another name",
  );
});

Deno.test("the place is the line of the call, in helpers of the user too", () => {
  const lines = new Error().stack!.split("\n")[1]!;
  const line = Number(/:(\d+):\d+\)?$/.exec(lines)![1]);
  const helper = (name: string) => rule({ name, target: name, cmd: "" });
  const { rules } = defined(() => {
    rule({ name: "A", target: "a", cmd: "" });
    helper("b");
  });
  assert.deepEqual(
    rules.map(({ place }) => place),
    [`define_test.ts:${line + 4}`, `define_test.ts:${line + 2}`],
  );
});

Deno.test("with a function for deps, names in cmd may come of it", () => {
  const { rules } = defined(() => {
    rule({ name: "A", target: "a", deps: () => ({ X: "x" }), cmd: "cat {X}" });
  });
  assert.equal(rules[0]!.deps, "dynamic");
  assert.match(
    failureOf(() =>
      rule({ name: "A", target: "a", deps: () => ({}), cmd: "cat { X }" })
    ),
    /\{ X \} is no name/,
  );
});

Deno.test("anti and source rules need no name, and may have many patterns", () => {
  const { rules } = defined(() => {
    antiRule({ target: "{F:.*}.anti" });
    sourceRule({ targets: { A: "src_{:.*}", B: "{D:.*}/x{N*:.}" }, prio: 3 });
    antiRule({ name: "no", stems: { X: "a" }, target: "{X}", prio: -1 });
  });
  assert.deepEqual(
    rules.map(({ name, kind, prio }) => [name, kind, prio]),
    [
      ["AntiRule {F:.*}.anti", "anti", null],
      ["SourceRule src_{:.*}", "source", 3],
      ["no", "anti", -1],
    ],
  );
  assert.match(
    failureOf(() => (antiRule as unknown as Loose)({ target: "x", cmd: "" })),
    /Cannot define the rule AntiRule x: it has the unknown attribute cmd/,
  );
  assert.match(
    failureOf(() => (sourceRule as unknown as Loose)(undefined)),
    /Cannot define the rule SourceRule: it has no target/,
  );
});

Deno.test("dirRule() makes markers, aliasRule() phony targets", () => {
  const { rules } = defined(() => {
    dirRule();
    dirRule({ name: "Other", marker: ".{d}" });
    aliasRule({ name: "all", deps: ["a", ["b", "critical"]] });
    aliasRule({ name: "one", target: "x-{F:.*}", deps: { A: "{F}" }, prio: 1 });
  });
  assert.deepEqual(
    rules.map(({ name, targets }) => [name, targets[0]!.pattern]),
    [
      ["DirRule", "{Dir:.+}/..."],
      ["Other", "{Dir:.+}/.{{d}}"],
      ["all", "all"],
      ["one", "x-{F:.*}"],
    ],
  );
  assert.deepEqual(rules[2]!.targets[0]!.flags, ["phony"]);
  assert.deepEqual(rules[2]!.deps, [
    { key: "DEP0", pattern: "a", flags: ["essential", "required"] },
    { key: "DEP1", pattern: "b", flags: ["critical", "essential", "required"] },
  ]);
  assert.match(
    failureOf(() => (dirRule as unknown as Loose)({ mark: "x" })),
    /Cannot define the rule DirRule: it has the unknown attribute mark/,
  );
});

Deno.test("homelessRule() and traceRule() add to what they are given", async () => {
  const { rules, session } = defined(() => {
    homelessRule({ name: "H", target: "h", environ: { A: "1" }, cmd: "" });
    homelessRule({
      name: "D",
      target: "d",
      environ: (j) => ({ A: j.target }),
      cmd: "",
    });
    traceRule({ name: "T", targets: { O: "t" }, cmd: "date >{O}" });
    traceRule({ name: "S", target: "s", cmd: "date" });
  });
  assert.deepEqual(rules[0]!.attributes.environ, { HOME: "$TMPDIR", A: "1" });
  assert.deepEqual(
    await evaluate(session.rules.get("D")!, "environ", { target: "d" }),
    { HOME: "$TMPDIR", A: "d" },
  );
  assert.deepEqual(rules[2]!.cmd, {
    kind: "shell",
    text: "exec 7>&1\nBASH_XTRACEFD=7\nset -x\ndate >{O}",
  });
  assert.deepEqual(rules[3]!.cmd, { kind: "shell", text: "set -x\ndate" });
  assert.equal(rules[3]!.attributes.stderrOk, true);
  assert.match(
    failureOf(() => traceRule({ name: "F", target: "f", cmd: () => {} })),
    /Cannot define the rule F: traceRule\(\) traces scripts, and cmd is a function/,
  );
});

Deno.test("evaluate() checks what functions return", async () => {
  const { session } = defined(() => {
    loose({
      name: "R",
      targets: { O: "{F:.*}.o", P: "p/{F}/{N*:\\d}" },
      deps: (j: { F: string; P: (n: string) => string; vars: string }) => ({
        A: [`{${j.F}}`, "critical"],
        B: j.P("1") + j.vars,
      }),
      dep: "{F}.in",
      vars: "v",
      timeout: () => "soon",
      environ: (j: { F: string }) => Promise.resolve({ X: j.F, N: 1 }),
      shell: () => {
        throw new RangeError("mine");
      },
      cmd: () => {},
    });
    loose({ name: "Q", target: "q", deps: () => ({ A: "a//b" }), cmd: "" });
  });
  const one = session.rules.get("R")!;
  assert.deepEqual(await evaluate(one, "deps", { F: "f", O: "f.o" }), [
    { key: "dep", pattern: "f.in", flags: ["essential", "required"] },
    { key: "A", pattern: "{f}", flags: ["critical", "essential", "required"] },
    { key: "B", pattern: "p/f/1v", flags: ["essential", "required"] },
  ]);
  assert.deepEqual(await evaluate(one, "environ", { F: "f" }), {
    X: "f",
    N: "1",
  });
  await assert.rejects(evaluate(one, "timeout", {}), {
    code: "CLIBS_LMAKE_DYNAMIC",
    message:
      'Cannot use timeout of the rule R: what the function returned must be a number of at least 0, not "soon"',
  });
  await assert.rejects(evaluate(one, "shell", {}), RangeError);
  await assert.rejects(evaluate(session.rules.get("Q")!, "deps", {}), {
    code: "CLIBS_LMAKE_DYNAMIC",
    message:
      'Cannot use deps of the rule Q: what the function returned.A cannot be "a//b": it has an empty part (//)',
  });
});

Deno.test("lmake.config is filled with defaults", () => {
  const { session } = defined(() => {
    lmake.config.backends.local.cpu = 4;
    lmake.config.console.date = false;
    lmake.config.pathMax = 99;
  });
  assert.deepEqual(readConfig(session.config), {
    backends: { local: { cpu: 4 } },
    subRepos: [],
    pathMax: 99,
    maxDepDepth: 100,
    systemDeps: "package",
    diskDatePrecision: 10,
    maxErrorLines: 100,
    console: { date: false, time: true, host: false },
    caches: {},
  });
  const set = defined(() => {
    lmake.config = { backends: { slurm: { cpu: 9 } }, sources: ["a", "b/"] };
    lmake.config.backends.local.mem = "4G";
  });
  assert.match(set.session.configPlace!.file, /define_test\.ts$/);
  const config = readConfig(set.session.config);
  assert.deepEqual(config.backends, {
    local: { mem: "4G" },
    slurm: { cpu: 9 },
  });
  assert.deepEqual(config.sources, ["a", "b/"]);
});

const badConfigs: [unknown, string][] = [
  [{ pathMx: 3 }, "has the unknown setting pathMx"],
  [{ pathMax: 0 }, ".pathMax must be a whole number of at least 1, not 0"],
  [{ backends: { pbs: {} } }, ".backends has the unknown backend pbs"],
  [
    { backends: { local: { cpu: true } } },
    ".backends.local.cpu must be a number of at least 0, or a string such as 2G, not true",
  ],
  [{ sources: "a" }, '.sources must be an array, not "a"'],
  [{ sources: [""] }, '.sources[0] must be a string that is not empty, not ""'],
  [{ sources: [], manifest: "M" }, "has both sources and manifest"],
  [
    { systemDeps: "files" },
    '.systemDeps must be one of ignore, package, file, not "files"',
  ],
  [{ console: { dat: true } }, ".console has the unknown setting dat"],
  [{ console: { date: 1 } }, ".console.date must be true or false, not 1"],
  [
    { caches: { c: {} } },
    ".caches.c.dir must be a string that is not empty, not undefined",
  ],
  [3, "must be an object, not 3"],
];

Deno.test("readConfig() refuses unknown settings and wrong types", async (t) => {
  for (const [config, expected] of badConfigs) {
    await t.step(expected, () => {
      assert.throws(() => readConfig(config), (error: Error) => {
        const { path } = error as unknown as { path?: string };
        assert.equal(
          (path ?? "") + (path ? " " : "") + error.message,
          expected,
        );
        return true;
      });
    });
  }
});

Deno.test("userEnviron notes what is asked for, set or not", () => {
  const { session } = defined(() => {
    assert.equal(lmake.userEnviron.CC, "gcc");
    assert.equal(lmake.userEnviron.NOPE, undefined);
    assert.equal("CXX" in lmake.userEnviron, true);
    assert.equal(Object.hasOwn(lmake.userEnviron, "LD"), false);
    assert.equal(lmake.userEnviron.toString, undefined);
    assert.throws(() => Object.keys(lmake.userEnviron), {
      code: "CLIBS_LMAKE_ENVIRON",
      message: "Cannot list userEnviron: all variables would become deps",
    });
    assert.throws(() => {
      (lmake.userEnviron as Record<string, string>).CC = "x";
    }, { code: "CLIBS_LMAKE_ENVIRON" });
  }, { CC: "gcc", CXX: "g++", UNREAD: "1" });
  assert.deepEqual(Object.fromEntries(session.environUsed), {
    CC: "gcc",
    NOPE: null,
    CXX: "g++",
    LD: null,
    toString: null,
  });
});

Deno.test("lmake knows methods, backends, version and roots", () => {
  assert.deepEqual(lmake.autodeps, METHODS);
  assert.deepEqual(lmake.backends, ["local", "slurm"]);
  const [major, minor] = clibsVersion.split(".");
  assert.deepEqual(version, [major, Number(minor)]);
  const { session } = defined(() => {
    assert.match(lmake.repoRoot, /tests\/rules$/);
    assert.equal(lmake.topRepoRoot, lmake.repoRoot);
  });
  assert.equal(session.rules.size, 0);
});

Deno.test("checkVersion() needs the same major and no newer minor", () => {
  const [major, minor] = version;
  lmake.checkVersion(major);
  lmake.checkVersion(major, minor);
  for (
    const [wanted, least] of [[major, minor + 1], [String(+major + 1), 0]] as [
      string,
      number,
    ][]
  ) {
    assert.throws(() => lmake.checkVersion(wanted, least), {
      code: "CLIBS_LMAKE_VERSION",
      message:
        `Cannot read Lmakefile.ts: it expects version ${wanted}.${least} of clibs, and this is ${clibsVersion}`,
    });
  }
});

Deno.test("pdict() makes tables of maps, throughout", () => {
  const date = new Date();
  const table = pdict(
    new Map<string, unknown>([["a", [new Map([["b", { c: date }]])]]]),
  );
  assert.deepEqual(table, { a: [{ b: { c: date } }] });
  const source = { x: { y: 1 } };
  const copy = pdict(source);
  assert.notEqual(copy.x, source.x);
  assert.equal(copy.x.y, 1);
});

Deno.test("functions for jobs are there, and fail outside of one", async () => {
  await assert.rejects(async () => await lmake.depend("x"));
});
