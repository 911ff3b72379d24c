/** Tables of codes: files and folders, conflicts, who runs again; checksums. */

import assert from "node:assert/strict";
import { LmakeRepo, words } from "../../support/lmake.ts";
import { TempDir } from "../../support/temp.ts";

function test(name: string, fn: (repo: LmakeRepo) => Promise<void>): void {
  Deno.test({
    name: `codec: ${name}`,
    ignore: Deno.build.os !== "linux",
    async fn() {
      using repo = new LmakeRepo();
      await fn(repo);
    },
  });
}

/** Rules that encode a value, decode the code, and count their runs. */
const RULES = (ext: string, table = "tab") =>
  String.raw`
rule({ name: "Enc", target: "{V:\\w+}.enc", cmd: "echo e{V} >>${ext}/runs; printf {V} | lencode -f ${table} -x c -l 2" });
rule({ name: "Dec", target: "{V:\\w+}.dec", deps: { C: "{V}.enc" }, cmd: "echo d{V} >>${ext}/runs; ldecode -t ${table} -x c -c $(cat {C})" });
rule({ name: "By", target: "{C:\\w+}.by", cmd: "echo b{C} >>${ext}/runs; ldecode -f ${table} -x c -c {C}" });
`;

/** What ran since the last time. */
function ran(repo: LmakeRepo): string[] {
  const text = repo.extContent("runs");
  repo.ext.write({ runs: "" });
  return words(text).sort();
}

test("only the own association matters; tables are put in order", async (repo) => {
  repo.source({ tab: "" });
  repo.rules(RULES(repo.ext.path));
  const first = await repo.make("foo.dec", {
    words: { done: 2 },
    says: [/\bexpand\s+tab/, /\bupdate\s+tab/],
  });
  assert.ok(!/reformat/.test(first.shown));
  assert.equal(repo.content("foo.dec"), "foo");
  const code = repo.content("foo.enc").trim();
  assert.match(code, /^[0-9a-f]{2}$/);
  ran(repo);
  // Another association, in another context and in this one.
  const other = `\tmine\tc\tother value\n`;
  repo.source({
    tab:
      `garbage\n<<<<<<< ours\n\t${code}\tc\tfoo\n=======\n\t${code}\tc\tfoo\n>>>>>>> theirs\n${other}\tz\ta\tx\\ty\\nz\\\\\n`,
  });
  await repo.make("foo.dec", "mine.by", {
    words: { done: 1 },
    says: [/\breformat\s+tab/],
  });
  assert.equal(
    repo.content("tab"),
    `\tz\ta\tx\\ty\\nz\\\\\n` + [`\t${code}\tc\tfoo\n`, other].sort().join(""),
  );
  assert.deepEqual(ran(repo), ["bmine"]);
  await repo.make("foo.dec", "mine.by");
  // Gone: both that asked for it run again.
  repo.source({ tab: other });
  await repo.make("foo.dec", { unchecked: true });
  assert.ok(ran(repo).includes("efoo"));
  assert.equal(repo.content("foo.enc").trim(), code);
});

test("two codes for a value: a user's, then the shorter one; who had the other runs again", async (repo) => {
  repo.source({ tab: "" });
  repo.rules(RULES(repo.ext.path));
  await repo.make("foo.dec", "bar.enc", { unchecked: true });
  const code = repo.content("foo.enc").trim();
  const table = repo.content("tab");
  ran(repo);
  repo.source({ tab: `${table}\tmycode\tc\tfoo\n` });
  await repo.make("foo.dec", "bar.enc", { unchecked: true });
  assert.equal(repo.content("foo.enc"), "mycode\n");
  assert.equal(repo.content("foo.dec"), "foo");
  assert.deepEqual(ran(repo), ["dfoo", "efoo"]);
  assert.ok(!repo.content("tab").includes(`\t${code}\tc\tfoo`));
  repo.source({ tab: repo.content("tab") + "\tmy\tc\tfoo\n" });
  await repo.make("foo.dec", { unchecked: true });
  assert.equal(repo.content("foo.enc"), "my\n");
  // The lost one is unknown to those who decode it.
  await repo.make("mycode.by", {
    exit: 1,
    words: { failed: 1 },
    says: [/no such code/],
  });
});

