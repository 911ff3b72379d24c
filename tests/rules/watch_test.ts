/** What is trusted of a watched repo, and what makes it void. */

import assert from "node:assert/strict";
import { readConfig } from "../../lib/rules/define/config.ts";
import { EMPTY_FILE, loadChecksums } from "../../lib/host/checksum.ts";
import { isFolder, lstatNs, stampText } from "../../lib/host/statx.ts";
import { CleanFiles } from "../../lib/rules/engine/clean.ts";
import { Files } from "../../lib/rules/engine/files.ts";
import type { JobRecord } from "../../lib/rules/state/record.ts";
import { type FileRecord, Store } from "../../lib/rules/state/store.ts";
import { Inotify } from "../../lib/rules/watch/kernel.ts";
import { placeOf, unwatchable } from "../../lib/rules/watch/place.ts";
import { Watcher, type WatchOptions } from "../../lib/rules/watch/watcher.ts";
import { mountTmpfs } from "../support/mount.ts";
import { Random } from "../support/seeded.ts";
import type { TempDir } from "../support/temp.ts";
import { watchableDir } from "../support/watched.ts";

const LINUX = Deno.build.os === "linux";

/** A watched folder, and what is told of it. */
class Watched implements Disposable {
  readonly dir = watchableDir();
  readonly watcher: Watcher;
  readonly problems: string[] = [];

  constructor(options: WatchOptions = {}) {
    this.watcher = new Watcher(this.dir.path, options);
  }

  /** Begins a command and ends it. */
  command(): void {
    this.watcher.begin((problem) => this.problems.push(problem)).end();
  }

  /** A file as a store would have it, if it were not new. */
  record(name: string, sum = "0123456789abcdef-R"): FileRecord {
    return { sum, stamp: stampText(lstatNs(this.dir.join(name))!), writer: "" };
  }

  /** Has files trusted as they are; null for what is none. */
  trust(...names: string[]): void {
    for (const name of names) {
      const stat = lstatNs(this.dir.join(name));
      const isFile = stat && (stat.mode & 0o170000) !== 0o040000;
      const isLink = stat && (stat.mode & 0o170000) === 0o120000;
      this.watcher.want(
        name,
        isFile ? this.record(name, isLink ? "0-L" : EMPTY_FILE) : null,
      );
    }
    assert.equal(this.watcher.adopt(), true);
  }

  /** Which of some names are trusted now. */
  trusted(...names: string[]): string[] {
    this.watcher.catchUp();
    return names.filter((name) => this.watcher.trusted(name) !== undefined);
  }

  [Symbol.dispose](): void {
    this.watcher.close();
    this.dir[Symbol.dispose]();
  }
}

Deno.test("watching is off unless the config asks for it", () => {
  assert.equal(readConfig({}).watch, false);
  assert.equal(readConfig({ watch: true }).watch, true);
  assert.throws(() => readConfig({ watch: "yes" }), /must be true or false/);
});

/** What is done to a repo, and which names are trusted no more. */
const CHANGES: [string, (dir: Watched["dir"]) => void, string[]][] = [
  ["nothing", () => {}, []],
  ["a look", (dir) => void Deno.statSync(dir.join("a")), []],
  ["an edit", (dir) => dir.write({ a: "other" }), ["a"]],
  ["an edit below", (dir) => dir.write({ "d/b": "other" }), ["d/b"]],
  ["a cut", (dir) => Deno.truncateSync(dir.join("a"), 0), ["a"]],
  ["a removal", (dir) => Deno.removeSync(dir.join("a")), ["a"]],
  [
    "a rename over",
    (dir) => {
      dir.write({ tmp: "other" });
      Deno.renameSync(dir.join("tmp"), dir.join("a"));
    },
    ["a"],
  ],
  [
    "a rename",
    (dir) => Deno.renameSync(dir.join("a"), dir.join("none")),
    ["a", "none"],
  ],
  [
    "new dates",
    (dir) => Deno.utimeSync(dir.join("a"), new Date(), new Date()),
    ["a"],
  ],
  ["another mode", (dir) => Deno.chmodSync(dir.join("a"), 0o755), ["a"]],
  [
    "a link to it, from outside",
    (dir) => {
      using other = watchableDir();
      Deno.linkSync(dir.join("a"), other.join("a"));
      Deno.writeTextFileSync(other.join("a"), "other");
    },
    ["a"],
  ],
  ["a new file", (dir) => dir.write({ none: "" }), ["none"]],
  [
    "a link to another file",
    (dir) => {
      Deno.removeSync(dir.join("link"));
      Deno.symlinkSync("d/b", dir.join("link"));
    },
    ["link"],
  ],
  ["a new folder with a file", (dir) => dir.write({ "no/such/file": "" }), [
    "no/such/file",
  ]],
  [
    "a new link to a folder",
    (dir) => Deno.symlinkSync("d", dir.join("no")),
    ["no/such/file"],
  ],
  ["a file in a folder", (dir) => dir.write({ "d/none": "" }), ["d/none"]],
  ["somewhere else", (dir) => dir.write({ "new/file": "", "d/new": "" }), []],
];

