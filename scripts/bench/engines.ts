/** Engines: a warm load and a cold build, beside what one would do by hand. */

import { builder, closePythonHosts } from "@clibs/cli";
import { fileURLToPath } from "node:url";
import { bash, benchDir } from "./measure.ts";

const examples = fileURLToPath(
  new URL("../../examples/engines/", import.meta.url),
);
const PYTHON = Deno.env.get("CLIBS_PYTHON") ?? "/usr/bin/python3";
const ROUNDS = 15;

/** Warm loads in this process and whole programs; cold builds. */
export async function benchEngines(): Promise<void> {
  const dir = benchDir();
  const cache = Deno.env.get("CLIBS_CACHE_DIR");
  Deno.env.set("CLIBS_CACHE_DIR", `${dir}/user-cache`);
  try {
    bash(dir, `cp -r ${examples}core .; echo '{}' > deno.json`);
    const options = {
      sourceDir: `${dir}/core/engines`,
      python: PYTHON,
      policy: "prefer_cache" as const,
    };
    const { ok } = await builder.fastBootBuildAll(options);
    if (!ok) throw new Error("the engines cannot be built");
    warmFfi(dir, options);
    await warmPython(dir, options);
    coldBuild(dir, "ram", "ffi", []);
    coldBuild(dir, "cpu", "pybind11", pythonFlags());
  } finally {
    await closePythonHosts();
    if (cache === undefined) Deno.env.delete("CLIBS_CACHE_DIR");
    else Deno.env.set("CLIBS_CACHE_DIR", cache);
    Deno.removeSync(dir, { recursive: true });
  }
}

type Options = Parameters<typeof builder.buildEngine>[1];

/** Programs that load one engine and call it once. */
function warmFfi(dir: string, options: Options): void {
  const modUrl = new URL("../../mod.ts", import.meta.url).href;
  const config = fileURLToPath(new URL("../../deno.json", import.meta.url));
  Deno.writeTextFileSync(
    `${dir}/plain.ts`,
    `const started = performance.now();
const { symbols } = Deno.dlopen("${dir}/core/engines/ram.so", {
  used_share: { parameters: ["f64", "f64"], result: "f64" },
});
if (symbols.used_share(2, 1) !== 0.5) throw new Error("wrong");
console.log(performance.now() - started);
`,
  );
  Deno.writeTextFileSync(
    `${dir}/clibs.ts`,
    `import { buildEngine } from "${modUrl}";
const options = ${JSON.stringify(options)};
// Once, so that the modules of clibs are loaded, as in any program that uses it.
await buildEngine("disk", options);
const started = performance.now();
const { used_share } = await buildEngine("ram", options);
if (used_share(2, 1) !== 0.5) throw new Error("wrong");
console.log(performance.now() - started);
`,
  );
  const run = (file: string) =>
    Number(bash(dir, `deno run -A --config ${config} ${file}`));
  const times = { plain: [] as number[], clibs: [] as number[] };
  for (let round = -1; round < ROUNDS; round++) {
    const plainMs = run("plain.ts");
    const clibsMs = run("clibs.ts");
    if (round < 0) continue;
    times.plain.push(plainMs);
    times.clibs.push(clibsMs);
  }
  const [plainMs, clibsMs] = [median(times.plain), median(times.clibs)];
  console.log(`\nWarm load of an ffi engine, median of ${ROUNDS}`);
  console.log(`  Deno.dlopen   ${plainMs.toFixed(2)} ms`);
  console.log(`  buildEngine   ${clibsMs.toFixed(2)} ms`);
  console.log(
    `  over it       ${(clibsMs - plainMs).toFixed(2)} ms (aim: under 5)`,
  );
}

