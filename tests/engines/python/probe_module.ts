/** A pybind11 module that works, fails and crashes as it is asked to. */

import { loadPython } from "../../../lib/engines/python/engine.ts";
import { PythonHost } from "../../../lib/engines/python/host.ts";
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
#include <stdexcept>
#include <pybind11/eval.h>
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
  m.def("die", [] {
    [&]() noexcept { throw std::runtime_error("the reason"); }();
  });
  m.def("evaluate", [](std::string code) {
    return py::eval(code, py::module_::import("__main__").attr("__dict__"));
  });
  m.def("quit", [](int code) { std::_Exit(code); });
  m.def("sleep", [](double seconds) {
    std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  });
}
`;

/** A test that needs a Python for which modules can be compiled. */
export function pythonTest(
  name: string,
  fn: (t: Deno.TestContext) => Promise<void>,
): void {
  Deno.test({ name, fn, ignore: !canCompile });
}

const canCompile = hasPybind();

let built: { dir: TempDir; path: string } | undefined;

/** Compiled once for all tests of this file. */
export async function module(): Promise<string> {
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

/** Its members. */
// deno-lint-ignore no-explicit-any
export type Probe = Record<string, any>;

/** Loads it in a Python of its own, which ends with the work. */
export async function withHost(
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
