import { deepEqual, equal, match, ok } from "node:assert/strict";
import { probeTools } from "../../lib/toolchain/doctor.ts";
import {
  compilerIdentity,
  describeVersion,
} from "../../lib/toolchain/identity.ts";
import { describeLibc, libcOf, libcVersion } from "../../lib/toolchain/libc.ts";
import { TempDir } from "../support/temp.ts";
import { has } from "../support/tools.ts";

const versions: [string, string][] = [
  ["cc (Debian 12.2.0-14) 12.2.0", "gcc 12.2.0 (Debian 12.2.0-14)"],
  [
    "aarch64-linux-gnu-gcc (Debian 12.2.0-14) 12.2.0",
    "gcc 12.2.0 (Debian 12.2.0-14)",
  ],
  ["gcc (GCC) 13.2.1 20230801", "gcc 13.2.1 (GCC)"],
  ["Debian clang version 14.0.6", "clang 14.0.6 (Debian)"],
  ["clang version 17.0.1", "clang 17.0.1"],
  [
    "Apple clang version 15.0.0 (clang-1500.3.9.4)",
    "clang 15.0.0 (Apple)",
  ],
  ["tcc version 0.9.27", "tcc version 0.9.27"],
];

Deno.test("describeVersion() says what a version line says", async (t) => {
  for (const [line, expected] of versions) {
    await t.step(line, () => equal(describeVersion(line), expected));
  }
});

Deno.test("compilerIdentity() asks again when the program has changed", async () => {
  using dir = new TempDir();
  const install = (version: string) => {
    dir.write({
      cc: `#!/bin/sh\necho x >>"$0.log"\necho "cc (T) ${version}"\n`,
    });
    Deno.chmodSync(dir.join("cc"), 0o755);
  };
  install("1.0");
  equal(await compilerIdentity(["cc"], dir.path), `gcc 1.0 (T) ${dir.path}/cc`);
  equal(await compilerIdentity(["cc"], dir.path), `gcc 1.0 (T) ${dir.path}/cc`);
  equal(Deno.readTextFileSync(dir.join("cc.log")), "x\n");
  install("1.0.1");
  equal(
    await compilerIdentity(["cc"], dir.path),
    `gcc 1.0.1 (T) ${dir.path}/cc`,
  );
  equal(await compilerIdentity(["absent-cc"], dir.path), undefined);
});

Deno.test("libcVersion() reads glibc's and musl's ldd", () => {
  equal(
    libcVersion("ldd (Debian GLIBC 2.36-9+deb12u7) 2.36\nCopyright"),
    "2.36",
  );
  equal(libcVersion("musl libc (x86_64)\nVersion 1.2.4\nDynamic"), "1.2.4");
  equal(libcVersion("usage: ldd FILE"), undefined);
});

Deno.test("libcOf() goes by the loader that a program names", () => {
  using dir = new TempDir();
  dir.write({ musl: "\x7fELF\0\0/lib/ld-musl-x86_64.so.1\0" });
  dir.write({ glibc: "\x7fELF\0\0/lib64/ld-linux-x86-64.so.2\0" });
  equal(libcOf(dir.join("musl")), "musl");
  equal(libcOf(dir.join("glibc")), "glibc");
  equal(libcOf(dir.join("absent")), "glibc");
});

Deno.test({
  name: "probeTools() finds the tools of this machine, with their versions",
  ignore: !has("bash") || !has("cc"),
  async fn() {
    const checks = await probeTools();
    const names = checks.map((check) => check.name);
    deepEqual(new Set(names).size, names.length);
    const bash = checks.find((check) => check.name === "bash");
    equal(bash?.ok, true);
    match(bash?.detail ?? "", /^\d+\.\d+.* \(.*\/bash\)$/);
    for (const check of checks) {
      ok(check.ok || check.detail !== "", check.name);
    }
    match(checks[0]?.detail ?? "", / \d+ CPUs$/);
    ok(checks[0]?.detail.startsWith(await describeLibc()));
  },
});
