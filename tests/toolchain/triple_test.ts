import { deepEqual, equal, ok, throws } from "node:assert/strict";
import {
  equivalentNames,
  hostTriple,
  isNative,
  parseTriple,
} from "../../lib/toolchain/triple.ts";

/** Text; arch, vendor, os, env. */
const triples: [string, string, string | undefined, string, string?][] = [
  ["x86_64-linux-gnu", "x86_64", undefined, "linux", "gnu"],
  ["x86_64-unknown-linux-gnu", "x86_64", "unknown", "linux", "gnu"],
  ["x86_64-pc-linux-gnu", "x86_64", "pc", "linux", "gnu"],
  ["arm64-apple-darwin", "aarch64", "apple", "darwin"],
  ["aarch64-apple-darwin23.1.0", "aarch64", "apple", "darwin"],
  ["x86_64-linux", "x86_64", undefined, "linux"],
  ["arm-linux-gnueabihf", "arm", undefined, "linux", "gnueabihf"],
  ["riscv64gc-unknown-linux-gnu", "riscv64", "unknown", "linux", "gnu"],
  ["x86_64-pc-windows-msvc", "x86_64", "pc", "windows", "msvc"],
  ["x86_64-w64-mingw32", "x86_64", "w64", "windows", "gnu"],
  ["wasm32-unknown-wasi", "wasm32", "unknown", "wasi"],
  ["wasm32-wasip1", "wasm32", undefined, "wasi"],
  ["linux_amd64", "x86_64", undefined, "linux"],
  ["darwin_arm64", "aarch64", undefined, "darwin"],
  ["thing-vendor-os-abi", "thing", "vendor", "os", "abi"],
];

Deno.test("parseTriple() takes triples apart", async (t) => {
  for (const [text, arch, vendor, os, env] of triples) {
    await t.step(
      text,
      () => deepEqual(parseTriple(text), { text, arch, vendor, os, env }),
    );
  }
});

const nonsense = [
  "",
  "x86_64",
  "../x86_64-linux",
  "a/b-c",
  "-x-y",
  "a b-c",
  "a--b",
  "a-b-c-d-e",
  "a..b-c",
  `${"a".repeat(100)}-linux`,
];

Deno.test("parseTriple() refuses what cannot be a target", async (t) => {
  for (const text of nonsense) {
    await t.step(
      text || "(empty)",
      () => throws(() => parseTriple(text), { code: "CLIBS_TARGET" }),
    );
  }
  await t.step("with a message that says what is expected", () => {
    throws(() => parseTriple("x\x1b86"), {
      message: 'Cannot use "x\\u001b86" as a target: it is not a target triple',
      facts: { expected: "ARCH-OS, ARCH-OS-ABI or ARCH-VENDOR-OS-ABI" },
      hint: `use a triple such as ${hostTriple()} or aarch64-linux-gnu`,
    });
  });
});

const same: [string, string][] = [
  ["x86_64-linux-gnu", "x86_64-unknown-linux-gnu"],
  ["x86_64-unknown-linux-gnu", "linux_amd64"],
  ["x86_64-linux-gnu", "linux_x86_64"],
  ["aarch64-unknown-linux-gnu", "linux_arm64"],
  ["aarch64-apple-darwin", "darwin_arm64"],
  ["x86_64-pc-windows-msvc", "windows_amd64"],
  ["wasm32-unknown-wasi", "wasip1_wasm"],
  ["wasm32-wasi", "wasm32-unknown-wasi"],
];

const different: [string, string][] = [
  ["x86_64-linux-musl", "linux_amd64"],
  ["arm-linux-gnueabi", "linux_arm"],
  ["x86_64-w64-mingw32", "windows_amd64"],
  ["x86_64-linux-gnu", "x86_64-linux-gnu"],
];

Deno.test("equivalentNames() lists other names of the same target only", async (t) => {
  for (const [text, other] of same) {
    await t.step(
      `${text} is ${other}`,
      () => ok(equivalentNames(text).includes(other)),
    );
  }
  for (const [text, other] of different) {
    await t.step(
      `${text} is not ${other}`,
      () => ok(!equivalentNames(text).includes(other)),
    );
  }
});

Deno.test("isNative() knows this machine by its other names", () => {
  for (const name of [hostTriple(), ...equivalentNames(hostTriple())]) {
    equal(isNative(name), true, name);
  }
  equal(isNative("s390x-linux-gnu"), false);
});
