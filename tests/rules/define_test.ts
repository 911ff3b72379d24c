import assert from "node:assert/strict";
import {
  aliasRule,
  antiRule,
  dirRule,
  homelessRule,
  rule,
  sourceRule,
  traceRule,
} from "../../lib/rules/define/mod.ts";
import { evaluate } from "../../lib/rules/define/evaluate.ts";
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