/** A program that loads the engine in Python, against Python importing it. */
async function warmPython(dir: string, options: Options): Promise<void> {
  const times = { clibs: [] as number[], python: [] as number[] };
  const decoder = new TextDecoder();
  for (let round = -1; round < ROUNDS; round++) {
    await closePythonHosts();
    let started = performance.now();
    const cpu = await builder.buildEngine("cpu", {
      ...options,
      // Another name for the same: a loaded engine is not loaded again.
      python: round % 2 === 0 ? PYTHON : `/.${PYTHON}`,
    });
    await cpu.get_load();
    const clibsMs = performance.now() - started;
    started = performance.now();
    const { success, stderr } = new Deno.Command(PYTHON, {
      args: ["-c", "import cpu; cpu.get_load()"],
      cwd: `${dir}/core/engines`,
    }).outputSync();
    if (!success) throw new Error(decoder.decode(stderr));
    if (round < 0) continue;
    times.clibs.push(clibsMs);
    times.python.push(performance.now() - started);
  }
  const [clibsMs, pythonMs] = [median(times.clibs), median(times.python)];
  console.log(`\nWarm load and call of a pybind11 engine, median of ${ROUNDS}`);
  console.log(`  python -c "import cpu"  ${pythonMs.toFixed(1)} ms  x1.00`);
  console.log(
    `  buildEngine             ${clibsMs.toFixed(1)} ms  x${
      (clibsMs / pythonMs).toFixed(2)
    }`,
  );
}

/** A build of one engine with nothing in the cache, against the compiler. */
function coldBuild(
  dir: string,
  name: string,
  kind: string,
  flags: string[],
): void {
  const modUrl = new URL("../../mod.ts", import.meta.url).href;
  const config = fileURLToPath(new URL("../../deno.json", import.meta.url));
  Deno.writeTextFileSync(
    `${dir}/cold.ts`,
    `import { fastBootBuildAll } from "${modUrl}";
const options = { sourceDir: "core/engines", python: ${
      JSON.stringify(PYTHON)
    } };
// Nothing to do: loads the modules of clibs.
await fastBootBuildAll({ ...options, names: ["disk"] });
Deno.removeSync(".clibs/cache", { recursive: true });
Deno.removeSync("assets", { recursive: true });
const started = performance.now();
const { ok } = await fastBootBuildAll({ ...options, names: ["${name}"] });
if (!ok) throw new Error("not built");
const clibs = performance.now() - started;
const again = performance.now();
const { success } = await new Deno.Command("g++", {
  args: ["-O3", "-shared", "-std=c++17", "-fPIC", "-fvisibility=hidden",
    ...${JSON.stringify(flags)}, "core/engines/${name}.cpp", "-o", "plain.so"],
}).output();
if (!success) throw new Error("not compiled");
console.log(clibs, performance.now() - again);
await fastBootBuildAll(options);
`,
  );
  const rounds = kind === "ffi" ? ROUNDS : 5;
  const clibs: number[] = [];
  const plain: number[] = [];
  for (let round = -1; round < rounds; round++) {
    const [a, b] = bash(dir, `deno run -A --config ${config} cold.ts`)
      .split(" ").map(Number);
    if (round < 0) continue;
    clibs.push(a ?? NaN);
    plain.push(b ?? NaN);
  }
  const [clibsMs, plainMs] = [median(clibs), median(plain)];
  console.log(`\nCold build of a ${kind} engine, median of ${rounds}`);
  console.log(`  g++           ${plainMs.toFixed(1)} ms  x1.00`);
  console.log(
    `  clibs         ${clibsMs.toFixed(1)} ms  x${
      (clibsMs / plainMs).toFixed(3)
    } (aim: 1.05)`,
  );
}

function pythonFlags(): string[] {
  const script =
    "import sysconfig; print(sysconfig.get_path('include'), end='')";
  return [`-I${bash("/", `${PYTHON} -c "${script}"`)}`];
}

function median(list: number[]): number {
  return list.sort((a, b) => a - b)[Math.floor(list.length / 2)] ?? NaN;
}
