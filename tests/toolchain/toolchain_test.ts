import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { resolveToolchain } from "../../lib/toolchain/toolchain.ts";
import { hostTriple } from "../../lib/toolchain/triple.ts";
import { has } from "../support/tools.ts";
import { TempDir } from "../support/temp.ts";

const files = "/p/_work/t.toolchain";

/** An environment with only some programs on PATH. */
function withPrograms(...names: string[]): {
  dir: TempDir;
  env: (name: string) => string | undefined;
} {
  const dir = new TempDir();
  for (const name of names) {
    dir.write({ [name]: '#!/bin/sh\necho "$0 (Test) 1.2.3"\n' });
    Deno.chmodSync(dir.join(name), 0o755);
  }
  return { dir, env: (name) => name === "PATH" ? dir.path : undefined };
}

Deno.test("a native toolchain leaves the caller's environment as it is", async () => {
  const toolchain = await resolveToolchain({
    target: hostTriple(),
    env: (name) =>
      ({ CLIBS_BUILD_CFLAGS: " -O1  -g ", CLIBS_BUILD_LDFLAGS: "-s" })[name],
    filesDir: files,
  });
  const { identity, ...rest } = toolchain;
  match(identity, /^(gcc|clang) \d/);
  deepEqual(rest, {
    target: hostTriple(),
    native: true,
    cflags: ["-O1", "-g"],
    ldflags: ["-s"],
    files: [],
    env: {},
  });
});

Deno.test("a prefixed GCC is found under any name of the target", async () => {
  const { dir, env } = withPrograms(
    "riscv64-linux-gnu-gcc",
    "riscv64-linux-gnu-g++",
    "riscv64-linux-gnu-ar",
  );
  using _ = dir;
  const toolchain = await resolveToolchain({
    target: "riscv64-unknown-linux-gnu",
    env,
    filesDir: files,
  });
  equal(toolchain.native, false);
  deepEqual(toolchain.env, {
    CC: "riscv64-linux-gnu-gcc",
    CXX: "riscv64-linux-gnu-g++",
    AR: "riscv64-linux-gnu-ar",
    CC_FOR_BUILD: "cc",
    CXX_FOR_BUILD: "c++",
    PKG_CONFIG_LIBDIR:
      "/usr/lib/riscv64-linux-gnu/pkgconfig:/usr/riscv64-linux-gnu/lib/pkgconfig",
    CMAKE_TOOLCHAIN_FILE: `${files}/toolchain.cmake`,
    CLIBS_MESON_CROSS_FILE: `${files}/meson-cross.ini`,
    CONFIG_SITE: `${files}/config.site`,
  });
  const meson = toolchain.files.find((f) => f.name === "meson-cross.ini");
  match(meson?.content ?? "", /cpu_family = 'riscv64'/);
});

const missing: [string, string, Record<string, string>, string][] = [
  [
    "riscv64-linux-gnu",
    "Cannot build for riscv64-linux-gnu: riscv64-linux-gnu-gcc is not on PATH",
    { target: "riscv64-linux-gnu", "looked for": "riscv64-linux-gnu-gcc" },
    "apt-get install gcc-riscv64-linux-gnu g++-riscv64-linux-gnu",
  ],
  [
    "riscv46-linux-gnu",
    "Cannot build for riscv46-linux-gnu: riscv46-linux-gnu-gcc is not on PATH",
    {
      target: "riscv46-linux-gnu",
      "looked for": "riscv46-linux-gnu-gcc",
      nearest: "riscv64-linux-gnu",
    },
    "did you mean --target riscv64-linux-gnu?",
  ],
  [
    "tricore-none-elf",
    "Cannot build for tricore-none-elf: tricore-none-elf-gcc is not on PATH",
    { target: "tricore-none-elf", "looked for": "tricore-none-elf-gcc" },
    "install a compiler named tricore-none-elf-gcc",
  ],
  [
    "wasm32-unknown-wasi",
    "Cannot build for wasm32-unknown-wasi: clang is not on PATH",
    { target: "wasm32-unknown-wasi", "looked for": "clang" },
    "apt-get install clang lld wasi-libc libclang-rt-dev-wasm32",
  ],
];

