/** What jobs use of the system: packages and their versions, apart from deps. */

import assert from "node:assert/strict";
import { LmakeRepo, words } from "../../support/lmake.ts";
import { has } from "../../support/tools.ts";
import { TempDir } from "../../support/temp.ts";
import { loadChecksums } from "../../../lib/host/checksum.ts";
import { Files } from "../../../lib/rules/engine/files.ts";
import { SystemUse } from "../../../lib/rules/engine/system.ts";
import { Store } from "../../../lib/rules/state/store.ts";
import { OsPackages } from "../../../lib/toolchain/os_packages.ts";
import { AccessLog, KIND } from "../../../lib/trace/access.ts";

/** A place under a system prefix that tests may write to. */
const PLACE = "/opt";

function test(
  name: string,
  fn: (repo: LmakeRepo) => Promise<void>,
  needs: boolean = true,
): void {
  Deno.test({
    name: `system: ${name}`,
    ignore: Deno.build.os !== "linux" || !needs,
    async fn() {
      using repo = new LmakeRepo();
      await fn(repo);
    },
  });
}

/** A folder for programs of this machine. */
function programs(): { path: string } & Disposable {
  const path = Deno.makeTempDirSync({ dir: PLACE, prefix: "clibs-test-" });
  return {
    path,
    [Symbol.dispose]: () => Deno.removeSync(path, { recursive: true }),
  };
}

/** Whether files can be made below a system prefix. */
function canMakePrograms(): boolean {
  try {
    using _ = programs();
    return true;
  } catch {
    return false;
  }
}

function program(path: string, text: string): void {
  Deno.writeTextFileSync(path, `#!/bin/sh\n${text}\n`);
  Deno.chmodSync(path, 0o755);
}

test("packages and their versions are kept apart from deps", async (repo) => {
  repo.source({ s: "S\n" });
  repo.rules(
    `rule({ name: "Sort", target: "sorted", dep: "s", cmd: "sort" });`,
  );
  await repo.make("sorted", { words: { done: 1 } });
  assert.deepEqual(await repo.deps("sorted"), ["s"]);
  const plain = await repo.show("-d", "sorted");
  const system = await repo.show("-d", "--system", "sorted");
  assert.ok(system.startsWith(plain) && system.length > plain.length, system);
  if (has("dpkg")) assert.match(system, /\bcoreutils \d\S+/);
  const [{ system: list }] = JSON.parse(
    await repo.show("-d", "--system", "-p", "sorted"),
  );
  assert.ok(list.length > 0 && list.length < 40, String(list));
  assert.match(await repo.show("-b", "--system", "sorted"), /^s\n/);
  await repo.make("sorted");
});

test("a package of another version, or gone, is one readable reason", async (repo) => {
  using system = new TempDir();
  const installed = (versions: Record<string, string>) => {
    const stanzas = Object.entries(versions).map(([name, version]) =>
      `Package: ${name}\nStatus: install ok installed\nArchitecture: all\nVersion: ${version}\n`
    );
    system.write({ "var/lib/dpkg/status": stanzas.join("\n") });
  };
  system.write({
    "var/lib/dpkg/info/gcc.list": "/usr/bin/gcc\n/usr/lib/gcc/cc1\n",
    "var/lib/dpkg/info/make.list": "/usr/bin/make\n",
  });
  await repo.make();
  const sums = await loadChecksums();
  const store = await Store.open(repo.dir.path, { readOnly: true });
  const command = () => {
    const packages = OsPackages.open({ root: system.path });
    return new SystemUse({
      root: repo.dir.path,
      mode: "package",
      files: new Files("/", store, sums),
      packages: () => packages,
    });
  };
  const used = (...paths: string[]) => {
    const log = new AccessLog();
    for (const path of paths) {
      Object.assign(log.at(path), {
        kinds: KIND.regular,
        met: "found",
        firstRead: 1,
      });
    }
    return log;
  };
  installed({ gcc: "12.2-14", make: "4.3-4" });
  const first = command();
  const compiler = first.note(
    used("/usr/lib/gcc/cc1", "/usr/bin/gcc", "/proc/self/maps", "/etc/passwd"),
  );
  const maker = first.note(used("/usr/bin/make"));
  assert.deepEqual(first.entriesOf(compiler), ["gcc 12.2-14"]);
  assert.equal(
    first.note(used("/etc/ld.so.cache", "/usr/bin/no-such-file")),
    undefined,
  );
  assert.deepEqual([first.changed(compiler), first.changed(maker)], [
    undefined,
    undefined,
  ]);
  installed({ gcc: "12.2-15", make: "4.3-4" });
  const second = command();
  assert.equal(second.changed(compiler), "package gcc 12.2-14 is now 12.2-15");
  assert.equal(second.changed(maker), undefined);
  installed({ gcc: "12.2-14" });
  const third = command();
  assert.deepEqual([third.changed(compiler), third.changed(maker)], [
    undefined,
    "package make 4.3-4 is gone",
  ]);
  Deno.removeSync(repo.path(`LMAKE/system/${compiler}`));
  assert.match(command().changed(compiler) ?? "", /not known/);
  store.close();
});

