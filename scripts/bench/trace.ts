/**
 * Builds under each tracing method, beside the bare build, strace and bear.
 *
 * `CLIBS_BENCH_ROUNDS` sets the rounds (default: 5) and `CLIBS_BENCH_BUILDS`
 * picks builds by name.
 */

import type { Method } from "@clibs/cli";
import { fileURLToPath } from "node:url";
import { obtainTools } from "../../lib/trace/methods.ts";
import { TraceSession } from "../../lib/trace/session.ts";
import { unpack, upstream } from "../../tests/support/upstream.ts";
import { bash, benchDir } from "./measure.ts";
import { benchMillion } from "./trace_million.ts";

const here = fileURLToPath(new URL(".", import.meta.url));
const main = fileURLToPath(new URL("../../main.ts", import.meta.url));

/** Wall-clock and processor seconds. */
interface Usage {
  wall: number;
  cpu: number;
}

/** One way to run a build. */
interface Way {
  name: string;
  /** Runs a script in a folder. */
  run: (dir: string, script: string) => Promise<Usage>;
}

/** Sources in a folder, and how they are built. */
interface Build {
  name: string;
  script: string;
  prepare: (dir: string) => Promise<void> | void;
}

const BUILDS: Build[] = [
  debian("zlib", "./configure --static && make -j2 libz.a"),
  debian("lua5.4", "make -C src -j2 linux"),
  debian("libdeflate", "make -j2"),
  {
    name: "CMake, C++",
    script: "cmake -S . -B out && cmake --build out -j2",
    prepare: writeCxx,
  },
  debian("libogg", "./configure", "configure of libogg"),
];

function debian(source: string, script: string, name = source): Build {
  return {
    name,
    script,
    prepare: async (dir) => void unpack((await upstream(source)).path, dir),
  };
}

function writeCxx(dir: string): void {
  const names = Array.from({ length: 10 }, (_, i) => `part${i}`);
  Deno.mkdirSync(dir, { recursive: true });
  Deno.writeTextFileSync(
    `${dir}/CMakeLists.txt`,
    `cmake_minimum_required(VERSION 3.16)
project(bench CXX)
add_library(parts STATIC ${names.map((name) => `${name}.cpp`).join(" ")})
add_executable(main main.cpp)
target_link_libraries(main parts)
`,
  );
  for (const name of names) {
    Deno.writeTextFileSync(
      `${dir}/${name}.cpp`,
      `#include <iostream>
#include <map>
#include <string>
#include <vector>
int ${name}(const std::string &text) {
  std::map<std::string, std::vector<int>> all;
  all[text].push_back(1);
  for (const auto &[key, value] : all) std::cout << key << value.size() << "\\n";
  return static_cast<int>(all.size());
}
`,
    );
  }
  Deno.writeTextFileSync(
    `${dir}/main.cpp`,
    '#include <string>\nint part0(const std::string &);\nint main() { return part0("x") - 1; }\n',
  );
}

/** Prints ratios for builds, and what a million accesses cost. */
export async function benchTrace(): Promise<void> {
  // Not in memory: what is below /dev is no file of a build.
  const dir = Deno.env.get("CLIBS_BENCH_DIR")
    ? benchDir()
    : Deno.makeTempDirSync({ prefix: "clibs-bench-" });
  try {
    bash(dir, `cc -O2 -o usage ${here}usage.c`);
    const only = Deno.env.get("CLIBS_BENCH_BUILDS")?.split(",");
    const builds = BUILDS.filter(({ name }) => only?.includes(name) ?? true);
    const rounds = Number(Deno.env.get("CLIBS_BENCH_ROUNDS") ?? 5);
    const ways = await waysHere(dir);
    for (const build of builds) await build.prepare(`${dir}/${build.name}`);
    const table = await measure(dir, builds, ways, rounds);
    print(table, builds, ways, rounds);
    await benchMillion(dir);
  } finally {
    Deno.removeSync(dir, { recursive: true });
  }
}

