/** Functions and types of real libraries, called for real. */

import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { bindFfi } from "../../../lib/engines/ffi/bind.ts";
import {
  type FfiInterface,
  readInterface,
} from "../../../lib/engines/ffi/interface.ts";
import { ffiTypes } from "../../../lib/engines/ffi/types.ts";
import { ClibsError } from "../../../lib/errors.ts";
import { run } from "../../support/engines.ts";
import { TempDir } from "../../support/temp.ts";
import { has } from "../../support/tools.ts";

const SOURCE = `
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>
enum Color { RED, GREEN };
enum class Wide : int64_t { A = 1 };
struct Point {
  double x, y;
  int id;
  const char *name;
  Point *next;
  bool on;
  char tag[4];
  unsigned bit : 3;
};
struct All { int8_t a; uint8_t b; int16_t c; uint16_t d; int32_t e; uint32_t f;
  int64_t g; uint64_t h; float i; double j; bool k; };
struct Opaque;
typedef const struct Point Fixed;
typedef int (*Callback)(int);
namespace inner { extern "C" int doubled(int v) { return v * 2; } }
int mangled(int v) { return v; }
static int internal(int v) { return v; }
extern "C" {
int add(int a, int b) { return a + b; }
int64_t big(int64_t a, uint64_t b) { return a + (int64_t)b; }
uint64_t most() { return UINT64_MAX; }
bool flip(bool value) { return !value; }
float half(float x) { return x / 2; }
unsigned char uc(unsigned char c) { return c; }
char ch(char c) { return c; }
const char *hello(const char *name) {
  static std::string text;
  text = std::string("hi ") + (name ? name : "nobody");
  return text.c_str();
}
const char *nothing() { return nullptr; }
double norm(Fixed *p) { return p->x * p->x + p->y * p->y; }
void shift(Point *p, double by) { p->x += by; p->id++; p->on = !p->on; }
void negate(All *v) { v->a = -v->a; v->c = -v->c; v->e = -v->e; v->g = -v->g;
  v->i = -v->i; v->j = -v->j; v->k = !v->k; v->h++; }
double sum(const double *values, size_t count) {
  double total = 0;
  for (size_t i = 0; i < count; i++) total += values[i];
  return total;
}
void fill(uint8_t *bytes, int count) {
  for (int i = 0; i < count; i++) bytes[i] = (uint8_t)i;
}
Opaque *make() { return reinterpret_cast<Opaque *>(42); }
long use(Opaque *opaque) { return reinterpret_cast<long>(opaque); }
Color color(Color value) { return value; }
Wide wide(Wide value) { return value; }
int call(Callback callback, int x) { return callback(x); }
int by_reference(int &value) { return value++; }
int uses_internal(int class_, int delete_) { return internal(class_) * delete_; }
Point by_value(Point p) { return p; }
int variadic(int n, ...) { return n; }
long double extended(long double x) { return x; }
size_t maps() { return std::map<int, std::vector<std::string>>().size(); }
}
`;

interface Library extends Disposable {
  path: string;
  api: FfiInterface;
}

function compile(command: string[]): Library {
  const dir = new TempDir();
  dir.write({ "a.cpp": SOURCE });
  const [program = "", ...flags] = command;
  const args = [...flags, "-w", "-shared", "-fPIC", "-o", "a.so", "a.cpp"];
  run(program, args, dir.path);
  const path = dir.join("a.so");
  return {
    path,
    api: readInterface(Deno.readFileSync(path)),
    [Symbol.dispose]: () => dir[Symbol.dispose](),
  };
}

const NAMES = [
  "add",
  "big",
  "by_reference",
  "call",
  "ch",
  "color",
  "doubled",
  "fill",
  "flip",
  "half",
  "hello",
  "make",
  "maps",
  "most",
  "negate",
  "norm",
  "nothing",
  "shift",
  "sum",
  "uc",
  "use",
  "uses_internal",
  "wide",
];

const SKIPPED = [
  { name: "by_value", reason: 'parameter "p" is a struct by value (Point)' },
  {
    name: "extended",
    reason: 'parameter "x" is of the type long double',
  },
  { name: "variadic", reason: "it takes a variable number of arguments" },
];

