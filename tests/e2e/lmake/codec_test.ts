/** Tables of codes. */

import assert from "node:assert/strict";
import { scenario } from "../../support/lmake.ts";

scenario(19, "codec file", async (repo) => {
  repo.source({ "tab.codes": "" });
  repo.rules(String.raw`
rule({
  name: "Enc",
  target: "{N:[a-z]+}.code",
  cmd: "printf 'value of {N}\\nline2\\ttab' | lencode -f tab.codes -x ctx -l 4",
});
rule({
  name: "Dec",
  target: "{N:[a-z]+}.val",
  deps: { C: "{N}.code" },
  cmd: "ldecode -f tab.codes -x ctx -c $(cat {C})",
});
`);
  await repo.make("foo.val", { words: { done: 2 } });
  assert.equal(repo.content("foo.val"), "value of foo\nline2\ttab");
  assert.match(repo.content("foo.code"), /^[0-9a-f]{4}\n$/);
  assert.equal(repo.content("tab.codes"), line("foo"));

  await repo.make("bar.val", "foo.val", {
    words: { done: 2 },
    ran: ["Enc bar.code", "Dec bar.val"],
  });
  assert.equal(repo.content("bar.val"), "value of bar\nline2\ttab");
  const canonical = [line("foo"), line("bar")].sort().join("");
  assert.equal(repo.content("tab.codes"), canonical);
  await repo.make("bar.val", "foo.val");

  repo.source({ "tab.codes": canonical + "\n" });
  await repo.make("bar.val", "foo.val");
  assert.equal(repo.content("tab.codes"), canonical);

  function line(name: string): string {
    const code = repo.content(`${name}.code`).trim();
    return `\t${code}\tctx\tvalue of ${name}\\nline2\\ttab\n`;
  }
});

scenario(21, "code length and errors", async (repo) => {
  repo.source({ tab: "" });
  repo.sourceLink({ tablink: "tab" });
  repo.rules(String.raw`
rule({
  name: "Codes",
  target: "codes.json",
  cmd: async (j) => {
    const { decode, encode } = j.lmake;
    const thrown = async (call: () => Promise<unknown>) => {
      try {
        await call();
        return false;
      } catch {
        return true;
      }
    };
    const codes: string[] = [];
    const values: string[] = [];
    for (let i = 0; i < 40; i++) codes.push(await encode("tab", "c", "v" + i));
    for (const code of codes) values.push(await decode("tab", "c", code));
    console.log(JSON.stringify({
      codes,
      values,
      d: await encode("tab", "d", "v0"),
      known: await encode("tab", "c", "v0", 8),
      z: await encode("tab", "z", "v0", 8),
      nope: await thrown(() => decode("tab", "c", "nope")),
      short: await thrown(() => encode("tab", "c", "v0", 0)),
      long: await thrown(() => encode("tab", "c", "v0", 99)),
      missing: await thrown(() => encode("nosuch", "c", "v0")),
    }));
  },
});
rule({ name: "Gen", target: "gentab", cmd: ":" });
rule({
  name: "Bad",
  target: "bad.json",
  cmd: async (j) => {
    let thrown = false;
    try {
      await j.lmake.encode("gentab", "c", "v0");
    } catch {
      thrown = true;
    }
    await Deno.writeTextFile("${repo.ext.join("thrown")}", String(thrown));
  },
});
rule({
  name: "Linked",
  target: "linked",
  cmd: async (j) => console.log(await j.lmake.encode("tablink", "c", "v0")),
});
`);
  await repo.make("codes.json", { words: { done: 1 } });
  const found = JSON.parse(repo.content("codes.json"));
  assert.equal(new Set(found.codes).size, 40);
  assert.ok(found.codes.some((code: string) => code.length > 1));
  assert.deepEqual(found.values, Array.from({ length: 40 }, (_, i) => `v${i}`));
  const [first] = found.codes;
  assert.equal(found.d, first);
  assert.equal(found.known, first);
  assert.match(found.z, /^[0-9a-f]{8}$/);
  assert.ok(found.z.startsWith(first));
  assert.deepEqual(
    [found.nope, found.short, found.long, found.missing],
    [true, true, true, true],
  );
  const lines = repo.content("tab").split("\n").slice(0, -1);
  assert.equal(lines.length, 42);
  assert.deepEqual(lines, lines.toSorted(byContextAndCode));
  await repo.make("codes.json");

  await repo.make("bad.json", {
    exit: 1,
    says: [/gentab/, /source/],
    words: { failed: [0, 1], done: [0, 2], again: [0, 1] },
  });
  assert.equal(repo.extContent("thrown"), "true");

  await repo.make("linked", { words: { done: 1 } });
  assert.equal(repo.content("linked"), `${first}\n`);
  assert.ok((await repo.deps("linked")).includes("tablink"));
});

function byContextAndCode(a: string, b: string): number {
  const key = (line: string) => {
    const [, code, context] = line.split("\t");
    return `${context}\t${code}`;
  };
  return key(a) < key(b) ? -1 : 1;
}