test("two values for a code: the first keeps it", async (repo) => {
  repo.source({ tab: "\tuser\tc\tbbb\n\tuser\tc\taaa\n\tuser\tc\tccc\n" });
  repo.rules(RULES(repo.ext.path));
  await repo.make("user.by", "user0.by", "user1.by", { words: { done: 3 } });
  assert.deepEqual(
    ["user", "user0", "user1"].map((name) => repo.content(`${name}.by`)),
    ["aaa", "bbb", "ccc"],
  );
  await repo.make("bbb.enc", { words: { done: 1 } });
  assert.equal(repo.content("bbb.enc"), "user0\n");
  // An automatic code gets longer.
  await repo.make("foo.enc", { words: { done: 1 } });
  const code = repo.content("foo.enc").trim();
  repo.source({ tab: repo.content("tab") + `\t${code}\tc\taa\n` });
  await repo.make("foo.enc", `${code}.by`, { unchecked: true });
  assert.equal(repo.content(`${code}.by`), "aa");
  const longer = repo.content("foo.enc").trim();
  assert.ok(
    longer.length === code.length + 1 && longer.startsWith(code),
    longer,
  );
});

test("arguments, results and errors of calls and twins", async (repo) => {
  repo.source({ "d/tab": "" });
  repo.sourceLink({ link: "d/tab" });
  repo.rules(String.raw`
rule({ name: "Calls", target: "calls.json", cmd: async (j) => {
  const { decode, encode } = j.lmake;
  const attempt = async (call: () => Promise<string>) => {
    try { return await call(); } catch (error) { return "throws " + (error as Error).message; }
  };
  const number = await encode("link", "c", 17);
  console.log(JSON.stringify([
    await attempt(() => decode("d/tab", "c", number)),
    await attempt(() => encode("d/tab", "c", "17", 9)).then((code) => code === number),
    await attempt(async () => (await encode("d/../d/tab", "x y\t", "v\0w", 16)).length + ""),
    await attempt(() => encode("d/tab", "c", { toString: () => "17" })).then((code) => code === number),
    await attempt(() => encode("d/tab", "c", "v", 0)),
    await attempt(() => encode("d/tab", "c", "v", 17)),
    await attempt(() => encode("d/tab", "c", "v", 1.5)),
    await attempt(() => decode("d/tab", "c", "nope")),
    await attempt(() => decode("d/tab", "other", number)),
    await attempt(() => encode("d/none", "c", "v")),
    await attempt(() => encode("", "c", "v")),
    await attempt(() => encode("d/tab", 3 as never, "v")),
  ]));
} });
rule({ name: "Outside", target: "outside", cmd: async (j) => { try { await j.lmake.encode("/etc/passwd", "c", "v"); } catch { console.log("thrown"); } } });
rule({ name: "Twins", target: "twins", stderrOk: true, cmd: "printf v | lencode -f link -x c --min-length 3; printf v | lencode -t link -x c -l 0; echo $?; printf v | lencode -x c; echo $?; ldecode -f link -x c; echo $?; ldecode -f link -x c -c none; echo $?; printf 'a\\nb' | lencode -f d/tab -x c >$TMPDIR/code; ldecode -f d/tab -x c -c $(cat $TMPDIR/code) | od -c | head -1" });
`);
  await repo.make("calls.json", "twins", { words: { done: 2 } });
  const found = JSON.parse(repo.content("calls.json"));
  assert.deepEqual(found.slice(0, 4), ["17", true, "16", true]);
  for (const text of found.slice(4)) assert.match(text, /^throws/);
  assert.ok((await repo.deps("calls.json")).includes("link"));
  const [code, ...rest] = words(repo.content("twins"));
  assert.match(code!, /^[0-9a-f]{3}$/);
  assert.deepEqual(rest, ["11", "11", "11", "1", "0000000", "a", "\\n", "b"]);
  await repo.make("outside", {
    exit: 1,
    words: { failed: 1 },
    says: [/outside the repo/],
  });
});

