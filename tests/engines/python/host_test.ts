/** A real Python, and real modules in it that work, fail and crash. */

import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { PythonError } from "../../../lib/engines/errors.ts";
import { PythonHost } from "../../../lib/engines/python/host.ts";
import { ClibsError } from "../../../lib/errors.ts";
import { TempDir } from "../../support/temp.ts";
import { PYTHON } from "../../support/tools.ts";
import { module, type Probe, pythonTest, withHost } from "./probe_module.ts";

pythonTest("values go to Python and come back", async (t) => {
  await withHost(async (probe) => {
    equal(probe.version, "1.2");
    deepEqual(probe.limits, [1, 2]);
    equal(await probe.add(1, 2.5), 3.5);
    equal(await probe.add(1), 2);
    const same: unknown[] = [
      null,
      true,
      0,
      -1.5,
      2 ** 53,
      12345678901234567890n,
      -(2n ** 70n),
      NaN,
      Infinity,
      -Infinity,
      "",
      "wörld ✓ \u{1F600}",
      "half \ud800 character",
      [],
      [1, [2, ["3"]]],
      {},
      { a: 1, b: { c: [null] } },
      { $: "int", v: "5" },
      { __proto__x: 1 },
      new Uint8Array([0, 255, 10]),
      new Float64Array([1.5, -2]),
      new Int32Array([1, -2]),
      new BigInt64Array([1n, -(2n ** 62n)]),
      new BigUint64Array([2n ** 64n - 1n]),
      new Float32Array([0.5]),
      new Uint16Array([65535]),
      new Int8Array([-128]),
    ];
    for (const value of same) {
      const shown = typeof value === "bigint"
        ? `${value}n`
        : JSON.stringify(value, (_, v) => typeof v === "bigint" ? `${v}n` : v);
      await t.step(String(shown), async () => {
        const back = await probe.echo(value);
        deepEqual(back, value === 2 ** 53 ? 2n ** 53n : value);
      });
    }
    equal(await probe.echo(undefined), null);
    deepEqual(await probe.echo(new ArrayBuffer(2)), new Uint8Array(2));
    equal(await probe.kind(new Uint8Array(1)), "bytes");
    equal(await probe.kind(new Float32Array(1)), "ndarray");
    equal(await probe.kind(1), "int");
    equal(await probe.kind(1.5), "float");
    equal(await probe.total(new Float64Array([1, 2, 3])), 6);
    equal(await probe.names(["a", "b"], { c: 1 }), 3);
    equal(await probe.huge(), 123456789012345678901234567890n);
    deepEqual(await probe.special(), [NaN, Infinity, -Infinity, null, true]);
    const zeros = await probe.zeros(2, 3);
    ok(zeros instanceof Float32Array);
    deepEqual([...zeros], [0, 1, 2, 3, 4, 5]);
    deepEqual((zeros as unknown as { shape: number[] }).shape, [2, 3]);
    const blob = await probe.blob(3_000_000);
    equal(blob.length, 3_000_000);
    ok(blob.every((byte: number) => byte === 120));
  });
});

pythonTest(
  "values that cannot be passed are named by their place",
  async (t) => {
    await withHost(async (probe) => {
      const cycle: unknown[] = [];
      cycle.push(cycle);
      const cases: [() => Promise<unknown>, string][] = [
        [() => probe.object(), "probe.object(): cannot pass a lock at result"],
        [
          () => probe.nested(),
          "probe.nested(): cannot pass a date at result[0].x",
        ],
        [
          () => probe.cycle(),
          "probe.cycle(): a value holds itself at result[0]",
        ],
        [
          () => probe.echo({ a: [() => 1] }),
          "probe.echo(): cannot pass a function at arguments[0].a[0]",
        ],
        [
          () => probe.echo(new Map()),
          "probe.echo(): cannot pass a Map at arguments[0]",
        ],
        [
          () => probe.echo(cycle),
          "probe.echo(): a value holds itself at arguments[0][0]",
        ],
        [
          () => probe.echo(Symbol.iterator),
          "probe.echo(): cannot pass a symbol at arguments[0]",
        ],
      ];
      for (const [call, message] of cases) {
        await t.step(
          message,
          () => rejects(call(), { name: "TypeError", message }),
        );
      }
      equal(await probe.add(1, 1), 2);
    });
  },
);

pythonTest("exceptions of Python are errors with its traceback", async () => {
  await withHost(async (probe) => {
    await rejects(probe.fail("bad"), (error) => {
      ok(error instanceof PythonError);
      equal(error.code, "CLIBS_PYTHON_EXCEPTION");
      equal(error.message, "probe.fail() failed: ValueError: bad");
      equal(error.pythonType, "ValueError");
      equal(error.traceback, "ValueError: bad");
      equal(error.facts.traceback, error.traceback);
      return true;
    });
    await rejects(probe.add("x"), (error) => {
      ok(error instanceof PythonError);
      match(
        error.message,
        /^probe.add\(\) failed: TypeError: add\(\): incompatible/,
      );
      return true;
    });
  });
});

pythonTest("an import that fails is an error too", async () => {
  const host = new PythonHost({ python: PYTHON });
  try {
    await rejects(host.load("probe", "/no/such/file.so"), (error) => {
      ok(error instanceof PythonError);
      equal(error.pythonType, "ImportError");
      match(
        error.message,
        /^import probe failed: ImportError: .*no such file/i,
      );
      return true;
    });
  } finally {
    await host.close();
  }
});

