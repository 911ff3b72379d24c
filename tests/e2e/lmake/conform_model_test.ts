/** LMAKE.md section 1: what a dep is, and which changes of it count. */

import assert from "node:assert/strict";
import { lineOf } from "../../support/lmake.ts";
import { conforms } from "../../support/lmake_conform.ts";

conforms("a change counts if a kind of access sees it", async (repo) => {
  repo.source({ s: "1\n", d1: "one\n", d2: "one\n" });
  repo.sourceLink({ l: "d1" });
  repo.rules(String.raw`
rule({ name: "Read", target: "read", cmd: "cat s" });
rule({ name: "Size", target: "size", cmd: "stat -c %s s" });
rule({ name: "May", target: "may", cmd: "[ -r s ] && echo yes" });
rule({ name: "Link", target: "link", cmd: "readlink l" });
rule({ name: "Follow", target: "follow", cmd: "cat l" });
`);
  const all = ["read", "size", "may", "link", "follow"];
  await repo.make(...all, { words: { done: 5 } });
  assert.deepEqual(await repo.deps("link"), ["l"]);
  assert.deepEqual(await repo.deps("follow"), ["l", "d1"]);

  repo.source({ s: "2\n" });
  await repo.make(...all, { ran: ["Read read", "Size size"] });
  // The execute bit is part of the checksum.
  Deno.chmodSync(repo.path("s"), 0o755);
  await repo.make(...all, { words: { steady: 2 } });
  Deno.chmodSync(repo.path("s"), 0o600);
  await repo.make(...all, { words: { steady: 2 } });
  Deno.chmodSync(repo.path("s"), 0o640);
  await repo.make(...all);

  repo.source({ d1: "ONE\n" });
  await repo.make(...all, { ran: ["Follow follow"] });
  repo.source({ d1: "one\n" });
  await repo.make(...all, { ran: ["Follow follow"] });
  Deno.removeSync(repo.path("l"));
  Deno.symlinkSync("d2", repo.path("l"));
  await repo.make(...all, { ran: ["Link link", "Follow follow"] });
  assert.equal(repo.content("link"), "d2\n");

  // From a file to a link with the same content: Regular and Link see it.
  Deno.removeSync(repo.path("s"));
  Deno.symlinkSync("d1", repo.path("s"));
  await repo.make(...all, { rules: { Read: 1, Size: 1, May: 1 } });
  repo.remove("s");
  await repo.make("may", { exit: 1, ran: ["May may"] });
});

conforms(
  "a link on the way is a dep, and the name beyond is not",
  async (repo) => {
    repo.source({ "v1/x": "1\n", "v2/x": "2\n" });
    repo.sourceLink({ cur: "v1", "deep/up": "../cur" });
    repo.rules(String.raw`
rule({ name: "Use", target: "use", cmd: "cat cur/x" });
rule({ name: "Deep", target: "in/deep", cmd: "cd deep/up && cat ../v1/x && cat x" });
`);
    await repo.make("use", "in/deep", { words: { done: 2 } });
    assert.deepEqual(await repo.deps("use"), ["cur", "v1/x"]);
    const deps = await repo.deps("in/deep");
    assert.deepEqual(deps.sort(), ["cur", "deep/up", "v1/x"]);
    repo.source({ "v2/x": "II\n" });
    await repo.make("use", "in/deep");
    Deno.removeSync(repo.path("cur"));
    Deno.symlinkSync("v2", repo.path("cur"));
    await repo.make("use", { words: { done: 1 } });
    assert.equal(repo.content("use"), "II\n");
    // A real folder in its place.
    repo.remove("cur");
    repo.source({ "cur/x": "real\n" });
    await repo.make("use", { words: { done: 1 } });
    assert.equal(repo.content("use"), "real\n");
    assert.deepEqual(await repo.deps("use"), ["cur/x"]);
  },
);

