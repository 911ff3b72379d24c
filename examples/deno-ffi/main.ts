/**
 * Builds a C library with clibs and calls it from Deno.
 *
 * `deno run -A examples/deno-ffi/main.ts [TEXT]`
 */

import { buildPackage } from "@clibs/cli";

const { libDir, version, status } = await buildPackage(
  `${import.meta.dirname}/deps/tally`,
);
console.error(`tally ${version}: ${status}`);

const suffix = { darwin: "dylib", windows: "dll" }[Deno.build.os as string] ??
  "so";
const prefix = Deno.build.os === "windows" ? "" : "lib";
const tally = Deno.dlopen(`${libDir}/${prefix}tally.${suffix}`, {
  tally_bytes: { parameters: ["buffer", "usize", "buffer"], result: "void" },
  tally_version: { parameters: [], result: "u32" },
});

const text = Deno.args[0] ?? "native code, one command away";
const bytes = new TextEncoder().encode(text);
const counts = new BigUint64Array(256);
tally.symbols.tally_bytes(
  bytes,
  BigInt(bytes.length),
  new Uint8Array(counts.buffer),
);

const most = [...counts.entries()]
  .filter(([, count]) => count > 0n)
  .sort((a, b) => Number(b[1] - a[1]))
  .slice(0, 3)
  .map(([byte, count]) =>
    `${JSON.stringify(String.fromCharCode(byte))} ${count}`
  );
console.log(`tally ${tally.symbols.tally_version()}: ${most.join(", ")}`);
tally.close();