pythonTest(
  "what modules print is reported, and never mixes with values",
  async () => {
    await withHost(async (probe, _, events) => {
      await probe.print("one");
      equal(await probe.add(1, 1), 2);
      const lines = events.filter(({ level }) => level === "engine")
        .map(({ message }) => message).sort();
      deepEqual(lines, ["c one", "error one", "python one"]);
    });
  },
);

pythonTest("a crash is reported and survived", async (t) => {
  const deaths: [
    string,
    (p: Probe, h: PythonHost) => Promise<unknown>,
    string,
  ][] = [
    [
      "a bad pointer",
      (p) => p.crash(),
      "probe.crash() failed: the Python process ended (SIGSEGV)",
    ],
    [
      "an exit",
      (p) => p.quit(3),
      "probe.quit() failed: the Python process ended (exit code 3)",
    ],
    ["kill -9", (p, h) => {
      const call = p.sleep(20);
      Deno.kill(h.pid!, "SIGKILL");
      return call;
    }, "probe.sleep() failed: the Python process ended (SIGKILL)"],
  ];
  for (const [name, die, message] of deaths) {
    await t.step(name, () =>
      withHost(async (probe, host, events) => {
        const before = host.pid;
        const waiting = die(probe, host);
        const second = probe.add(1, 1);
        await rejects(waiting, (error) => {
          ok(error instanceof ClibsError);
          equal(error.code, "CLIBS_PYTHON_DIED");
          equal(error.message, message);
          if (name === "a bad pointer") {
            match(error.facts["last words"] ?? "", /Segmentation fault/);
          }
          return true;
        });
        // All that were waiting are told.
        await rejects(second, { code: "CLIBS_PYTHON_DIED" });
        equal(events.filter(({ level }) => level === "error").length, 2);
        // The next call starts a new one, with the modules of the old.
        equal(await probe.add(20, 22), 42);
        ok(host.pid !== undefined && host.pid !== before);
      }));
  }
  await t.step("while it was idle", () =>
    withHost(async (probe, host) => {
      Deno.kill(host.pid!, "SIGKILL");
      const deadline = Date.now() + 5000;
      while (host.pid !== undefined && Date.now() < deadline) {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      equal(await probe.add(20, 22), 42);
    }));
});

pythonTest("a call has a limit of time, and can be interrupted", async () => {
  await withHost(async (probe, host) => {
    await rejects(host.call("probe", "sleep", [20], { timeoutMs: 100 }), {
      code: "CLIBS_PYTHON_TIMEOUT",
      message: "probe.sleep() failed: it took more than 0.1 s",
    });
    const controller = new AbortController();
    const call = host.call("probe", "sleep", [20], {
      signal: controller.signal,
    });
    setTimeout(() => controller.abort(), 50);
    await rejects(call, { code: "CLIBS_CANCELLED" });
    equal(await probe.add(1, 1), 2);
  });
});

/** A program that loads the module, prints what it got, and ends or waits. */
async function program(last: string): Promise<string> {
  const base = new URL("../../../lib/engines/python/", import.meta.url);
  return `
import { PythonHost } from "${base}host.ts";
import { loadPython } from "${base}engine.ts";
const host = new PythonHost({ python: "${PYTHON}" });
const probe = await loadPython(host, "probe", "${await module()}");
console.log(await probe.add(1, 2), host.pid);
${last}
`;
}

pythonTest("an idle host does not keep the program from ending", async () => {
  using dir = new TempDir();
  dir.write({ "a.ts": await program("") });
  const output = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", "--no-check", "a.ts"],
    cwd: dir.path,
    signal: AbortSignal.timeout(20_000),
  }).output();
  const text = new TextDecoder().decode(output.stdout);
  equal(output.success, true);
  match(text, /^3 \d+\n$/);
  await gone(Number(text.split(" ")[1]));
});

pythonTest(
  "Python ends with a program that is killed, also in a call",
  async (t) => {
    for (
      const last of ["setTimeout(() => {}, 60000)", "await probe.sleep(60)"]
    ) {
      await t.step(last, async () => {
        using dir = new TempDir();
        dir.write({ "a.ts": await program(last) });
        const child = new Deno.Command(Deno.execPath(), {
          args: ["run", "-A", "--quiet", "--no-check", "a.ts"],
          cwd: dir.path,
          stdout: "piped",
        }).spawn();
        const reader = child.stdout.getReader();
        const { value } = await reader.read();
        const pid = Number(new TextDecoder().decode(value).split(" ")[1]);
        child.kill("SIGKILL");
        await child.status;
        await reader.cancel();
        await gone(pid);
      });
    }
  },
);

async function gone(pid: number): Promise<void> {
  ok(pid > 1);
  const deadline = Date.now() + 15_000;
  while (isRunning(pid)) {
    ok(Date.now() < deadline, `Python ${pid} is still there`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function isRunning(pid: number): boolean {
  try {
    const state = Deno.readTextFileSync(`/proc/${pid}/stat`);
    return !/\) Z /.test(state);
  } catch {
    return false;
  }
}
