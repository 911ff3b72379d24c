import assert from "node:assert/strict";
import { rule } from "../../lib/rules/define/mod.ts";
import { failureOf } from "./define_support.ts";

// What the types refuse is what these tests are about.
type Loose = (input: unknown) => void;
const loose = rule as unknown as Loose;

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
    "CLIBS_LMAKE_RULE Cannot define the rule R: deps.vars has a dep with the name vars, which stands for the attribute vars\n" +
    "hint: choose another name",
  ],
  [
    { ...ok, target: "{F:.*}.o", deps: { F: "x" } },
    "CLIBS_LMAKE_RULE Cannot define the rule R: deps.F has the name F for a dep and for a stem\n" +
    "hint: a command knows each of them by its name: rename one",
  ],
  [
    { ...ok, deps: { dep: "x" } },
    "CLIBS_LMAKE_RULE Cannot define the rule R: deps.dep has a dep with the name dep, which stands for the attribute dep, which is stdin\n" +
    "hint: choose another name",
  ],
  [
    { name: "R", cmd: "", targets: { target: "x" } },
    "CLIBS_LMAKE_RULE Cannot define the rule R: targets.target has a target with the name target, which stands for the attribute target, which gets stdout\n" +
    "hint: choose another name",
  ],
  [
    { ...ok, deps: { A: "a" }, resources: { A: 1 } },
    "CLIBS_LMAKE_RULE Cannot define the rule R: resources has the name A for a resource and for a dep\n" +
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
    '  at define_refused_test.ts:N\nhint: define it: {F:.*}, or stems: {F: ".*"}',
  ],
  [
    { ...ok, target: "{F}.o", stems: { F: "(" } },
    'CLIBS_LMAKE_PATTERN Cannot read the pattern "{F}.o": the regular expression of F (() is wrong: unterminated group\n' +
    "  in the rule R\n  attribute target\n  at define_refused_test.ts:N\n" +
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
    "  known target\n  in the rule R\n  attribute deps.A\n  at define_refused_test.ts:N\n" +
    "hint: write {{ and }} for braces that are meant as such: {{SRC}}",
  ],
  [
    { ...ok, deps: { SRC: "x" }, cmd: "cat {SRCS}" },
    "CLIBS_LMAKE_NAME Cannot expand {SRCS}: no stem, target, dep or resource has that name\n" +
    "  known target SRC cpu\n  in the rule R\n  attribute cmd\n  at define_refused_test.ts:N\n" +
    "hint: did you mean {SRC}?",
  ],
  [
    { ...ok, environ: { A: "{B}" } },
    "CLIBS_LMAKE_NAME Cannot expand {B}: no stem, target, dep or resource has that name\n" +
    "  known target cpu\n  in the rule R\n  attribute environ\n  at define_refused_test.ts:N\n" +
    "hint: write {{ and }} for braces that are meant as such: {{B}}",
  ],
  [
    { ...ok, cmd: "awk '{print}'" },
    "CLIBS_LMAKE_NAME Cannot expand {print}: no stem, target, dep or resource has that name\n" +
    "  known target cpu\n  in the rule R\n  attribute cmd\n  at define_refused_test.ts:N\n" +
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
      : [head, "  at define_refused_test.ts:N", ...rest].join("\n");
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
      "  first define_refused_test.ts:N\n  at define_refused_test.ts:N\n" +
      "hint: give one of them another name",
  );
});
