/** What goes wrong around the calls: shims, folders, forks, last words. */

import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { PythonError } from "../../../lib/engines/errors.ts";
import { PythonHost } from "../../../lib/engines/python/host.ts";
import { ClibsError } from "../../../lib/errors.ts";
import { TempDir } from "../../support/temp.ts";
import { PYTHON } from "../../support/tools.ts";
import { module, pythonTest, withHost } from "./probe_module.ts";

Deno.test("a Python that cannot be started is a ClibsError", async () => {
  const host = new PythonHost({ python: "/no/such/python" });
  await rejects(host.load("probe", "/any.so"), {
    code: "CLIBS_PYTHON_MISSING",
    message: "Cannot find Python: /no/such/python is not there",
  });
  using dir = new TempDir();
  dir.write({ python: "not a program" });
  const other = new PythonHost({ python: dir.join("python") });
  await rejects(other.load("probe", "/any.so"), {
    code: "CLIBS_PYTHON_BROKEN",
    message: `Cannot use the Python ${
      dir.join("python")
    }: it does not run as one`,
  });
});

Deno.test("programs that are no Python end the wait", async (t) => {
  const scripts: [string, string, RegExp][] = [
    ["ends", "exit 3", /ended \(exit code 3\)$/],
    ["prints text", "echo hello", /ended \(exit code 0\)$/],
    ["prints without end", "exec cat /dev/zero", /ended \(SIGKILL\)$/],
    [
      "prints a frame that is none",
      "printf '\\0clibs\\n\\002\\0\\0\\0{{'; exec sleep 20",
      /ended \(SIGKILL\)$/,
    ],
  ];
  for (const [name, script, message] of scripts) {
    await t.step(name, async () => {
      using dir = new TempDir();
      dir.write({ python: `#!/bin/sh\n${script}\n` });
      Deno.chmodSync(dir.join("python"), 0o755);
      const host = new PythonHost({ python: dir.join("python") });
      await rejects(host.load("probe", "/any.so"), (error) => {
        ok(error instanceof ClibsError);
        equal(error.code, "CLIBS_PYTHON_DIED");
        match(error.message, message);
        return true;
      });
      await host.close();
    });
  }
});

pythonTest("what a shim prints is not taken for an answer", async () => {
  using dir = new TempDir();
  dir.write({ python: `#!/bin/sh\necho using 3.11\nexec ${PYTHON} "$@"\n` });
  Deno.chmodSync(dir.join("python"), 0o755);
  const host = new PythonHost({ python: dir.join("python") });
  try {
    await host.load("probe", await module());
    equal(await host.call("probe", "add", [1, 2]), 3);
  } finally {
    await host.close();
  }
});

pythonTest(
  "modules of Python are not taken from the program's folder",
  async () => {
    using dir = new TempDir();
    const url = new URL("../../../lib/engines/python/host.ts", import.meta.url);
    dir.write({
      "json.py": "raise RuntimeError('not the json of Python')",
      "a.ts": `import { PythonHost } from "${url}";
const host = new PythonHost({ python: "${PYTHON}" });
await host.load("probe", "${await module()}");
console.log(await host.call("probe", "add", [1, 2]));`,
    });
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", "--no-check", "a.ts"],
      cwd: dir.path,
      signal: AbortSignal.timeout(20_000),
    }).output();
    const decoder = new TextDecoder();
    equal(decoder.decode(stdout), "3\n", decoder.decode(stderr));
  },
);

pythonTest("the last words of a module are kept", async (t) => {
  await t.step("why C++ gave up", () =>
    withHost(async (probe) => {
      await rejects(probe.die(), (error) => {
        ok(error instanceof ClibsError);
        equal(
          error.message,
          "probe.die() failed: the Python process ended (SIGABRT)",
        );
        const words = error.facts["last words"] ?? "";
        match(words, /what\(\): {2}the reason/);
        match(words, /Fatal Python error: Aborted/);
        return true;
      });
    }));
  await t.step(
    "what was printed before",
    () =>
      withHost(async (probe, _, events) => {
        const failed = probe.evaluate(
          "(print('almost there'), __import__('os').abort())",
        );
        await rejects(failed, (error) => {
          ok(error instanceof ClibsError);
          // It came as an event if there was time, else it is here.
          const told = events.some(({ message }) => message === "almost there");
          ok(told || /almost there/.test(error.facts["last words"] ?? ""));
          return true;
        });
      }),
  );
});

