import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { FeedbackBus } from "../../mod.ts";
import {
  nativeKey,
  type NativeOptions,
  type NativeUnit,
  obtainNative,
} from "../../lib/toolchain/native.ts";
import { findProgram } from "../../lib/host/process.ts";
import { NEUTRAL } from "../support/cli.ts";
import { TempDir } from "../support/temp.ts";
import { has } from "../support/tools.ts";

const ignore = Deno.build.os !== "linux" || !has("cc");

const unit: NativeUnit = {
  name: "hello",
  sources: {
    "hello.c": '#include "hello.h"\nint main(void) { puts(TEXT); }\n',
    "hello.h": '#include <stdio.h>\n#define TEXT "hello"\n',
  },
  args: ["-O0"],
};

/** Obtains the unit with a cache of its own; also how often it was built. */
async function obtain(
  cache: string,
  env: Record<string, string> = {},
  options: NativeOptions = {},
): Promise<{ path: string; builds: number; notes: string[] }> {
  const bus = new FeedbackBus();
  const notes: string[] = [];
  let builds = 0;
  bus.subscribe(({ code, level, message }) => {
    if (code === "task.start") builds++;
    if (level === "warn") notes.push(message);
  });
  const all: Record<string, string> = {
    PATH: Deno.env.get("PATH")!,
    CLIBS_CACHE_DIR: cache,
    ...env,
  };
  const path = await obtainNative(unit, {
    env: (name) => all[name],
    feedback: bus,
    ...options,
  });
  return { path, builds, notes };
}

function output(program: string): string {
  const { stdout } = new Deno.Command(program).outputSync();
  return new TextDecoder().decode(stdout);
}

/** A compiler of the test's own, as a script. */
function script(dir: TempDir, name: string, text: string): string {
  dir.write({ [name]: `#!/bin/sh\n${text}\n` });
  Deno.chmodSync(dir.join(name), 0o755);
  return dir.join(name);
}

Deno.test({
  name: "a native unit is built once, and again when it is damaged",
  ignore,
  fn: async () => {
    using dir = new TempDir();
    const first = await obtain(dir.path);
    assert.equal(first.builds, 1);
    assert.equal(output(first.path), "hello\n");
    assert.deepEqual(await obtain(dir.path), { ...first, builds: 0 });

    const manifest = join(first.path, "../manifest.json");
    const damages: [string, () => void][] = [
      ["other bytes", () => Deno.writeTextFileSync(first.path, "#!/bin/sh\n")],
      ["no file", () => Deno.removeSync(first.path)],
      ["no manifest", () => Deno.removeSync(manifest)],
      ["manifest cut off", () => Deno.truncateSync(manifest, 40)],
      ["manifest of nothing", () => Deno.writeTextFileSync(manifest, "{}")],
    ];
    for (const [what, damage] of damages) {
      damage();
      const again = await obtain(dir.path);
      assert.deepEqual(again, first, what);
      assert.equal(output(again.path), "hello\n", what);
    }
  },
});

Deno.test({
  name: "the policy of a native unit decides where it comes from",
  ignore,
  fn: async () => {
    using dir = new TempDir();
    await assert.rejects(obtain(dir.path, {}, { policy: "prebuilt_only" }), {
      code: "CLIBS_NATIVE_BUILD",
      message:
        "Cannot obtain hello: the policy forbids a build, and there is none",
    });
    assert.equal((await obtain(dir.path)).builds, 1);
    const again = await obtain(dir.path, {}, { policy: "build_only" });
    assert.equal(again.builds, 1);
  },
});

Deno.test({
  name: "CLIBS_NATIVE_DIR is a copy of the cache of another machine",
  ignore,
  fn: async () => {
    using dir = new TempDir();
    const { path } = await obtain(dir.join("there"));
    const folder = join(path, "../..");
    Deno.renameSync(folder, dir.join("prebuilt"));
    const env = { CLIBS_NATIVE_DIR: dir.join("prebuilt") };
    const cache = dir.join("here");

    const found = await obtain(cache, env, { policy: "prebuilt_only" });
    assert.equal(found.builds, 0);
    assert.ok(found.path.startsWith(`${dir.join("prebuilt")}/hello-`));
    assert.equal(output(found.path), "hello\n");

    // Bytes that nobody vouches for are told of, and not used.
    Deno.writeTextFileSync(found.path, "#!/bin/sh\necho bad\n");
    const built = await obtain(cache, env);
    assert.equal(built.builds, 1);
    assert.equal(output(built.path), "hello\n");
    const place = join(found.path, "..");
    assert.deepEqual(built.notes, [
      `not used: ${found.path} is not what ${place}/manifest.json says`,
    ]);

    // Of another release: passed over.
    const manifest = JSON.parse(
      Deno.readTextFileSync(`${place}/manifest.json`),
    );
    assert.equal(manifest.key, nativeKey(unit));
    manifest.key = "0".repeat(64);
    Deno.writeTextFileSync(`${place}/manifest.json`, JSON.stringify(manifest));
    const other = await obtain(dir.join("third"), env);
    assert.deepEqual([other.builds, other.notes], [1, []]);

    Deno.writeTextFileSync(`${place}/manifest.json`, "{");
    await assert.rejects(
      obtain(dir.join("fourth"), env),
      { code: "CLIBS_MANIFEST" },
    );
  },
});

