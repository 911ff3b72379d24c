import { equal, ok } from "node:assert/strict";
import {
  type FfiInterface,
  readInterface,
} from "../../../lib/engines/ffi/interface.ts";
import { ffiTypes, pascalCase } from "../../../lib/engines/ffi/types.ts";
import { run } from "../../support/engines.ts";
import { TempDir } from "../../support/temp.ts";
import { compile } from "./library.ts";

const SOURCE = `
#include <cstdint>
enum class Level : uint8_t { LOW };
struct Point { double x; int64_t id; bool on; const char* name; char tag[4]; };
namespace far { struct Point { int x; }; struct CpuLoad { int x; }; }
struct a_struct_of_which_the_name_is_very_long_since_it_comes_from_a_generator {
  int x;
};
extern "C" {
bool ready() { return true; }
int64_t add(int64_t a, uint32_t b) { return a + b; }
double mean(const double* values, int count) { return count ? *values : 0; }
const char* echo(const char* text) { return text; }
Point* move(Point& point, const far::Point* by, Level level) {
  point.x += by->x + static_cast<int>(level);
  return &point;
}
int self(const far::CpuLoad* p) { return p->x; }
int each(int (*visit)(int, void*), void* data) { return visit(1, data); }
int words(int function, int arguments, int) { return function + arguments; }
int generated(
    a_struct_of_which_the_name_is_very_long_since_it_comes_from_a_generator* v) {
  return v->x;
}
void by_value(Point p) { (void)p; }
int log(const char* format, ...) { return *format; }
}`;

const EXPECTED = `\
// Written by \`clibs engines types\` from cpu_load.cpp; do not edit.

/** Memory that is passed by its address. */
export type Pointer = ArrayBuffer | ArrayBufferView | Deno.PointerValue;

/** struct Point, 40 bytes. */
export interface Point {
  x: number;
  id: bigint;
  on: boolean;
  name?: Deno.PointerValue;
  // tag: char[4]
}

/** struct a_struct_of_which_the_name_is_very_long_since_it_comes_from_a_generator, 4 bytes. */
export interface AStructOfWhichTheNameIsVeryLongSinceItComesFromAGenerator {
  x: number;
}

/** struct far::CpuLoad, 4 bytes. */
export interface FarCpuLoad {
  x: number;
}

/** struct far::Point, 4 bytes. */
export interface FarPoint {
  x: number;
}

/** Functions of the engine cpu_load. */
export interface CpuLoad {
  /** int64_t add(int64_t a, uint32_t b) */
  add(a: number | bigint, b: number): Promise<bigint>;
  /** int32_t each(int (*visit)(int, void*), void* data) */
  each(visit: Pointer, data: Pointer): number;
  /** const char* echo(const char* text) */
  echo(text: string | Pointer): Promise<string | null>;
  /** int32_t generated(a_struct_of_which_the_name_is_very_long_since_it_comes_from_a_generator* v) */
  generated(
    v: AStructOfWhichTheNameIsVeryLongSinceItComesFromAGenerator | Pointer,
  ): number;
  /** double mean(const double* values, int32_t count) */
  mean(values: Pointer, count: number): number;
  /** Point* move(Point* point, const far::Point* by, Level level) */
  move(
    point: Point | Pointer,
    by: FarPoint | Pointer,
    level: number,
  ): Deno.PointerValue;
  /** bool ready() */
  ready(): boolean;
  /** int32_t self(const far::CpuLoad* p) */
  self(p: FarCpuLoad | Pointer): number;
  /** int32_t words(int32_t function, int32_t arguments, int32_t arg2) */
  words(function_: number, arguments_: number, arg2: number): number;
  // by_value: parameter "p" is a struct by value (Point)
  // log: it takes a variable number of arguments
}
`;

/** Uses the declarations as a program would. */
const USE = `\
import type { CpuLoad, Point } from "./cpu_load.d.ts";

export async function use(load: CpuLoad) {
  const point: Point = { x: 1, id: 2n, on: true };
  const moved: Deno.PointerValue = load.move(point, { x: 1 }, 1);
  load.move(moved, null, 1);
  const sum: bigint = await load.add(1, 2) + await load.add(1n, 2);
  const mean: number = load.mean(new Float64Array(3), 3);
  load.mean(new Float64Array(3).buffer, 3);
  const text: string | null = await load.echo("text");
  await load.echo(new Uint8Array(3));
  const callback = new Deno.UnsafeCallback({
    parameters: ["i32", "pointer"],
    result: "i32",
  }, (a) => a);
  load.each(callback.pointer, null);
  // @ts-expect-error Texts are only for const char*.
  load.mean("text", 3);
  // @ts-expect-error A field is missing.
  load.move({ x: 1 }, null, 1);
  // @ts-expect-error It cannot be called.
  load.log("text");
  return [sum, mean, text, load.ready() === true];
}
`;

/** Checks and formats what a program would import. */
function check(dir: TempDir, ...files: string[]): void {
  dir.write({ "deno.json": "{}" });
  run(Deno.execPath(), ["check", ...files], dir.path);
  const types = files.filter((file) => file.endsWith(".d.ts"));
  run(Deno.execPath(), ["fmt", "--check", ...types], dir.path);
  run(Deno.execPath(), ["lint", ...types], dir.path);
}

Deno.test("ffiTypes() writes what deno check, fmt and lint agree with", () => {
  using dir = new TempDir();
  const api = readInterface(Deno.readFileSync(compile(dir, SOURCE)));
  const text = ffiTypes("cpu_load", api, ["add", "echo"]);
  equal(text, EXPECTED);
  dir.write({ "cpu_load.d.ts": text, "use.ts": USE });
  check(dir, "cpu_load.d.ts", "use.ts");
});

const i32 = { kind: "number", type: "i32" } as const;

/** Engine and interface that need care. */
const special: [string, Partial<FfiInterface>][] = [
  ["empty", {}],
  ["skipping", { skipped: [{ name: "f", reason: "it is */ odd\nindeed" }] }],
  ["pointer", {
    structs: { pointer: field("y"), Pointer: field("x") },
    functions: [{
      name: "f",
      parameters: [{
        name: "at",
        type: {
          kind: "pointer",
          to: "Pointer",
          const: true,
          struct: "Pointer",
        },
      }],
      result: i32,
    }],
  }],
  ["templates", {
    structs: {
      "Pair<int, long>": field("first"),
      "Pair<int,long>": field("second"),
      "__hidden": field("a-b"),
      "2d": field("delete"),
    },
    functions: [{ name: "delete", parameters: [], result: i32 }],
  }],
  ["many", {
    functions: [{
      name: "mix",
      parameters: Array.from({ length: 9 }, () => ({ name: "in", type: i32 })),
      result: { kind: "void" },
    }],
  }],
];

function field(name: string) {
  return { size: 4, fields: [{ name, offset: 0, type: i32 }] };
}

Deno.test("ffiTypes() copes with names of all kinds", async (t) => {
  for (const [name, api] of special) {
    await t.step(name, () => {
      using dir = new TempDir();
      const text = ffiTypes(name, {
        format: 1,
        functions: [],
        structs: {},
        skipped: [],
        ...api,
      });
      ok(text.includes(` ${pascalCase(name)} `), text);
      const own = pascalCase(name);
      dir.write({
        [`${name}.d.ts`]: text,
        "use.ts": `import type { ${own} } from "./${name}.d.ts";\n` +
          `export type Engine = ${own};\n`,
      });
      check(dir, `${name}.d.ts`, "use.ts");
    });
  }
});
