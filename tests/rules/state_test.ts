import assert from "node:assert/strict";
import { collectFiles, markFiles, repairState, showRules } from "../../mod.ts";
import type { JobRecord } from "../../lib/rules/state/record.ts";
import {
  Journal,
  journalPath,
  newestGeneration,
} from "../../lib/rules/state/journal.ts";
import { releaseServer } from "../../lib/rules/server/client.ts";
import { Store } from "../../lib/rules/state/store.ts";
import { TempDir } from "../support/temp.ts";
import { closing, made, RULES, test } from "./companions_support.ts";

test("repair makes the memory anew from the jobs' records", async (repo) => {
  await made(repo);
  const cwd = repo.dir.path;
  await markFiles({ cwd, files: ["u"], mark: "no-trigger", action: "add" });
  repo.file({ "two.b": "by hand\n" });
  Deno.removeSync(repo.path("parts/2.txt"));
  assert.deepEqual(await repairState({ cwd }), {
    jobs: 3,
    torn: 0,
    targets: 4,
    missing: ["parts/2.txt"],
    changed: ["two.b"],
    marks: 1,
  });
  repo.file({ "two.b": "S\nT\n" });
  Deno.removeSync(repo.path("parts"), { recursive: true });
  await repo.make("two.b", "s.copy", { words: {} });

  // A database that is torn is rebuilt by whoever opens it.
  Deno.writeTextFileSync(repo.path("LMAKE/state.db"), "no database");
  const [shown] = await showRules({ cwd, files: ["two.a"] });
  assert.equal(shown!.info!.status, "ok");
  await repo.make("two.b", "s.copy", { words: {} });

  await releaseServer(repo.dir.path);
  const journal = journalPath(
    repo.path("LMAKE"),
    newestGeneration(repo.path("LMAKE")),
  );
  const lines = Deno.readTextFileSync(journal).split("\n").map((line) =>
    line.includes('"rule":"Copy"') ? line.slice(0, -20) : line
  );
  Deno.writeTextFileSync(journal, lines.join("\n"));
  const torn = await repairState({ cwd });
  assert.deepEqual([torn.jobs, torn.torn], [2, 1]);
  // Nobody knows who made it, so that it is kept.
  await repo.make("s.copy", { words: { done: 1 }, says: ["quarantined"] });
});

