/** All policies, with prebuilts of every sort, and the words that users see. */

import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import type { Policy } from "../../lib/artifacts/policy.ts";
import {
  originsOf,
  parsePolicy,
  POLICIES,
} from "../../lib/artifacts/policy.ts";
import { buildEngine, buildEngines } from "../../lib/engines/build.ts";
import { probe } from "../../lib/engines/probe.ts";
import { PROBE_WORD } from "../../lib/engines/builder.ts";
import { ClibsError } from "../../lib/errors.ts";
import { sha256Hex } from "../../lib/host/digest.ts";
import { clibs } from "../support/cli.ts";
import { ANSWER, EngineSpace, engineTest, run } from "../support/engines.ts";
import { hasPython } from "../support/tools.ts";

Deno.test("originsOf() gives the order of each policy", () => {
  deepEqual(POLICIES.map((policy) => [policy, originsOf(policy).join(" ")]), [
    ["prefer_prebuilt", "prebuilt cache build"],
    ["prefer_cache", "cache prebuilt build"],
    ["build_only", "build"],
    ["prebuilt_only", "prebuilt"],
  ]);
});

Deno.test("parsePolicy() refuses what is no policy, and lists the four", () => {
  equal(parsePolicy("build_only"), "build_only");
  try {
    parsePolicy("prefer_prebuild");
    ok(false);
  } catch (error) {
    ok(error instanceof ClibsError);
    deepEqual(error.toJSON(), {
      code: "CLIBS_POLICY",
      message:
        'Cannot use the policy "prefer_prebuild": there is none of that name',
      facts: {
        policies: "prefer_prebuilt, prefer_cache, build_only, prebuilt_only",
        nearest: "prefer_prebuilt",
      },
      hint: "use prefer_prebuilt",
    });
  }
});

Deno.test("an unknown policy of a program is a usage error", async () => {
  using space = new EngineSpace({ "core/engines/cpu.cpp": ANSWER });
  const policy = "prefer_prebuild" as Policy;
  await rejects(buildEngine("cpu", { ...space.options, policy }), {
    name: "UsageError",
    code: "CLIBS_POLICY",
    message:
      'Cannot use the policy "prefer_prebuild": there is none of that name',
  });
});

/** What is done to a prebuilt before it is asked for. */
type Change = (space: EngineSpace) => void;

const SO = "cpu.so";

/** Replaces the prebuilt, and says so in its manifest. */
function replace(space: EngineSpace, bytes: Uint8Array): void {
  const folder = space.folder("assets/binaries");
  const path = space.dir.join(folder, SO);
  Deno.writeFileSync(path, bytes);
  editManifest(space, (manifest) => {
    manifest.hashes[SO] = sha256Hex(bytes);
  });
}

function prebuilt(space: EngineSpace): Uint8Array {
  return Deno.readFileSync(
    space.dir.join(space.folder("assets/binaries"), SO),
  );
}

// deno-lint-ignore no-explicit-any
function editManifest(space: EngineSpace, edit: (manifest: any) => void): void {
  const path = `${space.folder("assets/binaries")}/manifest.json`;
  const manifest = JSON.parse(space.dir.read(path));
  edit(manifest);
  space.dir.write({ [path]: JSON.stringify(manifest) });
}

/** The same bytes with one text replaced by another of its length. */
function patched(bytes: Uint8Array, from: string, to: string): Uint8Array {
  const text = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  ok(text.includes(from), from);
  return Uint8Array.from(
    text.replaceAll(from, to),
    (char) => char.charCodeAt(0),
  );
}

function compiled(source: string): Uint8Array {
  const dir = Deno.makeTempDirSync();
  try {
    Deno.writeTextFileSync(`${dir}/a.cpp`, source);
    run("g++", ["-shared", "-fPIC", "-o", "a.so", "a.cpp"], dir);
    return Deno.readFileSync(`${dir}/a.so`);
  } finally {
    Deno.removeSync(dir, { recursive: true });
  }
}

/** An engine that needs the C library. */
const PRINTING = `#include <cstdio>
extern "C" int answer() { return printf("") + 42; }
`;

const present: Change = () => {};
const absent: Change = (space) =>
  Deno.removeSync(space.dir.join("assets"), { recursive: true });

