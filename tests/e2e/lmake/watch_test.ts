/** A watched repo: the next command does what it would without watching. */

import assert from "node:assert/strict";
import { runHistories } from "../../support/histories.ts";
import { LmakeRepo, type MakeOptions, until } from "../../support/lmake.ts";
import { mountRamfs } from "../../support/mount.ts";
import {
  inFolder,
  inWatchable,
  serverPid,
  watchesOf,
} from "../../support/watched.ts";

const LINUX = Deno.build.os === "linux";

const ON = "lmake.config.watch = true;\n";

const RULES = String.raw`
rule({ name: "Copy", target: "{F:.+}.out", dep: "{F}.in",
  cmd: "cat; cat opt/more 2>/dev/null || true" });
rule({ name: "All", target: "all", deps: { L: "list" },
  cmd: "ldepend -R $(cat {L}); cat $(cat {L})" });
`;

/** Watches of two folders, three sources and the target, all that is looked at. */
const WATCHES = 6;

/** A repo in which all is made and watched. */
async function watchedRepo(): Promise<LmakeRepo> {
  const repo = inWatchable(() => new LmakeRepo());
  repo.source({ "a.in": "a\n", "d/b.in": "b\n", list: "a.out\nd/b.out\n" });
  repo.rules(ON + RULES);
  await repo.make("all", { rules: { Copy: 2, All: 1 } });
  await watched(repo);
  return repo;
}

