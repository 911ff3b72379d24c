import assert from "node:assert/strict";
import { parseExpressionAt } from "acorn";
import { usesOf } from "../../lib/rules/load/free_names.ts";
import { headerImports } from "../../lib/rules/load/header_imports.ts";
import type { CommandSpec } from "../../lib/rules/model.ts";
import { load, loadFailure } from "./load_support.ts";

function uses(text: string): ReturnType<typeof usesOf> {
  return usesOf(parseExpressionAt(text, 0, {
    ecmaVersion: "latest",
    sourceType: "module",
  }));
}

/** A function, and the names that it uses from outside. */
const functions: [string, string][] = [
  ["(j) => j.x + y", "y"],
  ["async (j) => { await z(j); for (const a of b) c(a); a; }", "z b c a"],
  [
    "({ a, b: { c = d }, ...e }, [f,, g] = h, ...i) => [a, b, c, e, f, g, i]",
    "d h b",
  ],
  ["function f(j) { f(); arguments; j; }", ""],
  ["() => { v = 1; var v; w; { let w; w; } }", "w"],
  ["() => { if (x) { var y = 1; } y; function z() {} z(); }", "x"],
  ["() => { { function z() {} z(); } z(); }", "z"],
  ["() => { for (let i = 0; i < n; i++) i; i; }", "n i"],
  ["() => { for (const k in o) k; for (p of q) p; }", "o p q"],
  [
    "() => { try { a; } catch ({ message }) { message; } message; }",
    "a message",
  ],
  ["() => { try {} catch { e; } }", "e"],
  ["() => { switch (s) { case t: let u; u; } u; }", "s t u"],
  [
    "() => { class A extends B { [c] = d; e() { return f; } static { var g; g; } #h = this.#h; } new A(); g; }",
    "B c d f g",
  ],
  ["() => { const C = class D { m() { D; } }; D; C; }", "D"],
  [
    "() => ({ a, b: c, [d]: e, f() { return g; }, get h() { return i; }, h: j })",
    "a c d e g i j",
  ],
  ["() => a.b?.c[d].e(`${f}`)", "a d f"],
  ["() => { loop: for (;;) { break loop; } }", ""],
  ["() => typeof a === 'undefined' || typeof a.b", "a"],
  ["() => { const a = () => a; const { b = a } = {}; return b; }", ""],
  ["() => { [a, b.c] = d; ({ e, f: g = h } = i); }", "a b d e g h i"],
  ["function () { return new.target ?? import('x'); }", ""],
  ["() => { let a; { a; let b; } b; }", "b"],
  ["async () => { await using a = b(); for await (using c of d) c; }", "b d"],
  ["(a = b, b = c) => {}", "c"],
  ["() => /x/u.test(`${a}${`${b}`}`)", "a b"],
];

Deno.test("usesOf() finds the names that a function does not define", async (t) => {
  for (const [text, expected] of functions) {
    await t.step(text, () => {
      assert.equal(
        uses(text).names.map(({ name }) => name).join(" "),
        expected,
      );
    });
  }
});

const forbidden: [string, string | undefined][] = [
  ["() => this.x", "this"],
  ["() => { const f = () => this; }", "this"],
  ["function () { return this; }", "this"],
  ["() => { function f() { return this; } }", undefined],
  ["() => ({ m() { return this; } })", undefined],
  [
    "() => class { x = this; static y = () => this; m() { super.m(); } }",
    undefined,
  ],
  ["() => import.meta.url", "import.meta"],
  ["() => { function f() { return import.meta; } }", "import.meta"],
];

Deno.test("usesOf() finds what means something else in a job", async (t) => {
  for (const [text, expected] of forbidden) {
    await t.step(text, () => assert.equal(uses(text).forbidden, expected));
  }
});

Deno.test("usesOf() tells calls from values, and where imports stand", () => {
  const text = "async () => { f(1); g; await import('./a.ts'); import(`b`); }";
  const { imports, names } = uses(text);
  assert.deepEqual(names, [
    { name: "f", at: 14, isCalled: true },
    { name: "g", at: 20, isCalled: false },
  ]);
  assert.deepEqual(imports.map(({ specifier }) => specifier), ["./a.ts"]);
  assert.equal(text.slice(imports[0]!.start, imports[0]!.end), "'./a.ts'");
});

