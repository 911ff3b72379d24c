/** A build with nothing to do, beside what others need for the same. */

import { fileURLToPath } from "node:url";
import { bash, benchDir, type Contender, medians, report } from "./measure.ts";

const main = fileURLToPath(new URL("../../main.ts", import.meta.url));
const COUNT = 20;

/** No-op of 1 and of 20 built packages. */
export function benchNoop(): void {
  const dir = benchDir();
  try {
    Deno.writeTextFileSync(`${dir}/empty.ts`, "");
    for (let i = 0; i < COUNT; i++) writePackage(`${dir}/all/lib${i}`, i);
    const env = { CLIBS_CACHE_DIR: `${dir}/cache` };
    const clibs = (path: string): Contender => ({
      name: "",
      command: [Deno.execPath(), "run", "-A", main, "build", path],
      env,
    });
    medians([{ ...clibs(`${dir}/all`), name: "first build" }], 1);
    const contenders: Contender[] = [
      {
        name: "empty deno run",
        command: [Deno.execPath(), "run", "-A", `${dir}/empty.ts`],
      },
      { ...clibs(`${dir}/all/lib0`), name: "clibs, 1 package" },
      { ...clibs(`${dir}/all`), name: `clibs, ${COUNT} packages` },
      ...others(dir),
    ];
    const times = medians(contenders, 15);
    report("No-op, median of 15", contenders, times);
    const limit = 2 * (times[0] ?? 0) + 30;
    console.log(
      `  aim for ${COUNT} packages: ${
        limit.toFixed(1)
      } ms (2 empty runs + 30 ms)`,
    );
  } finally {
    Deno.removeSync(dir, { recursive: true });
  }
}

function writePackage(dir: string, i: number): void {
  Deno.mkdirSync(`${dir}/src/lib${i}-1.0`, { recursive: true });
  Deno.writeTextFileSync(
    `${dir}/src/lib${i}-1.0/lib.c`,
    `int lib${i}(void) { return ${i}; }\n`,
  );
  bash(dir, `tar czf lib${i}-1.0.tar.gz -C src lib${i}-1.0`);
  Deno.writeTextFileSync(
    `${dir}/pkg.yaml`,
    `version: "1.0"
files: [{ url: ./lib${i}-1.0.tar.gz }]
build:
  command: |
    cc -c lib.c -o lib.o
    ar rcD "$CLIBS_BUILD_DIR/lib${i}.a" lib.o
`,
  );
}

/** The same libraries as CMake's and Meson's ways to include a package. */
function others(dir: string): Contender[] {
  const external = Array.from(
    { length: COUNT },
    (_, i) =>
      `ExternalProject_Add(lib${i} SOURCE_DIR ${dir}/all/lib${i}/src/lib${i}-1.0
  CONFIGURE_COMMAND "" BUILD_COMMAND cc -c <SOURCE_DIR>/lib.c -o lib.o
  INSTALL_COMMAND ar rcD \${CMAKE_BINARY_DIR}/lib${i}.a lib.o)`,
  ).join("\n");
  Deno.mkdirSync(`${dir}/cmake`);
  Deno.writeTextFileSync(
    `${dir}/cmake/CMakeLists.txt`,
    `cmake_minimum_required(VERSION 3.16)
project(bench C)
include(ExternalProject)
${external}
`,
  );
  bash(dir, "cmake -S cmake -B cmake/out && cmake --build cmake/out");
  const found: Contender[] = [{
    name: `CMake ExternalProject, ${COUNT}`,
    command: ["cmake", "--build", `${dir}/cmake/out`],
  }];
  try {
    bash(dir, "meson --version");
  } catch {
    console.log("meson is not here: left out");
    return found;
  }
  const subprojects = Array.from({ length: COUNT }, (_, i) => {
    const sub = `${dir}/meson/subprojects/lib${i}`;
    Deno.mkdirSync(sub, { recursive: true });
    bash(dir, `cp all/lib${i}/src/lib${i}-1.0/lib.c ${sub}/`);
    Deno.writeTextFileSync(
      `${sub}/meson.build`,
      `project('lib${i}', 'c')\nstatic_library('lib${i}', 'lib.c')\n`,
    );
    return `subproject('lib${i}')`;
  });
  Deno.writeTextFileSync(
    `${dir}/meson/meson.build`,
    `project('bench', 'c')\n${subprojects.join("\n")}\n`,
  );
  bash(dir, "meson setup meson/out meson && meson compile -C meson/out");
  found.push({
    name: `Meson subprojects, ${COUNT}`,
    command: ["meson", "compile", "-C", `${dir}/meson/out`],
  });
  return found;
}
