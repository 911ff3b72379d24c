import { deepEqual, equal, ok, rejects, throws } from "node:assert/strict";
import { bindFfi, type BoundFunction } from "../../../lib/engines/ffi/bind.ts";
import { readInterface } from "../../../lib/engines/ffi/interface.ts";
import { TempDir } from "../../support/temp.ts";
import { compile } from "./library.ts";

const SOURCE = `
#include <cstdint>
#include <cstdlib>
#include <cstring>
struct Point { double x; int64_t id; bool on; int8_t small; float f;
               const char* name; char tag[4]; };
typedef struct { uint16_t w, h; } Size;
enum class Level : uint8_t { LOW, HIGH = 200 };
extern "C" {
bool not_(bool v) { return !v; }
int8_t i8(int8_t v) { return v; }
uint8_t u8(uint8_t v) { return v; }
int16_t i16(int16_t v) { return v; }
uint16_t u16(uint16_t v) { return v; }
int32_t i32(int32_t v) { return v; }
uint32_t u32(uint32_t v) { return v; }
int64_t i64(int64_t v) { return v; }
uint64_t u64(uint64_t v) { return v; }
float f32(float v) { return v; }
double f64(double v) { return v; }
Level level(Level v) { return v; }
int add(int a, int b) { return a + b; }
void nothing() {}

size_t length(const char* text) { return text ? strlen(text) : 99; }
const char* echo(const char* text) {
  static char kept[100];
  return text ? strcpy(kept, text) : nullptr;
}
int nth(const char* text, int at) { return static_cast<unsigned char>(text[at]); }
int64_t wide(const char*, int64_t v) { return v; }
bool flag(const char*, bool v) { return v; }
double sum(const double* values, int count) {
  double all = 0;
  for (int i = 0; i < count; i++) all += values[i];
  return all;
}
void fill(uint8_t* bytes, int count) { memset(bytes, 7, count); }
void* same(void* p) { return p; }
int& reference(int& v) { v++; return v; }

void move(Point* p, double by) { p->x += by; p->id = -p->id; p->on = !p->on; }
double peek(const Point* p) { return p->x + p->small + p->tag[0]; }
void* name_of(Point& p) { return const_cast<char*>(p.name); }
int area(const Size* s) { return s->w * s->h; }
int call(int (*f)(int, double), int v) { return f(v, 0.5); }
const char* slow(Point* p, const char* text) {
  for (int i = 0; i < 1000; i++) p->x += 1;
  return echo(text);
}
}`;

/** A library that is loaded as long as a test runs. */
class Loaded implements Disposable {
  readonly #dir = new TempDir();
  readonly #close: () => void;
  readonly api;
  readonly path: string;
  readonly f: Record<string, BoundFunction>;

