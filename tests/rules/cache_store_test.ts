import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Blobs, MAX_IN_MEMORY } from "../../lib/rules/cache/blobs.ts";
import { modesOf } from "../../lib/rules/cache/modes.ts";
import { TempDir } from "../support/temp.ts";
import {
  cacheOf,
  diskSpaceOf,
  entryOf,
  filesBelow,
  sha256,
  store,
} from "./cache_support.ts";

const HOUR = 3_600_000;

function blobsIn(dir: TempDir): Blobs {
  return new Blobs(dir.path, modesOf(dir.path));
}

Deno.test("contents come back as they were, at each level of compression", async () => {
  using dir = new TempDir();
  const texts = ["", "a", "text ".repeat(10_000), crypto.randomUUID()];
  for (let level = 0; level <= 9; level++) {
    const blobs = blobsIn(new TempDir());
    for (const [i, text] of texts.entries()) {
      dir.write({ in: text });
      const packed = await blobs.pack(dir.join("in"), level);
      assert.ok(packed);
      assert.ok(packed.stored <= text.length);
      assert.equal(packed.isCompressed, level > 0 && i === 2);
      assert.equal(await blobs.put(packed), true);
      const to = dir.join(`out${level}-${i}`);
      assert.equal(await blobs.fetch(packed.content, to, 0o666), "ok");
      assert.equal(Deno.readTextFileSync(to), text);
    }
  }
});

Deno.test("large contents are copied piece by piece", async () => {
  using dir = new TempDir();
  const blobs = blobsIn(dir);
  const size = MAX_IN_MEMORY + 12_345;
  const bytes = new Uint8Array(size);
  for (let i = 0; i < size; i += 4096) bytes[i] = i >> 12;
  Deno.writeFileSync(dir.join("in"), bytes);
  const packed = await blobs.pack(dir.join("in"), 9);
  assert.equal(packed?.bytes, undefined);
  assert.equal(packed?.stored, size);
  assert.equal(await blobs.put(packed!), true);
  const { content } = packed!;
  assert.equal(await blobs.fetch(content, dir.join("out"), 0o777), "ok");
  assert.deepEqual(Deno.readFileSync(dir.join("out")), bytes);
  // One byte of many is another.
  const path = blobs.path(content, false);
  using file = Deno.openSync(path, { write: true });
  file.seekSync(size - 1, Deno.SeekMode.Start);
  file.writeSync(new Uint8Array([9]));
  assert.equal(await blobs.fetch(content, dir.join("out2"), 0o666), "bad");
  assert.equal(dir.has("out2"), false);
  assert.equal(await blobs.fetch(content, dir.join("out2"), 0o666), "gone");
  // A file that is another one by now is not taken for what it was.
  const again = await blobs.pack(dir.join("in"), 0);
  bytes[7] = 1;
  Deno.writeFileSync(dir.join("in"), bytes);
  assert.equal(await blobs.put(again!), false);
  assert.equal(blobs.has(content), false);
});

Deno.test("nothing larger than announced is unpacked", async () => {
  using dir = new TempDir();
  const blobs = blobsIn(dir);
  dir.write({ bomb: "\0".repeat(30_000_000) });
  const packed = await blobs.pack(dir.join("bomb"), 9);
  await blobs.put(packed!);
  const path = blobs.path(packed!.content, true);
  assert.ok(Deno.statSync(path).size < 10_000);
  const content = { ...packed!.content, size: 10_000 };
  assert.equal(await blobs.fetch(content, dir.join("out"), 0o666), "bad");
  assert.equal(dir.has("out"), false);
});

Deno.test("what is no file in a cache is refused without reading it", async () => {
  using dir = new TempDir();
  const blobs = blobsIn(dir);
  dir.write({ secret: "secret", in: "secret" });
  const packed = await blobs.pack(dir.join("in"), 0);
  await blobs.put(packed!);
  const path = blobs.path(packed!.content, false);
  Deno.removeSync(path);
  new Deno.Command("mkfifo", { args: [path] }).outputSync();
  assert.equal(await blobs.fetch(packed!.content, dir.join("o"), 0o666), "bad");
  Deno.symlinkSync(dir.join("secret"), path);
  assert.equal(await blobs.fetch(packed!.content, dir.join("o"), 0o666), "bad");
  assert.equal(dir.read("secret"), "secret");
  assert.equal(await blobs.pack(dir.path, 0), undefined);
});

Deno.test("an entry is there once it is complete", async () => {
  using dir = new TempDir();
  const { cache, refused } = cacheOf(dir.path);
  assert.deepEqual([...cache.entries(sha256("a"))], []);
  assert.equal(await store(cache, "a", "content"), true);
  const [found] = cache.entries(sha256("a"));
  assert.equal(found?.entry.job, "a");
  const [target] = found!.entry.targets;
  assert.ok(target?.kind === "file");
  const to = dir.join("out");
  assert.equal(await cache.blobs.fetch(target.content, to, 0o666), "ok");
  assert.equal(dir.read("out"), "content");
  Deno.truncateSync(found!.path, 10);
  assert.deepEqual([...cache.entries(sha256("a"))], []);
  assert.deepEqual(refused, ["it is damaged"]);
  assert.deepEqual(cache.names(sha256("a")), []);
});