Deno.test("readInterface() reads what compilers write", async (t) => {
  const compilers = [
    ["g++", "-O0", "-g"],
    ["g++", "-O0", "-g", "-gdwarf-4"],
    ["g++", "-O2", "-g"],
    ["g++", "-O0", "-g", "-gz"],
    ...(has("clang++") ? [["clang++", "-O0", "-g"]] : []),
  ];
  for (const command of compilers) {
    await t.step(command.join(" "), () => {
      using library = compile(command);
      const { functions, skipped, structs } = library.api;
      deepEqual(functions.map(({ name }) => name), NAMES);
      deepEqual(skipped, SKIPPED);
      deepEqual(Object.keys(structs).sort(), ["All", "Point"]);
      deepEqual(structs.Point, {
        size: 48,
        fields: [
          { name: "x", offset: 0, type: { kind: "number", type: "f64" } },
          { name: "y", offset: 8, type: { kind: "number", type: "f64" } },
          { name: "id", offset: 16, type: { kind: "number", type: "i32" } },
          { name: "name", offset: 24, type: { kind: "string" } },
          {
            name: "next",
            offset: 32,
            type: {
              kind: "pointer",
              to: "Point",
              const: false,
              struct: "Point",
            },
          },
          { name: "on", offset: 40, type: { kind: "number", type: "bool" } },
          ...structs.Point!.fields.slice(6),
        ],
      });
      deepEqual(
        structs.Point?.fields.slice(6).map(({ name, type }) => [
          name,
          type.kind,
        ]),
        [["tag", "other"], ["bit", "other"]],
      );
      const byName = new Map(functions.map((f) => [f.name, f]));
      deepEqual(byName.get("norm")?.parameters, [{
        name: "p",
        type: {
          kind: "pointer",
          to: "Fixed",
          const: true,
          struct: "Point",
        },
      }]);
      deepEqual(byName.get("wide")?.result, {
        kind: "number",
        type: "i64",
        enum: "Wide",
      });
    });
  }
});

Deno.test("bindFfi() calls with every kind of argument", async (t) => {
  using library = compile(["g++", "-O0", "-g"]);
  const bound = bindFfi(library.path, library.api, { nonblocking: ["sum"] });
  // deno-lint-ignore no-explicit-any
  const f = bound.functions as Record<string, any>;
  try {
    await t.step("numbers", () => {
      equal(f.add(1, -3), -2);
      equal(f.big(-(2n ** 63n), 0n), -(2n ** 63n));
      equal(f.big(1, 2), 3n);
      equal(f.most(), 2n ** 64n - 1n);
      equal(f.flip(true), false);
      equal(f.half(3), 1.5);
      equal(f.uc(255), 255);
      equal(f.ch(-1), -1);
      equal(f.color(1), 1);
      equal(f.wide(2n ** 40n), 2n ** 40n);
      equal(f.doubled(21), 42);
      equal(f.uses_internal(3, 4), 12);
    });
    await t.step("texts", () => {
      equal(f.hello("wörld ✓"), "hi wörld ✓");
      equal(f.hello(null), "hi nobody");
      equal(f.hello(new TextEncoder().encode("x\0")), "hi x");
      equal(f.nothing(), null);
    });
    await t.step("buffers", async () => {
      const bytes = new Uint8Array(4);
      f.fill(bytes, 4);
      deepEqual([...bytes], [0, 1, 2, 3]);
      f.fill(bytes.buffer, 1);
      const sum = f.sum(new Float64Array([1, 2, 3.5]), 3);
      ok(sum instanceof Promise);
      equal(await sum, 6.5);
      const value = new Int32Array([5]);
      equal(f.by_reference(value), 5);
      equal(value[0], 6);
    });
    await t.step("pointers", () => {
      equal(f.use(f.make()), 42n);
      const callback = new Deno.UnsafeCallback(
        { parameters: ["i32"], result: "i32" },
        (x) => x * 10,
      );
      equal(f.call(callback.pointer, 4), 40);
      callback.close();
    });
    await t.step("structs", () => {
      const point = { x: 3, y: 4, id: 7, on: false };
      equal(f.norm(point), 25);
      f.shift(point, 0.5);
      deepEqual(point, { x: 3.5, y: 4, id: 8, on: true });
      const all = {
        a: 1,
        b: 2,
        c: 3,
        d: 4,
        e: 5,
        f: 6,
        g: 7n,
        h: 8n,
        i: 1.5,
        j: 2.5,
        k: true,
      };
      f.negate(all);
      deepEqual(all, {
        ...all,
        a: -1,
        c: -3,
        e: -5,
        g: -7n,
        h: 9n,
        i: -1.5,
        j: -2.5,
        k: false,
      });
    });
    const wrong: [() => unknown, string][] = [
      [() => f.hello(), "hello() takes 1 argument (name), not 0"],
      [() => f.fill(null), "fill() takes 2 arguments (bytes, count), not 1"],
      [
        () => f.hello(5),
        'hello(): argument "name" must be a text, a buffer, a pointer or null, not a number',
      ],
      [
        () => f.hello("a\0b"),
        'hello(): argument "name" must not have a NUL character',
      ],
      [
        () => f.fill(new Uint8Array(1), "1"),
        'fill(): argument "count" must be a number, not a string',
      ],
      [
        () => f.fill(undefined, 1),
        'fill(): argument "bytes" must be a buffer, a pointer or null, not undefined',
      ],
      [
        () => f.norm({ x: 1, y: 2, id: 1 }),
        'norm(): argument "p" lacks the field "on"',
      ],
      [
        () => f.norm({ x: 1, y: 2, id: 1, onn: true }),
        'norm(): argument "p" has no field "onn", but "on"',
      ],
      [
        () => f.norm({ x: "1", y: 2, id: 1, on: true }),
        'norm(): argument "p": field "x" must be a number, not a string',
      ],
      [
        () => f.norm({ x: 1, y: 2, id: 2 ** 31, on: true }),
        'norm(): argument "p": field "id" is out of range for i32: 2147483648',
      ],
      [
        () => f.norm({ x: 1, y: 2, id: 1.5, on: true }),
        'norm(): argument "p": field "id" must be a whole number',
      ],
      [
        () => f.norm({ x: 1, y: 2, id: 1, on: 1 }),
        'norm(): argument "p": field "on" must be true or false',
      ],
    ];
    for (const [action, message] of wrong) {
      await t.step(
        message,
        () => throws(action, { name: "TypeError", message }),
      );
    }
  } finally {
    bound.close();
  }
});