const NAMES = ["a", "d/b", "d/none", "link", "none", "no/such/file"];

Deno.test({
  name: "what has changed is trusted no more, and only that",
  ignore: !LINUX,
  async fn(t) {
    for (const [what, change, lost] of CHANGES) {
      await t.step(what, () => {
        using watched = new Watched();
        watched.dir.write({ a: "a", "d/b": "b" });
        Deno.symlinkSync("a", watched.dir.join("link"));
        watched.trust(...NAMES);
        assert.deepEqual(watched.trusted(...NAMES), NAMES);
        const before = watched.watcher.changes;
        change(watched.dir);
        assert.deepEqual(
          watched.trusted(...NAMES),
          NAMES.filter((name) => !lost.includes(name)),
        );
        assert.equal(watched.watcher.changes > before, lost.length > 0);
        // And again, as it is now.
        watched.trust(...NAMES.filter((name) => !name.startsWith("no/")));
        const known = watched.trusted("a", "d/b", "link");
        assert.ok(known.includes("d/b") && known.includes("link"));
      });
    }
  },
});

/** Changes after which nothing is trusted. */
const UPHEAVALS: [string, (dir: Watched["dir"]) => void][] = [
  [
    "a folder moved away and back",
    (dir) => {
      Deno.renameSync(dir.join("d"), dir.join("e"));
      Deno.renameSync(dir.join("e"), dir.join("d"));
    },
  ],
  [
    "a folder made anew",
    (dir) => {
      Deno.removeSync(dir.join("d"), { recursive: true });
      dir.write({ "d/b": "other" });
    },
  ],
  ["a folder closed", (dir) => Deno.chmodSync(dir.join("d"), 0o700)],
  [
    "more events than the queue holds",
    (dir) => {
      const limit = Number(
        Deno.readTextFileSync("/proc/sys/fs/inotify/max_queued_events"),
      );
      // Two events of one kind and file become one.
      const paths = [dir.join("x"), dir.join("y")];
      for (let i = 0; i <= limit; i++) {
        Deno.writeTextFileSync(paths[i % 2]!, "");
        if (i > 1) Deno.removeSync(paths[(i + 1) % 2]!);
      }
    },
  ],
];

Deno.test({
  name: "after an upheaval nothing is trusted until it was looked at again",
  ignore: !LINUX,
  async fn(t) {
    for (const [what, change] of UPHEAVALS) {
      await t.step(what, () => {
        using watched = new Watched();
        watched.dir.write({ a: "a", "d/b": "b" });
        watched.trust(...NAMES);
        change(watched.dir);
        assert.deepEqual(watched.trusted(...NAMES), []);
        watched.trust("a", "d/b", "none");
        assert.deepEqual(watched.trusted(...NAMES), ["a", "d/b", "none"]);
        Deno.removeSync(watched.dir.join("d/b"));
        assert.deepEqual(watched.trusted("a", "d/b"), ["a"]);
      });
    }
  },
});

Deno.test({
  name: "a file that is not what its record says is not trusted",
  ignore: !LINUX,
  fn() {
    using watched = new Watched();
    watched.dir.write({ a: "a", b: "b", c: "c" });
    const record = watched.record("a");
    watched.dir.write({ a: "longer" });
    watched.watcher.want("a", record);
    // It was written too short a time ago.
    watched.watcher.want("b", { ...watched.record("b"), stamp: "" });
    watched.watcher.want("c", null);
    watched.watcher.adopt();
    assert.deepEqual(watched.trusted("a", "b", "c"), []);
  },
});