conforms(
  "what is below a name that turns out to be a link is its target's",
  async (repo) => {
    repo.source({ which: "v1\n", "v1/x": "1\n", "v2/x": "2\n" });
    repo.rules(String.raw`
rule({ name: "Cur", targets: { L: "cur" }, deps: { W: "which" }, cmd: "ln -s $(cat {W}) {L}" });
rule({ name: "Use", target: "use", cmd: "cat cur/x" });
rule({ name: "Dep", target: "dep", cmd: "ldepend -r cur/x; ls -d cur >/dev/null; cat cur/x" });
rule({ name: "File", target: "plain", cmd: "echo plain" });
rule({ name: "Not", target: "not", stderrOk: true, cmd: "cat plain/x || echo none" });
`);
    await repo.make("use", {
      words: { again: [1, 2], done: 2, failed: [0, 1] },
    });
    assert.equal(repo.content("use"), "1\n");
    assert.deepEqual(await repo.deps("use"), ["cur", "v1/x"]);
    repo.source({ which: "v2\n" });
    await repo.make("use", { words: { done: 2 } });
    assert.equal(repo.content("use"), "2\n");
    repo.source({ "v1/x": "I\n" });
    await repo.make("use");

    await repo.make("plain/x", { exit: 1, says: [/no rule|plain/] });
    await repo.make("not", {
      words: { again: [1, 2], done: [1, 2], was_done: [0, 1] },
    });
    assert.equal(repo.content("not"), "none\n");
    await repo.make("not");
  },
);

conforms("a folder gives way to a file or a link, and back", async (repo) => {
  repo.source({ "v/x": "v\n" });
  const below = String
    .raw`rule({ name: "Below", target: "out/x", cmd: "echo below" });`;
  const link = String
    .raw`rule({ name: "Link", targets: { L: "out" }, cmd: "ln -s v {L}" });`;
  const file = String
    .raw`rule({ name: "File", target: "out", cmd: "echo file" });`;
  const use = String.raw`
rule({ name: "Use", target: "use", stderrOk: true, cmd: "cat out/x || echo none" });
`;
  repo.rules(use + below);
  await repo.make("use", { words: { again: 1, done: 2 } });
  assert.equal(repo.content("use"), "below\n");
  repo.rules(use + link);
  await repo.make("use", { unchecked: true });
  await repo.make("use");
  assert.equal(repo.content("use"), "v\n");
  assert.equal(Deno.readLinkSync(repo.path("out")), "v");
  assert.equal(repo.content("v/x"), "v\n");
  repo.rules(use + file);
  await repo.make("out", "use", { unchecked: true });
  await repo.make("use");
  assert.equal(repo.content("use"), "none\n");
  assert.equal(repo.content("out"), "file\n");
  repo.rules(use + below);
  await repo.make("use", { unchecked: true });
  await repo.make("use");
  assert.equal(repo.content("use"), "below\n");
});

conforms("star targets may lie in folders that match as well", async (repo) => {
  repo.source({ s: "1\n", "v/x": "v\n" });
  const rules = (cmd: string) =>
    String.raw`
rule({ name: "Tar", targets: { T: "t/{N*:.*}" }, deps: { S: "s" }, cmd: "${cmd}" });
rule({ name: "Use", target: "use", dep: "t/in/x", cmd: "cat" });
rule({ name: "Read", target: "read", cmd: "cat t/in/x; cat v/x" });
`;
  repo.rules(rules("mkdir t/in; cp {S} t/in/x; echo >t/y"));
  await repo.make("use", "read", {
    words: { done: [2, 3], was_done: [0, 1], again: [0, 1] },
  });
  await repo.make("t/in/x", "t/y", "use", "read");
  assert.deepEqual(await repo.targets("t/y"), ["t/in/x", "t/y"]);
  assert.deepEqual(await repo.deps("use"), ["t/in/x"]);
  assert.deepEqual(await repo.deps("read"), ["t/in/x", "v/x"]);
  await repo.make("t/in", { exit: 1, ran: [] });
  // Now a link is there, and what is below it is another file.
  repo.rules(rules("cat {S} >t/y; ln -s ../v t/in"));
  await repo.make("read", { rules: { Tar: 1, Read: 1 } });
  await repo.make("read");
  assert.equal(repo.content("read"), "v\nv\n");
  assert.deepEqual(await repo.deps("read"), ["t/in", "v/x"]);
  await repo.make("use", { exit: 1, ran: [] });
});

conforms("static deps that are never read do not trigger", async (repo) => {
  repo.source({ s: "1\n", t: "1\n" });
  repo.rules(String.raw`
rule({ name: "Gen", target: "gen", dep: "t", cmd: "cat" });
rule({ name: "Unread", target: "unread", deps: { S: "s", G: "gen" }, cmd: "echo {S}" });
rule({ name: "Blind", target: "blind", autodep: "none", deps: { S: "s", G: "gen" }, cmd: "echo {S}" });
`);
  await repo.make("unread", "blind", { words: { done: 3 } });
  repo.source({ s: "2\n" });
  await repo.make("unread", "blind", {
    words: { steady: 1 },
    ran: ["Blind blind"],
  });
  repo.source({ t: "2\n" });
  await repo.make("unread", { ran: ["Gen gen"] });
  await repo.make("blind", { ran: ["Blind blind"] });
});