  constructor(nonblocking: string[] = [], source = SOURCE) {
    this.path = compile(this.#dir, source);
    this.api = readInterface(Deno.readFileSync(this.path));
    const { functions, close } = bindFfi(this.path, this.api, { nonblocking });
    this.f = functions;
    this.#close = close;
  }

  call(name: string, ...args: unknown[]): unknown {
    return this.f[name]!(...args);
  }

  [Symbol.dispose](): void {
    this.#close();
    this.#dir[Symbol.dispose]();
  }
}

/** Function, arguments and result. */
const calls: [string, unknown[], unknown][] = [
  ["not_", [true], false],
  ["i8", [-128], -128],
  ["u8", [255], 255],
  ["i16", [-32768], -32768],
  ["u16", [65535], 65535],
  ["i32", [-2147483648], -2147483648],
  ["u32", [4294967295], 4294967295],
  ["i64", [-(2n ** 63n)], -(2n ** 63n)],
  ["i64", [2n ** 63n - 1n], 2n ** 63n - 1n],
  ["i64", [-5], -5n],
  ["u64", [2n ** 64n - 1n], 2n ** 64n - 1n],
  ["f32", [1.5], 1.5],
  ["f64", [Math.PI], Math.PI],
  ["level", [200], 200],
  ["add", [2, 3], 5],
  ["nothing", [], undefined],
  ["length", [""], 0n],
  ["length", ["grüße 🙂"], 12n],
  ["length", [null], 99n],
  ["length", [new TextEncoder().encode("abc\0def")], 3n],
  ["echo", ["grüße 🙂"], "grüße 🙂"],
  ["echo", [null], null],
  ["nth", ["é", 1], 0xa9],
  ["wide", ["", 2n ** 63n - 1n], 2n ** 63n - 1n],
  ["wide", ["", -1], -1n],
  ["flag", [null, true], true],
  ["sum", [new Float64Array([1, 2, 3.5]), 3], 6.5],
  ["sum", [new Float64Array([1, 2, 3.5]).buffer, 2], 3],
  ["sum", [new Float64Array([1, 2, 4]).subarray(1), 2], 6],
  ["sum", [new DataView(new Float64Array([9, 5]).buffer, 8), 1], 5],
  ["same", [null], null],
  ["area", [{ w: 640, h: 480 }], 307200],
  ["area", [new Uint16Array([3, 4])], 12],
];

Deno.test("bindFfi() calls functions of every kind", async (t) => {
  using loaded = new Loaded();
  deepEqual(loaded.api.skipped, []);
  for (const [name, args, result] of calls) {
    await t.step(`${name}(${Deno.inspect(args).slice(2, -2)})`, () => {
      equal(loaded.call(name, ...args), result);
    });
  }
});

Deno.test("bindFfi() passes memory both ways", () => {
  using loaded = new Loaded();
  const bytes = new Uint8Array(4);
  loaded.call("fill", bytes.subarray(1), 2);
  deepEqual([...bytes], [0, 7, 7, 0]);
  const pointer = Deno.UnsafePointer.of(bytes);
  const same = loaded.call("same", pointer) as Deno.PointerValue;
  ok(Deno.UnsafePointer.equals(same, pointer));
  loaded.call("fill", pointer, 1);
  equal(bytes[0], 7);
  const counter = new Int32Array([41]);
  const at = loaded.call("reference", counter) as Deno.PointerObject;
  equal(counter[0], 42);
  equal(new Deno.UnsafePointerView(at).getInt32(), 42);
});

const point = () => ({ x: 1.5, id: 2n ** 62n, on: true, small: -3, f: 0.25 });

Deno.test("bindFfi() packs objects, and reads numbers back", () => {
  using loaded = new Loaded();
  const moved = point();
  equal(loaded.call("move", moved, 2), undefined);
  deepEqual(moved, { ...point(), x: 3.5, id: -(2n ** 62n), on: false });
  const peeked = Object.freeze(point());
  equal(loaded.call("peek", peeked), -1.5);
  const text = new TextEncoder().encode("kept\0");
  const name = Deno.UnsafePointer.of(text);
  const found = loaded.call("name_of", { ...point(), name });
  ok(Deno.UnsafePointer.equals(found as Deno.PointerValue, name));
  equal(loaded.call("name_of", { ...point(), name: null }), null);
  equal(loaded.call("name_of", point()), null);
});

Deno.test("bindFfi() passes callbacks", () => {
  using loaded = new Loaded();
  const callback = new Deno.UnsafeCallback(
    { parameters: ["i32", "f64"], result: "i32" },
    (a, b) => a * 2 + b * 10,
  );
  try {
    equal(loaded.call("call", callback.pointer, 20), 45);
  } finally {
    callback.close();
  }
});

Deno.test("bindFfi() runs functions on other threads", async () => {
  using loaded = new Loaded(["add", "slow", "echo", "i64"]);
  equal(await loaded.call("add", 2, 3), 5);
  equal(await loaded.call("i64", -(2n ** 63n)), -(2n ** 63n));
  const target = point();
  const pending = loaded.call("slow", target, "a text of its own");
  ok(pending instanceof Promise);
  equal(target.x, 1.5);
  equal(await pending, "a text of its own");
  equal(target.x, 1001.5);
  const texts = Array.from({ length: 50 }, (_, i) => "x".repeat(i));
  const lengths = await Promise.all(texts.map((text) =>
    // Each has a buffer of its own, which only the call holds.
    loaded.call("echo", text)
  ));
  ok(lengths.every((text) => /^x*$/.test(String(text))));
  await rejects(
    async () => await loaded.call("echo", 1),
    new TypeError(
      'echo(): argument "text" must be a text, a buffer, a pointer or null, not a number',
    ),
  );
});

/** Function, arguments and message of the error. */
const wrong: [string, unknown[], string][] = [
  [
    "sum",
    [new Float64Array(1)],
    "sum() takes 2 arguments (values, count), not 1",
  ],
  ["length", [], "length() takes 1 argument (text), not 0"],
  ["echo", ["a", "b"], "echo() takes 1 argument (text), not 2"],
  [
    "sum",
    [null, "1"],
    'sum(): argument "count" must be a number, not a string',
  ],
  [
    "sum",
    [null, undefined],
    'sum(): argument "count" must be a number, not undefined',
  ],
  ["sum", [null, null], 'sum(): argument "count" must be a number, not null'],
  [
    "sum",
    [null, {}],
    'sum(): argument "count" must be a number, not an object',
  ],
  ["sum", [null, 1n], 'sum(): argument "count" must be a number, not a bigint'],
  [
    "flag",
    ["", 1],
    'flag(): argument "v" must be true or false, not a number',
  ],
  [
    "sum",
    ["text", 1],
    'sum(): argument "values" must be a buffer, a pointer or null, not a string',
  ],
  [
    "length",
    [1],
    'length(): argument "text" must be a text, a buffer, a pointer or null, not a number',
  ],
  [
    "length",
    [["a"]],
    'length(): argument "text" must be a text, a buffer, a pointer or null, not an object',
  ],
  [
    "length",
    ["a\0b"],
    'length(): argument "text" must not have a NUL character',
  ],
  [
    "area",
    [undefined],
    'area(): argument "s" must be an object, a buffer, a pointer or null, not undefined',
  ],
  ["area", [{ w: 1 }], 'area(): argument "s" lacks the field "h"'],
  [
    "area",
    [{ w: 1, h: 2, d: 3 }],
    'area(): argument "s" has no field "d", but "w"',
  ],
  [
    "area",
    [{ w: 1, height: 2 }],
    'area(): argument "s" has no field "height"',
  ],
  [
    "area",
    [{ w: 1, h: "2" }],
    'area(): argument "s": field "h" must be a number, not a string',
  ],
  [
    "peek",
    [{ ...point(), on: 1 }],
    'peek(): argument "p": field "on" must be true or false',
  ],
  [
    "peek",
    [{ ...point(), id: 1.5 }],
    'peek(): argument "p": field "id" must be a whole number',
  ],
  [
    "peek",
    [{ ...point(), name: "text" }],
    'peek(): argument "p": field "name" must be a pointer or null',
  ],
  [
    "peek",
    [{ ...point(), tag: "abc" }],
    'peek(): argument "p": field "tag" cannot be written by name: pass a buffer',
  ],
];

Deno.test("bindFfi() refuses wrong arguments", async (t) => {
  using loaded = new Loaded();
  for (const [name, args, message] of wrong) {
    await t.step(message, () => {
      throws(() => loaded.call(name, ...args), new TypeError(message));
    });
  }
  await t.step("Deno checks functions of numbers", () => {
    throws(() => loaded.call("add", "1", 2), TypeError);
    throws(() => loaded.call("add", 1), TypeError);
  });
});

Deno.test("bindFfi() names a function that cannot run on another thread", () => {
  using loaded = new Loaded(
    [],
    SOURCE + `
    extern "C" int print(const char* format, ...) { return *format; }`,
  );
  const bind = (name: string) => () =>
    bindFfi(loaded.path, loaded.api, { nonblocking: [name] });
  throws(bind("lenght"), {
    name: "ClibsError",
    code: "CLIBS_ENGINE_CONFIG",
    message:
      "Cannot run lenght() on another thread: the engine has no such function",
    facts: { nearest: "length" },
    hint: 'mend "nonblocking" in engines.json',
  });
  throws(bind("print"), {
    code: "CLIBS_ENGINE_CONFIG",
    facts: { skipped: "it takes a variable number of arguments" },
  });
});
