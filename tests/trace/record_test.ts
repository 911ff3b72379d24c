import assert from "node:assert/strict";
import {
  HEADER,
  HEADER_SIZE,
  RecordReader,
  STATE,
} from "../../lib/trace/record.ts";
import { bytesOf, type MadeRecord, traceBytes } from "../support/records.ts";
import { TempDir } from "../support/temp.ts";

/** Reads the paths of all records in a trace of these bytes. */
function pathsIn(dir: TempDir, bytes: Uint8Array): string[] {
  Deno.writeFileSync(dir.join("trace"), bytes);
  const reader = new RecordReader(dir.join("trace"));
  const paths: string[] = [];
  reader.read(({ path }) => paths.push(path));
  reader.close();
  return paths;
}

const three: MadeRecord[] = [
  { op: "read", path: "/one", pid: 77, other: -1, flags: ["executes"] },
  { op: "rename", path: "/two", second: "/three\0four", state: "calling" },
  { op: "stat", path: "/caf\udce9/\u00e9", state: "absent", timeNs: 2 ** 60 },
];

Deno.test("RecordReader gives records as they were written", () => {
  using dir = new TempDir();
  Deno.writeFileSync(dir.join("trace"), traceBytes(three));
  const reader = new RecordReader(dir.join("trace"));
  const seen: unknown[] = [];
  reader.read((record) => seen.push({ ...record }));
  reader.close();
  const [a, b] = three.map((made) => bytesOf(made).length);
  assert.deepEqual(seen, [
    {
      at: HEADER_SIZE,
      op: 4,
      state: 2,
      flags: 32,
      pid: 77,
      other: -1,
      timeNs: 0,
      path: "/one",
      second: "",
    },
    {
      at: HEADER_SIZE + a!,
      op: 11,
      state: 1,
      flags: 0,
      pid: 1,
      other: 0,
      timeNs: 0,
      path: "/two",
      second: "/three\0four",
    },
    {
      at: HEADER_SIZE + a! + b!,
      op: 5,
      state: 3,
      flags: 0,
      pid: 1,
      other: 0,
      timeNs: 2 ** 60,
      path: "/caf\udce9/\u00e9",
      second: "",
    },
  ]);
});

Deno.test("a trace that is cut at any byte gives the records before it", () => {
  using dir = new TempDir();
  const whole = traceBytes(three);
  const ends = three.map((_, i) => traceBytes(three.slice(0, i + 1)).length);
  for (let end = HEADER_SIZE; end <= whole.length; end++) {
    const expected = ends.filter((at) => at <= end).length;
    assert.equal(
      pathsIn(dir, whole.subarray(0, end)).length,
      expected,
      `${end}`,
    );
    // The same where storage was reserved, but nothing written.
    const zeros = whole.slice();
    zeros.fill(0, end);
    const paths = pathsIn(dir, zeros);
    assert.ok(paths.length >= expected, `${end}`);
    assert.ok(paths.length <= expected + 1, `${end}`);
  }
});

Deno.test("what a killed writer left out hides nothing that comes after", () => {
  using dir = new TempDir();
  const [one, two, three_] = three as [MadeRecord, MadeRecord, MadeRecord];
  const torn = traceBytes([one, two, three_]);
  const second = HEADER_SIZE + bytesOf(one).length;
  torn[second + 6] = STATE.writing;
  const cases: [string, Uint8Array, string[]][] = [
    ["zeros", traceBytes([one, 8, 4096, two]), ["/one", "/two"]],
    ["zeros over many chunks", traceBytes([one, 3 << 20, two]), [
      "/one",
      "/two",
    ]],
    ["zeros at the end", traceBytes([one, 4096]), ["/one"]],
    ["torn", torn, ["/one", "/caf\udce9/\u00e9"]],
  ];
  for (const [what, bytes, expected] of cases) {
    assert.deepEqual(pathsIn(dir, bytes), expected, what);
  }
});

Deno.test("records at the edges of what is read at once are whole", () => {
  using dir = new TempDir();
  const parts: MadeRecord[] = [];
  for (let i = 0; i < 3000; i++) {
    parts.push({ op: "read", path: `/${i}/${"x".repeat(i % 1500)}` });
  }
  // One that is larger than a chunk cannot be; nearly that long ones can.
  const long = "y".repeat(65535);
  for (let i = 0; i < 40; i++) {
    parts.push({ op: "exec", path: `/${i}`, second: long });
  }
  assert.deepEqual(
    pathsIn(dir, traceBytes(parts)),
    parts.map(({ path }) => path),
  );
});

Deno.test("a record that is finished later is read later, with its place", () => {
  using dir = new TempDir();
  const whole = traceBytes(three);
  const [one, two] = three.map((made) => bytesOf(made).length) as [
    number,
    number,
  ];
  const first = HEADER_SIZE;
  const second = first + one;
  const early = whole.slice();
  early.fill(0, first, second);
  early[second + 6] = STATE.writing;
  const path = dir.join("trace");
  Deno.writeFileSync(path, early);
  const reader = new RecordReader(path);
  const seen: [string, number][] = [];
  const read = () => reader.read(({ path, at }) => seen.push([path, at]));
  read();
  const third: [string, number] = ["/caf\udce9/\u00e9", second + two];
  assert.deepEqual(seen, [third]);
  read();
  assert.deepEqual(seen, [third]);
  using file = Deno.openSync(path, { write: true });
  file.writeSync(whole.subarray(0, second));
  read();
  assert.deepEqual(seen, [third, ["/one", first]]);
  file.writeSync(whole.subarray(second));
  // More may have come at the end as well.
  file.writeSync(bytesOf({ op: "read", path: "/new" }));
  file.seekSync(HEADER.head, Deno.SeekMode.Start);
  const head = new DataView(new ArrayBuffer(8));
  head.setBigUint64(0, BigInt(whole.length + 40), true);
  file.writeSync(new Uint8Array(head.buffer));
  read();
  assert.deepEqual(seen.slice(2), [["/two", second], ["/new", whole.length]]);
  reader.close();
});

Deno.test("a place beyond the end of the file, and nonsense, end in no loop", () => {
  using dir = new TempDir();
  const bytes = traceBytes(three);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(HEADER.head, 1n << 60n, true);
  assert.equal(pathsIn(dir, bytes).length, 3);
  // Sizes that no writer stores.
  for (const size of [1, 7, 9, 24, 33, 2 ** 31, 2 ** 32 - 1, 2 ** 32 - 8]) {
    view.setUint32(HEADER_SIZE, size, true);
    pathsIn(dir, bytes);
  }
  let seed = 1;
  for (let round = 0; round < 200; round++) {
    for (let i = HEADER_SIZE; i < bytes.length; i++) {
      seed = (seed * 1103515245 + 12345) % 2 ** 31;
      bytes[i] = seed >> 16;
    }
    pathsIn(dir, bytes);
  }
});