Deno.test("a job has sixteen entries, the latest ones", async () => {
  using dir = new TempDir();
  const { cache } = cacheOf(dir.path);
  for (let i = 0; i < 20; i++) {
    const sum = `${i}`.padStart(16, "0") + "-R";
    const deps = [{ file: "d", kinds: 7, flags: [], sum, group: 0 }];
    assert.equal(await cache.add(sha256("k"), entryOf({ deps }), []), true);
    const folder = dir.join(`lmake-v1/jobs/${sha256("k").slice(0, 2)}`);
    for (const { path } of filesBelow(folder)) {
      const before = Deno.statSync(path).mtime!.getTime();
      const older = new Date(before - HOUR);
      Deno.utimeSync(path, older, older);
    }
  }
  const sums = [...cache.entries(sha256("k"))]
    .map(({ entry }) => Number(entry.deps[0]!.sum.slice(0, 16)));
  assert.deepEqual(
    sums.sort((a, b) => a - b),
    Array.from({ length: 16 }, (_, i) => i + 4),
  );
});

Deno.test("a cache never takes more than it may", async () => {
  using dir = new TempDir();
  const limit = 200_000;
  const { cache } = cacheOf(dir.path, limit);
  for (let i = 0; i < 60; i++) {
    await store(cache, `job${i}`, `${i} `.repeat(1000 + 100 * (i % 7)));
    const bytes = diskSpaceOf(dir.path);
    assert.ok(bytes <= limit, `${bytes} bytes after ${i}`);
  }
  assert.ok(diskSpaceOf(dir.path) > limit / 4, "some are kept");
  assert.equal(await store(cache, "large", "x".repeat(limit + 1)), false);
  assert.ok(filesBelow(dir.path).length > 4);
  // A count that was lost is made anew; one that is too high as well.
  for (const text of ["", "none\n", `${"9".repeat(15)}\n`, "-5\n"]) {
    Deno.writeTextFileSync(dir.join("lmake-v1/usage"), text);
    assert.equal(await store(cache, `after ${text}`, text + "x"), true);
    assert.ok(Number(dir.read("lmake-v1/usage")) <= limit);
  }
});

Deno.test("what saves least time for its bytes goes first, and what is old", async () => {
  using dir = new TempDir();
  const { cache } = cacheOf(dir.path, 125_000);
  const there = (name: string) => cache.names(sha256(name)).length === 1;
  const text = (name: string, size: number) => name.repeat(size);
  await store(cache, "cheap", text("c", 20_000), { durationMs: 10 });
  await store(cache, "dear", text("d", 20_000), { durationMs: 10_000 });
  await store(cache, "large", text("l", 40_000), { durationMs: 10_000 });
  await store(cache, "next", text("n", 35_000), { durationMs: 50 });
  assert.deepEqual(
    ["cheap", "dear", "large", "next"].map(there),
    [false, true, true, true],
  );
  // Ten days are five halvings.
  const [old] = cache.entries(sha256("dear"));
  const then = new Date(Date.now() - 10 * 24 * HOUR);
  Deno.utimeSync(old!.path, then, then);
  await store(cache, "last", text("x", 20_000), { durationMs: 8_000 });
  assert.equal(there("next"), false);
  await store(cache, "more", text("y", 20_000), { durationMs: 8_000 });
  assert.deepEqual(
    ["dear", "large", "last", "more"].map(there),
    [false, true, true, true],
  );
  // Used again, it is as good as new.
  const [large] = cache.entries(sha256("large"));
  Deno.utimeSync(large!.path, then, then);
  cache.use(large!);
  const used = Deno.statSync(large!.path).mtime!.getTime();
  assert.ok(Date.now() - used < HOUR);
});

Deno.test("contents that entries share are kept as long as one needs them", async () => {
  using dir = new TempDir();
  const { cache } = cacheOf(dir.path, 60_000);
  await store(cache, "a", "same".repeat(5000), { durationMs: 5 });
  await store(cache, "b", "same".repeat(5000), { durationMs: 50_000 });
  assert.equal(filesBelow(dir.join("lmake-v1/blobs")).length, 1);
  await store(cache, "c", "other".repeat(3000), { durationMs: 50_000 });
  assert.equal(cache.names(sha256("a")).length, 0);
  assert.equal(cache.names(sha256("b")).length, 1);
  assert.equal(filesBelow(dir.join("lmake-v1/blobs")).length, 2);
});