Deno.test({
  name: "a file that somebody has open for writing is not trusted",
  ignore: !LINUX,
  fn() {
    using watched = new Watched();
    watched.dir.write({ a: "a" });
    watched.trust("a");
    {
      using _writer = Deno.openSync(watched.dir.join("a"), { write: true });
      assert.deepEqual(watched.trusted("a"), []);
      // It may have been mapped: no event tells of what is stored there.
      watched.trust("a");
      assert.deepEqual(watched.trusted("a"), []);
    }
    watched.trust("a");
    assert.deepEqual(watched.trusted("a"), ["a"]);
    using _reader = Deno.openSync(watched.dir.join("a"));
    assert.deepEqual(watched.trusted("a"), []);
    watched.trust("a");
    assert.deepEqual(watched.trusted("a"), ["a"]);
  },
});

Deno.test({
  name: "files with several names, and what lies beyond links, are not trusted",
  ignore: !LINUX,
  fn() {
    using watched = new Watched();
    const { dir } = watched;
    dir.write({ "d/a": "a", "one": "1", "LMAKE/x": "x" });
    Deno.linkSync(dir.join("one"), dir.join("two"));
    Deno.symlinkSync("d", dir.join("l"));
    const names = ["one", "two", "l/a", "l/none", "LMAKE/x", "../none"];
    watched.trust(...names);
    assert.deepEqual(watched.trusted(...names), []);
    // Again and again.
    watched.trust(...names, "d/a");
    assert.deepEqual(watched.trusted(...names, "d/a"), ["d/a"]);
    Deno.removeSync(dir.join("two"));
    watched.trust("one");
    assert.deepEqual(watched.trusted("one"), ["one"]);
  },
});

Deno.test({
  name: "what is mounted into a repo is not trusted, nor what was there before",
  ignore: !LINUX,
  fn() {
    using mount = mountTmpfs("size=64k");
    if (!mount) return console.log("tmpfs cannot be mounted here");
    using watched = new Watched();
    const { dir } = watched;
    dir.write({ a: "a", "d/b": "b" });
    Deno.writeTextFileSync(`${mount.path}/b`, "other");
    watched.command();
    watched.trust("a", "d/b");
    const bind = new Deno.Command("mount", {
      args: ["--bind", mount.path, dir.join("d")],
    }).outputSync();
    assert.ok(bind.success);
    try {
      watched.command();
      assert.deepEqual(watched.trusted("a", "d/b"), []);
      watched.trust("a", "d/b");
      assert.deepEqual(watched.trusted("a", "d/b"), ["a"]);
    } finally {
      new Deno.Command("umount", { args: [dir.join("d")] }).outputSync();
    }
    watched.command();
    watched.trust("d/b");
    assert.deepEqual(watched.trusted("d/b"), ["d/b"]);
  },
});

Deno.test({
  name: "only what is mounted in a folder, or above, changes its place",
  ignore: !LINUX,
  fn() {
    using dir = watchableDir();
    for (const name of ["plain", "a b\\c\td\n"]) {
      const root = dir.join(name);
      for (const folder of [`${root}/in`, `${root}2`]) {
        Deno.mkdirSync(folder, { recursive: true });
      }
      const before = placeOf(root);
      assert.match(before, /^\d+ \d+\n/);
      const mount = (path: string) => {
        const run = (command: string, ...args: string[]) =>
          new Deno.Command(command, { args, stderr: "null" }).outputSync()
            .success;
        if (!run("mount", "-t", "tmpfs", "tmpfs", path)) return undefined;
        const during = placeOf(root);
        assert.ok(run("umount", path));
        return during;
      };
      const beside = mount(`${root}2`);
      if (beside === undefined) {
        return console.log("tmpfs cannot be mounted here");
      }
      assert.equal(beside, before);
      assert.notEqual(mount(`${root}/in`), before);
      assert.notEqual(mount(root), before);
      assert.equal(placeOf(root), before);
      Deno.removeSync(root, { recursive: true });
      assert.equal(placeOf(root), "");
    }
  },
});

