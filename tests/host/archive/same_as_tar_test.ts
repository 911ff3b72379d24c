/** The tree is that of GNU tar (or unzip), in every format. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { utimesSync } from "node:fs";
import {
  type ArchiveFormat,
  detectArchive,
} from "../../../lib/host/archive/mod.ts";
import { decode } from "../../../lib/host/archive/decode.ts";
import { FaultReporter } from "../../../lib/host/archive/failure.ts";
import { has } from "../../support/tools.ts";
import { noise, run, Sandbox, snapshot } from "./snapshot.ts";
import { entry, gnuLong, pax, tar } from "./tar_writer.ts";

/** Makes a tree with most of what a source tree can have. */
function makeTree(root: string, longNames: boolean): void {
  Deno.mkdirSync(`${root}/top/sub/deep`, { recursive: true });
  Deno.mkdirSync(`${root}/top/empty`);
  const write = (name: string, data: string | Uint8Array, mode = 0o644) => {
    Deno.writeFileSync(`${root}/top/${name}`, Buffer.from(data as string));
    Deno.chmodSync(`${root}/top/${name}`, mode);
  };
  write("top", "has the name of its folder");
  write("configure", "#!/bin/sh\n", 0o755);
  write("read only", "x", 0o444);
  write("private", "x", 0o600);
  write("loose", "x", 0o777);
  write("suid", "x", 0o6755);
  write("sub/empty", "");
  write("sub/block", noise(512));
  write("sub/deep/large", noise(700_001));
  write("sub/ünïcödé ☃", "x");
  write("sub/back\\slash", "x");
  if (longNames) {
    const folder = `sub/${"d".repeat(90)}`;
    Deno.mkdirSync(`${root}/top/${folder}`);
    write(`${folder}/${"f".repeat(60)}`, "long");
  }
  Deno.symlinkSync("sub/deep/large", `${root}/top/link`);
  Deno.symlinkSync("nowhere/else", `${root}/top/sub/dangling`);
  Deno.symlinkSync("deep", `${root}/top/sub/folder`);
  Deno.linkSync(`${root}/top/configure`, `${root}/top/sub/hard`);
  Deno.chmodSync(`${root}/top/empty`, 0o2775);
  utimesSync(`${root}/top/private`, 1, 1);
  utimesSync(`${root}/top/loose`, 4_000_000_000, 4_000_000_000);
  utimesSync(`${root}/top/sub/deep`, 1_234_567_890, 1_234_567_890);
}

function reference(sandbox: Sandbox, name: string, strip: number): string[] {
  Deno.mkdirSync(sandbox.join("reference"));
  const args = ["-xf", `../${name}`, `--strip-components=${strip}`];
  run("tar", [...args, "--no-same-permissions"], sandbox.join("reference"));
  const lines = snapshot(sandbox.join("reference"));
  Deno.removeSync(sandbox.join("reference"), { recursive: true });
  return lines;
}

for (const format of ["v7", "ustar", "gnu", "pax"]) {
  Deno.test(`a ${format} archive comes out as GNU tar has it`, async () => {
    using sandbox = new Sandbox();
    Deno.mkdirSync(sandbox.join("tree"));
    makeTree(sandbox.join("tree"), format !== "v7");
    run(
      "tar",
      [`--format=${format}`, "-cf", "../a.tar", "top"],
      sandbox.join("tree"),
    );
    for (const strip of [0, 1, 2]) {
      const result = await sandbox.extractFile("a.tar", { strip });
      assert.equal(result.format, "tar");
      assert.deepEqual(
        snapshot(sandbox.join("into")),
        reference(sandbox, "a.tar", strip),
      );
    }
    const result = await sandbox.extractFile("a.tar", { strip: "auto" });
    assert.equal(result.stripped, "top");
    assert.deepEqual(
      snapshot(sandbox.join("into")),
      reference(sandbox, "a.tar", 1),
    );
  });
}

const codecs: [ArchiveFormat, string, string[]][] = [
  ["tar.gz", "gzip", ["-n"]],
  ["tar.bz2", "bzip2", []],
  ["tar.xz", "xz", ["-0"]],
  ["tar.zst", "zstd", ["-q", "--rm"]],
];