test("jobs at once: one code for a value, distinct ones for others", async (repo) => {
  repo.source({ tab: "" });
  repo.rules(String.raw`
rule({ name: "Many", target: "many{N:\\d}", cmd: "for v in 1 2 3 4 5 6 7 8 9 10 11 12; do echo $v-{N} $(printf v$v | lencode -f tab -x c) $(printf w$v-{N} | lencode -f tab -x c); done" });
`);
  const names = ["many1", "many2", "many3", "many4"];
  await repo.make(...names, { flags: ["-j4"], words: { done: 4 } });
  const lines = names.map((name) =>
    repo.content(name).trim().split("\n").map((line) => line.split(" "))
  );
  for (let i = 0; i < 12; i++) {
    assert.equal(new Set(lines.map((of) => of[i]![1])).size, 1);
  }
  const own = lines.flatMap((of) => of.map((line) => line[2]!));
  assert.equal(
    new Set([...own, ...lines[0]!.map((line) => line[1]!)]).size,
    60,
  );
  await repo.make(...names);
});

test("a dir table outside the repo, shared by two repos", async (repo) => {
  using shared = new TempDir();
  using second = new LmakeRepo();
  shared.write({
    "tab/LMAKE/config.json": '{"file_sync":"none","perm":"group"}\n',
  });
  const table = `${shared.path}/tab/`;
  for (const one of [repo, second]) {
    one.list(`${shared.path}/`);
    one.rules(RULES(one.ext.path, table));
    await one.make("foo.dec", { words: { done: 2 } });
  }
  assert.equal(repo.content("foo.enc"), second.content("foo.enc"));
  assert.equal(second.content("foo.dec"), "foo");
  const code = repo.content("foo.enc").trim();
  assert.ok(shared.has(`tab/tab/c/${code}.decode`));
  await repo.make("foo.dec");
  // What the other one adds is seen here, and nothing runs for it.
  await second.make("bar.enc", { words: { done: 1 } });
  ran(repo);
  await repo.make("foo.dec", `${second.content("bar.enc").trim()}.by`, {
    words: { done: 1 },
  });
  // A code made by hand; the one that is gone is made anew.
  shared.write({ "tab/tab/c/hand.decode": "by hand" });
  await repo.make("hand.by", { words: { done: 1 } });
  assert.equal(repo.content("hand.by"), "by hand");
  Deno.removeSync(shared.join(`tab/tab/c/${code}.decode`));
  ran(repo);
  await repo.make("foo.dec", { unchecked: true });
  assert.ok(ran(repo).includes("efoo"));
  assert.equal(repo.content("foo.dec"), "foo");
});

test("dir tables: contexts, settings, places that are refused", async (repo) => {
  repo.source({
    "s/tab/LMAKE/config.ts":
      `export const file_sync = "dir";\nexport const perm = "none";\n`,
    "s/bad/LMAKE/config.ts": `export const perm = "everyone";\n`,
  });
  repo.list("s/");
  repo.rules(String.raw`
rule({ name: "Ctx", target: "ctx", cmd: async (j) => {
  const { encode } = j.lmake;
  for (const ctx of ["a", "a/b", "", "/a", "a/", "../a", "a//b", "./a"]) {
    try { console.log((await encode("s/tab/", ctx, "v", 3)).length); } catch { console.log("throws"); }
  }
  try { await encode("s/bad/", "c", "v"); } catch { console.log("throws"); }
  try { await encode("s/none/", "c", "v"); } catch { console.log("throws"); }
} });
rule({ name: "Place", target: "place", cmd: "mkdir -p t; printf v | lencode -f t/ -x c" });
`);
  await repo.make("ctx", { words: { done: 1 } });
  assert.deepEqual(words(repo.content("ctx")), [
    "3",
    "3",
    ...Array(8).fill("throws"),
  ]);
  await repo.make("place", {
    exit: 1,
    words: { failed: 1 },
    says: [/not in a source dir/],
  });
});