Deno.test({
  name:
    "files for which there are no watches are not trusted, and it is said once",
  ignore: !LINUX,
  fn() {
    using watched = new Watched({ maxWatches: 3 });
    watched.dir.write({ a: "a", b: "b", c: "c", "d/e": "e" });
    watched.command();
    assert.deepEqual(watched.problems, []);
    watched.trust("a", "b", "c", "d/e", "none");
    // One is for the folder.
    assert.deepEqual(watched.trusted("a", "b", "c", "d/e", "none"), ["a", "b"]);
    watched.command();
    watched.command();
    assert.deepEqual(watched.problems, [
      "there are too many files (fs.inotify.max_user_watches)",
    ]);
    watched.dir.write({ a: "other" });
    assert.deepEqual(watched.trusted("a", "b"), ["b"]);
  },
});

Deno.test({
  name: "file systems that others may change are not watched",
  ignore: !LINUX,
  fn() {
    using dir = watchableDir();
    assert.equal(unwatchable(dir.path), undefined);
    const reason = "its file system (type 0x9fa0) may change unseen";
    assert.equal(unwatchable("/proc"), reason);
    const watcher = new Watcher("/proc");
    const problems: string[] = [];
    watcher.begin((problem) => problems.push(problem)).end();
    watcher.begin((problem) => problems.push(problem)).end();
    watcher.want("version", null);
    assert.equal(watcher.adopt(), true);
    assert.equal(watcher.trusted("none"), undefined);
    watcher.close();
    assert.deepEqual(problems, [reason]);
  },
});

Deno.test({
  name: "a command vouches for files only while it asks for them",
  ignore: !LINUX,
  fn() {
    using watched = new Watched();
    watched.dir.write({ a: "a" });
    watched.trust("a");
    const command = watched.watcher.begin(() => {});
    assert.equal(command.vouched("a"), undefined);
    const seen: unknown[] = [];
    const look = () => {
      seen.push(command.vouched("a") !== undefined);
      return undefined;
    };
    command.asOfNow(look);
    watched.dir.write({ a: "other" });
    command.asOfNow(look);
    command.end();
    assert.deepEqual(seen, [true, false]);
    assert.equal(command.vouched("a"), undefined);
  },
});

Deno.test({
  name:
    "an answer holds until something changes, and for one command at a time",
  ignore: !LINUX,
  fn() {
    using watched = new Watched();
    const { watcher, dir } = watched;
    dir.write({ a: "a", b: "b" });
    watched.trust("a");
    const outcome = { file: "t", sum: "1-R", buildable: true };
    const plan = {};
    const begin = () => watcher.begin(() => {});
    /** Asks for `t`, with a look at some file; whether there was an answer. */
    const ask = (
      command: ReturnType<typeof begin>,
      name = "a",
      before: unknown = plan,
      found = true,
    ) => {
      let answered = false;
      command.first(1, () =>
        command.asOfNow(() => {
          answered = command.answer("t", before, () => undefined) !==
            undefined;
          if (answered) return outcome;
          if (!command.vouched(name)) command.saw(name, name, undefined);
          if (!found) return undefined;
          command.keep("t", { outcome, plan: before, systems: ["s"] });
          return outcome;
        }));
      return answered;
    };
    const one = (...more: [name?: string, plan?: unknown, found?: boolean]) => {
      const command = begin();
      const answered = ask(command, ...more);
      command.end();
      return answered;
    };
    assert.deepEqual([one(), one(), one()], [false, true, true]);
    // What nobody asked about may change.
    dir.write({ b: "other" });
    assert.equal(one(), true);
    // Its rules are others.
    assert.deepEqual([one("a", {}), one()], [false, false]);
    dir.write({ a: "other" });
    // That had to be looked at.
    assert.deepEqual([one(), one()], [false, false]);
    watched.trust("a");
    assert.deepEqual([one(), one()], [false, true]);
    // One that does more than ask.
    begin().end();
    assert.deepEqual([one(), one()], [false, true]);
    assert.deepEqual([one("a", {}, false), one()], [false, false]);
    assert.equal(one(), true);
    // Two at a time.
    const first = begin();
    const second = begin();
    assert.deepEqual([ask(first), ask(second)], [false, false]);
    first.end();
    second.end();
    assert.deepEqual([one(), one()], [false, true]);
    // Between two questions of one command something has changed.
    const command = begin();
    command.asOfNow(() => undefined);
    dir.write({ a: "again" });
    watched.trust("a");
    assert.equal(ask(command), false);
    command.end();
    assert.equal(one(), false);
  },
});