for (const [format, tool, args] of codecs) {
  Deno.test({
    name: `${format} is found by content, read whole, and checked`,
    ignore: !has(tool),
    fn: async () => {
      using sandbox = new Sandbox();
      const parts = [
        entry({ name: "a", data: noise(300_000) }),
        entry({ name: "b", data: noise(3000) }),
      ];
      const whole = tar(...parts);
      const suffix = { gzip: "gz", bzip2: "bz2", xz: "xz", zstd: "zst" }[tool]!;
      // Two compressed streams, one after the other, are one file.
      const packed = [whole.subarray(0, 200_000), whole.subarray(200_000)]
        .map((bytes, i) => {
          Deno.writeFileSync(sandbox.join(`p${i}`), bytes);
          run(tool, [...args, `p${i}`], sandbox.path);
          return Deno.readFileSync(sandbox.join(`p${i}.${suffix}`));
        });
      const file = Buffer.concat(packed);
      const path = sandbox.join("x.archive");
      Deno.writeFileSync(path, file);
      for (const i of [0, 1]) Deno.removeSync(sandbox.join(`p${i}.${suffix}`));
      assert.equal(await detectArchive(path), format);
      const result = await sandbox.extract(file);
      assert.deepEqual(result, {
        format,
        entries: 2,
        bytes: 303_000,
        stripped: undefined,
      });
      const codec = suffix as "gz";
      const faults = () => new FaultReporter("x.tar");
      const readAll = async () => {
        const chunks = [];
        const none = () => undefined;
        for await (const chunk of decode(path, codec, faults(), none)) {
          chunks.push(Buffer.from(chunk));
        }
        return Buffer.concat(chunks);
      };
      assert.ok(whole.equals(await readAll()), "without the tool");
      const cuts = Array.from(
        { length: 12 },
        (_, i) => file.length - 1 - Math.floor(i * i * file.length / 150),
      );
      for (const size of [...cuts, packed[0]!.length + 2]) {
        await sandbox.failure(file.subarray(0, size));
        await assert.rejects(readAll, { code: "CLIBS_ARCHIVE_CORRUPT" });
      }
      await sandbox.failure(Buffer.concat([file, Buffer.from("garbage")]));
      await assert.rejects(readAll, { code: "CLIBS_ARCHIVE_CORRUPT" });
      const broken = Buffer.from(file);
      broken[100_000]! ^= 0xff;
      await sandbox.failure(broken);
      await assert.rejects(readAll, { code: "CLIBS_ARCHIVE_CORRUPT" });
    },
  });
}

Deno.test("a tar cut anywhere is refused, or whole but for padding", async () => {
  using sandbox = new Sandbox();
  const content = tar(
    entry({ name: "t/", type: "5", mode: 0o755 }),
    pax([["mtime", "5.25"]]),
    entry({ name: "t/a", data: noise(1500) }),
    gnuLong("L", `t/${"n".repeat(120)}`),
    entry({ name: "cut" }),
    entry({ name: "t/l", type: "2", linkName: "a" }),
  );
  const whole = Buffer.concat([content, Buffer.alloc(2048)]);
  await sandbox.extract(whole, { strip: "auto" });
  const expected = snapshot(sandbox.join("into"));
  for (let size = 0; size < whole.length; size += 64) {
    if (size % 512 === 0 && size >= content.length) {
      await sandbox.extract(whole.subarray(0, size), { strip: "auto" });
      assert.deepEqual(snapshot(sandbox.join("into")), expected);
    } else await sandbox.failure(whole.subarray(0, size), { strip: "auto" });
  }
});

Deno.test({
  name: "a zip comes out as unzip has it",
  ignore: !has("zip") || !has("unzip"),
  fn: async () => {
    using sandbox = new Sandbox();
    Deno.mkdirSync(sandbox.join("tree"));
    makeTree(sandbox.join("tree"), true);
    Deno.removeSync(sandbox.join("tree/top/sub/back\\slash"));
    Deno.removeSync(sandbox.join("tree/top/sub/ünïcödé ☃"));
    run("zip", ["-qry", "../a.zip", "top"], sandbox.join("tree"));
    await sandbox.extractFile("a.zip", { strip: "auto" });
    run("unzip", ["-q", "a.zip", "-d", "reference"], sandbox.path);
    const umask = Deno.umask();
    // unzip leaves the dates of symlinks alone, and has modes without a umask.
    const plain = (lines: string[]) =>
      lines.map((line) =>
        line.replace(/( -> .*) [\d.]+$/, "$1").replace(
          /( )([0-7]{3,4})( \d+)/,
          (_, a, mode, b) =>
            a + (parseInt(mode, 8) & 0o777 & ~umask).toString(8) + b,
        )
      );
    assert.deepEqual(
      plain(snapshot(sandbox.join("into"))),
      plain(snapshot(sandbox.join("reference/top"))),
    );
  },
});
