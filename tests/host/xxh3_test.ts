import { equal, notEqual, ok, throws } from "node:assert/strict";
import { loadXxh3 } from "../../lib/host/xxh3.ts";
import { TempDir } from "../support/temp.ts";

// Of the reference implementation: XXH3_64bits() with seed 0.
const known: [string, string][] = [
  ["", "2d06800538d394c2"],
  ["a", "e6c632b61e964e1f"],
  ["abc", "78af5f94892f3950"],
  ["hello", "9555e8555c62dcfd"],
];

Deno.test("loadXxh3() computes XXH3-64", async () => {
  const xxh3 = await loadXxh3();
  for (const [text, sum] of known) {
    equal(xxh3.text(text), sum);
    equal(xxh3.bytes(new TextEncoder().encode(text)), sum);
  }
});

Deno.test("a file has the sum of its bytes, whatever its size", async () => {
  using dir = new TempDir();
  const xxh3 = await loadXxh3();
  const path = dir.join("file");
  for (const size of [0, 1, 240, 241, 1 << 20, (1 << 20) + 1, 3_000_000]) {
    const bytes = Uint8Array.from({ length: size }, (_, i) => i * 7 + (i >> 8));
    Deno.writeFileSync(path, bytes);
    equal(xxh3.file(path), xxh3.bytes(bytes), `${size} bytes`);
  }
});

Deno.test("a failed read leaves the next sum alone", async () => {
  using dir = new TempDir();
  const xxh3 = await loadXxh3();
  throws(() => xxh3.file(dir.join("none")), Deno.errors.NotFound);
  throws(() => xxh3.file(dir.path), /directory/i);
  equal(xxh3.text("abc"), "78af5f94892f3950");
});

Deno.test("seeds make sums that have nothing in common", async () => {
  const [zero, one] = [await loadXxh3(), await loadXxh3(1)];
  notEqual(zero.text("abc"), one.text("abc"));
  equal(zero, await loadXxh3(0));
});

Deno.test("raw bytes in a text are hashed as such", async () => {
  const xxh3 = await loadXxh3();
  equal(xxh3.text("a\udce9"), xxh3.bytes(new Uint8Array([0x61, 0xe9])));
  notEqual(xxh3.text("\udce9"), xxh3.text("\udcea"));
});

Deno.test("500 MiB take less than a second", async () => {
  const xxh3 = await loadXxh3();
  const bytes = new Uint8Array(50 << 20);
  const start = performance.now();
  for (let i = 0; i < 10; i++) xxh3.bytes(bytes);
  // About 60 ms on a quick machine; SHA-256 takes a second there.
  ok(performance.now() - start < 1000);
});