Deno.test("making room touches nothing outside, and clears what is strange", async () => {
  using dir = new TempDir();
  using outside = new TempDir();
  outside.write({ "x/precious": "p", precious: "p" });
  const { cache } = cacheOf(dir.path, 50_000);
  await store(cache, "a", "x".repeat(20_000), { durationMs: 1 });
  const root = dir.join("lmake-v1");
  Deno.symlinkSync(outside.path, join(root, "blobs/zz"));
  Deno.symlinkSync(outside.path, join(root, "jobs/zz"));
  Deno.symlinkSync(outside.path, join(root, "jobs/zy"));
  Deno.writeTextFileSync(join(root, "blobs/strange"), "");
  Deno.writeTextFileSync(join(root, "tmp/left"), "");
  assert.equal(await store(cache, "b", "y".repeat(30_000)), true);
  assert.deepEqual(cache.names(sha256("a")), []);
  assert.equal(outside.read("x/precious") + outside.read("precious"), "pp");
  const names = (name: string) =>
    [...Deno.readDirSync(join(root, name))].map((entry) => entry.name);
  assert.ok(!names("blobs").includes("zz"));
  assert.ok(!names("jobs").includes("zz"));
  assert.deepEqual(names("tmp"), []);
});

Deno.test("a cache takes its permissions from its folder", async () => {
  using dir = new TempDir();
  const before = Deno.umask(0o077);
  try {
    for (const mode of [0o2770, 0o700, 0o777, 0o755]) {
      const path = dir.join(`c${mode}`);
      Deno.mkdirSync(path);
      Deno.chmodSync(path, mode);
      const { cache } = cacheOf(path);
      await store(cache, "a", "text");
      const check = (folder: string) => {
        for (const { name, isDirectory } of Deno.readDirSync(folder)) {
          const found = Deno.statSync(join(folder, name)).mode! & 0o7777;
          const wanted = isDirectory ? mode : mode & 0o666;
          assert.equal(found, wanted, `${mode.toString(8)} ${name}`);
          if (isDirectory) check(join(folder, name));
        }
      };
      check(path);
    }
  } finally {
    Deno.umask(before);
  }
});

Deno.test({
  name: "two users of a group share a cache",
  ignore: Deno.build.os !== "linux" || Deno.uid() !== 0,
  async fn() {
    using dir = new TempDir();
    Deno.chmodSync(dir.path, 0o755);
    const path = dir.join("cache");
    Deno.mkdirSync(path);
    Deno.chownSync(path, 0, 4242);
    Deno.chmodSync(path, 0o2770);
    await as(10_001, path, "1");
    const files = filesBelow(path).map((file) => file.path);
    assert.ok(files.every((file) => Deno.statSync(file).gid === 4242));
    const [job] = files.filter((file) => file.includes("/jobs/"));
    const then = new Date(Date.now() - 5 * HOUR);
    Deno.utimeSync(job!, then, then);
    // Reads it, marks it as used though it is another's, and adds one.
    await as(10_002, path, "2");
    assert.ok(Date.now() - Deno.statSync(job!).mtime!.getTime() < HOUR);
    const { cache, refused } = cacheOf(path);
    assert.equal(cache.names(sha256("1 0")).length, 1);
    assert.equal(cache.names(sha256("2 0")).length, 1);
    assert.deepEqual(refused, []);
  },
});

/** Writes to a cache as another user of the group 4242. */
async function as(uid: number, path: string, name: string): Promise<void> {
  const user = [`--reuid=${uid}`, "--regid=4242", "--clear-groups"];
  await writer("setpriv", [...user, Deno.execPath()], path, name, "1", "1e9");
}

Deno.test("four processes at once write to a cache that is always full", async () => {
  using dir = new TempDir();
  const limit = 200_000;
  const sizes: number[] = [];
  const timer = setInterval(() => {
    try {
      sizes.push(diskSpaceOf(dir.path));
    } catch {
      // A file went while it was looked at.
    }
  }, 5);
  try {
    await Promise.all(
      ["1", "2", "3", "4"].map((name) =>
        writer(Deno.execPath(), [], dir.path, name, "100", `${limit}`)
      ),
    );
  } finally {
    clearInterval(timer);
  }
  assert.ok(sizes.length > 10, `${sizes.length} looks`);
  assert.ok(Math.max(...sizes) > limit / 3, "it is filled");
  assert.ok(Math.max(...sizes) <= limit, `${Math.max(...sizes)} bytes`);
  const { cache } = cacheOf(dir.path, limit);
  const jobs = filesBelow(dir.join("lmake-v1/jobs")).length;
  assert.ok(jobs > 5 && jobs < 400, `${jobs} entries`);
  // The count is right again once room is made.
  Deno.removeSync(dir.join("lmake-v1/usage"));
  await store(cache, "last", "x");
  assert.ok(Number(dir.read("lmake-v1/usage")) <= limit);
});

/** Runs `cache_writer.ts`. */
async function writer(
  program: string,
  before: string[],
  ...args: string[]
): Promise<void> {
  const script = fileURLToPath(import.meta.resolve("./cache_writer.ts"));
  const run = ["run", "-A", "--no-check", "--quiet", script];
  const { success, stderr } = await new Deno.Command(program, {
    args: [...before, ...run, ...args],
    cwd: "/",
    stdout: "null",
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
}