Deno.test({
  name: "what is vouched for is not looked at, nor walked through twice",
  ignore: !LINUX,
  async fn() {
    using watched = new Watched();
    const { dir, watcher } = watched;
    dir.write({ source: "s", target: "t" });
    using store = Object.assign(await Store.open(dir.path), {
      [Symbol.dispose]() {
        store.close();
      },
    });
    const sums = await loadChecksums();
    const record = {
      id: "job",
      deps: [{ file: "source", kinds: 7, flags: [], group: 0, sum: "" }],
      targets: [{ file: "target", flags: [], official: true, sum: "" }],
      system: "set",
    } as unknown as JobRecord;
    record.deps[0]!.sum = sums.file(dir.join("source"));
    record.targets[0]!.sum = sums.file(dir.join("target"));
    // As if all were old.
    store.putFile("source", watched.record("source", record.deps[0]!.sum));
    store.putFile("target", watched.record("target", record.targets[0]!.sum));
    store.job = () => record;
    const plans = new Map([
      ["target", { kind: "job" as const, id: "job", record }],
    ]);
    /** One command: which files it came by, and which of them it looked at. */
    const make = () => {
      const command = watcher.begin(() => {});
      const files = new Files(dir.path, store, sums, [], 10, command);
      const met: string[] = [];
      let asked = 0;
      const clean = new CleanFiles({
        plans,
        files,
        store,
        codecs: undefined!,
        source(file) {
          const { sum, stat } = files.glance(file);
          met.push(stat ? `${file}, looked at` : file);
          return { file, sum, buildable: true, source: true };
        },
        isBusy: () => false,
        systemHolds: () => ++asked > 0,
      });
      const found = command.first(1, () => clean.outcome("target", true));
      command.end();
      assert.equal(found?.sum, record.targets[0]!.sum);
      // What is outside the repo is asked for each time.
      assert.equal(asked, 1);
      return met;
    };
    assert.deepEqual(make(), ["source, looked at"]);
    assert.deepEqual(watched.trusted("source", "target"), []);
    watcher.adopt();
    assert.deepEqual(make(), ["source"]);
    assert.deepEqual([make(), make()], [[], []]);
    Deno.utimeSync(dir.join("target"), 1, 1);
    // It has to be looked at, and its source is walked to.
    assert.deepEqual(make(), ["source"]);
    watched.dir.write({ other: "" });
    dir.write({ source: "s" });
    assert.deepEqual(make(), ["source, looked at"]);
  },
});

/** Names in a small world where much happens. */
const WORLD = ["", "x/", "y/", "x/z/", "y/z/"]
  .flatMap((folder) => ["a", "b", "c"].map((name) => folder + name));

Deno.test({
  name: "whatever is done to a repo, what is trusted is as it is",
  ignore: !LINUX,
  fn() {
    let count = 0;
    for (let seed = 1; seed <= 20; seed++) {
      using watched = new Watched();
      using outside = watchableDir();
      const open: Deno.FsFile[] = [];
      const random = new Random(seed);
      for (let step = 0; step < 150; step++) {
        const what = disturb(random, watched.dir, outside.path, open);
        watched.watcher.catchUp();
        for (const name of WORLD) {
          const record = watched.watcher.trusted(name);
          if (record === undefined) continue;
          count++;
          const stat = lstatNs(watched.dir.join(name));
          const stamp = stat && !isFolder(stat) ? stampText(stat) : "";
          assert.equal(
            record?.stamp ?? "",
            stamp,
            `seed ${seed}, step ${step}: ${what}; ${name}`,
          );
        }
        if (random.chance(0.5)) watched.trust(...WORLD);
      }
      for (const file of open) file.close();
    }
    // A watcher that trusts nothing would be right as well.
    assert.ok(count > 10_000, `${count}`);
  },
});