test("collect removes what no rule makes any more", async (repo) => {
  await made(repo);
  const cwd = repo.dir.path;
  assert.deepEqual(await collectFiles({ cwd }), {
    removed: [],
    kept: [],
    jobs: 0,
  });
  // A job that is gone, one that misses a dep, and one that makes less.
  repo.rules(RULES.replace(/^rule\(\{ name: "Star".*$/m, ""));
  repo.remove("u");
  repo.file({ "parts/1.txt": "by hand\n" });
  const listed = await collectFiles({ cwd, dryRun: true });
  assert.deepEqual(listed, {
    removed: ["parts/2.txt"],
    kept: ["parts/1.txt"],
    jobs: 0,
  });
  assert.ok(repo.has("parts/2.txt"));
  assert.deepEqual((await collectFiles({ cwd, files: ["below"] })).removed, []);
  await collectFiles({ cwd, files: ["parts"] });
  assert.ok(!repo.has("parts/2.txt"));
  assert.equal(repo.content("parts/1.txt"), "by hand\n");

  repo.remove("s");
  // The manifest is written with the next command.
  await repo.make({ unchecked: true });
  const run = await repo.run(["collect"]);
  assert.deepEqual(
    run.stdout.trim().split("\n").map((line) => line.split(/ {2,}/)).sort(),
    [
      ["kept, as it was changed since", "parts/1.txt"],
      ["removed", "s.copy"],
      ["removed", "side"],
      ["removed", "two.a"],
      ["removed", "two.b"],
    ],
    run.shown,
  );
  assert.ok(!repo.has("two.a") && repo.has("t") && repo.has("extra"));
  using store = closing(await Store.open(cwd, { readOnly: true }));
  assert.deepEqual([...store.jobs()].map(({ rule }) => rule), ["Star"]);
});

/** A record as a run leaves it. */
function record(id: string): JobRecord {
  return {
    id,
    rule: "R",
    stems: {},
    name: id,
    command: "c",
    resources: "r",
    status: "ok",
    reason: "never run",
    deps: [],
    targets: [{ file: id, sum: "x-R", flags: [], official: true }],
    startedMs: 1,
    durationMs: 1,
  };
}
Deno.test("a reader sees what a running command has written", async () => {
  using dir = new TempDir();
  using writer = closing(await Store.open(dir.path));
  writer.putJob(record("one"));
  using reader = closing(await Store.open(dir.path, { readOnly: true }));
  assert.deepEqual(reader.job("one"), record("one"));
  writer.putJob(record("two"));
  using later = closing(await Store.open(dir.path, { readOnly: true }));
  assert.deepEqual(later.job("two"), record("two"));
  writer.flush();
  using last = closing(await Store.open(dir.path, { readOnly: true }));
  assert.deepEqual([...last.jobsAbout("two")].map(({ id }) => id), ["two"]);
  assert.deepEqual(
    [...last.jobsAbout('odd "name"')].map(({ id }) => id),
    ["one", "two"],
  );
});

test("what a killed command left is seen where nothing can be written", async (repo) => {
  repo.rules("");
  await repo.make({ words: {} });
  const left = new Map<string, Uint8Array>();
  {
    using writer = closing(await Store.open(repo.dir.path));
    writer.putJob(record("late"));
    for (const name of ["state.db", "state.db-wal"]) {
      left.set(name, Deno.readFileSync(repo.path(`LMAKE/${name}`)));
    }
  }
  for (const [name, bytes] of left) {
    Deno.writeFileSync(repo.path(`LMAKE/${name}`), bytes);
  }
  assert.ok(left.get("state.db-wal")!.length > 0);
  repo.setWritable(false);
  try {
    assert.match(await repo.show("-J", "late"), /^job +late$/m);
  } finally {
    repo.setWritable(true);
  }
});

Deno.test("a journal that was cut anywhere keeps the lines before", () => {
  using dir = new TempDir();
  const path = journalPath(dir.path, 1);
  const journal = new Journal(path, true);
  journal.append({ record: record("one") });
  const { at } = journal.append({ record: record("two") });
  journal.close();
  const bytes = Deno.readFileSync(path);
  for (let length = 0; length < bytes.length; length++) {
    Deno.writeFileSync(path, bytes.subarray(0, length));
    const cut = new Journal(path, false);
    const whole = [...cut.entries()].filter(({ entry }) => entry);
    assert.equal(whole.length, length >= at ? 1 : 0, `${length} bytes`);
    cut.close();
    // Whoever goes on writing begins a line of its own.
    const again = new Journal(path, true);
    again.append({ removed: "one" });
    const last = [...again.entries()].at(-1);
    assert.deepEqual(last!.entry, { removed: "one" }, `${length} bytes`);
    again.close();
  }
});

Deno.test("a journal is rewritten when most of it is dead", async () => {
  using dir = new TempDir();
  Deno.mkdirSync(dir.join("LMAKE"));
  const open = () => Store.open(dir.path);
  const writer = await open();
  const big = { ...record("one"), reason: "x".repeat(10_000) };
  for (let n = 0; n < 300; n++) writer.putJob({ ...big, startedMs: n });
  writer.putJob(record("two"));
  writer.removeJob("two");
  writer.close();
  assert.equal(newestGeneration(dir.join("LMAKE")), 2);
  assert.ok(Deno.statSync(journalPath(dir.join("LMAKE"), 2)).size < 20_000);
  using reader = closing(await open());
  assert.equal(reader.job("one")!.startedMs, 299);
  assert.equal(reader.job("two"), undefined);
  // A database that is lost is made from it again.
  reader.flush();
});
