import { deepEqual, equal, match, ok, throws } from "node:assert/strict";
import { libc } from "../../lib/host/libc.ts";
import { pathToBytes } from "../../lib/host/bytes_path.ts";
import { readBytes } from "../../lib/host/read_chunks.ts";
import {
  changedMs,
  isExecutable,
  isFile,
  isFolder,
  isLink,
  lstatNs,
  readLinkNs,
  stampText,
  statNs,
  timesAreExact,
} from "../../lib/host/statx.ts";
import { loadXxh3 } from "../../lib/host/xxh3.ts";
import { asPlainUser } from "../support/plain_user.ts";
import { TempDir } from "../support/temp.ts";
import { has } from "../support/tools.ts";

Deno.test("lstatNs() tells what Deno tells, and more exactly", () => {
  using dir = new TempDir();
  dir.write({ file: "12345", "ünï/€🙂": "x" });
  for (const name of ["file", ".", "ünï/€🙂"]) {
    const path = dir.join(name);
    const stat = lstatNs(path)!;
    const info = Deno.lstatSync(path);
    equal(stat.size, info.size);
    equal(stat.mode, info.mode);
    equal(stat.nlink, info.nlink);
    equal(stat.ino, BigInt(info.ino!));
    equal(stat.mtimeNs / 1_000_000n, BigInt(info.mtime!.getTime()));
    equal(
      stat.ctimeNs / 1_000_000_000n,
      BigInt(info.ctime!.getTime() / 1000),
    );
  }
});

Deno.test({
  name: "times are those of stat(1), to the nanosecond, also before 1970",
  ignore: !timesAreExact || !has("stat") || !has("touch"),
  fn: () => {
    using dir = new TempDir();
    dir.write({ file: "x", old: "x" });
    const run = (name: string, ...args: string[]) => {
      const { stdout, success } = new Deno.Command(name, { args }).outputSync();
      ok(success);
      return new TextDecoder().decode(stdout).trim();
    };
    run("touch", "-d", "@1700000000.123456789", dir.join("file"));
    equal(lstatNs(dir.join("file"))!.mtimeNs, 1700000000123456789n);
    run("touch", "-d", "@-5.25", dir.join("old"));
    equal(lstatNs(dir.join("old"))!.mtimeNs, -5_250_000_000n);
    const shown = run("stat", "-c", "%.9Z", dir.join("file"));
    const { ctimeNs } = lstatNs(dir.join("file"))!;
    equal(shown.replace(".", ""), String(ctimeNs));
  },
});

Deno.test("only statNs() follows links", () => {
  using dir = new TempDir();
  dir.write({ file: "12345" });
  Deno.symlinkSync("file", dir.join("link"));
  Deno.symlinkSync("nowhere", dir.join("dangling"));
  ok(isLink(lstatNs(dir.join("link"))!));
  ok(isFile(statNs(dir.join("link"))!));
  equal(statNs(dir.join("link"))!.size, 5);
  ok(lstatNs(dir.join("dangling")));
  equal(statNs(dir.join("dangling")), undefined);
  ok(isFolder(statNs(dir.path)!));
});

Deno.test("what is not there is undefined", () => {
  using dir = new TempDir();
  dir.write({ file: "x" });
  for (const name of ["none", "none/below", "file/below", "a\0b"]) {
    equal(lstatNs(`${dir.path}/${name}`), undefined, name);
    equal(statNs(`${dir.path}/${name}`), undefined, name);
    equal(readLinkNs(`${dir.path}/${name}`), undefined, name);
  }
  equal(lstatNs(""), undefined);
  deepEqual(
    ["none", "file"].map((name) => lstatNs(dir.join(name))?.size),
    [undefined, 1],
  );
});

Deno.test("names that no file can have are absent", () => {
  using dir = new TempDir();
  Deno.symlinkSync("loop", dir.join("loop"));
  ok(lstatNs(dir.join("loop")));
  equal(statNs(dir.join("loop")), undefined);
  for (const path of [dir.join("loop/x"), dir.join("x".repeat(300))]) {
    equal(lstatNs(path), undefined);
    equal(readLinkNs(path), undefined);
  }
  equal(lstatNs("/x".repeat(3000)), undefined);
});

Deno.test("other failures are Deno's errors", () => {
  using dir = new TempDir();
  dir.write({ "closed/file": "" });
  Deno.chmodSync(dir.join("closed"), 0);
  using _ = asPlainUser();
  const denied = Deno.errors.PermissionDenied;
  throws(() => lstatNs(dir.join("closed/file")), denied);
  throws(() => readLinkNs(dir.join("closed/file")), denied);
  throws(() => lstatNs(`${dir.path}/closed/\udcff`), denied);
  Deno.chmodSync(dir.join("closed"), 0o700);
});

Deno.test("stampText() changes with content, mode and times", () => {
  using dir = new TempDir();
  dir.write({ file: "x" });
  const path = dir.join("file");
  const stamps = [stampText(lstatNs(path)!)];
  const note = () => stamps.push(stampText(lstatNs(path)!));
  note();
  equal(stamps[0], stamps.pop());
  Deno.chmodSync(path, 0o755);
  ok(isExecutable(lstatNs(path)!));
  note();
  Deno.utimeSync(path, 5, 5);
  note();
  Deno.writeTextFileSync(path, "xy");
  note();
  equal(new Set(stamps).size, 4);
});

