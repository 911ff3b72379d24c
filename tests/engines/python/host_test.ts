/** A real Python, and real modules in it that work, fail and crash. */

import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { loadPython } from "../../../lib/engines/python/engine.ts";
import { PythonError } from "../../../lib/engines/errors.ts";
import { PythonHost } from "../../../lib/engines/python/host.ts";
import { pythonTypes } from "../../../lib/engines/python/types.ts";
import { ClibsError } from "../../../lib/errors.ts";
import { FeedbackBus, type FeedbackEvent } from "../../../lib/feedback/bus.ts";
import { describePython } from "../../../lib/toolchain/python.ts";
import { run } from "../../support/engines.ts";
import { TempDir } from "../../support/temp.ts";
import { hasPybind, PYTHON } from "../../support/tools.ts";

const SOURCE = `
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <thread>
#include <vector>
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>
namespace py = pybind11;

PYBIND11_MODULE(probe, m) {
  m.doc() = "All that can be asked of a module";
  m.attr("version") = "1.2";
  m.attr("limits") = std::vector<int>{1, 2};
  m.def("add", [](double a, double b) { return a + b; }, py::arg("a"),
        py::arg("b") = 1.0);
  m.def("echo", [](py::object value) { return value; });
  m.def("kind", [](py::object value) {
    return py::str(value.get_type().attr("__name__")).cast<std::string>();
  });
  m.def("names", [](std::vector<std::string> a, std::map<std::string, int> b) {
    return a.size() + b.size();
  });
  m.def("total", [](py::array_t<double> values) {
    double sum = 0;
    for (py::ssize_t i = 0; i < values.size(); i++) sum += values.data()[i];
    return sum;
  });
  m.def("zeros", [](int rows, int columns) {
    py::array_t<float> result({rows, columns});
    for (py::ssize_t i = 0; i < result.size(); i++) result.mutable_data()[i] = i;
    return result;
  });
  m.def("blob", [](int size) { return py::bytes(std::string(size, 'x')); });
  m.def("huge", [] { return py::int_(py::str("123456789012345678901234567890")); });
  m.def("special", [] {
    return py::make_tuple(std::nan(""), INFINITY, -INFINITY, py::none(), true);
  });
  m.def("fail", [](std::string text) { throw py::value_error(text); });
  m.def("object", [] { return py::module_::import("threading").attr("Lock")(); });
  m.def("nested", [] {
    py::dict inner;
    inner["x"] = py::module_::import("datetime").attr("date")(2020, 1, 1);
    py::list list;
    list.append(inner);
    return list;
  });
  m.def("cycle", [] { py::list list; list.append(list); return list; });
  m.def("print", [](std::string text) {
    py::print("python", text);
    std::printf("c %s\\n", text.c_str());
    std::fflush(stdout);
    std::fprintf(stderr, "error %s\\n", text.c_str());
  });
  m.def("crash", [] { *(volatile int *)0 = 1; });
  m.def("quit", [](int code) { std::_Exit(code); });
  m.def("sleep", [](double seconds) {
    std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  });
}
`;

/** A test that needs a Python for which modules can be compiled. */
function pythonTest(
  name: string,
  fn: (t: Deno.TestContext) => Promise<void>,
): void {
  Deno.test({ name, fn, ignore: !canCompile });
}

const canCompile = hasPybind();

let built: { dir: TempDir; path: string } | undefined;

/** Compiled once for all tests of this file. */
async function module(): Promise<string> {
  if (built) return built.path;
  const dir = new TempDir();
  dir.write({ "probe.cpp": SOURCE });
  const { include } = await describePython(PYTHON);
  const path = dir.join("any-name.so");
  run("g++", [
    "-O0",
    "-w",
    "-std=c++17",
    "-shared",
    "-fPIC",
    "-fvisibility=hidden",
    `-I${include}`,
    "probe.cpp",
    "-o",
    path,
  ], dir.path);
  built = { dir, path };
  globalThis.addEventListener("unload", () => dir[Symbol.dispose]());
  return path;
}