/** Name, what is done, and why the prebuilt is not used. */
const cases: [string, Change, string | undefined][] = [
  ["present", present, undefined],
  ["absent", absent, "there is none"],
  [
    "with a wrong digest",
    (space) => {
      editManifest(space, (manifest) => {
        manifest.hashes[SO] = "0".repeat(64);
      });
    },
    "its SHA-256 is not that of manifest.json: expected DIGEST, found DIGEST",
  ],
  [
    "without a digest",
    (space) => {
      editManifest(space, (manifest) => {
        delete manifest.hashes[SO];
      });
    },
    'no manifest.json has a digest for it (--allow-unverified, or "allow_unverified" in engines.json, uses it nevertheless)',
  ],
  [
    "of another processor",
    (space) => {
      const bytes = prebuilt(space);
      // e_machine: AArch64.
      bytes[18] = 183;
      replace(space, bytes);
    },
    "built for aarch64 (64 bits), this machine is x86_64",
  ],
  [
    "of a newer glibc",
    (space) =>
      replace(space, patched(compiled(PRINTING), "GLIBC_2.2.5", "GLIBC_9.2.5")),
    "needs GLIBC_9.2.5 of libc.so.6, this machine has up to GLIBC_2.",
  ],
  [
    "that needs an absent library",
    (space) =>
      replace(
        space,
        patched(compiled(PRINTING), "libc.so.6", "libq.so.6"),
      ),
    "needs libq.so.6, which is not on this machine",
  ],
  [
    "for a processor with more features",
    (space) =>
      editManifest(space, (manifest) => {
        manifest.passports[SO].cpu = ["avx999"];
      }),
    "needs the processor feature avx999, which this machine lacks",
  ],
  [
    "crashing on load",
    (space) =>
      replace(
        space,
        compiled(`${ANSWER}
__attribute__((constructor)) static void crash() { *(volatile int *)0 = 1; }`),
      ),
    "it crashed when it was loaded (SIGSEGV)",
  ],
  [
    "ending the process on load",
    (space) =>
      replace(
        space,
        compiled(`#include <unistd.h>
${ANSWER}
__attribute__((constructor)) static void leave() { _exit(3); }`),
      ),
    "it could not be loaded: exit code 3",
  ],
  [
    "cut off",
    (space) => replace(space, prebuilt(space).subarray(0, 2000)),
    "cut off: the dynamic section lies outside the file",
  ],
  [
    "that is no library",
    (space) => replace(space, new TextEncoder().encode("<html>")),
    "not an ELF file",
  ],
  [
    "built from another source",
    (space) =>
      space.dir.write({
        "core/engines/cpu.cpp": `${ANSWER}// changed\n`,
      }),
    "it was built from another cpu.cpp",
  ],
];

/** A project whose prebuilt was saved by a build, on another machine. */
async function prepared(change: Change): Promise<EngineSpace> {
  const space = new EngineSpace({ "core/engines/cpu.cpp": ANSWER });
  const { ok: built } = await buildEngines([], space.options);
  ok(built);
  // Neither its cache nor its memory of loads are here.
  Deno.removeSync(space.dir.join(".clibs"), { recursive: true });
  Deno.removeSync(space.dir.join("user-cache"), { recursive: true });
  change(space);
  space.events.length = 0;
  return space;
}

Deno.test("every policy with every sort of prebuilt", async (t) => {
  for (const [name, change, reason] of cases) {
    for (const policy of POLICIES) {
      await t.step(`${policy}, prebuilt ${name}`, async () => {
        using space = await prepared(change);
        await check(space, policy, reason);
      });
    }
  }
});

async function check(
  space: EngineSpace,
  policy: Policy,
  reason: string | undefined,
): Promise<void> {
  const report = await buildEngines([], { ...space.options, policy });
  const [result] = report.results;
  const isTried = policy !== "build_only";
  const isRejected = isTried && reason !== undefined &&
    reason !== "there is none";
  // An edited source is nothing to be warned of.
  const level = reason?.startsWith("it was built from") ? "info" : "warn";
  const told = (name: string) =>
    space.messages(name).filter((text) => text.includes("not using"));
  equal(told("warn").length, isRejected && level === "warn" ? 1 : 0);
  if (isRejected) {
    const reasonText = reason!.replaceAll(/[()+.]/g, "\\$&");
    match(
      told(level)[0] ?? "",
      new RegExp(
        `^cpu: not using the prebuilt DIR/assets/binaries/ffi-KEY/cpu.so: ${reasonText}`,
      ),
    );
  }
  if (reason === undefined && isTried) {
    equal(result?.origin, "prebuilt");
    equal(space.builds, 0);
    return;
  }
  if (policy !== "prebuilt_only") {
    equal(result?.origin, "build", JSON.stringify(report));
    equal(space.builds, 1);
    // What was built takes the prebuilt's place.
    space.events.length = 0;
    const again = await buildEngines([], space.options);
    equal(again.results[0]?.origin, "prebuilt", JSON.stringify(again));
    return;
  }
  equal(report.ok, false);
  equal(report.engines_failed, 1);
  deepEqual(report.failed, ["cpu"]);
  equal(result?.error?.code, "CLIBS_ENGINE_UNAVAILABLE");
  equal(
    result?.error?.message,
    "Cannot load cpu: no prebuilt can be used, and the policy prebuilt_only forbids a build",
  );
  const fact = space.neutral(result?.error?.facts.prebuilt ?? "");
  ok(fact.includes(reason ?? ""), `${fact} has no ${reason}`);
}

