import { Buffer } from "node:buffer";
import { deepEqual, equal, ok } from "node:assert/strict";
import {
  bytesToPath,
  hasRawBytes,
  pathToBytes,
} from "../../lib/host/bytes_path.ts";

const cases: [string, number[], string][] = [
  ["ASCII", [0x61, 0x2f, 0x62], "a/b"],
  ["two bytes", [0xc3, 0xa9], "é"],
  ["three bytes", [0xe2, 0x82, 0xac], "€"],
  ["four bytes", [0xf0, 0x9f, 0x99, 0x82], "🙂"],
  ["a byte order mark stays", [0xef, 0xbb, 0xbf, 0x61], "\ufeffa"],
  ["a byte of Latin-1", [0x61, 0xe9, 0x62], "a\udce9b"],
  ["a cut character", [0xe2, 0x82], "\udce2\udc82"],
  ["a character written too long", [0xc0, 0xaf], "\udcc0\udcaf"],
  ["too long in three", [0xe0, 0x80, 0xaf], "\udce0\udc80\udcaf"],
  ["an encoded surrogate", [0xed, 0xb2, 0x80], "\udced\udcb2\udc80"],
  ["beyond Unicode", [0xf4, 0x90, 0x80, 0x80], "\udcf4\udc90\udc80\udc80"],
  ["raw byte after a pair", [0xf0, 0x9f, 0x99, 0x82, 0xff], "🙂\udcff"],
];

Deno.test("every name has one text, which gives its bytes back", async (t) => {
  for (const [title, bytes, text] of cases) {
    await t.step(title, () => {
      equal(bytesToPath(new Uint8Array(bytes)), text);
      deepEqual([...pathToBytes(text)], bytes);
    });
  }
});

Deno.test("random bytes survive the way there and back", () => {
  let state = 1;
  const next = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 1;
  };
  const isUtf8 = (bytes: Uint8Array) =>
    Buffer.from(bytes).equals(Buffer.from(Buffer.from(bytes).toString()));
  let raw = 0;
  for (let i = 0; i < 5000; i++) {
    // Mostly leads and continuations: where decoders go wrong.
    const bytes = Uint8Array.from(
      { length: next() % 7 },
      () => next() % 4 ? 0x80 + next() % 128 : next() % 128,
    );
    const text = bytesToPath(bytes);
    deepEqual(pathToBytes(text), bytes);
    equal(hasRawBytes(text), !isUtf8(bytes));
    if (hasRawBytes(text)) raw++;
  }
  ok(raw > 2000 && raw < 5000, `${raw}`);
});

Deno.test("pathToBytes() keeps apart lone surrogates that are no bytes", () => {
  deepEqual([...pathToBytes("\ud800")], [0xed, 0xa0, 0x80]);
  deepEqual([...pathToBytes("\udc00")], [0xed, 0xb0, 0x80]);
});