// deno-lint-ignore no-explicit-any
type Probe = Record<string, any>;

async function withHost(
  work: (
    probe: Probe,
    host: PythonHost,
    events: FeedbackEvent[],
  ) => Promise<void>,
): Promise<void> {
  const bus = new FeedbackBus();
  const events: FeedbackEvent[] = [];
  bus.subscribe((event) => events.push(event));
  const host = new PythonHost({ python: PYTHON, feedback: bus });
  try {
    await work(await loadPython(host, "probe", await module()), host, events);
  } finally {
    await host.close();
  }
}

pythonTest("values go to Python and come back", async (t) => {
  await withHost(async (probe) => {
    equal(probe.version, "1.2");
    deepEqual(probe.limits, [1, 2]);
    equal(await probe.add(1, 2.5), 3.5);
    equal(await probe.add(1), 2);
    const same: unknown[] = [
      null,
      true,
      0,
      -1.5,
      2 ** 53,
      12345678901234567890n,
      -(2n ** 70n),
      NaN,
      Infinity,
      -Infinity,
      "",
      "wörld ✓ \u{1F600}",
      "half \ud800 character",
      [],
      [1, [2, ["3"]]],
      {},
      { a: 1, b: { c: [null] } },
      { $: "int", v: "5" },
      { __proto__x: 1 },
      new Uint8Array([0, 255, 10]),
      new Float64Array([1.5, -2]),
      new Int32Array([1, -2]),
      new BigInt64Array([1n, -(2n ** 62n)]),
      new BigUint64Array([2n ** 64n - 1n]),
      new Float32Array([0.5]),
      new Uint16Array([65535]),
      new Int8Array([-128]),
    ];
    for (const value of same) {
      const shown = typeof value === "bigint"
        ? `${value}n`
        : JSON.stringify(value, (_, v) => typeof v === "bigint" ? `${v}n` : v);
      await t.step(String(shown), async () => {
        const back = await probe.echo(value);
        deepEqual(back, value === 2 ** 53 ? 2n ** 53n : value);
      });
    }
    equal(await probe.echo(undefined), null);
    deepEqual(await probe.echo(new ArrayBuffer(2)), new Uint8Array(2));
    equal(await probe.kind(new Uint8Array(1)), "bytes");
    equal(await probe.kind(new Float32Array(1)), "ndarray");
    equal(await probe.kind(1), "int");
    equal(await probe.kind(1.5), "float");
    equal(await probe.total(new Float64Array([1, 2, 3])), 6);
    equal(await probe.names(["a", "b"], { c: 1 }), 3);
    equal(await probe.huge(), 123456789012345678901234567890n);
    deepEqual(await probe.special(), [NaN, Infinity, -Infinity, null, true]);
    const zeros = await probe.zeros(2, 3);
    ok(zeros instanceof Float32Array);
    deepEqual([...zeros], [0, 1, 2, 3, 4, 5]);
    deepEqual((zeros as unknown as { shape: number[] }).shape, [2, 3]);
    const blob = await probe.blob(3_000_000);
    equal(blob.length, 3_000_000);
    ok(blob.every((byte: number) => byte === 120));
  });
});

pythonTest(
  "values that cannot be passed are named by their place",
  async (t) => {
    await withHost(async (probe) => {
      const cycle: unknown[] = [];
      cycle.push(cycle);
      const cases: [() => Promise<unknown>, string][] = [
        [() => probe.object(), "probe.object(): cannot pass a lock at result"],
        [
          () => probe.nested(),
          "probe.nested(): cannot pass a date at result[0].x",
        ],
        [
          () => probe.cycle(),
          "probe.cycle(): a value holds itself at result[0]",
        ],
        [
          () => probe.echo({ a: [() => 1] }),
          "probe.echo(): cannot pass a function at arguments[0].a[0]",
        ],
        [
          () => probe.echo(new Map()),
          "probe.echo(): cannot pass a Map at arguments[0]",
        ],
        [
          () => probe.echo(cycle),
          "probe.echo(): a value holds itself at arguments[0][0]",
        ],
        [
          () => probe.echo(Symbol.iterator),
          "probe.echo(): cannot pass a symbol at arguments[0]",
        ],
      ];
      for (const [call, message] of cases) {
        await t.step(
          message,
          () => rejects(call(), { name: "TypeError", message }),
        );
      }
      equal(await probe.add(1, 1), 2);
    });
  },
);