Deno.test("bindFfi() refuses functions on another thread that are not there", () => {
  using library = compile(["g++", "-O0", "-g"]);
  throws(
    () => bindFfi(library.path, library.api, { nonblocking: ["summ"] }),
    (error) => {
      ok(error instanceof ClibsError);
      deepEqual(error.toJSON(), {
        code: "CLIBS_ENGINE_CONFIG",
        message:
          "Cannot run summ() on another thread: the engine has no such function",
        facts: { nearest: "sum" },
        hint: 'mend "nonblocking" in engines.json',
      });
      return true;
    },
  );
});

Deno.test("ffiTypes() writes declarations that TypeScript takes", () => {
  using library = compile(["g++", "-O0", "-g"]);
  using dir = new TempDir();
  const text = ffiTypes("my_engine", library.api, ["sum"]);
  dir.write({
    "my_engine.d.ts": text,
    "use.ts": `import type { MyEngine, Point } from "./my_engine.d.ts";
declare const engine: MyEngine;
const sum: number = engine.add(1, 2);
const big: bigint = engine.big(1n, 2);
const text: string | null = engine.hello("x");
const later: Promise<number> = engine.sum(new Float64Array(1), 1);
const point: Point = { x: 1, y: 2, id: 3, on: true };
engine.shift(point, 2);
engine.use(engine.make());
// @ts-expect-error: a text is no number
engine.add("1", 2);
export { big, later, sum, text };
`,
  });
  run(Deno.execPath(), ["check", "--quiet", "use.ts"], dir.path);
  run(Deno.execPath(), ["fmt", "--check", "my_engine.d.ts"], dir.path);
  ok(text.includes("// variadic: it takes a variable number of arguments"));
  ok(text.includes("/** int32_t add(int32_t a, int32_t b) */"));
});

Deno.test("debug information that is damaged is refused, or read", () => {
  using library = compile(["g++", "-O0", "-g"]);
  const whole = Deno.readFileSync(library.path);
  const survives = (bytes: Uint8Array) => {
    try {
      readInterface(bytes);
    } catch (error) {
      ok(error instanceof SyntaxError, String((error as Error).stack));
    }
  };
  for (let cut = 0; cut < whole.length; cut += 4099) {
    survives(whole.slice(0, cut));
  }
  let state = 12345;
  const random = (limit: number) => {
    state = (state * 1103515245 + 12345) & 0x7fffffff;
    return state % limit;
  };
  const started = performance.now();
  for (let round = 0; round < 150; round++) {
    const bytes = whole.slice();
    for (let count = 0; count < 20; count++) {
      bytes[random(bytes.length)] = random(256);
    }
    survives(bytes);
  }
  ok(performance.now() - started < 30_000);
});

Deno.test("readInterface() says what is missing", () => {
  throws(() => readInterface(new Uint8Array(10)), {
    name: "SyntaxError",
    message: "not an ELF file",
  });
  const libc = Deno.readFileSync("/proc/self/exe").subarray(0, 64);
  throws(() => readInterface(libc), SyntaxError);
});