/** Does something at random, or fails to; says what. */
function disturb(
  random: Random,
  dir: TempDir,
  outside: string,
  open: Deno.FsFile[],
): string {
  const name = random.pick(WORLD);
  const path = dir.join(name);
  const other = dir.join(random.pick(WORLD));
  const folder = dir.join(random.pick(["x", "y", "x/z", "y/z", "u", "x/u"]));
  const to = dir.join(random.pick(["x", "y", "x/z", "y/z", "u", "x/u"]));
  const away = `${outside}/${random.below(3)}`;
  const acts: Record<string, () => void> = {
    write: () => Deno.writeTextFileSync(path, `${random.below(100)}`),
    append: () => Deno.writeTextFileSync(path, "+", { append: true }),
    truncate: () => Deno.truncateSync(path, 1),
    remove: () => Deno.removeSync(path),
    rename: () => Deno.renameSync(path, other),
    mkdir: () => Deno.mkdirSync(folder, { recursive: true }),
    rmdir: () => Deno.removeSync(folder, { recursive: true }),
    moveFolder: () => Deno.renameSync(folder, to),
    symlink: () => Deno.symlinkSync(random.pick(["a", "x", "../y"]), path),
    linkFolder: () => Deno.symlinkSync(random.pick(["x", "y"]), folder),
    link: () => Deno.linkSync(path, other),
    linkAway: () => Deno.linkSync(path, away),
    writeAway: () => Deno.writeTextFileSync(away, `${random.below(100)}`),
    removeAway: () => Deno.removeSync(away),
    moveAway: () => Deno.renameSync(path, away),
    moveBack: () => Deno.renameSync(away, path),
    chmod: () => Deno.chmodSync(path, random.pick([0o600, 0o755])),
    touch: () => Deno.utimeSync(path, step(), step()),
    folderInPlace: () => Deno.mkdirSync(path),
    open: () => void open.push(Deno.openSync(path, { write: true })),
    writeOpen: () => void open[0]?.writeSync(new Uint8Array([120])),
    close: () => open.shift()?.close(),
  };
  const step = () => random.below(1_000_000);
  const act = random.pick(Object.keys(acts));
  try {
    acts[act]!();
    return `${act} ${path}`;
  } catch {
    return `${act} fails`;
  }
}

Deno.test({
  name: "who writes a file while its watch begins waits, and is seen",
  ignore: !LINUX,
  async fn() {
    using watched = new Watched();
    const path = watched.dir.join("f");
    Deno.writeTextFileSync(path, "");
    const writer = new Deno.Command("sh", {
      args: [
        "-c",
        'i=0; while [ $i -lt 3000 ]; do echo >>"$0"; i=$((i+1)); done',
        path,
      ],
    }).spawn();
    let isRunning = true;
    const ended = writer.status.then((status) => {
      isRunning = false;
      return status;
    });
    let trusted = 0;
    while (isRunning) {
      for (let i = 0; i < 100; i++) {
        watched.trust("f");
        const stamp = stampText(lstatNs(path)!);
        watched.watcher.catchUp();
        // What was changed before the queue was read is not trusted.
        const record = watched.watcher.trusted("f");
        if (record) assert.equal(record.stamp, stamp);
        if (record) trusted++;
      }
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    assert.ok((await ended).success);
    assert.equal(lstatNs(path)!.size, 3000);
    watched.trust("f");
    assert.deepEqual(watched.trusted("f"), ["f"]);
    assert.ok(trusted > 0);
  },
});

Deno.test({
  name: "an event is there as soon as the call that made the change is over",
  ignore: !LINUX,
  fn() {
    using dir = watchableDir();
    dir.write({ f: "" });
    const inotify = Inotify.open()!;
    try {
      assert.equal(inotify.folder(dir.join("none")), "absent");
      assert.equal(inotify.folder(dir.join("f")), "noFolder");
      const folder = inotify.folder(dir.path);
      const file = inotify.file(dir.join("f"));
      // That it was opened for that is none.
      assert.deepEqual([...inotify.read()], []);
      for (let i = 0; i < 200; i++) {
        Deno.truncateSync(dir.join("f"), i + 1);
        const watches = [...inotify.read()].map(({ watch }) => watch);
        assert.ok(watches.length > 0 && watches.every((one) => one === file));
        const names = [`ä${i}`, "x".repeat(255)];
        for (const name of names) dir.write({ [name]: "" });
        const made = [...inotify.read()].filter(({ mask }) => mask === 0x100);
        assert.deepEqual(made.map(({ name }) => name), names);
        assert.deepEqual(new Set(made.map(({ watch }) => watch)).size, 1);
        assert.equal(made[0]!.watch, folder);
        for (const name of names) Deno.removeSync(dir.join(name));
        assert.equal([...inotify.read()].length, 2);
      }
    } finally {
      inotify.close();
    }
  },
});