conforms("the programs of a script are deps", async (repo) => {
  repo.source({
    "bin/tool": "#! ./bin/runs\nignored\n",
    "bin/runs": "#!/bin/bash\necho ran $1\n",
  });
  for (const name of ["bin/tool", "bin/runs"]) {
    Deno.chmodSync(repo.path(name), 0o755);
  }
  repo.rules(String.raw`
rule({ name: "Run", target: "run", cmd: "bin/tool" });
rule({ name: "Lib", target: "lib", cmd: ". ./lib.sh" });
`);
  await repo.make("run", { words: { done: 1 } });
  assert.deepEqual((await repo.deps("run")).sort(), ["bin/runs", "bin/tool"]);
  repo.source({ "bin/runs": "#!/bin/bash\necho other $1\n" });
  await repo.make("run", { words: { done: 1 } });
  assert.equal(
    repo.content("run"),
    "other ./bin/tool\n".replace("./", "bin/".slice(4)),
  );
});

conforms("a source dir has what is in it for sources", async (repo) => {
  repo.ext.write({ "seen": "unseen\n" });
  const out = repo.ext.path;
  repo.file({ "data/a": "a\n" });
  repo.rules(String.raw`
lmake.config.sources = ["Lmakefile.ts", "data/", "${out}/"];
rule({ name: "In", target: "in", cmd: "cat data/a data/b 2>/dev/null; :" });
rule({ name: "Out", target: "out", cmd: "cat ${out}/seen" });
rule({ name: "No", target: "no", cmd: "ldepend data/missing" });
`);
  await repo.make("in", "out", { words: { done: 2 } });
  assert.deepEqual(await repo.deps("out"), [`${out}/seen`]);
  repo.file({ "data/b": "b\n" });
  await repo.make("in", "out", { ran: ["In in"] });
  assert.equal(repo.content("in"), "a\nb\n");
  repo.ext.write({ "seen": "changed\n" });
  await repo.make("in", "out", { ran: ["Out out"] });
  assert.equal(repo.content("out"), "changed\n");
  await repo.make("no", { exit: 1, ran: [], says: ["required dep missing"] });
});

conforms("what is outside is no dep, and LMAKE is private", async (repo) => {
  repo.ext.write({ e: "1\n" });
  repo.source({ s: "s\n" });
  repo.rules(String.raw`
rule({ name: "E", target: "e", cmd: "cat ${
    repo.ext.join("e")
  } s; ls LMAKE >/dev/null; cat LMAKE/none 2>/dev/null; :" });
`);
  await repo.make("e", { words: { done: 1 } });
  assert.deepEqual(await repo.deps("e"), ["s"]);
  repo.ext.write({ e: "2\n" });
  await repo.make("e");
});

conforms("a dangling file is an error, wherever it is met", async (repo) => {
  repo.file({ f: "f\n", g: "g\n" });
  repo.rules(String.raw`
rule({ name: "Static", target: "static", deps: { F: "f" }, cmd: "cat {F}" });
rule({ name: "Hidden", target: "hidden", cmd: "cat g" });
rule({ name: "Ignore", target: "ignore", cmd: "ldepend -e g; cat g" });
`);
  await repo.make("static", {
    exit: 1,
    ran: [],
    says: ["dangling", /git add f|Manifest/],
  });
  await repo.make("hidden", {
    exit: 1,
    ran: [],
    says: [/dangling\s+g/, "git add g"],
  });
  repo.list("f", "g");
  await repo.make("static", "hidden", {
    words: { done: [1, 2], steady: [0, 1] },
  });
});

conforms(
  "dates do not count, and a touched file is not read again for ever",
  async (repo) => {
    repo.source({ s: "1\n" });
    repo.rules(
      String.raw`rule({ name: "A", target: "a", dep: "s", cmd: "cat" });`,
    );
    await repo.make("a", { words: { done: 1 } });
    const old = new Date(1_000_000_000_000);
    Deno.utimeSync(repo.path("s"), old, old);
    await repo.make("a");
    // Other content with an old date counts.
    repo.source({ s: "2\n" });
    Deno.utimeSync(repo.path("s"), old, old);
    await repo.make("a", { words: { done: 1 } });
    assert.equal(lineOf(await repo.show("-d", "a"), "s").includes("s"), true);
  },
);