/** Header of a module, and its names as `local=imported specifier attributes`. */
const headers: [string, string[]][] = [
  ['import a from "x"', ["a=default x"]],
  [
    "import a, { b, c as d, default as e, 'f g' as h, } from 'x';",
    ["a=default x", "b=b x", "d=c x", "e=default x", "h='f g' x"],
  ],
  ['import * as ns from "x"; import q, * as r from "y"', [
    "ns=* x",
    "q=default y",
    "r=* y",
  ]],
  [
    'import type { A } from "x"; import type B from "y"; import type * as C from "z";',
    [],
  ],
  [
    'import { type A, type B as C, type, type as d, type as as e, f } from "x";',
    ["type=type x", "d=type x", "f=f x"],
  ],
  ['import type from "x"; import type, { a } from "y";', [
    "type=default y",
    "a=a y",
  ]],
  ['import "x";\nimport data from "./d.json" with { type: "json" };', [
    'data=default ./d.json with { type : "json" }',
  ]],
  [
    '#!/usr/bin/env deno\n"use strict";\n// import no from "no"\n/* import { no } from "no"; */ import { /* c */ a // d\n , b } from "x"; // e\nimport c from "y"',
    ["a=a x", "b=b x", "c=default y"],
  ],
  ['\uFEFFimport a from "x"', ["a=default x"]],
  ['import a from "x"; const b = 1; import c from "y";', ["a=default x"]],
  ['import("x"); import a from "y";', []],
  ["import.meta.url;", []],
  ["", []],
  ['import { a from "x"', ["a=a x"].slice(1)],
  ["import {", []],
  ['import $a_1, { π } from "x"', ["$a_1=default x", "π=π x"]],
];

Deno.test("headerImports() reads the imports at the top", async (t) => {
  for (const [source, expected] of headers) {
    await t.step(source, () => {
      const found = [...headerImports(source)].map(([local, name]) =>
        `${local}=${name.imported} ${name.specifier} ${name.attributes}`.trim()
      );
      assert.deepEqual(found, expected);
    });
  }
});

type FunctionSpec = CommandSpec & { kind: "function" };

async function commands(
  files: Record<string, string>,
): Promise<FunctionSpec[]> {
  const { definition } = await load(files);
  return definition.rules.map(({ cmd }) => cmd as FunctionSpec);
}