test(
  "files of no package: by their content, and only who used them",
  async (repo) => {
    using place = programs();
    const [one, two] = [`${place.path}/one`, `${place.path}/two`];
    program(one, "echo one");
    program(two, "echo two");
    Deno.symlinkSync("one", `${place.path}/link`);
    repo.rules(String.raw`
rule({ name: "One", target: "o1", cmd: "${one}" });
rule({ name: "Two", target: "o2", cmd: "${two}" });
rule({ name: "Link", target: "o3", cmd: "${place.path}/link" });
rule({ name: "Function", target: "o4", cmd: () => { console.log(new TextDecoder().decode(new Deno.Command("${two}").outputSync().stdout).trim()); } });
`);
    const all = ["o1", "o2", "o3", "o4"];
    await repo.make(...all, { words: { done: 4 } });
    assert.deepEqual(await repo.deps("o1"), []);
    assert.match(
      await repo.show("-d", "--system", "o1"),
      new RegExp(`${one} [0-9a-f]{16}-R`),
    );
    await repo.make(...all);
    program(two, "echo two again");
    await repo.make(...all, {
      flags: ["-v"],
      ran: ["Two o2", "Function o4"],
      says: [`system out of date: ${two} of the system changed`],
    });
    assert.equal(repo.content("o4"), "two again\n");
    // Equal content with another date runs nothing; another link does.
    program(two, "echo two again");
    await repo.make(...all);
    Deno.removeSync(`${place.path}/link`);
    Deno.symlinkSync("two", `${place.path}/link`);
    await repo.make(...all, { ran: ["Link o3"] });
    // What failed may work with another one.
    program(one, "exit 1");
    await repo.make("o1", { exit: 1, words: { failed: 1 } });
    await repo.make("o1", { exit: 1, words: {} });
    program(one, "echo better");
    await repo.make("o1", { words: { done: 1 } });
  },
  canMakePrograms(),
);

test("ignore and file", async (repo) => {
  using place = programs();
  const tool = `${place.path}/tool`;
  program(tool, "echo 1");
  const rules = (mode: string) =>
    String.raw`
lmake.config.systemDeps = "${mode}";
rule({ name: "Tool", target: "out", cmd: "${tool}" });
`;
  repo.rules(rules("ignore"));
  await repo.make("out", { words: { done: 1 } });
  program(tool, "echo 2");
  await repo.make("out");
  assert.equal((await repo.show("-d", "--system", "out")).trim(), "");
  // A job whose use is not known counts as up to date.
  repo.rules(rules("file"));
  await repo.make("out");
  await repo.ok("forget", "out");
  await repo.make("out", { words: { done: 1 } });
  const lines = (await repo.show("-d", "--system", "out")).trim().split("\n");
  assert.ok(
    lines.length > 2 && lines.every((line) => /\/\S+ \S+$/.test(line)),
    lines.join("\n"),
  );
  program(tool, "echo 3");
  await repo.make("out", { words: { done: 1 } });
  repo.rules(rules("ignore"));
  program(tool, "echo 4");
  await repo.make("out");
  assert.deepEqual(words(repo.content("out")), ["3"]);
}, canMakePrograms());
