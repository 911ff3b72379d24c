/** Declarations of pybind11 modules, checked by Deno itself. */

import { ok } from "node:assert/strict";
import { pythonTypes } from "../../../lib/engines/python/types.ts";
import { run } from "../../support/engines.ts";
import { TempDir } from "../../support/temp.ts";

Deno.test("pythonTypes() reads pybind11's signatures", () => {
  using dir = new TempDir();
  const signatures: [string, string, string][] = [
    [
      "f",
      "f(a: float, b: int = 3) -> float",
      "f(a: number, b?: number): Promise<number>",
    ],
    [
      "g",
      "g(arg0: List[str], arg1: Dict[str, int]) -> None",
      "g(arg0: string[], arg1: Record<string, number>): Promise<void>",
    ],
    [
      "h",
      "h(arg0: numpy.ndarray[numpy.float64]) -> Tuple[int, bytes]",
      "h(arg0: Float64Array): Promise<[number, Uint8Array]>",
    ],
    [
      "i",
      "i(in: Optional[bool]) -> List[Optional[str]]",
      "i(in_: boolean | null): Promise<Array<string | null>>",
    ],
    [
      "j",
      "j(*args, **kwargs) -> Any",
      "j(...args: unknown[]): Promise<unknown>",
    ],
    ["k", "", "k(...args: unknown[]): Promise<unknown>"],
    ["l", "l(arg0: Foo) -> Foo", "l(arg0: unknown): Promise<unknown>"],
    [
      "m",
      "m(a: int = 1, b: int) -> None",
      "m(a?: number, b?: number): Promise<void>",
    ],
    [
      "n",
      "n(sep: str = ', (', b: int = 1, c: str = ']') -> None",
      "n(sep?: string, b?: number, c?: string): Promise<void>",
    ],
    [
      "o",
      "o(switch: int, class: int, true: int) -> None",
      "o(switch_: number, class_: number, true_: number): Promise<void>",
    ],
    [
      "p",
      "p(arg0: Tuple[()], arg1: Tuple[int, ...]) -> None",
      "p(arg0: [], arg1: number[]): Promise<void>",
    ],
    [
      "q",
      "q(a: numpy.ndarray[bool]) -> numpy.ndarray[numpy.float64[m, n]]",
      "q(a: Uint8Array): Promise<Float64Array>",
    ],
    // As pybind11 3 writes them.
    [
      "r",
      "r(x: typing.SupportsInt | typing.SupportsIndex) -> int | None",
      "r(x: number): Promise<number | null>",
    ],
    [
      "s",
      's(x: typing.Annotated[list[int], "FixedSize(3)"]) -> list[int | str]',
      "s(x: number[]): Promise<Array<number | string>>",
    ],
    [
      "t",
      "t(x: typing.Annotated[numpy.typing.ArrayLike, numpy.float32]) -> None",
      "t(x: Float32Array): Promise<void>",
    ],
    [
      "u",
      "u(x: collections.abc.Mapping[str, typing.SupportsFloat]) -> None",
      "u(x: Record<string, number>): Promise<void>",
    ],
  ];
  const text = pythonTypes("my_engine", {
    functions: signatures.map(([name, doc]) => ({ name, doc })),
    constants: { version: "1", limits: [1], "odd name": 1 },
    doc: "Mine */ yours",
  });
  for (const [name, , wanted] of signatures) {
    ok(text.includes(`  ${wanted};\n`), `${wanted}, not in\n${text} (${name})`);
  }
  ok(text.includes('readonly "odd name": number;'));
  dir.write({ "my_engine.d.ts": text });
  run(Deno.execPath(), ["check", "--quiet", "my_engine.d.ts"], dir.path);
  run(Deno.execPath(), ["fmt", "--check", "my_engine.d.ts"], dir.path);
});