Deno.test({
  name: "CC comes first, with its flags",
  ignore,
  fn: async () => {
    using dir = new TempDir();
    const cc = script(
      dir,
      "my-cc",
      `echo "$@" > ${dir.join("args")}; exec cc "$@"`,
    );
    const { path } = await obtain(dir.path, { CC: `${cc} -g -DX=1` });
    assert.equal(
      dir.read("args"),
      `-g -DX=1 -O0 hello.c -o ${path}\n`,
    );
  },
});

Deno.test({
  name: "a compiler that does not do is left for the next one",
  ignore,
  fn: async (t) => {
    using dir = new TempDir();
    const cases: [string, string][] = [
      ["is not there", "/nonexistent/cc"],
      ["fails", "false"],
      ["is no program", dir.path],
      ["makes nothing", "true"],
      [
        "makes something else",
        script(dir, "text", `for last; do :; done; echo text > "$last"`),
      ],
      [
        "makes a program for another machine",
        script(
          dir,
          "other",
          `cc "$@" && for last; do :; done && ` +
            `printf '\\267' | dd of="$last" bs=1 seek=18 conv=notrunc 2>/dev/null`,
        ),
      ],
      ["links what programs do not have", "cc -Wl,--no-as-needed -lm"],
    ];
    for (const [what, CC] of cases) {
      await t.step(what, async () => {
        const { path } = await obtain(dir.join(what), { CC });
        assert.equal(output(path), "hello\n");
      });
    }
  },
});

Deno.test({
  name: "without a compiler, and with none that does, it says so",
  ignore,
  fn: async () => {
    using dir = new TempDir();
    await assert.rejects(
      obtain(dir.path, { PATH: dir.path, CC: "mycc -O2" }),
      {
        code: "CLIBS_NATIVE_COMPILER",
        message: "Cannot compile a part of clibs: there is no C compiler",
        facts: { tried: "mycc -O2, cc, gcc, clang" },
        hint: "install gcc or clang, or set CC",
      },
    );
    const bad = script(dir, "cc", 'echo "no input" >&2; exit 3');
    await assert.rejects(obtain(dir.path, { PATH: dir.path, CC: "" }), {
      code: "CLIBS_NATIVE_BUILD",
      message: `Cannot compile hello: ${bad} failed`,
      hint: "set CC to a C compiler for this machine, such as gcc or clang",
    });
  },
});

Deno.test({
  name: "where the cache cannot be written, a private folder stands in",
  ignore,
  fn: async () => {
    using dir = new TempDir();
    dir.write({ file: "", "tmp/file": "" });
    const env = { TMPDIR: dir.join("tmp") };
    const first = await obtain(dir.join("file/cache"), env);
    const own = dir.join("tmp", `clibs-native-v2-${Deno.uid()}`);
    assert.ok(first.path.startsWith(`${own}/hello-`), first.path);
    assert.equal((Deno.statSync(own).mode ?? 0) & 0o777, 0o700);
    const again = await obtain(dir.join("file/cache"), env);
    assert.deepEqual(again, { ...first, builds: 0 });

    // Somebody else may have put something there.
    Deno.chmodSync(own, 0o777);
    await assert.rejects(obtain(dir.join("file/cache"), env), {
      code: "CLIBS_NATIVE_BUILD",
      message: "Cannot build hello: no folder can hold it",
      hint: "set CLIBS_CACHE_DIR to a folder that can be written",
    });
  },
});

Deno.test({
  name: "two processes that need a unit for the first time build it once",
  ignore,
  fn: async () => {
    using dir = new TempDir();
    const log = dir.join("log");
    const cc = script(
      dir,
      "slow",
      `echo built >> ${log}; sleep 0.3; exec ${findProgram("cc")} "$@"`,
    );
    const module = new URL("../../lib/toolchain/native.ts", import.meta.url);
    dir.write({
      "main.ts": `import { obtainNative } from ${JSON.stringify(module.href)};
console.log(await obtainNative(${JSON.stringify(unit)}));
`,
    });
    const config = fileURLToPath(new URL("../../deno.json", import.meta.url));
    const runs = await Promise.all(
      [1, 2, 3].map(() =>
        new Deno.Command(Deno.execPath(), {
          args: [
            "run",
            "-A",
            "--no-check",
            "-q",
            "-c",
            config,
            dir.join("main.ts"),
          ],
          env: { ...NEUTRAL, CLIBS_CACHE_DIR: dir.join("cache"), CC: cc },
        }).output()
      ),
    );
    const paths = runs.map(({ stdout }) => new TextDecoder().decode(stdout));
    assert.equal(new Set(paths).size, 1);
    assert.equal(output(paths[0]!.trim()), "hello\n");
    assert.equal(dir.read("log"), "built\n");
  },
});