async function waysHere(dir: string): Promise<Way[]> {
  const ways: Way[] = [{ name: "bare", run: usage(dir, (argv) => ({ argv })) }];
  for (const keepSystem of [false, true]) {
    for (const method of ["ld_preload", "ptrace"] as const) {
      ways.push(await traced(dir, method, keepSystem));
    }
  }
  ways.push({
    name: "clibs trace, all of it",
    run: usage(dir, (argv) => ({
      argv: [
        ...[Deno.execPath(), "run", "-A", "--no-check", main, "trace"],
        ...["--quiet", "--", ...argv],
      ],
    })),
  });
  const others: Record<string, string[]> = {
    "strace -f": ["strace", "-f", "-o", `${dir}/log`, "-e", "trace=%file"],
    "strace -f --seccomp-bpf": [
      ...["strace", "-f", "--seccomp-bpf", "-o", `${dir}/log`],
      ...["-e", "trace=%file"],
    ],
    "bear": ["bear", "--output", `${dir}/commands.json`, "--"],
  };
  for (const [name, before] of Object.entries(others)) {
    const program = before[0] ?? "";
    if (!bash(dir, `command -v ${program} || true`)) {
      console.log(`${program} is not here: left out`);
      continue;
    }
    ways.push({
      name,
      run: usage(dir, (argv) => ({ argv: [...before, ...argv] })),
    });
  }
  return ways;
}

async function traced(
  dir: string,
  method: Method,
  keepSystem: boolean,
): Promise<Way> {
  const tools = await obtainTools(method);
  return {
    name: keepSystem ? `${method}, system files too` : method,
    run: async (cwd, script) => {
      using session = new TraceSession(method, tools, { keepSystem });
      return await usage(dir, (argv) => {
        const wrapped = session.wrap(
          "/bin/bash",
          argv,
          Deno.env.toObject(),
        );
        return { argv: wrapped.argv, env: wrapped.env };
      })(cwd, script);
    },
  };
}

/** Runs a command under usage.c. */
function usage(
  dir: string,
  wrap: (argv: string[]) => { argv: string[]; env?: Record<string, string> },
): Way["run"] {
  return async (cwd, script) => {
    const { argv, env } = wrap(["/bin/bash", "-c", script]);
    // Variables of the tracer are for the command alone.
    const set = Object.entries(env ?? {}).filter(([name, value]) =>
      Deno.env.get(name) !== value
    ).map(([name, value]) => `${name}=${value}`);
    const { success, stderr } = await new Deno.Command(`${dir}/usage`, {
      args: [`${dir}/times`, "/usr/bin/env", ...set, ...argv],
      cwd,
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
    const [wall = NaN, cpu = NaN] = Deno.readTextFileSync(`${dir}/times`)
      .trim().split(" ").map(Number);
    return { wall, cpu };
  };
}

/** Times by build and way; the ways take turns in every round. */
async function measure(
  dir: string,
  builds: Build[],
  ways: Way[],
  rounds: number,
): Promise<Usage[][][]> {
  const times = builds.map(() => ways.map((): Usage[] => []));
  for (let round = -1; round < rounds; round++) {
    for (const [b, build] of builds.entries()) {
      for (let turn = 0; turn < ways.length; turn++) {
        // Another one begins each time: what went before is felt.
        const w = (turn + Math.max(round, 0)) % ways.length;
        const way = ways[w]!;
        // The first round only warms the caches.
        if (round < 0 && w > 0) continue;
        bash(dir, `rm -rf work; cp -r '${build.name}' work`);
        const usage = await way.run(`${dir}/work`, build.script);
        if (round >= 0) times[b]?.[w]?.push(usage);
      }
    }
  }
  return times;
}

function median(numbers: number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

/** Median of the ratios to the bare build of the same round. */
function ratio(times: Usage[], bare: Usage[], key: keyof Usage): number {
  return median(
    times.map((one, i) => one[key] / (bare[i]?.[key] ?? NaN)),
  );
}

function print(
  times: Usage[][][],
  builds: Build[],
  ways: Way[],
  rounds: number,
): void {
  const names = [...builds.map(({ name }) => name), "median"];
  console.log(
    `\nWall time and processor time of builds at -j2, as ratios to the bare build; medians of ${rounds} rounds\n`,
  );
  console.log(`| | ${names.join(" | ")} |`);
  console.log(`|---|${names.map(() => "--:").join("|")}|`);
  for (const [w, { name }] of ways.entries()) {
    const cells = builds.map((_, b) => {
      const bare = times[b]?.[0] ?? [];
      const own = times[b]?.[w] ?? [];
      if (w > 0) return [ratio(own, bare, "wall"), ratio(own, bare, "cpu")];
      return [
        median(own.map(({ wall }) => wall)),
        median(own.map(({ cpu }) => cpu)),
      ];
    });
    const middle = [0, 1].map((k) =>
      median(cells.map((cell) => cell[k] ?? NaN))
    );
    const unit = w > 0 ? "" : " s";
    const text = [...cells, ...(w > 0 ? [middle] : [])].map((cell) =>
      cell.map((number) => number.toFixed(2) + unit).join(" / ")
    );
    if (w === 0) text.push("");
    console.log(`| ${name} | ${text.join(" | ")} |`);
  }
}