pythonTest("exceptions of Python are errors with its traceback", async () => {
  await withHost(async (probe) => {
    await rejects(probe.fail("bad"), (error) => {
      ok(error instanceof PythonError);
      equal(error.code, "CLIBS_PYTHON_EXCEPTION");
      equal(error.message, "probe.fail() failed: ValueError: bad");
      equal(error.pythonType, "ValueError");
      equal(error.traceback, "ValueError: bad");
      equal(error.facts.traceback, error.traceback);
      return true;
    });
    await rejects(probe.add("x"), (error) => {
      ok(error instanceof PythonError);
      match(
        error.message,
        /^probe.add\(\) failed: TypeError: add\(\): incompatible/,
      );
      return true;
    });
  });
});

pythonTest("an import that fails is an error too", async () => {
  const host = new PythonHost({ python: PYTHON });
  try {
    await rejects(host.load("probe", "/no/such/file.so"), (error) => {
      ok(error instanceof PythonError);
      equal(error.pythonType, "ImportError");
      match(
        error.message,
        /^import probe failed: ImportError: .*no such file/i,
      );
      return true;
    });
  } finally {
    await host.close();
  }
});

pythonTest(
  "what modules print is reported, and never mixes with values",
  async () => {
    await withHost(async (probe, _, events) => {
      await probe.print("one");
      equal(await probe.add(1, 1), 2);
      const lines = events.filter(({ level }) => level === "engine")
        .map(({ message }) => message).sort();
      deepEqual(lines, ["c one", "error one", "python one"]);
    });
  },
);

pythonTest("a crash is reported and survived", async (t) => {
  const deaths: [
    string,
    (p: Probe, h: PythonHost) => Promise<unknown>,
    string,
  ][] = [
    [
      "a bad pointer",
      (p) => p.crash(),
      "probe.crash() failed: the Python process ended (SIGSEGV)",
    ],
    [
      "an exit",
      (p) => p.quit(3),
      "probe.quit() failed: the Python process ended (exit code 3)",
    ],
    ["kill -9", (p, h) => {
      const call = p.sleep(20);
      Deno.kill(h.pid!, "SIGKILL");
      return call;
    }, "probe.sleep() failed: the Python process ended (SIGKILL)"],
  ];
  for (const [name, die, message] of deaths) {
    await t.step(name, () =>
      withHost(async (probe, host, events) => {
        const before = host.pid;
        const waiting = die(probe, host);
        const second = probe.add(1, 1);
        await rejects(waiting, (error) => {
          ok(error instanceof ClibsError);
          equal(error.code, "CLIBS_PYTHON_DIED");
          equal(error.message, message);
          if (name === "a bad pointer") {
            match(error.facts["last words"] ?? "", /Segmentation fault/);
          }
          return true;
        });
        // All that were waiting are told.
        await rejects(second, { code: "CLIBS_PYTHON_DIED" });
        equal(events.filter(({ level }) => level === "error").length, 2);
        // The next call starts a new one, with the modules of the old.
        equal(await probe.add(20, 22), 42);
        ok(host.pid !== undefined && host.pid !== before);
      }));
  }
  await t.step("while it was idle", () =>
    withHost(async (probe, host) => {
      Deno.kill(host.pid!, "SIGKILL");
      const deadline = Date.now() + 5000;
      while (host.pid !== undefined && Date.now() < deadline) {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      equal(await probe.add(20, 22), 42);
    }));
});

pythonTest("a call has a limit of time, and can be interrupted", async () => {
  await withHost(async (probe, host) => {
    await rejects(host.call("probe", "sleep", [20], { timeoutMs: 100 }), {
      code: "CLIBS_PYTHON_TIMEOUT",
      message: "probe.sleep() failed: it took more than 0.1 s",
    });
    const controller = new AbortController();
    const call = host.call("probe", "sleep", [20], {
      signal: controller.signal,
    });
    setTimeout(() => controller.abort(), 50);
    await rejects(call, { code: "CLIBS_CANCELLED" });
    equal(await probe.add(1, 1), 2);
  });
});

/** A program that loads the module, prints what it got, and ends or waits. */
async function program(last: string): Promise<string> {
  const base = new URL("../../../lib/engines/python/", import.meta.url);
  return `
import { PythonHost } from "${base}host.ts";
import { loadPython } from "${base}engine.ts";
const host = new PythonHost({ python: "${PYTHON}" });
const probe = await loadPython(host, "probe", "${await module()}");
console.log(await probe.add(1, 2), host.pid);
${last}
`;
}

pythonTest("an idle host does not keep the program from ending", async () => {
  using dir = new TempDir();
  dir.write({ "a.ts": await program("") });
  const output = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", "--no-check", "a.ts"],
    cwd: dir.path,
    signal: AbortSignal.timeout(20_000),
  }).output();
  const text = new TextDecoder().decode(output.stdout);
  equal(output.success, true);
  match(text, /^3 \d+\n$/);
  await gone(Number(text.split(" ")[1]));
});

