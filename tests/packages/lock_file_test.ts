import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { ClibsError } from "../../lib/errors.ts";
import {
  type LockFile,
  readLockFile,
  writeLockFile,
} from "../../lib/packages/lock_file.ts";
import { TempDir } from "../support/temp.ts";

const lock: LockFile = {
  version: 1,
  files: [{
    url: "https://example.org/a.tgz",
    sha256: "a".repeat(64),
    size: 3,
  }],
  tree: "sha256:" + "b".repeat(64),
};

Deno.test("a lock file reads back as it was written", () => {
  using dir = new TempDir();
  const path = dir.join("pkg.lock.json");
  equal(readLockFile(path), undefined);
  writeLockFile(path, lock);
  deepEqual(readLockFile(path), lock);
  ok(dir.read("pkg.lock.json").endsWith("}\n"));
});

Deno.test("a lock file cut at any byte is refused, never half believed", () => {
  using dir = new TempDir();
  const path = dir.join("pkg.lock.json");
  writeLockFile(path, lock);
  const text = dir.read("pkg.lock.json").trimEnd();
  for (let length = 0; length < text.length; length++) {
    Deno.writeTextFileSync(path, text.slice(0, length));
    throws(() => readLockFile(path), ClibsError, `cut at ${length}`);
  }
});

const invalid: [string, string, string][] = [
  ["no version", "{}", "it has no version"],
  [
    "a newer version",
    '{"version": 2}',
    "it has version 2, and this clibs knows up to 1",
  ],
  [
    "a digest of another length",
    '{"version":1,"tree":"t","files":[{"url":"u","size":1,"sha256":"00"}]}',
    "a field is missing or has the wrong type",
  ],
  [
    "a commit that is an option",
    '{"version":1,"tree":"t","git":{"repo":"r","ref":"x","commit":"--upload-pack=x"}}',
    "a field is missing or has the wrong type",
  ],
];

Deno.test("readLockFile() says what is wrong", async (t) => {
  for (const [name, text, why] of invalid) {
    await t.step(name, () => {
      using dir = new TempDir();
      dir.write({ "pkg.lock.json": text });
      const path = dir.join("pkg.lock.json");
      throws(() => readLockFile(path), {
        code: "CLIBS_LOCK_INVALID",
        message: `Cannot read ${path}: ${why}`,
        hint:
          "restore the file from version control, or remove it and run `clibs update` to write a new one",
      });
    });
  }
});