Deno.test("readLinkNs() gives the text of links only", () => {
  using dir = new TempDir();
  dir.write({ file: "x" });
  Deno.symlinkSync("ü/../file", dir.join("link"));
  equal(readLinkNs(dir.join("link")), "ü/../file");
  equal(readLinkNs(dir.join("file")), undefined);
  equal(readLinkNs(dir.path), undefined);
});

Deno.test({
  name: "names that are not UTF-8 can be asked about and read",
  ignore: libc === undefined || !has("python3"),
  fn: async () => {
    using dir = new TempDir();
    const script = `import os,sys
os.chdir(sys.argv[1])
open(b"caf\\xe9", "wb").write(b"coffee")
os.symlink(b"caf\\xe9", b"l\\xff")
os.mkdir(b"d\\xfe")`;
    const made = new Deno.Command("python3", {
      args: ["-c", script, dir.path],
    }).outputSync();
    ok(made.success, new TextDecoder().decode(made.stderr));
    const name = `${dir.path}/caf\udce9`;
    equal(lstatNs(name)!.size, 6);
    equal(lstatNs(`${dir.path}/caf\udcea`), undefined);
    equal(readLinkNs(`${dir.path}/l\udcff`), "caf\udce9");
    equal(statNs(`${dir.path}/l\udcff`)!.size, 6);
    deepEqual(readBytes(name), pathToBytes("coffee"));
    const xxh3 = await loadXxh3();
    equal(xxh3.file(name), xxh3.text("coffee"));
    throws(() => readBytes(`${dir.path}/caf\udcea`), Deno.errors.NotFound);
    throws(() => readBytes(`${dir.path}/d\udcfe`), /Is a directory/);
    // TempDir could not remove them.
    new Deno.Command("python3", {
      args: [
        "-c",
        `import os,sys
os.chdir(sys.argv[1])
os.remove(b"caf\\xe9");os.remove(b"l\\xff");os.rmdir(b"d\\xfe")`,
        dir.path,
      ],
    }).outputSync();
  },
});

Deno.test({
  name: "without the permission Deno is asked, and nobody is prompted",
  fn: () => {
    using dir = new TempDir();
    dir.write({ file: "12345" });
    Deno.symlinkSync("file", dir.join("link"));
    Deno.symlinkSync("loop", dir.join("loop"));
    const module = import.meta.resolve("../../lib/host/statx.ts");
    const script = `
      const { lstatNs, statNs, readLinkNs, timesAreExact } = await import(${
      JSON.stringify(module)
    });
      const [dir] = Deno.args;
      console.log(timesAreExact, lstatNs(dir + "/file").size,
        (lstatNs(dir + "/link").mode & 0o170000).toString(8),
        statNs(dir + "/link").size, readLinkNs(dir + "/link"),
        lstatNs(dir + "/none"), readLinkNs(dir + "/file"),
        lstatNs(dir + "/file/x" + "/x".repeat(3000)), statNs(dir + "/loop"), String(lstatNs(dir + "/file").mtimeNs));`;
    dir.write({ "script.ts": script });
    const { stdout, stderr } = new Deno.Command(Deno.execPath(), {
      args: ["run", "-R", dir.join("script.ts"), dir.path],
    }).outputSync();
    equal(new TextDecoder().decode(stderr), "");
    match(
      new TextDecoder().decode(stdout),
      /^false 5 120000 5 file undefined undefined undefined undefined \d+000000\n$/,
    );
  },
});

Deno.test({
  name: "a call takes less than 2 µs where files are cached",
  ignore: !timesAreExact,
  fn: () => {
    using dir = new TempDir();
    dir.write({ file: "x" });
    const paths = Array.from(
      { length: 20_000 },
      (_, i) => dir.join(i % 2 ? "file" : "none"),
    );
    let best = Infinity;
    for (let round = 0; round < 5; round++) {
      const start = performance.now();
      for (const path of paths) lstatNs(path);
      best = Math.min(best, (performance.now() - start) * 1000 / paths.length);
    }
    ok(best < 2, `${best} µs`);
  },
});

Deno.test("stampText() writes exact numbers, whatever the dates", () => {
  using dir = new TempDir();
  dir.write({ file: "x" });
  const path = dir.join("file");
  for (const seconds of [-1.5, 0, 0.000001, 1, 1e9, 1.5e9 + 0.25, 5e9]) {
    Deno.utimeSync(path, seconds, seconds);
    const stat = lstatNs(path)!;
    const { size, mode, ino, mtimeNs, ctimeNs } = stat;
    equal(stampText(stat), `${size} ${mode} ${ino} ${mtimeNs} ${ctimeNs}`);
    const newest = Math.max(Number(mtimeNs), Number(ctimeNs));
    equal(Math.round(changedMs(stat)), Math.round(newest / 1e6));
  }
});