pythonTest(
  "Python ends with a program that is killed, also in a call",
  async (t) => {
    for (
      const last of ["setTimeout(() => {}, 60000)", "await probe.sleep(60)"]
    ) {
      await t.step(last, async () => {
        using dir = new TempDir();
        dir.write({ "a.ts": await program(last) });
        const child = new Deno.Command(Deno.execPath(), {
          args: ["run", "-A", "--quiet", "--no-check", "a.ts"],
          cwd: dir.path,
          stdout: "piped",
        }).spawn();
        const reader = child.stdout.getReader();
        const { value } = await reader.read();
        const pid = Number(new TextDecoder().decode(value).split(" ")[1]);
        child.kill("SIGKILL");
        await child.status;
        await reader.cancel();
        await gone(pid);
      });
    }
  },
);

async function gone(pid: number): Promise<void> {
  ok(pid > 1);
  const deadline = Date.now() + 15_000;
  while (isRunning(pid)) {
    ok(Date.now() < deadline, `Python ${pid} is still there`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function isRunning(pid: number): boolean {
  try {
    const state = Deno.readTextFileSync(`/proc/${pid}/stat`);
    return !/\) Z /.test(state);
  } catch {
    return false;
  }
}

pythonTest("describePython() tells what a module must fit", async () => {
  const info = await describePython(PYTHON);
  match(info.version, /^3\.\d+\.\d+$/);
  match(info.soabi, /^cpython-3\d+-/);
  equal(info.extSuffix, `.${info.soabi}.so`);
  equal(info.hasHeaders, true);
  ok(info.pybind11);
});

Deno.test("describePython() says what is wrong", async () => {
  await rejects(describePython("/no/such/python"), {
    code: "CLIBS_PYTHON_MISSING",
    message: "Cannot find Python: /no/such/python is not there",
    hint: "install python3, or name one with --python or $CLIBS_PYTHON",
  });
  await rejects(describePython("no-such-python"), {
    code: "CLIBS_PYTHON_MISSING",
    message: "Cannot find Python: no-such-python is not on PATH",
  });
  using dir = new TempDir();
  dir.write({ python: "#!/bin/sh\necho no version is set >&2\nexit 1\n" });
  Deno.chmodSync(dir.join("python"), 0o755);
  await rejects(describePython(dir.join("python")), (error) => {
    ok(error instanceof ClibsError);
    equal(error.code, "CLIBS_PYTHON_BROKEN");
    deepEqual(error.facts, { "it said": "no version is set" });
    equal(error.hint, "name another with --python (python) or $CLIBS_PYTHON");
    return true;
  });
});

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