Deno.test("a crash is remembered, and not tried again", async () => {
  using space = await prepared(
    cases.find(([name]) => name === "crashing on load")![1],
  );
  const options = { ...space.options, policy: "prebuilt_only" as const };
  await buildEngines([], options);
  equal(space.messages("info").filter((m) => m.includes("trying")).length, 1);
  space.events.length = 0;
  await buildEngines([], options);
  deepEqual(space.messages("info").filter((m) => m.includes("trying")), []);
  deepEqual(space.messages("warn"), [
    "cpu: not using the prebuilt DIR/assets/binaries/ffi-KEY/cpu.so: it crashed when it was loaded (SIGSEGV) (remembered)",
  ]);
});

engineTest("a smoke call that fails demotes a prebuilt", async () => {
  using space = await prepared(present);
  space.dir.write({
    "core/engines/engines.json":
      '{"cpu": {"smoke": "missing", "policy": "prebuilt_only"}}',
  });
  await rejects(buildEngine("cpu", space.options), (error) => {
    ok(error instanceof ClibsError);
    match(
      error.facts.prebuilt ?? "",
      /: it could not be loaded: it has no function missing$/,
    );
    return true;
  });
  space.dir.write({
    "core/engines/engines.json":
      '{"cpu": {"smoke": {"call": "answer"}, "policy": "prebuilt_only"}}',
  });
  const cpu = await buildEngine<{ answer(): number }>("cpu", space.options);
  equal(cpu.answer(), 42);
});

Deno.test("a prebuilt without digest is used if it is allowed", async (t) => {
  const change = cases.find(([name]) => name === "without a digest")![1];
  await t.step("by an option", async () => {
    using space = await prepared(change);
    const report = await buildEngines([], {
      ...space.options,
      allowUnverified: true,
    });
    equal(report.results[0]?.origin, "prebuilt");
  });
  await t.step("by engines.json", async () => {
    using space = await prepared(change);
    space.dir.write({
      "core/engines/engines.json": '{"cpu": {"allow_unverified": true}}',
    });
    const report = await buildEngines([], space.options);
    equal(report.results[0]?.origin, "prebuilt");
  });
  await t.step("but never with a wrong one", async () => {
    using space = await prepared(
      cases.find(([name]) => name === "with a wrong digest")![1],
    );
    const report = await buildEngines([], {
      ...space.options,
      allowUnverified: true,
    });
    equal(report.results[0]?.origin, "build");
  });
});

engineTest(
  "prebuilts without sources and without a folder for the ABI",
  async () => {
    using space = await prepared(present);
    const { dir } = space;
    Deno.renameSync(
      dir.join(space.folder("assets/binaries"), SO),
      dir.join("assets/binaries/cpu.so"),
    );
    Deno.renameSync(
      dir.join(space.folder("assets/binaries"), "cpu.interface.json"),
      dir.join("assets/binaries/cpu.interface.json"),
    );
    Deno.removeSync(dir.join(space.folder("assets/binaries")), {
      recursive: true,
    });
    Deno.removeSync(dir.join("core/engines/cpu.cpp"));
    const cpu = await buildEngine<{ answer(): number }>("cpu", {
      ...space.options,
      policy: "prebuilt_only",
      allowUnverified: true,
      outputDir: false,
    });
    equal(cpu.answer(), 42);
  },
);

