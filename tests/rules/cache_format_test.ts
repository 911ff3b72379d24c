import assert from "node:assert/strict";
import {
  depsDigest,
  type Entry,
  readEntry,
  readHead,
  writeEntry,
} from "../../lib/rules/cache/format.ts";
import { isDepName, isTargetName } from "../../lib/rules/cache/names.ts";
import { entryOf, sha256 } from "./cache_support.ts";

const FULL: Entry = entryOf({
  deps: [
    {
      file: "a/b.h",
      kinds: 3,
      flags: ["required"],
      sum: "0123456789abcdef-R",
      group: 0,
      key: "H",
    },
    { file: "../src/x", kinds: 7, flags: [], sum: "none", group: 1 },
    {
      file: "encode tab ctx 0123",
      codec: true,
      kinds: 7,
      flags: [],
      sum: "code",
      group: 2,
    },
    { file: "t", kinds: 2, flags: [], sum: "empty-R", group: 3, told: "ok -" },
  ],
  listings: [{ folder: "", digest: "d" }, { folder: "src", digest: "e" }],
  targets: [
    {
      file: "out/x",
      flags: ["phony"],
      kind: "file",
      content: { sha256: sha256("x"), size: 1 },
      executable: true,
    },
    { file: "out/l", flags: [], kind: "link", text: "../x" },
    { file: "out/n", flags: ["phony"], kind: "none" },
  ],
  stdout: "said\n",
  stderr: "told\n",
});

Deno.test("an entry is read as it was written", () => {
  const { name, text } = writeEntry(FULL);
  assert.deepEqual(readEntry(name, text, 100), FULL);
  assert.deepEqual(readHead(text), {
    durationMs: 1000,
    contents: [sha256("x")],
  });
});

Deno.test("an entry that is cut anywhere, or has another byte, is refused", () => {
  const { name, text } = writeEntry(FULL);
  for (let end = 0; end < text.length; end++) {
    assert.equal(readEntry(name, text.slice(0, end), 100), "it is damaged");
  }
  for (let at = 0; at < text.length; at++) {
    const other = text[at] === "0" ? "1" : "0";
    const edited = text.slice(0, at) + other + text.slice(at + 1);
    assert.equal(readEntry(name, edited, 100), "it is damaged");
  }
  assert.equal(
    readEntry(name.replace(/^./, "x"), text, 100),
    "its name does not fit its deps",
  );
});

Deno.test("deps of entries tell them apart, and nothing else", () => {
  const digest = depsDigest(FULL);
  const [dep, ...rest] = FULL.deps;
  const changed: Partial<Entry>[] = [
    { deps: rest },
    { deps: [...rest, dep!] },
    { deps: [{ ...dep!, sum: "none" }, ...rest] },
    { deps: [{ ...dep!, kinds: 7 }, ...rest] },
    { deps: [{ ...dep!, told: "ok none" }, ...rest] },
    { listings: [] },
  ];
  for (const more of changed) {
    assert.notEqual(depsDigest({ ...FULL, ...more }), digest);
  }
  assert.equal(depsDigest({ ...FULL, durationMs: 1, targets: [] }), digest);
});

