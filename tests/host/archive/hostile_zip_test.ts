/** Zip files made to break out or confuse: each is refused by name. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { crc32, deflateRawSync } from "node:zlib";
import type { ExtractOptions } from "../../../lib/host/archive/mod.ts";
import { Sandbox, snapshot } from "./snapshot.ts";
import { zip } from "./zip_writer.ts";

const f = { name: "f", data: "hello" };
const LINK = 0o120777;

const cases: [
  what: string,
  archive: Uint8Array,
  code: string,
  message: string,
  options?: ExtractOptions,
][] = [
  [
    "dots",
    zip([{ name: "../x" }]),
    "UNSAFE",
    'entry "../x" has ".." in its name',
  ],
  [
    "absolute",
    zip([{ name: "/x" }]),
    "UNSAFE",
    'entry "/x" has an absolute name',
  ],
  [
    "backslash",
    zip([{ name: "..\\x" }]),
    "UNSAFE",
    'entry "..\\x" has a backslash in its name',
  ],
  [
    "NUL",
    zip([{ name: "a\0b" }]),
    "UNSAFE",
    'entry "a\\x00b" has a control character in its name',
  ],
  ["empty name", zip([{ name: "" }]), "CORRUPT", 'entry "" has an empty name'],
  [
    "bad UTF-8",
    zip([{ name: Uint8Array.of(0x61, 0x82), flags: 0x800 }]),
    "UNSUPPORTED",
    'entry "a\\x82" has a name that is not UTF-8',
  ],
  [
    "fifo",
    zip([{ mode: 0o010644 }]),
    "UNSAFE",
    'entry "a" is a device, fifo or socket',
  ],
  [
    "folder without slash",
    zip([{ mode: 0o040755 }]),
    "UNSAFE",
    'entry "a" is ambiguous: its name and type disagree',
  ],
  [
    "symlink up",
    zip([{ name: "l", mode: LINK, data: "../x" }]),
    "UNSAFE",
    'entry "l" is a symlink that leaves the tree',
  ],
  [
    "symlink absolute",
    zip([{ name: "l", mode: LINK, data: "/etc" }]),
    "UNSAFE",
    'entry "l" is a symlink with an absolute target',
  ],
  [
    "symlink too long",
    zip([{ name: "l", mode: LINK, data: "x".repeat(5000) }]),
    "CORRUPT",
    'entry "l" is a symlink with a target of more than 4096 bytes',
  ],
  [
    "through a symlink",
    zip([{ name: "l", mode: LINK, data: "d" }, { name: "l/x" }]),
    "UNSAFE",
    'entry "l/x" would be written through a symlink',
  ],
  ["twice", zip([f, f]), "UNSAFE", 'entry "f" is there twice'],
  [
    "twice by spelling",
    zip([f, { ...f, name: "./f" }]),
    "UNSAFE",
    'entry "./f" is there twice',
  ],
  [
    "encrypted",
    zip([{ ...f, flags: 1 }]),
    "UNSUPPORTED",
    'entry "f" is encrypted',
  ],
  [
    "method",
    zip([{ ...f, method: 14 }]),
    "UNSUPPORTED",
    'entry "f" is compressed by method 14',
  ],
  [
    "another local name",
    zip([{ ...f, localName: "g" }]),
    "UNSAFE",
    'entry "f" is ambiguous: its two headers disagree about the name',
  ],
  [
    "another local size",
    zip([{ ...f, local: { 22: 9 } }]),
    "UNSAFE",
    'entry "f" is ambiguous: its two headers disagree about the size',
  ],
  [
    "another local checksum",
    zip([{ ...f, local: { 14: 9 } }]),
    "UNSAFE",
    'entry "f" is ambiguous: its two headers disagree about the checksum',
  ],
  [
    "another local method",
    zip([{ ...f, local: { 8: 0 } }]),
    "UNSAFE",
    'entry "f" is ambiguous: its two headers disagree about the method',
  ],
  [
    "another local flag",
    zip([{ ...f, local: { 6: 0x800 } }]),
    "UNSAFE",
    'entry "f" is ambiguous: its two headers disagree about the flags',
  ],
  [
    "overlap",
    zip([f, { ...f, name: "g", offsetError: -36 }]),
    "UNSAFE",
    "the archive has entries that overlap",
  ],
  [
    "hidden bytes",
    zip([{ ...f, after: Buffer.from("hidden") }, { name: "g" }]),
    "UNSAFE",
    "the archive has bytes that belong to no entry",
  ],
  [
    "hidden bytes at the end",
    zip([{ ...f, after: Buffer.from("hidden") }]),
    "UNSAFE",
    "the archive has bytes that belong to no entry",
  ],
  [
    "wrong checksum",
    zip([{ ...f, crc: 1 }]),
    "CORRUPT",
    'entry "f" has content of another checksum',
  ],
  [
    "larger than said",
    zip([{ ...f, size: 3 }]),
    "CORRUPT",
    'entry "f" has bad compressed data',
  ],
  [
    "smaller than said",
    zip([{ ...f, size: 9 }]),
    "CORRUPT",
    'entry "f" has content of another size',
  ],
  [
    "stored, two sizes",
    zip([{ ...f, method: 0, size: 9 }]),
    "CORRUPT",
    'entry "f" is stored but has two sizes',
  ],
  [
    "bytes after deflate",
    zip([{
      ...f,
      packed: Buffer.concat([deflateRawSync("hello"), Buffer.from("x")]),
    }]),
    "CORRUPT",
    'entry "f" has bytes after its compressed data',
  ],
  [
    "descriptor missing",
    zip([{ ...f, flags: 8 }]),
    "CORRUPT",
    'entry "f" has a bad data descriptor',
  ],
  [
    "folder with content",
    zip([{ name: "d/", mode: 0o040755, data: "x" }]),
    "CORRUPT",
    'entry "d/" is a folder with content',
  ],
  [
    "wrong count",
    zip([f], "", 2),
    "CORRUPT",
    "the archive has a central directory with a wrong entry count",
  ],
  [
    "data after the end",
    Buffer.concat([zip([f]), Buffer.from("x")]),
    "CORRUPT",
    "the archive is cut short or has data after its end",
  ],
  [
    "two ends",
    zip([f], zip([]).toString("latin1")),
    "UNSAFE",
    "the archive is ambiguous: it has two end records",
  ],
  [
    "zip64 that is short",
    zip([{ ...f, size: 0xffffffff, extra: Uint8Array.of(1, 0, 0, 0) }]),
    "CORRUPT",
    "the archive has a bad zip64 number",
  ],
  [
    "too large",
    zip([{ ...f, size: 2e9 }]),
    "TOO_LARGE",
    'entry "f" goes beyond the limit of 1000 bytes',
    { maxBytes: 1000 },
  ],
];

Deno.test("extractArchive() refuses hostile zip files by name", async (t) => {
  for (const [what, archive, code, message, options] of cases) {
    await t.step(what, async () => {
      using sandbox = new Sandbox();
      const error = await sandbox.failure(archive, options);
      assert.equal(error.message, `Cannot extract x.tar: ${message}`);
      assert.equal(error.code, `CLIBS_ARCHIVE_${code}`);
    });
  }
});

Deno.test("a zip cut anywhere is refused", async () => {
  using sandbox = new Sandbox();
  const whole = zip([f, { name: "g", data: "x".repeat(300) }], "comment");
  for (let size = 4; size < whole.length; size++) {
    await sandbox.failure(whole.subarray(0, size));
  }
});

Deno.test("extractArchive() reads what zip files may hold", async () => {
  using sandbox = new Sandbox();
  const descriptor = Buffer.alloc(16);
  descriptor.writeUInt32LE(0x08074b50, 0);
  descriptor.writeUInt32LE(crc32("hello"), 4);
  descriptor.writeUInt32LE(deflateRawSync("hello").length, 8);
  descriptor.writeUInt32LE(5, 12);
  const result = await sandbox.extract(
    zip([
      { ...f, flags: 8, local: { 14: 0, 18: 0, 22: 0 }, after: descriptor },
      { name: "d/", mode: 0o040750 },
      { name: Uint8Array.of(0x82, 0xe1), system: 0, method: 0, data: "dos" },
      { name: "ünï", flags: 0x800, mode: 0o100755 },
      { name: "l", mode: LINK, data: "d/../f" },
      { name: "suid", mode: 0o104777 },
    ], "a comment"),
    { strip: "auto" },
  );
  assert.deepEqual(result, {
    format: "zip",
    entries: 6,
    bytes: 14,
    stripped: undefined,
  });
  const umask = Deno.umask();
  const mode = (bits: number) => (bits & ~umask).toString(8);
  const names = snapshot(sandbox.join("into"), false).map((line) =>
    line.replace(/ [0-9a-f]{64}$/, "")
  );
  assert.deepEqual(names, [
    `d/ ${mode(0o750)}`,
    `f ${mode(0o644)}`,
    "l -> d/../f",
    `suid ${mode(0o777)}`,
    `éß ${mode(0o666)}`,
    `ünï ${mode(0o755)}`,
  ]);
});