Deno.test("a function takes along the imports that it uses, and no others", async () => {
  const [a, b, c] = await commands({
    "Lmakefile.ts":
      `import { lmake, rule, depend, type Lmake } from "@clibs/cli/lmake";
import { helper as h, unused, type T } from "./lib/h.ts";
import * as path from "node:path";
import data from "./d.json" with { type: "json" };
import "./lib/other.ts";
const local: number = 3;
interface X { y: T }
rule({
  name: "A", target: "a", vars: { local },
  async cmd(j): Promise<void> {
    const x = { y: h(path.basename(j.target)) } as X;
    await depend("x");
    console.log(data, x!, j.vars.local satisfies number, await import("./lib/h.ts"), await import("node:fs"));
  },
});
rule({ name: "B", target: "b", cmd: async function named(j) { await j.lmake.depend(lmake ? "a" : unused as string); named; Deno; process; Buffer; } });
`,
    "d.json": "{}",
    "lib/h.ts":
      "export const helper = (x: string) => x; export const unused = 1; export type T = string;",
    "lib/other.ts": `import { rule } from "@clibs/cli/lmake";
import { helper } from "./h.ts";
rule({ name: "C", target: "c", cmd: () => helper("c") });
`,
  }).then(([c, a, b]) => [a!, b!, c!]);
  const root = /file:\/\/[^"]*?(?=\/lib\/h|\/d\.json)/g;
  assert.deepEqual(a!.imports.map((line) => line.replace(root, "ROOT")), [
    'import * as path from "node:path"',
    'import data from "ROOT/d.json" with { type : "json" }',
    'import { depend } from "@clibs/cli/lmake"',
    'import { helper as h } from "ROOT/lib/h.ts"',
  ]);
  assert.deepEqual(a!.vars, { local: 3 });
  assert.match(
    a!.text,
    /import\("file:\/\/\/.*\/lib\/h\.ts"\), await import\("node:fs"\)/,
  );
  assert.deepEqual(b!.imports.map((line) => line.replace(root, "ROOT")), [
    'import { lmake } from "@clibs/cli/lmake"',
    'import { unused } from "ROOT/lib/h.ts"',
  ]);
  assert.deepEqual(c!.imports.map((line) => line.replace(root, "ROOT")), [
    'import { helper } from "ROOT/lib/h.ts"',
  ]);
});

Deno.test("names of a function are those of the module in which it stands", async () => {
  const [a] = await commands({
    "Lmakefile.ts": `import { rule } from "@clibs/cli/lmake";
import { x } from "./x.ts";
import { run } from "./run.ts";
rule({ name: "A", target: x, cmd: run });
`,
    "x.ts": 'export const x: string = "x";',
    "other.ts": "export const x: number = 1;",
    "run.ts":
      'import { x } from "./other.ts";\nexport function run(j: { target: string }): void { console.log(x, j.target as string); }',
  });
  assert.match(a!.imports.join(), /^import \{ x \} from "file:.*\/other\.ts"$/);
});

/** A function, what is around it, and how it is refused. */
const refused: [string, string, string][] = [
  [
    "const flags = ['-g'];",
    "(j) => console.log(flags, j.target)",
    "it uses flags, which a job cannot reach\n" +
    "  code (j)=>console.log(flags, j.target)\n  at Lmakefile.ts:4\n" +
    "hint: pass it as vars: { flags } and use j.vars.flags, or import it",
  ],
  [
    "function helper() {} let a = 1;",
    "async (j) => {\n  // first\n  await helper();\n  a++;\n}",
    "it uses helper and a, which a job cannot reach\n" +
    "  code await helper();\n  at Lmakefile.ts:4\n" +
    'hint: move helper to a module of its own and import it at the top, or within cmd: const { helper } = await import("./...")',
  ],
  [
    "const name = 'x';",
    "() => console.log(name)",
    "it uses name, which a job cannot reach\n" +
    "  code ()=>console.log(name)\n  at Lmakefile.ts:4\n" +
    "hint: pass it as vars: { name } and use j.vars.name, or import it",
  ],
  [
    "",
    "function () { return this; }",
    "it uses this, which is another one there\n" +
    "  at Lmakefile.ts:4\nhint: use j, the object that it gets",
  ],
  [
    "",
    "() => import.meta.url",
    "it uses import.meta, which is another one there\n" +
    "  at Lmakefile.ts:4\nhint: use j.lmake, or lmake.repoRoot by `vars: { root: lmake.repoRoot }`",
  ],
  [
    'import { userEnviron } from "@clibs/cli/lmake";',
    "() => userEnviron.CC",
    "it uses userEnviron of @clibs/cli/lmake, which means something only while Lmakefile.ts is read\n" +
    "  at Lmakefile.ts:4\nhint: pass what it needs: vars: { CC: userEnviron.CC }, and use j.vars.CC",
  ],
];

Deno.test("a function that uses what it cannot reach is refused", async (t) => {
  for (const [around, cmd, expected] of refused) {
    await t.step(cmd, async () => {
      const source = 'import { rule } from "@clibs/cli/lmake";\n' +
        `${around}\n\nrule({ name: "A", target: "a", cmd: ${cmd} });\n`;
      assert.equal(
        await loadFailure({ "Lmakefile.ts": source }),
        `CLIBS_LMAKE_FUNCTION Cannot run cmd of the rule A in a job: ${expected}`,
      );
    });
  }
});

Deno.test("all ways to write a function are read", async () => {
  const found = await commands({
    "Lmakefile.ts": `import { rule } from "@clibs/cli/lmake";
const key = "cmd";
rule({ name: "1", target: "1", cmd: () => 1 });
rule({ name: "2", target: "2", cmd: async j => { j; } });
rule({ name: "3", target: "3", cmd() { cmd2; var cmd2; } });
rule({ name: "4", target: "4", async cmd(j) { await 0; } });
rule({ name: "5", target: "5", cmd: function () {} });
rule({ name: "6", target: "6", "cmd"({ target }) { target; } });
rule({ name: "7", target: "7", [key as "cmd"](j: unknown) { j; } });
`,
  });
  assert.equal(found.length, 7);
  for (const { kind } of found) assert.equal(kind, "function");
});