Deno.test("entries that nobody can have made are refused", () => {
  const [file, link] = FULL.targets;
  const [dep] = FULL.deps;
  const cases: [wrong: unknown, problem: RegExp][] = [
    [{ ...FULL, durationMs: -1 }, /no time/],
    [{ ...FULL, durationMs: "1" }, /no time/],
    [{ ...FULL, durationMs: 1e300 }, /no time/],
    [{ ...FULL, rule: 1 }, /its job/],
    [{ ...FULL, stdout: "x".repeat(2 ** 20 + 1) }, /too long/],
    [{ ...FULL, stderr: null }, /too long/],
    [{ ...FULL, deps: {} }, /deps/],
    [{ ...FULL, deps: [null] }, /deps/],
    [{ ...FULL, deps: [{ ...dep, file: "/" }] }, /deps/],
    [{ ...FULL, deps: [{ ...dep, file: "a/../b" }] }, /deps/],
    [{ ...FULL, deps: [{ ...dep, sum: "" }] }, /deps/],
    [{ ...FULL, deps: [{ ...dep, sum: "unstable-R" }] }, /deps/],
    [{ ...FULL, deps: [{ ...dep, kinds: 8 }] }, /deps/],
    [{ ...FULL, deps: [{ ...dep, flags: ["sourceOk"] }] }, /deps/],
    [{ ...FULL, deps: [{ ...dep, group: 0.5 }] }, /deps/],
    [{ ...FULL, listings: [{ folder: "..", digest: "" }] }, /listings/],
    [{ ...FULL, targets: "" }, /targets/],
    [{ ...FULL, targets: [file, file] }, /out\/x twice/],
    [{ ...FULL, targets: [{ ...file, file: "/etc/passwd" }] }, /a target/],
    [{ ...FULL, targets: [{ ...file, flags: ["incremental"] }] }, /a target/],
    [{ ...FULL, targets: [{ ...file, flags: ["sourceOk"] }] }, /a target/],
    [{ ...FULL, targets: [{ ...file, executable: 1 }] }, /a target/],
    [{ ...FULL, targets: [{ ...file, kind: "device" }] }, /a target/],
    [{ ...FULL, targets: [{ ...link, text: "a\0b" }] }, /a target/],
    [{ ...FULL, targets: [{ ...link, text: "" }] }, /a target/],
    [{ ...FULL, targets: [{ ...link, text: "x".repeat(5000) }] }, /a target/],
    [{ ...FULL, targets: [link, { ...file, file: "out/l/x" }] }, /below it/],
    [sized(-1), /a target/],
    [sized(0.5), /a target/],
    [sized(2 ** 60), /a target/],
    [sized(101), /take 101 bytes/],
    [
      { ...FULL, targets: [{ ...file, content: { sha256: "../x", size: 1 } }] },
      /a target/,
    ],
    [[], /no entry/],
    [null, /no entry/],
  ];
  for (const [wrong, problem] of cases) {
    const text = `{}\n${JSON.stringify(wrong)}\n`;
    const read = readEntry(`${"0".repeat(32)}-${sha256(text)}`, text, 100);
    assert.equal(typeof read, "string", JSON.stringify(wrong));
    assert.match(read as string, problem);
  }
  function sized(size: number): unknown {
    return {
      ...FULL,
      targets: [{ ...file, content: { sha256: sha256("x"), size } }],
    };
  }
});

Deno.test("what an entry has besides is left out", () => {
  const text = `{}\n${
    JSON.stringify({
      ...FULL,
      more: 1,
      targets: [{ ...FULL.targets[0], x: 1 }],
    })
      .replace('"rule"', '"__proto__":{"stdout":"y"},"rule"')
  }\n`;
  const name = `${depsDigest(FULL)}-${sha256(text)}`;
  const read = readEntry(name, text, 100) as Entry;
  assert.deepEqual(read, { ...FULL, targets: [FULL.targets[0]] });
  assert.equal(Object.getPrototypeOf(read), Object.prototype);
});

Deno.test("names of targets stay in the repo", () => {
  const good = ["a", "a/b", ".a", "..a/b", "a b", "LMAKE.txt", "x/LMAKE"];
  const bad = [
    "",
    ".",
    "..",
    "/a",
    "a/",
    "a//b",
    "./a",
    "a/.",
    "../a",
    "a/../b",
    "a\0",
    "LMAKE",
    "LMAKE/x",
    "x".repeat(256),
    "x/".repeat(2100) + "x",
    1,
    undefined,
  ];
  for (const name of good) assert.equal(isTargetName(name), true, name);
  for (const name of bad) assert.equal(isTargetName(name), false, `${name}`);
  for (const name of ["/src/x", "../x", "../../x/y"]) {
    assert.equal(isDepName(name), true, name);
    assert.equal(isTargetName(name), false, name);
  }
  for (const name of ["/", "..", "../", "//x", "x/../y", "../a/../b"]) {
    assert.equal(isDepName(name), false, name);
  }
});
