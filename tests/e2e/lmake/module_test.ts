/** The job module: switching tracing off, checksums, imports. */

import assert from "node:assert/strict";
import { lineOf, scenario, words } from "../../support/lmake.ts";

scenario(41, "switching tracing off", async (repo) => {
  repo.source({ s: "S\n", t: "T\n" });
  repo.rules(String.raw`
rule({
  name: "Off",
  target: "off",
  cmd: async (j) => {
    const { Autodep, depend, getAutodep, setAutodep } = j.lmake;
    const states = [await getAutodep()];
    {
      using _off = new Autodep(false);
      states.push(await getAutodep());
      Deno.readTextFileSync("s");
      Deno.writeTextFileSync("side", "x\n");
      await new Deno.Command("cat", { args: ["t"] }).output();
    }
    states.push(await getAutodep());
    await setAutodep(false);
    Deno.readTextFileSync("t");
    await setAutodep(true);
    await depend("s");
    console.log(states.join());
  },
});
`);
  await repo.make("off", { words: { done: 1 } });
  assert.equal(repo.content("off"), "true,false,true\n");
  assert.ok(repo.has("side"));
  const listing = await repo.show("-d", "off");
  const deps = (await repo.deps("off")).filter((name) =>
    ["s", "t", "side"].includes(name)
  );
  assert.deepEqual(deps, ["s"], listing);
  const accesses = words(lineOf(listing, "s")).slice(0, -1);
  assert.ok(
    !accesses.some((word) => /^[LRT-]*[LRT][LRT-]*$/.test(word)),
    listing,
  );
});

scenario(43, "checksums", async (repo) => {
  repo.source({
    s: "S\n",
    t: "T\n",
    empty: "",
    "d/x": "x\n",
  });
  repo.sourceLink({ lk: "s" });
  repo.rules(String.raw`
rule({
  name: "Sums",
  target: "sums.json",
  cmd: async (j) => {
    const { xxhsum, xxhsumFile } = j.lmake;
    const files: Record<string, string> = {};
    for (const name of ["s", "t", "nofile", "d", "empty", "lk"]) {
      files[name] = await xxhsumFile(name);
    }
    const texts: string[] = [];
    for (const text of ["hello", "hello", "hellp"]) texts.push(await xxhsum(text));
    console.log(JSON.stringify({ files, texts }));
  },
});
rule({ name: "Twin", target: "sums.txt", cmd: "xxhsum s; xxhsum s t; printf hello | xxhsum" });
`);
  await repo.make("sums.json", "sums.txt", { words: { done: 2 } });
  const { files, texts } = JSON.parse(repo.content("sums.json"));
  assert.match(files.s, /^[0-9a-f]{16}-R$/);
  assert.notEqual(files.s, files.t);
  assert.equal(files.nofile, "none");
  assert.equal(files.d, "none");
  assert.equal(files.empty, "empty-R");
  assert.match(files.lk, /^[0-9a-f]{16}-L$/);
  assert.notEqual(files.lk.slice(0, 16), files.s.slice(0, 16));
  assert.match(texts[0], /^[0-9a-f]{16}$/);
  assert.equal(texts[1], texts[0]);
  assert.notEqual(texts[2], texts[0]);
  assert.deepEqual(repo.content("sums.txt").split("\n"), [
    files.s,
    `${files.s} s`,
    `${files.t} t`,
    texts[0],
    "",
  ]);
  assert.ok((await repo.deps("sums.json")).includes("t"));
  repo.source({ t: "T2\n" });
  await repo.make("sums.json", { words: { done: 1 } });
});

scenario(45, "reportImport", async (repo) => {
  repo.source({ "l2/foo.py": "2\n" });
  repo.rules(String.raw`
rule({
  name: "Import",
  target: "import",
  cmd: async (j) => {
    await j.lmake.reportImport("foo", ["l1", "l2", "l3"], [".py", "/__init__.py"]);
  },
});
rule({
  name: "Path",
  target: "path",
  cmd: async (j) => {
    await j.lmake.reportImport(undefined, ["l1"]);
    console.log([...Deno.readDirSync("l1")].map((entry) => entry.name).join("\n"));
  },
});
`);
  await repo.make("import", { words: { done: 1 } });
  const deps = (await repo.deps("import")).filter((name) => /^l\d/.test(name));
  assert.deepEqual(deps, ["l1/foo.py", "l1/foo/__init__.py", "l2/foo.py"]);

  repo.source({ "l1/foo.py": "1\n" });
  await repo.make("import", {
    rules: { Import: 1 },
    words: { steady: [0, 1], done: [0, 1] },
  });
  await repo.make("path", { words: { done: 1 } });
  assert.match(repo.content("path"), /^foo\.py$/m);
  const found = (await repo.deps("path")).filter((name) =>
    name.startsWith("l1/")
  );
  assert.deepEqual(found, []);
});