Deno.test("a damaged manifest is an error, not a missing one", async () => {
  using space = await prepared(present);
  const path = `${space.folder("assets/binaries")}/manifest.json`;
  const bad: [string, string][] = [
    ["[]", "it is not an object"],
    ['{"hashes": []}', '"hashes" is not an object'],
    ['{"hashes": {"../x.so": "00"}}', '"../x.so" is not a file name'],
    ['{"hashes": {"x.so": "00"}}', 'the digest of "x.so" is not 64 hex digits'],
    [
      '{"hashes": {}, "builds": {"a": 1}}',
      '"builds" is not an object of objects',
    ],
    [
      '{"hashes": {}, "passports": {"a": {}}}',
      '"passports" lacks "needed", "symbols" or "cpu"',
    ],
  ];
  for (const [text, problem] of bad) {
    space.dir.write({ [path]: text });
    await rejects(buildEngine("cpu", space.options), (error) => {
      ok(error instanceof ClibsError);
      equal(error.code, "CLIBS_MANIFEST");
      equal(
        error.message,
        "Cannot use the prebuilts of a folder: its manifest is not valid",
      );
      equal(error.facts.problem, problem);
      return true;
    });
  }
});

Deno.test("a prebuilt for another Python or Node-API is not used", async (t) => {
  const cases: [string, string, string, RegExp][] = [
    [
      "PYBIND11_MODULE(cpu, m) {}",
      "cpu.cpython-399-x86_64-linux-gnu.so",
      "pybind11-x",
      /cpu\.cpython-399-x86_64-linux-gnu\.so: built for cpython-399-x86_64-linux-gnu, this Python is cpython-3\d+-/,
    ],
    [
      "NODE_API_MODULE(cpu, Init)",
      "cpu.node",
      "napi-x-napi99",
      /cpu\.node: built for Node-API 99, this runtime has \d+$/,
    ],
  ];
  for (const [source, file, key, reason] of cases) {
    if (file.includes("cpython") && !hasPython()) continue;
    await t.step(file, async () => {
      using space = new EngineSpace({ "core/engines/cpu.cpp": source });
      const bytes = new TextEncoder().encode("x");
      space.dir.write({
        [`assets/binaries/${key}/${file}`]: "x",
        [`assets/binaries/${key}/manifest.json`]: JSON.stringify({
          python_version: "3.99",
          python_soabi: "cpython-399-x86_64-linux-gnu",
          system: "linux",
          machine: "x86_64",
          hashes: { [file]: sha256Hex(bytes) },
          ...(key.startsWith("napi") ? { key } : {}),
        }),
      });
      const options = { ...space.options, policy: "prebuilt_only" as const };
      const { ok: found } = await buildEngines([], options);
      equal(found, false);
      match(space.messages("warn")[0] ?? "", reason);
    });
  }
});

Deno.test("probe() gives up on a module that does not come back", async () => {
  using space = new EngineSpace({});
  const path = space.dir.join("hang.so");
  Deno.writeFileSync(
    path,
    compiled(
      `${ANSWER}__attribute__((constructor)) static void hang() { for (volatile int i = 0;; i = 1); }`,
    ),
  );
  equal(
    await probe({ name: "cpu", kind: "ffi", path }, { timeoutMs: 400 }),
    "loading it took more than 0.4 s",
  );
});

Deno.test("the command tries a module as a compiled clibs asks it to", async () => {
  using space = new EngineSpace({});
  const path = space.dir.join("good.so");
  Deno.writeFileSync(path, compiled(ANSWER));
  const request = { name: "cpu", kind: "ffi", path };
  const good = await clibs([PROBE_WORD, JSON.stringify(request)]);
  deepEqual([good.code, good.stdout, good.stderr], [0, "", ""]);
  const absent = { ...request, path: space.dir.join("absent.so") };
  const bad = await clibs([PROBE_WORD, JSON.stringify(absent)]);
  equal(bad.code, 1);
  match(bad.stderr, /absent\.so/);
});

engineTest(
  "a machine without a compiler uses what another one built",
  async () => {
    using space = await prepared(present);
    const bare = {
      ...space.options,
      env: (name: string) =>
        name === "PATH" ? "/nonexistent" : space.options.env!(name),
    };
    const cpu = await buildEngine<{ answer(): number }>("cpu", bare);
    equal(cpu.answer(), 42);
    absent(space);
    await rejects(buildEngine("cpu", bare), {
      code: "CLIBS_ENGINE_COMPILER",
      message: "Cannot build cpu: there is no C++ compiler",
    });
  },
);
