import assert from "node:assert/strict";
import {
  antiRule,
  dirRule,
  rule,
  sourceRule,
} from "../../lib/rules/define/mod.ts";
import { jobKey, RuleTable } from "../../lib/rules/select.ts";
import { defined } from "./define_support.ts";

function tableOf(define: () => void): RuleTable {
  return new RuleTable(defined(define));
}

/** Candidates as names, with stems, one line for each group. */
function groups(table: RuleTable, file: string): string[] {
  return table.candidates(file).map((group) =>
    group.map(({ rule, stems, target, star, sure }) =>
      [
        rule.name,
        target.key,
        ...Object.values(stems),
        ...(star ? ["star"] : []),
        ...(sure ? [] : ["unsure"]),
      ].join(" ")
    ).join(", ")
  );
}

const table = tableOf(() => {
  rule({ name: "Cc", target: "{F:\\w+}.o", dep: "{F}.c", cmd: "" });
  rule({ name: "Cxx", target: "{F:\\w+}.o", dep: "{F}.cc", cmd: "" });
  rule({ name: "High", prio: 5, target: "{F:\\w+}.o", cmd: "" });
  rule({ name: "Low", prio: -0.5, target: "{A:.*}", cmd: "" });
  rule({
    name: "Split",
    targets: { P: "{D:\\w+}/{N*:\\w+}.txt", I: "{D}/index.txt" },
    cmd: "",
  });
  rule({ name: "Opt", targets: { O: ["x.opt", "optional"] }, cmd: "" });
  rule({
    name: "Twice",
    targets: { A: "{X:a|b}-{Y:.}.two", B: "{Y}-{X}.two" },
    cmd: "",
  });
  antiRule({ name: "Anti", target: "{F:.*}.anti" });
  sourceRule({ name: "Src", targets: { A: "src_{:.*}", B: "s/{*:.*}" } });
  antiRule({ name: "LowAnti", prio: 1, target: "{:.*}_anti" });
  rule({ name: "Top", prio: Infinity, target: "x.anti", cmd: "" });
  dirRule();
});

const selections: [string, string[]][] = [
  ["p.o", ["High target p", "Cc target p, Cxx target p", "Low target p.o"]],
  ["a/p.o", ["Low target a/p.o"]],
  ["d/x.txt", ["Split P d star unsure", "Low target d/x.txt"]],
  // Static targets come before those with star stems.
  ["d/index.txt", ["Split I d", "Low target d/index.txt"]],
  ["x.opt", ["Opt O unsure", "Low target x.opt"]],
  // The first match counts: b-a.two also matches B.
  ["b-a.two", ["Twice A b a", "Low target b-a.two"]],
  ["c-a.two", ["Twice B c a", "Low target c-a.two"]],
  ["x.anti", ["Anti target x", "Top target", "Low target x.anti"]],
  ["src_1", ["Src A 1", "Low target src_1"]],
  ["s/a/b", ["Src B star unsure", "Low target s/a/b"]],
  ["src_1_anti", [
    "Src A 1_anti",
    "LowAnti target src_1",
    "Low target src_1_anti",
  ]],
  ["a/b/...", ["DirRule target a/b", "Low target a/b/..."]],
];

Deno.test("candidates() gives groups in the order in which they are tried", async (t) => {
  for (const [file, expected] of selections) {
    await t.step(file, () => {
      assert.deepEqual(groups(table, file), expected);
    });
  }
});

Deno.test("candidates() finds what trying every pattern finds", () => {
  const patterns = [
    "{F:.*}.o",
    "a{F:.*}",
    "a/b{F:.*}",
    "{F:.*}",
    "exact",
    "{F:.*}long_suffix_of_more_than_24_characters.txt",
    "long_prefix_of_more_than_24_characters/{F:.*}",
    "a{F:.}a",
    "{F:[ab]+}/{F}",
  ];
  const table = tableOf(() =>
    patterns.forEach((target, index) =>
      rule({ name: `R${index}`, target, cmd: "" })
    )
  );
  const names = [
    "a.o",
    "a/b.o",
    "exact",
    "exac",
    "aa",
    "aaa",
    "ab/ab",
    "ab/ba",
    "",
    "o",
    "xlong_suffix_of_more_than_24_characters.txt",
    "xlong_suffix_0f_more_than_24_characters.txt",
    "long_prefix_of_more_than_24_characters/x",
    "long_prefix_of_more_than_24_charakters/x",
  ];
  for (const name of names) {
    const expected = patterns.flatMap((pattern, index) => {
      const source = pattern.replace("{F}", "\\1")
        .replace(/\{F:(.*?)\}/, "($1)").replaceAll("/", "\\/")
        .replace(/\.(?=o$|txt$)/g, "\\.");
      return new RegExp(`^${source}$`, "s").test(name) ? [`R${index}`] : [];
    });
    const found = table.candidates(name).flat().map(({ rule }) => rule.name);
    assert.deepEqual(found, expected, name);
  }
});

