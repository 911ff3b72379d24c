import { deepEqual, ok, throws } from "node:assert/strict";
import { readDwarf } from "../../../lib/engines/ffi/dwarf.ts";
import {
  type FfiInterface,
  readInterface,
} from "../../../lib/engines/ffi/interface.ts";
import { readElf } from "../../../lib/toolchain/elf.ts";
import { TempDir } from "../../support/temp.ts";
import { compile, VARIANTS } from "./library.ts";

const SOURCE = `
struct Node { int value; Node* next; const char* name; char tag[4]; };
enum class E : short { A };
extern "C" {
int f(Node* node, const char* text, E e) { return node->value + *text + (int)e; }
double g(const double* values, int (*map)(int, Node*)) { return *values + map(1, 0); }
}`;

/** Numbers below 2^32 that look random, the same in each run. */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = Math.imul(state ^ (state >>> 15), 1 | state);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return (x ^ (x >>> 14)) >>> 0;
  };
}

/** Reads bytes that may be broken: a result or a SyntaxError, and soon. */
function read(bytes: Uint8Array, what: string): FfiInterface | undefined {
  const start = performance.now();
  try {
    return readInterface(bytes);
  } catch (error) {
    ok(error instanceof SyntaxError, `${what}: ${error}`);
    return undefined;
  } finally {
    const took = performance.now() - start;
    ok(took < 2000, `${what}: ${took} ms`);
  }
}

/** Where a section's bytes are in a file. */
function find(bytes: Uint8Array, name: string): Uint8Array | undefined {
  const section = readElf(bytes).section(name);
  // Views of the file, unless they were inflated.
  return section?.buffer === bytes.buffer ? section : undefined;
}

Deno.test("broken debug information is a SyntaxError or a result", async (t) => {
  const variants = VARIANTS.filter((variant) => !variant.includes("-gz=zlib"));
  for (const [index, variant] of variants.entries()) {
    await t.step(variant.join(" "), () => {
      using dir = new TempDir();
      const whole = Deno.readFileSync(compile(dir, SOURCE, variant));
      const next = random(index + 1);
      for (const name of [".debug_info", ".debug_abbrev", ".debug_str"]) {
        for (let round = 0; round < 150; round++) {
          const bytes = whole.slice();
          const section = find(bytes, name);
          ok(section);
          const flips = 1 + next() % 4;
          for (let flip = 0; flip < flips; flip++) {
            section[next() % section.length] = next();
          }
          read(bytes, `${name}, round ${round}`);
        }
      }
      for (let round = 0; round < 100; round++) {
        read(whole.subarray(0, next() % whole.length), `cut, round ${round}`);
      }
    });
  }
});

/** Sections made by hand: a unit of DWARF 4 with entries. */
function sections(
  info: number[],
  abbrev: number[],
  texts: Uint8Array = new Uint8Array(),
) {
  const word = (n: number) => [n, n >> 8, n >> 16, n >> 24];
  const head = [4, 0, 0, 0, 0, 0, 8];
  const unit = [...word(head.length + info.length), ...head];
  const contents: Record<string, Uint8Array> = {
    ".debug_info": new Uint8Array([...unit, ...info]),
    ".debug_abbrev": new Uint8Array(abbrev),
    ".debug_str": texts,
  };
  return { littleEndian: true, section: (name: string) => contents[name] };
}

const UNIT = [1, 0x11, 1, 0, 0];

Deno.test("readDwarf() gives up on bytes that are made to cost time", async (t) => {
  await t.step("entries of many attributes that take no bytes", () => {
    const attributes = Array.from({ length: 5000 }, () => [0x3f, 0x19]).flat();
    const made = sections(
      [1, ...new Array(50_000).fill(2)],
      [...UNIT, 2, 0x2e, 0, ...attributes, 0, 0, 0],
    );
    throws(() => readDwarf(made), {
      name: "SyntaxError",
      message: "an entry has too many attributes",
    });
  });

  await t.step("units whose tables overlap", () => {
    const abbrev = [...new Array(30_000).fill([9, 0x2e, 0, 0, 0]).flat(), 0];
    const units = Array.from({ length: 5000 }, (_, index) => {
      const at = index * 5;
      return [8, 0, 0, 0, 4, 0, at, at >> 8, at >> 16, 0, 8, 9];
    }).flat();
    const info = new Uint8Array(units);
    const contents: Record<string, Uint8Array> = {
      ".debug_info": info,
      ".debug_abbrev": new Uint8Array(abbrev),
    };
    throws(
      () =>
        readDwarf({ littleEndian: true, section: (name) => contents[name] }),
      { name: "SyntaxError", message: "tables of entries overlap" },
    );
  });

  await t.step("texts that overlap", () => {
    const texts = new Uint8Array(100_001).fill(120, 0, 100_000);
    const entries = Array.from({ length: 20_000 }, (_, at) => [
      2,
      at,
      at >> 8,
      at >> 16,
      0,
    ]).flat();
    const made = sections(
      [1, ...entries],
      [...UNIT, 2, 0x2e, 0, 0x03, 0x0e, 0, 0, 0],
      texts,
    );
    throws(() => readDwarf(made), {
      name: "SyntaxError",
      message: "too many texts overlap",
    });
  });

  await t.step("entries deep inside of each other", () => {
    const depth = 100_000;
    const made = sections(
      [1, ...new Array(depth).fill(2)],
      [...UNIT, 2, 0x39, 1, 0, 0, 0],
    );
    ok(readDwarf(made).dies.size > depth);
  });

  await t.step("a form that names itself", () => {
    const made = sections(
      [1, 2, 0x16, 0x16, 0x16],
      [...UNIT, 2, 0x2e, 0, 0x0b, 0x16, 0, 0, 0],
    );
    throws(() => readDwarf(made), {
      name: "SyntaxError",
      message: "a value of an unknown form: 0x16",
    });
  });
});

Deno.test("readDwarf() reads names, types and places", () => {
  using dir = new TempDir();
  const elf = readElf(Deno.readFileSync(compile(dir, SOURCE)));
  const { units, dies } = readDwarf(elf);
  const functions = units[0]?.children.filter(({ tag }) => tag === 0x2e) ?? [];
  deepEqual(functions.map(({ name }) => name).sort(), ["f", "g"]);
  const node = [...dies.values()].find(({ name }) => name === "Node");
  deepEqual(
    node?.children.map(({ name, location }) => [name, location]),
    [["value", 0], ["next", 8], ["name", 16], ["tag", 24]],
  );
});