test("clibs repair takes over codes made by hand in a dir table", async (repo) => {
  using shared = new TempDir();
  shared.write({ "tab/LMAKE/config.json": "{}\n" });
  const table = `${shared.path}/tab/`;
  repo.list(`${shared.path}/`);
  repo.rules(RULES(repo.ext.path, table));
  await repo.make("foo.dec", { words: { done: 2 } });
  const code = repo.content("foo.enc").trim();
  shared.write({
    "tab/tab/c/mine.decode": "foo",
    "tab/tab/c/gone.decode": "x",
  });
  Deno.removeSync(shared.join("tab/tab/c/gone.decode"));
  Deno.symlinkSync("../../nowhere", shared.join("tab/tab/c/gone.decode"));
  const { stdout } = await repo.ok("repair", table);
  assert.match(stdout, new RegExp(`mine in c +${code}`));
  assert.match(stdout, /led nowhere +c\/gone.decode/);
  ran(repo);
  await repo.make("foo.dec", { unchecked: true });
  assert.equal(repo.content("foo.enc"), "mine\n");
  assert.equal((await repo.run(["repair", `${shared.path}/none`])).code, 1);
});

test("checksums of texts and files, by function and program", async (repo) => {
  repo.source({ plain: "same\n", exec: "same\n", empty: "", emptyx: "" });
  repo.sourceLink({ link: "plain", dead: "nowhere" });
  for (const name of ["exec", "emptyx"]) Deno.chmodSync(repo.path(name), 0o755);
  repo.rules(String.raw`
rule({ name: "Sums", target: "sums.json", cmd: async (j) => {
  const { xxhsum, xxhsumFile } = j.lmake;
  const out: Record<string, string> = {};
  for (const name of ["plain", "exec", "empty", "emptyx", "link", "dead", "none", ".", "/dev/null"]) out[name] = await xxhsumFile(name);
  console.log(JSON.stringify({ out, texts: [await xxhsum("same\n"), await xxhsum("")] }));
} });
rule({ name: "Twin", target: "sums.txt", cmd: "xxhsum plain link none; xxhsum plain; printf 'same\n' | xxhsum" });
`);
  await repo.make("sums.json", "sums.txt", { words: { done: 2 } });
  const { out, texts } = JSON.parse(repo.content("sums.json"));
  assert.match(out.plain, /^[0-9a-f]{16}-R$/);
  assert.match(out.exec, /^[0-9a-f]{16}-R$/);
  assert.match(out.link, /^[0-9a-f]{16}-L$/);
  assert.equal(new Set([out.plain, out.exec, out.link, out.dead]).size, 4);
  assert.deepEqual([out.empty, out.none, out["."], out["/dev/null"]], [
    "empty-R",
    "none",
    "none",
    "none",
  ]);
  assert.match(out.emptyx, /^[0-9a-f]{16}-R$/);
  for (const text of texts) assert.match(text, /^[0-9a-f]{16}$/);
  assert.ok(!out.plain.startsWith(texts[0]));
  assert.equal(
    repo.content("sums.txt"),
    `${out.plain} plain\n${out.link} link\nnone none\n${out.plain}\n${
      texts[0]
    }\n`,
  );
  const cli = await repo.ok("xxhsum", "plain");
  assert.equal(cli.stdout, `${out.plain}\n`);
  assert.deepEqual((await repo.deps("sums.txt")).sort(), [
    "link",
    "none",
    "plain",
  ]);
  assert.ok((await repo.deps("sums.json")).includes("none"));
});