Deno.test("jobOf() fills in the stems of everything", () => {
  const table = tableOf(() =>
    rule({
      name: "R",
      jobName: "build {F} in {D}",
      targets: {
        O: ["{D:.*}/{F:\\w+}.o", "incremental"],
        P: "{D}/{F}/{N*:\\d}",
      },
      sideTargets: { S: ["{D}/{*:.*}.tmp", "ignore"], L: "log" },
      deps: { A: ["{F}.c", "critical"], B: "{P('1')}", C: "lit{{}}" },
      sideDeps: { X: ["{D}/{*:.*}.h", "ignore"] },
      cmd: "",
    })
  );
  const [candidate] = table.candidates("a.b/c.o").flat();
  const job = table.jobOf(candidate!.rule, candidate!.stems);
  assert.equal(job.key, '["R","D","a.b","F","c"]');
  assert.equal(job.display, "build c in a.b");
  assert.deepEqual(job.stems, { D: "a.b", F: "c" });
  const [o, p] = job.targets;
  assert.deepEqual(o, { key: "O", flags: ["incremental"], file: "a.b/c.o" });
  assert.equal(p!.files!.display, "a.b/c/{N*}");
  assert.deepEqual(p!.files!.match("a.b/c/1"), { N: "1" });
  assert.deepEqual(
    job.deps,
    [
      {
        key: "A",
        pattern: "c.c",
        flags: ["critical", "essential", "required"],
      },
      { key: "B", pattern: "a.b/c/1", flags: ["essential", "required"] },
      { key: "C", pattern: "lit{}", flags: ["essential", "required"] },
    ],
  );
  const [s, l] = job.sideTargets;
  assert.deepEqual(s!.flags, ["ignore"]);
  assert.ok(s!.files.match("a.b/q/r.tmp"));
  assert.equal(s!.files.match("aXb/q/r.tmp"), undefined);
  assert.ok(l!.files.match("log"));
  assert.ok(job.sideDeps[0]!.files.match("a.b/x.h"));
  assert.equal(job.values.O, "a.b/c.o");
  assert.equal((job.values.P as (n: string) => string)("2"), "a.b/c/2");
});

Deno.test("a job is shown by its first target, stars and all", () => {
  const table = tableOf(() => {
    rule({ name: "S", targets: { P: "p/{F:.*}/{N*:.*}.{*:.*}" }, cmd: "" });
    rule({
      name: "U",
      target: "{:.*}.u",
      deps: (j) => ({ A: j.target }),
      cmd: "",
    });
  });
  const of = (file: string) => {
    const [{ rule, stems }] = table.candidates(file).flat() as [
      ReturnType<RuleTable["candidates"]>[0][0],
    ];
    return table.jobOf(rule, stems);
  };
  assert.equal(of("p/a/b.c").display, "p/a/{N*}.{*}");
  const unnamed = of("x.u");
  assert.equal(unnamed.display, "x.u");
  assert.equal(unnamed.targets[0]!.file, "x.u");
  assert.equal(unnamed.deps, "dynamic");
  assert.deepEqual(Object.keys(unnamed.values), ["target"]);
});

Deno.test("jobKey() does not depend on the order of stems", () => {
  const rule = { name: "R" };
  assert.equal(
    jobKey(rule, { A: "1", B: "2" }),
    jobKey(rule, { B: "2", A: "1" }),
  );
  assert.notEqual(
    jobKey(rule, { A: "1", B: "2" }),
    jobKey(rule, { A: "2", B: "1" }),
  );
  assert.notEqual(jobKey({ name: "Q" }, {}), jobKey(rule, {}));
});

Deno.test("a rule that is not of the table is refused", () => {
  const { rules } = defined(() => rule({ name: "Z", target: "z", cmd: "" }));
  assert.throws(() => table.jobOf(rules[0]!, {}), RangeError);
  assert.equal(table.rule("Z"), undefined);
  assert.equal(table.rule("Cc")?.name, "Cc");
});

Deno.test("100,000 names are looked up among 300 rules in a few seconds", () => {
  const table = tableOf(() => {
    for (let i = 0; i < 300; i++) {
      rule({
        name: `R${i}`,
        targets: { O: `{F:.*}.o${i}`, P: `out${i}/{F}/{N*:.*}` },
        cmd: "",
      });
    }
  });
  const started = performance.now();
  let found = 0;
  for (let i = 0; i < 100_000; i++) {
    found += table.candidates(`src/dir${i}/file.o${i % 300}`).length;
  }
  assert.equal(found, 100_000);
  // About 0.3 s on an idle machine; trying every pattern takes a minute.
  assert.ok(performance.now() - started < 5000);
});
