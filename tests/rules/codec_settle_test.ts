import { deepEqual, equal, ok } from "node:assert/strict";
import type { Association } from "../../lib/rules/codec/line.ts";
import {
  automaticCode,
  numberedCode,
  settle,
} from "../../lib/rules/codec/settle.ts";

/** Checksums that start with what stands before a dot: `abc.x` has `abc000…`. */
const sumOf = (value: string) => value.split(".")[0]!.padEnd(16, "0");

/** `code=value` in context `c`, or `context:code=value`. */
function table(...lines: string[]): Association[] {
  return lines.map((line) => {
    const [, context = "c", code, value] = /^(?:(\w+):)?(\w+)=(.*)$/.exec(
      line,
    )!;
    return { context, code: code!, value: value! };
  });
}

const cases: [title: string, before: string[], after: string[]][] = [
  ["what is right stays", ["a=ab.x", "b=b.y"], ["a=ab.x", "b=b.y"]],
  ["sorted by context, then code", ["b:1=x", "a:2=x", "a:10=y"], [
    "a:10=y",
    "a:2=x",
    "b:1=x",
  ]],
  ["doubles are one", ["a=a.x", "a=a.x"], ["a=a.x"]],
  ["two codes: a user's is preferred", ["ab=ab.x", "mycode=ab.x"], [
    "mycode=ab.x",
  ]],
  ["two codes of a user: the shorter one", ["mycode=ab.x", "mine=ab.x"], [
    "mine=ab.x",
  ]],
  ["two automatic codes: the shorter one", ["ab00=ab.x", "ab=ab.x"], [
    "ab=ab.x",
  ]],
  ["two codes of one length: the first", ["yy=ab.x", "xx=ab.x"], ["xx=ab.x"]],
  ["two values: the first keeps an automatic code", ["a=ab.x", "a=ac.y"], [
    "a=ab.x",
    "ac=ac.y",
  ]],
  ["automatic codes get longer until they are free", [
    "a=ab1.x",
    "a=ab2.y",
    "ab=zz.u",
  ], ["a=ab1.x", "ab=zz.u", "ab2=ab2.y"]],
  ["a user's code gets a number", ["my=1.x", "my=2.x", "my=3.x"], [
    "my=1.x",
    "my0=2.x",
    "my1=3.x",
  ]],
  ["numbers in use are skipped", ["my=1.x", "my=2.x", "my0=3.x"], [
    "my=1.x",
    "my0=3.x",
    "my1=2.x",
  ]],
  ["each loser by its own kind", ["ab=00.x", "ab=ab.y"], [
    "ab=00.x",
    "ab0=ab.y",
  ]],
  ["contexts are apart", ["c:a=ab.x", "d:a=ac.y"], ["c:a=ab.x", "d:a=ac.y"]],
  ["a value yields a code that it does not need", [
    "a=ab.x",
    "a=ac.y",
    "my=ac.y",
  ], ["a=ab.x", "my=ac.y"]],
];

Deno.test("settle() makes codes and values one to one", async (t) => {
  for (const [title, before, after] of cases) {
    await t.step(title, () => {
      const wanted = table(...after);
      deepEqual(settle(table(...before), sumOf), wanted);
      deepEqual(settle(table(...before).reverse(), sumOf), wanted, "reversed");
      deepEqual(settle(wanted, sumOf), wanted, "again");
    });
  }
});

Deno.test("settle() gives the same whatever the order, and is one to one", () => {
  let state = 7;
  const next = (n: number) => {
    state = Math.imul(state, 48271) & 0x7fffffff;
    return (state >> 8) % n;
  };
  for (let round = 0; round < 300; round++) {
    const lines = Array.from({ length: next(14) }, () => {
      const sum = (next(40) + 16).toString(16);
      const code = next(2) ? sum.slice(0, 1 + next(2)) : "mn"[next(2)]!;
      return { context: "cd"[next(2)]!, code, value: `${sum}.v` };
    });
    const settled = settle(lines, sumOf);
    deepEqual(settle(lines.toReversed(), sumOf), settled);
    deepEqual(settle(settled, sumOf), settled);
    const keys = (part: "code" | "value") =>
      new Set(settled.map((one) => `${one.context} ${one[part]}`)).size;
    equal(keys("code"), settled.length);
    const values = new Set(lines.map((one) => `${one.context} ${one.value}`));
    equal(keys("value"), values.size);
    equal(settled.length, values.size);
  }
});

Deno.test("automaticCode() takes as few digits as are free", () => {
  const taken = new Set(["a", "ab"]);
  equal(automaticCode("abcdef0123456789", 1, (c) => taken.has(c)), "abc");
  equal(automaticCode("abcdef0123456789", 5, (c) => taken.has(c)), "abcde");
  ok(automaticCode("abcdef0123456789", 1, (c) => c.length <= 16).length === 17);
  equal(numberedCode("my", (c) => c < "my2"), "my2");
});