Deno.test("the caller's flags for this machine do not reach a cross build", async () => {
  const { dir } = withPrograms("s390x-linux-gnu-gcc", "s390x-linux-gnu-g++");
  using _ = dir;
  const caller: Record<string, string> = {
    PATH: dir.path,
    CC: "ccache gcc",
    CFLAGS: "-march=native",
    CPATH: "/opt/include",
    PKG_CONFIG_PATH: "/opt/lib/pkgconfig",
    CLIBS_BUILD_CFLAGS: "-DFOR_ALL",
  };
  const { env, cflags } = await resolveToolchain({
    target: "s390x-linux-gnu",
    env: (name) => caller[name],
    filesDir: files,
  });
  equal(env.CC, "s390x-linux-gnu-gcc");
  equal(env.CC_FOR_BUILD, "ccache gcc");
  deepEqual(cflags, ["-DFOR_ALL"]);
  equal(env.CFLAGS, "-DFOR_ALL");
  equal(env.CPATH, "");
  equal(env.PKG_CONFIG_PATH, "");
  // Set but empty, it would make configure scripts drop their -g -O2.
  ok(!("LDFLAGS" in env));
});

Deno.test("Debian's musl compiler, which has no g++, is enough for C", async () => {
  const { dir, env } = withPrograms("riscv64-linux-musl-gcc");
  using _ = dir;
  const toolchain = await resolveToolchain({
    target: "riscv64-unknown-linux-musl",
    env,
    filesDir: files,
  });
  equal(toolchain.env.CC, "riscv64-linux-musl-gcc");
  match(toolchain.identity, /^gcc 1\.2\.3 \(Test\) .*riscv64-linux-musl-gcc$/);
});

Deno.test("a WASI_SDK_PATH that leads nowhere is an error, not a fallback", async () => {
  using dir = new TempDir();
  await rejects(
    resolveToolchain({
      target: "wasm32-wasi",
      env: (name) => name === "WASI_SDK_PATH" ? dir.path : Deno.env.get(name),
      filesDir: files,
    }),
    {
      code: "CLIBS_TOOLCHAIN_MISSING",
      message:
        "Cannot build for wasm32-wasi: WASI_SDK_PATH does not name a WASI SDK",
      facts: { target: "wasm32-wasi", "looked for": `${dir.path}/bin/clang` },
      hint: "set WASI_SDK_PATH to an unpacked WASI SDK, or unset it",
    },
  );
});

Deno.test("a missing compiler is named, with what to install", async (t) => {
  for (const [target, message, facts, hint] of missing) {
    await t.step(target, async () => {
      const { dir, env } = withPrograms();
      using _ = dir;
      await rejects(resolveToolchain({ target, env, filesDir: files }), {
        code: "CLIBS_TOOLCHAIN_MISSING",
        message,
        facts,
        hint,
      });
    });
  }
});

Deno.test({
  name: "a WASI SDK that is named comes first",
  ignore: !has("sh"),
  async fn() {
    using sdk = new TempDir();
    for (const name of ["clang", "clang++", "wasm-ld", "llvm-ar"]) {
      sdk.write({ [`bin/${name}`]: "#!/bin/sh\necho clang version 17.0.1\n" });
      Deno.chmodSync(sdk.join("bin", name), 0o755);
    }
    sdk.write({ "share/wasi-sysroot/include/stdio.h": "" });
    const toolchain = await resolveToolchain({
      target: "wasm32-wasip1",
      env: (name) => name === "WASI_SDK_PATH" ? sdk.path : undefined,
      filesDir: files,
    });
    equal(
      toolchain.env.CC,
      `${sdk.path}/bin/clang --target=wasm32-wasi --sysroot=${sdk.path}/share/wasi-sysroot`,
    );
    equal(toolchain.env.AR, `${sdk.path}/bin/llvm-ar`);
    match(toolchain.identity, /^clang 17\.0\.1 /);
    const cmake = toolchain.files.find((f) => f.name === "toolchain.cmake");
    ok(cmake?.content.includes('set(CMAKE_C_COMPILER_TARGET "wasm32-wasi")'));
  },
});
