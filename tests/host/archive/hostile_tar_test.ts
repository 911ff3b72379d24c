/** Archives made to break out, confuse or exhaust: each is refused by name. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { ExtractOptions } from "../../../lib/host/archive/mod.ts";
import { Budget } from "../../../lib/host/archive/budget.ts";
import { FaultReporter } from "../../../lib/host/archive/failure.ts";
import { Sandbox } from "./snapshot.ts";
import { entry, gnuLong, pax, tar } from "./tar_writer.ts";

const file = entry({ name: "f", data: "hello" });
const link = (name: string, target: string) =>
  entry({ name, type: "2", linkName: target });
const hard = (name: string, target: string) =>
  entry({ name, type: "1", linkName: target });
const folder = (name: string) => entry({ name, type: "5", mode: 0o755 });
const field = (...bytes: number[]) => Uint8Array.from(bytes);

const cases: [
  what: string,
  archive: Uint8Array,
  code: string,
  message: string,
  options?: ExtractOptions,
][] = [
  [
    "dots",
    tar(entry({ name: "../x" })),
    "UNSAFE",
    'entry "../x" has ".." in its name',
  ],
  [
    "dots inside",
    tar(entry({ name: "a/../b" })),
    "UNSAFE",
    'entry "a/../b" has ".." in its name',
  ],
  [
    "dots, stripped",
    tar(entry({ name: "../x/y" })),
    "UNSAFE",
    'entry "../x/y" has ".." in its name',
    { strip: 1 },
  ],
  [
    "absolute",
    tar(entry({ name: "/etc/x" })),
    "UNSAFE",
    'entry "/etc/x" has an absolute name',
  ],
  [
    "absolute by prefix",
    tar(entry({ name: "x", prefix: "/etc" })),
    "UNSAFE",
    'entry "/etc/x" has an absolute name',
  ],
  [
    "absolute by PAX",
    tar(pax([["path", "/etc/x"]]), file),
    "UNSAFE",
    'entry "/etc/x" has an absolute name',
  ],
  [
    "absolute by GNU",
    tar(gnuLong("L", "/etc/x"), file),
    "UNSAFE",
    'entry "/etc/x" has an absolute name',
  ],
  [
    "newline",
    tar(entry({ name: "a\nb" })),
    "UNSAFE",
    'entry "a\\x0ab" has a control character in its name',
  ],
  [
    "escape",
    tar(entry({ name: "a\x1b[2Jb" })),
    "UNSAFE",
    'entry "a\\x1b[2Jb" has a control character in its name',
  ],
  [
    "NUL by PAX",
    tar(pax([["path", "a\0b"]]), file),
    "UNSAFE",
    'entry "a\\x00b" has a control character in its name',
  ],
  [
    "NUL by GNU",
    tar(gnuLong("L", "a\0b"), file),
    "UNSAFE",
    "the archive has a NUL inside a long name",
  ],
  [
    "empty name",
    tar(entry({ name: "" })),
    "CORRUPT",
    'entry "" has an empty name',
  ],
  [
    "not UTF-8",
    tar(entry({ name: field(0x61, 0xe9) })),
    "UNSUPPORTED",
    'entry "aé" has a name that is not UTF-8',
  ],
  [
    "part too long",
    tar(pax([["path", "n".repeat(256)]]), file),
    "UNSUPPORTED",
    `entry "${
      "n".repeat(200)
    }..." has a part longer than 255 bytes in its name`,
  ],
  [
    "file as top",
    tar(entry({ name: "." })),
    "UNSAFE",
    'entry "." would replace the top folder',
  ],
  [
    "character device",
    tar(entry({ name: "d", type: "3" })),
    "UNSAFE",
    'entry "d" is a character device',
  ],
  [
    "block device",
    tar(entry({ name: "d", type: "4" })),
    "UNSAFE",
    'entry "d" is a block device',
  ],
  [
    "fifo",
    tar(entry({ name: "d", type: "6" })),
    "UNSAFE",
    'entry "d" is a fifo',
  ],
  [
    "symlink up",
    tar(link("l", "../x")),
    "UNSAFE",
    'entry "l" is a symlink that leaves the tree',
  ],
  [
    "symlink up and down",
    tar(link("a/l", "../../into/f")),
    "UNSAFE",
    'entry "a/l" is a symlink that leaves the tree',
  ],
  [
    "symlink absolute",
    tar(link("l", "/etc/passwd")),
    "UNSAFE",
    'entry "l" is a symlink with an absolute target',
  ],
  [
    "symlink escape code",
    tar(link("l", "a\x1bb")),
    "UNSAFE",
    'entry "l" is a symlink with a control character in its target',
  ],
  [
    "symlink without target",
    tar(link("l", "")),
    "CORRUPT",
    'entry "l" is a symlink without a target',
  ],
  [
    "symlink out of the dropped top",
    tar(file, link("t/l", "../x")),
    "UNSAFE",
    'entry "t/l" is a symlink that leaves the tree',
    { strip: 1 },
  ],
  [
    "symlink out of the single top",
    tar(folder("t"), link("t/l", "../x")),
    "UNSAFE",
    'entry "t/l" is a symlink that leaves the tree',
    { strip: "auto" },
  ],
  [
    "chain, link first",
    tar(link("a", "b/c/../../.."), folder("b")),
    "UNSAFE",
    'entry "a" is a symlink that leaves the tree',
  ],
  [
    "chain, later link",
    tar(
      folder("d/e"),
      link("a", "b/../.."),
      link("d/e/up", "../.."),
      link("b", "d/e/up/d"),
    ),
    "UNSAFE",
    'entry "a" is a symlink that leaves the tree',
  ],
  [
    "through a symlink",
    tar(folder("d"), link("l", "d"), entry({ name: "l/x" })),
    "UNSAFE",
    'entry "l/x" would be written through a symlink',
  ],
  [
    "folder over symlink",
    tar(folder("d"), link("l", "d"), folder("l")),
    "UNSAFE",
    'entry "l" would be written through a symlink',
  ],
  [
    "symlink over folder",
    tar(folder("d"), folder("l"), link("l", "d")),
    "UNSAFE",
    'entry "l" would replace an earlier entry of the same name but another type',
  ],
  [
    "file over symlink",
    tar(file, link("l", "f"), entry({ name: "l" })),
    "UNSAFE",
    'entry "l" would replace an earlier entry of the same name but another type',
  ],
  [
    "file over folder",
    tar(folder("d"), entry({ name: "d" })),
    "UNSAFE",
    'entry "d" would replace an earlier entry of the same name but another type',
  ],
  [
    "folder over file",
    tar(file, folder("f")),
    "UNSAFE",
    'entry "f" would replace a file by a folder',
  ],
  [
    "below a file",
    tar(file, entry({ name: "f/x" })),
    "UNSAFE",
    'entry "f/x" would replace a file by a folder',
  ],
  [
    "hard link up",
    tar(hard("h", "../canary")),
    "UNSAFE",
    'entry "h" has ".." in its link target',
  ],
  [
    "hard link absolute",
    tar(hard("h", "/etc/passwd")),
    "UNSAFE",
    'entry "h" has an absolute link target',
  ],
  [
    "hard link to nothing",
    tar(hard("h", "f"), file),
    "UNSAFE",
    'entry "h" is a hard link to something that is not a file before it in the archive',
  ],
  [
    "hard link to symlink",
    tar(file, link("l", "f"), hard("h", "l")),
    "UNSAFE",
    'entry "h" is a hard link to a symlink',
  ],
  [
    "hard link through symlink",
    tar(folder("d"), entry({ name: "d/f" }), link("l", "d"), hard("h", "l/f")),
    "UNSAFE",
    'entry "h" is a hard link to something that is not a file before it in the archive',
  ],
  [
    "hard link to folder",
    tar(folder("d"), hard("h", "d")),
    "UNSAFE",
    'entry "h" is a hard link to a folder',
  ],
  [
    "hard link to stripped",
    tar(file, hard("t/h", "f")),
    "UNSAFE",
    'entry "t/h" is a hard link to a folder',
    { strip: 1 },
  ],
  [
    "hard link with content",
    tar(file, entry({ name: "h", type: "1", linkName: "f", data: "x" })),
    "UNSAFE",
    'entry "h" is ambiguous: a link or folder with content',
  ],
  [
    "two sizes",
    tar(pax([["size", "1"]]), entry({ name: "f", data: "hello" })),
    "UNSAFE",
    'entry "f" is ambiguous: it has two sizes',
  ],
  [
    "GNU and PAX name",
    tar(gnuLong("L", "a"), pax([["path", "b"]]), file),
    "UNSAFE",
    'the archive has ambiguous extension headers: "x" after "L"',
  ],
  [
    "PAX and GNU name",
    tar(pax([["path", "b"]]), gnuLong("L", "a"), file),
    "UNSAFE",
    'the archive has ambiguous extension headers: "L" after "x"',
  ],
  [
    "two long names",
    tar(gnuLong("L", "a"), gnuLong("L", "b"), file),
    "UNSAFE",
    'the archive has ambiguous extension headers: "L" after "L"',
  ],
  [
    "two PAX headers",
    tar(pax([["path", "a"]]), pax([["path", "b"]]), file),
    "UNSAFE",
    'the archive has ambiguous extension headers: "x" after "x"',
  ],
  [
    "global between",
    tar(pax([["path", "a"]]), pax([["comment", "b"]], "g"), file),
    "UNSAFE",
    'the archive has ambiguous extension headers: "g" after "x"',
  ],
  [
    "global name",
    tar(pax([["path", "a"]], "g"), file),
    "UNSAFE",
    "the archive has an ambiguous extended header: a global path",
  ],
  [
    "PAX name twice",
    tar(pax([["path", "a"], ["path", "b"]]), file),
    "UNSAFE",
    "the archive has an ambiguous extended header: a second path",
  ],
  [
    "empty PAX name",
    tar(pax([["path", ""]]), file),
    "UNSAFE",
    "the archive has an ambiguous extended header: an empty path",
  ],
  [
    "dangling PAX",
    tar(file, pax([["path", "a"]])),
    "CORRUPT",
    "the archive ends after an extension header",
  ],
  [
    "dangling long name",
    tar(file, gnuLong("L", "a")),
    "CORRUPT",
    "the archive ends after an extension header",
  ],
  [
    "bad PAX",
    tar(entry({ type: "x", data: "8 path=a\n" }), file),
    "CORRUPT",
    "the archive has a bad extended header",
  ],
  [
    "PAX beyond its data",
    tar(entry({ type: "x", data: "99 path=a\n" }), file),
    "CORRUPT",
    "the archive has a bad extended header",
  ],
  [
    "negative PAX size",
    tar(pax([["size", "-1"]]), file),
    "CORRUPT",
    "the archive has an extended header with a bad size",
  ],
  [
    "bad PAX date",
    tar(pax([["mtime", "now"]]), file),
    "CORRUPT",
    "the archive has an extended header with a bad date",
  ],
  [
    "huge extension",
    tar(entry({ type: "L", size: 2 ** 21 }), file),
    "CORRUPT",
    "the archive has an extension header of more than 1 MiB",
  ],
  [
    "negative size",
    tar(entry({ sizeField: new Uint8Array(12).fill(0xff) })),
    "CORRUPT",
    "the archive has a header with a negative size",
  ],
  [
    "absurd size",
    tar(entry({ sizeField: field(0x80, 0x7f, ...new Array(10).fill(0xff)) })),
    "CORRUPT",
    "the archive has a header with a bad size",
  ],
  [
    "bad octal",
    tar(entry({ sizeField: Buffer.from("0000000000x\0") })),
    "CORRUPT",
    "the archive has a header with a bad size",
  ],
  [
    "larger than the limit",
    tar(entry({ name: "big", size: 0o77777777777 })),
    "TOO_LARGE",
    'entry "big" goes beyond the limit of 1000 bytes',
    { maxBytes: 1000 },
  ],
  [
    "more content than there is",
    tar(entry({ name: "big", size: 10_000 })),
    "CORRUPT",
    'entry "big" is cut short',
  ],
  [
    "too many entries",
    tar(file, entry({ name: "b" }), entry({ name: "c" })),
    "TOO_LARGE",
    'entry "c" is beyond the limit of 2 entries',
    { maxEntries: 2 },
  ],
  [
    "wrong checksum",
    tar(file, entry({ name: "b", checksumError: 1 })),
    "CORRUPT",
    "the archive has a header with a wrong checksum",
  ],
  [
    "no end mark",
    file,
    "CORRUPT",
    "the archive is cut short: it has no end mark",
  ],
  [
    "half an end mark",
    Buffer.concat([file, Buffer.alloc(512)]),
    "CORRUPT",
    "the archive is cut short in its end mark",
  ],
  [
    "one zero block",
    Buffer.concat([file, Buffer.alloc(512), file]),
    "CORRUPT",
    "the archive has half an end mark",
  ],
  [
    "data after the end",
    Buffer.concat([tar(file), tar(file)]),
    "CORRUPT",
    "the archive has data after its end mark",
  ],
  [
    "half a block after the end",
    Buffer.concat([tar(file), Buffer.alloc(5)]),
    "CORRUPT",
    "the archive is cut short in its last block",
  ],
  [
    "GNU sparse",
    tar(entry({ name: "s", type: "S" })),
    "UNSUPPORTED",
    'entry "s" is a sparse file of GNU tar',
  ],
  [
    "PAX sparse",
    tar(pax([["GNU.sparse.major", "1"]]), file),
    "UNSUPPORTED",
    "the archive has a sparse file (GNU.sparse)",
  ],
  [
    "unknown type",
    tar(entry({ name: "u", type: "Z" })),
    "UNSUPPORTED",
    'entry "u" has an unknown type',
  ],
];

Deno.test("extractArchive() refuses hostile tar archives by name", async (t) => {
  for (const [what, archive, code, message, options] of cases) {
    await t.step(what, async () => {
      using sandbox = new Sandbox();
      const error = await sandbox.failure(archive, options);
      assert.equal(error.message, `Cannot extract x.tar: ${message}`);
      assert.equal(error.code, `CLIBS_ARCHIVE_${code}`);
    });
  }
});

Deno.test("a bomb is stopped by its ratio, from 1 GiB on", () => {
  const budget = new Budget(1000, new FaultReporter("x.tar"), {});
  budget.addUnpacked(2 ** 30);
  assert.throws(() => budget.addUnpacked(1), {
    code: "CLIBS_ARCHIVE_TOO_LARGE",
    message:
      "Cannot extract x.tar: the archive unpacks to more than 400 times the size of the archive",
  });
  new Budget(2 ** 23, new FaultReporter("x.tar"), {}).addUnpacked(2 ** 31);
});

Deno.test("an archive error says where the entry is and what to do", async () => {
  using sandbox = new Sandbox();
  const error = await sandbox.failure(tar(file, link("l", "../\u202ex")));
  assert.deepEqual(error.toJSON(), {
    code: "CLIBS_ARCHIVE_UNSAFE",
    message:
      'Cannot extract x.tar: entry "l" is a symlink that leaves the tree',
    facts: { archive: "x.tar", entry: "no. 2", target: "../\\u202ex" },
    hint:
      "do not unpack this archive by other means before you know who made it and why it holds such an entry",
  });
});

Deno.test("extractArchive() refuses what is no archive, and a full folder", async () => {
  using sandbox = new Sandbox();
  const page = Buffer.from("<html>404</html>");
  const error = await sandbox.failure(page, { name: "z\x1b.tgz" });
  assert.deepEqual(error.toJSON(), {
    code: "CLIBS_ARCHIVE_UNKNOWN",
    message: "Cannot extract z\\x1b.tgz: it is not an archive of a known kind",
    facts: {
      size: "16 bytes",
      known: "tar, tar.gz, tar.bz2, tar.xz, tar.zst, zip, gz",
    },
    hint: "look at the file: a server may have sent an error page instead",
  });
  const { extractArchive } = await import("../../../lib/host/archive/mod.ts");
  Deno.writeFileSync(sandbox.join("x.archive"), tar(file));
  await assert.rejects(
    extractArchive(sandbox.join("x.archive"), sandbox.path, { name: "x.tar" }),
    {
      code: "CLIBS_ARCHIVE_NOT_EMPTY",
      message: "Cannot extract x.tar: the folder for it is not empty",
    },
  );
});

Deno.test("extractArchive() stops when its signal fires", async () => {
  using sandbox = new Sandbox();
  const abort = new AbortController();
  const archive = tar(
    ...Array.from(
      { length: 2000 },
      (_, i) => entry({ name: `f${i}`, data: "x".repeat(600) }),
    ),
  );
  const stopped = sandbox.extract(archive, {
    signal: abort.signal,
    onProgress: () => abort.abort(),
  });
  await assert.rejects(stopped, { code: "CLIBS_CANCELLED" });
});