/** Makes what is up to date, until all that it looks at is watched. */
async function watched(repo: LmakeRepo): Promise<void> {
  // What was written just now is looked at once more.
  for (let tries = 0; watchesOf(repo) < WATCHES; tries++) {
    assert.ok(tries < 100, `${watchesOf(repo)} watches`);
    await repo.make("all");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  // That is found by asking what is watched, and then told without asking.
  await repo.make("all");
  await repo.make("all", { says: ["all was already up to date"] });
}

/** What is done to a repo, and what the next command has to do. */
const CHANGES: [
  what: string,
  change: (repo: LmakeRepo, on: string) => void,
  expected: MakeOptions,
  content: string,
][] = [
  ["nothing", () => {}, {}, "a\nb\n"],
  [
    "an edit",
    (repo) => repo.file({ "a.in": "a2\n" }),
    { rules: { Copy: 1, All: 1 } },
    "a2\nb\n",
  ],
  ["new dates", (repo) => repo.touch("d/b.in"), {}, "a2\nb\n"],
  [
    "an executable",
    (repo) => Deno.chmodSync(repo.path("a.in"), 0o755),
    { rules: { Copy: 1 } },
    "a2\nb\n",
  ],
  [
    "a rename over",
    (repo) => {
      repo.file({ tmp: "b2\n" });
      Deno.renameSync(repo.path("tmp"), repo.path("d/b.in"));
    },
    { rules: { Copy: 1, All: 1 } },
    "a2\nb2\n",
  ],
  [
    "an edit by another name",
    (repo) => {
      Deno.linkSync(repo.path("a.in"), repo.ext.join("other"));
      Deno.writeTextFileSync(repo.ext.join("other"), "a3\n");
      Deno.removeSync(repo.ext.join("other"));
    },
    { rules: { Copy: 1, All: 1 } },
    "a3\nb2\n",
  ],
  [
    "a new folder with a file that was looked for",
    (repo) => repo.source({ "opt/more": "more\n" }),
    { rules: { Copy: 2, All: 1 } },
    "a3\nmore\nb2\nmore\n",
  ],
  [
    "its removal",
    (repo) => {
      repo.remove("opt/more");
      Deno.removeSync(repo.path("opt"));
    },
    { rules: { Copy: 2, All: 1 } },
    "a3\nb2\n",
  ],
  [
    "an edit before more events than the kernel keeps",
    (repo) => {
      repo.file({ "a.in": "a4\n" });
      for (let i = 0; i < 9000; i++) {
        Deno.writeTextFileSync(repo.path("tmp"), "");
        Deno.removeSync(repo.path("tmp"));
      }
    },
    { rules: { Copy: 1, All: 1 } },
    "a4\nb2\n",
  ],
  ["and back", (repo) => repo.file({ "a.in": "a3\n" }), {
    rules: { Copy: 1, All: 1 },
  }, "a3\nb2\n"],
  [
    "a target that was edited",
    (repo) => repo.file({ all: "mine\n" }),
    { rules: { All: 1 } },
    "a3\nb2\n",
  ],
  [
    "a target that was removed",
    (repo) => Deno.removeSync(repo.path("all")),
    { rules: { All: 1 } },
    "a3\nb2\n",
  ],
  [
    "a folder that was moved away and back",
    (repo) => {
      Deno.renameSync(repo.path("d"), repo.path("e"));
      Deno.renameSync(repo.path("e"), repo.path("d"));
    },
    {},
    "a3\nb2\n",
  ],
  [
    "a folder in place of another",
    (repo) => {
      Deno.renameSync(repo.path("d"), repo.ext.join("d"));
      repo.file({ "d/b.in": "b3\n" });
    },
    { rules: { Copy: 1, All: 1 } },
    "a3\nb3\n",
  ],
  [
    "a missing source",
    (repo) => Deno.removeSync(repo.path("a.in")),
    { exit: 1, words: {}, says: ["missing source"] },
    "a3\nb3\n",
  ],
  ["and back", (repo) => repo.file({ "a.in": "a3\n" }), {
    words: { steady: 1 },
  }, "a3\nb3\n"],
  [
    "other sources",
    (repo) => repo.unlist("a.in"),
    { exit: 1, words: {}, says: ["a.in"] },
    "a3\nb3\n",
  ],
  ["and back", (repo) => repo.list("a.in"), { words: {} }, "a3\nb3\n"],
  [
    "other rules",
    (repo, on) => repo.rules(on + RULES.replace('"cat;', '"cat; echo new;')),
    { rules: { Copy: 2, All: 1 } },
    "a3\nnew\nb3\nnew\n",
  ],
];

for (const isOn of [true, false]) {
  Deno.test({
    name: `every change is found in a repo that is ${
      isOn ? "" : "not "
    }watched`,
    ignore: !LINUX,
    async fn(t) {
      using repo = await watchedRepo();
      if (!isOn) repo.rules(RULES);
      let isRight = true;
      for (const [what, change, expected, content] of CHANGES) {
        await t.step(what, async () => {
          if (isOn && isRight) await watched(repo);
          change(repo, isOn ? ON : "");
          await repo.make("all", expected);
          assert.equal(repo.content("all"), content);
          isRight = !expected.exit;
        });
      }
      assert.equal(watchesOf(repo) > 0, isOn);
    },
  });
}

Deno.test({
  name: "nothing is watched unless the config says so, nor without a server",
  ignore: !LINUX,
  async fn() {
    using repo = await watchedRepo();
    repo.rules(RULES);
    await repo.make("all");
    assert.equal(watchesOf(repo), 0);
    repo.rules(ON + RULES);
    await watched(repo);
    Deno.kill(serverPid(repo)!, "SIGKILL");
    repo.file({ "a.in": "a2\n" });
    await repo.make("all", {
      env: { CLIBS_MAKE_SERVER: "0" },
      rules: { Copy: 1, All: 1 },
      silent: ["watched"],
    });
    assert.equal(repo.content("all"), "a2\nb\n");
  },
});

Deno.test({
  name: "what changes while the server is down, or killed, is found",
  ignore: !LINUX,
  async fn() {
    using repo = await watchedRepo();
    for (const round of [1, 2, 3]) {
      await watched(repo);
      Deno.kill(serverPid(repo)!, "SIGKILL");
      repo.file({ "a.in": `a${round}\n` });
      await repo.make("all", { rules: { Copy: 1, All: 1 } });
      assert.equal(repo.content("all"), `a${round}\nb\n`);
    }
  },
});

Deno.test({
  name:
    "what changes while a watched repo is made is found by the next command",
  ignore: !LINUX,
  async fn() {
    using repo = await watchedRepo();
    repo.rules(
      ON + RULES.replace('"cat;', `"cat; sleep 0.3; echo >${repo.ext.path}/s;`),
    );
    await repo.make("all", { rules: { Copy: 2 } });
    for (const round of [1, 2, 3]) {
      await watched(repo);
      Deno.removeSync(repo.ext.join("s"));
      repo.file({ "a.in": `a${round}\n` });
      await repo.make("all", {
        unchecked: true,
        async during() {
          // Another source than that of the job; then the job's own.
          repo.file({ "d/b.in": `b${round}\n` });
          await until(() => repo.ext.has("s"), "the job");
          repo.file({ "a.in": `again${round}\n` });
        },
      });
      await repo.make("all", { unchecked: true });
      assert.equal(repo.content("all"), `again${round}\nb${round}\n`);
    }
  },
});

Deno.test({
  name: "targets of several commands at once are right in a watched repo",
  ignore: !LINUX,
  async fn() {
    using repo = await watchedRepo();
    for (const round of [1, 2, 3]) {
      await watched(repo);
      repo.file({ "a.in": `a${round}\n` });
      const runs = await Promise.all(
        [["all"], ["a.out"], ["all", "d/b.out"]].map((targets) =>
          repo.make(...targets, { unchecked: true })
        ),
      );
      for (const { code, shown } of runs) assert.equal(code, 0, shown);
      assert.equal(repo.content("all"), `a${round}\nb\n`);
      assert.equal(repo.content("a.out"), `a${round}\n`);
    }
  },
});

Deno.test({
  name: "a mark and a forgotten job count in a watched repo",
  ignore: !LINUX,
  async fn() {
    using repo = await watchedRepo();
    await repo.ok("forget", "a.out");
    await repo.make("all", { rules: { Copy: 1 } });
    await watched(repo);
    await repo.ok("mark", "--freeze", "--add", "a.out");
    repo.file({ "a.in": "a2\n" });
    await repo.make("all", { says: ["frozen: a.out"] });
    assert.equal(repo.content("all"), "a\nb\n");
  },
});

Deno.test({
  name:
    "a repo that cannot be watched is made all the same, and it is said once",
  ignore: !LINUX,
  async fn() {
    using mount = mountRamfs();
    if (!mount) return console.log("ramfs cannot be mounted here");
    using repo = inFolder(mount.path, () => new LmakeRepo());
    repo.source({ "a.in": "a\n", "d/b.in": "b\n", list: "a.out\nd/b.out\n" });
    repo.rules(ON + RULES);
    const says = [/not all is watched: its file system .* may change unseen/];
    await repo.make("all", { rules: { Copy: 2, All: 1 }, says });
    await repo.make("all", { silent: ["watched"] });
    repo.file({ "a.in": "a2\n" });
    await repo.make("all", { rules: { Copy: 1, All: 1 }, silent: ["watched"] });
    // It would hold on to what is to be unmounted.
    Deno.kill(serverPid(repo)!, "SIGKILL");
  },
});

Deno.test({
  name: "40 random histories of watched repos",
  ignore: !LINUX,
  async fn() {
    const report = await inWatchable(() =>
      runHistories(7001, 40, { rewrite: (rules) => ON + rules })
    );
    assert.deepEqual(report.faults, [], report.faults.join("\n\n"));
    assert.equal(report.needless, 0);
    assert.equal(report.histories, 40);
    assert.ok(report.neutral > 40, JSON.stringify(report));
  },
});
