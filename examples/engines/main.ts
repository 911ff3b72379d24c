/**
 * Three engines in C++, each loaded in another way, used from one program.
 *
 * `deno run -A examples/engines/main.ts`
 *
 * `CLIBS_PYTHON` names the Python for the pybind11 engine; its headers and
 * pybind11's must be installed (Debian: python3-dev, pybind11-dev).
 */

import { builder, feedback } from "@clibs/cli";
import type { Engines } from "./core/engines/engines.d.ts";

feedback.enableConsole(Deno.args.includes("--verbose"));

const engines = await builder.buildAll<Engines>({
  sourceDir: `${import.meta.dirname}/core/engines`,
});

const percent = (share: number) => `${(share * 100).toFixed(0)} %`;
const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`;

// ffi: called directly; the struct is read back into the object.
const memory = { total: 0n, available: 0n };
if (!engines.ram.read_memory(memory)) throw new Error("no /proc/meminfo");
const total = Number(memory.total);
const share = engines.ram.used_share(total, Number(memory.available));
console.log(`ram   ${percent(share)} of ${gigabytes(total)} used`);

// Node-API: called directly, with JavaScript objects.
const space = engines.disk.getSpace("/");
console.log(`disk  ${gigabytes(space.free)} of ${gigabytes(space.total)} free`);

// pybind11: in a Python process beside this one, so calls are awaited.
const [load] = await engines.cpu.get_load();
const usage = await engines.cpu.get_usage(0.2);
console.log(
  `cpu   ${percent(usage)} of ${engines.cpu.cores} cores busy, load ${load}`,
);