pythonTest(
  "a process that a module forked does not keep calls waiting",
  async () => {
    await withHost(async (probe, host, events) => {
      const fork = "__import__('os').fork() or " +
        "(__import__('time').sleep(30), __import__('os')._exit(0))";
      const forked: number[] = [];
      try {
        forked.push(await probe.evaluate(fork));
        await rejects(host.call("probe", "sleep", [20], { timeoutMs: 100 }), {
          code: "CLIBS_PYTHON_TIMEOUT",
        });
        // Nobody has to be told of what was asked for.
        deepEqual(events.filter(({ level }) => level === "error"), []);
        forked.push(await probe.evaluate(fork));
        await rejects(probe.crash(), { code: "CLIBS_PYTHON_DIED" });
        equal(await probe.add(1, 2), 3);
      } finally {
        for (const pid of forked) Deno.kill(pid, "SIGKILL");
      }
    });
  },
);

pythonTest(
  "an exception that cannot be printed is one all the same",
  async () => {
    await withHost(async (probe) => {
      const failed = probe.evaluate(
        "(_ for _ in ()).throw(" +
          "type('Bad', (Exception,), {'__str__': lambda self: 1 / 0})())",
      );
      await rejects(failed, (error) => {
        ok(error instanceof PythonError);
        equal(
          error.message,
          "probe.evaluate() failed: Bad: <its message cannot be read>",
        );
        return true;
      });
      equal(await probe.add(1, 2), 3);
    });
  },
);

pythonTest("values of NumPy that have no form here are errors", async (t) => {
  await withHost(async (probe) => {
    const cases: [string, RegExp][] = [
      ["longdouble(1)", /: cannot pass a \w+ at result$/],
      ["datetime64(5, 'ns')", /: cannot pass a datetime64 at result$/],
      ["timedelta64(5, 'ns')", /: cannot pass a timedelta64 at result$/],
      ["array([object()])", /: cannot pass an array of object at result$/],
      ["ones(2, 'c16')", /: cannot pass an array of complex128 at result$/],
    ];
    for (const [code, message] of cases) {
      await t.step(
        code,
        () =>
          rejects(probe.evaluate(`__import__('numpy').${code}`), {
            name: "TypeError",
            message,
          }),
      );
    }
  });
});

pythonTest("arrays of NumPy come as they are laid out in C", async (t) => {
  await withHost(async (probe) => {
    const cases: [string, unknown, number[] | undefined][] = [
      ["arange(6, dtype='>i4')[::2]", new Int32Array([0, 2, 4]), undefined],
      ["ones(2, 'f2')", new Float32Array([1, 1]), undefined],
      ["array([True, False])", new Uint8Array([1, 0]), undefined],
      ["array(3.5)", new Float64Array([3.5]), []],
      ["zeros((0, 3))", new Float64Array(), [0, 3]],
      ["arange(4.).reshape(2, 2).T", new Float64Array([0, 2, 1, 3]), [2, 2]],
      ["float64(2.5)", 2.5, undefined],
      ["int64(7)", 7, undefined],
      ["bool_(True)", true, undefined],
    ];
    for (const [code, value, shape] of cases) {
      await t.step(code, async () => {
        const got = await probe.evaluate(`__import__('numpy').${code}`);
        deepEqual(got.shape, shape);
        delete got.shape;
        deepEqual(got, value);
      });
    }
  });
});

pythonTest("whole numbers may have any length", async () => {
  await withHost(async (probe) => {
    equal(await probe.evaluate("10 ** 5000"), 10n ** 5000n);
    equal(await probe.echo(-(10n ** 5000n)), -(10n ** 5000n));
  });
});

pythonTest(
  "a module that cannot be loaded again says so in each call",
  async () => {
    using dir = new TempDir();
    const path = dir.join("gone.so");
    Deno.copyFileSync(await module(), path);
    const host = new PythonHost({ python: PYTHON });
    try {
      await host.load("probe", path);
      Deno.removeSync(path);
      await rejects(host.call("probe", "quit", [0]), {
        code: "CLIBS_PYTHON_DIED",
      });
      for (let time = 0; time < 2; time++) {
        await rejects(host.call("probe", "add", [1, 2]), (error) => {
          ok(error instanceof PythonError);
          match(
            error.message,
            /^probe\.add\(\) failed: ImportError: .*gone\.so: .*No such file/,
          );
          return true;
        });
      }
    } finally {
      await host.close();
    }
  },
);

pythonTest("output names the engine that is running", async () => {
  await withHost(async (probe, _, events) => {
    await probe.print("one");
    const fields = events.filter(({ level }) => level === "engine")
      .map((event) => event.fields);
    equal(fields.length, 3);
    for (const field of fields) {
      deepEqual(field, { about: "engine.output", engine: "probe" });
    }
  });
});

pythonTest("an interrupt at the terminal does not reach Python", async () => {
  await withHost(async (probe, host, events) => {
    const pid = host.pid!;
    const call = probe.sleep(0.2);
    Deno.kill(pid, "SIGINT");
    await call;
    equal(host.pid, pid);
    deepEqual(events, []);
  });
});
