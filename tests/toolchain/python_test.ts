import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { ClibsError } from "../../lib/errors.ts";
import { describePython } from "../../lib/toolchain/python.ts";
import { TempDir } from "../support/temp.ts";
import { hasPybind, hasPython, PYTHON } from "../support/tools.ts";

/** A program in a folder that does what a shell script says. */
function program(dir: TempDir, script: string): string {
  const path = dir.join("python");
  dir.write({ python: `#!/bin/sh\n${script}\n` });
  Deno.chmodSync(path, 0o755);
  return path;
}

Deno.test({
  name: "describePython() tells what a module must fit",
  ignore: !hasPybind(),
  fn: async () => {
    const info = await describePython(PYTHON);
    match(info.version, /^3\.\d+\.\d+$/);
    match(info.soabi, /^cpython-3\d+-/);
    equal(info.extSuffix, `.${info.soabi}.so`);
    equal(info.hasHeaders, true);
    ok(info.pybind11);
  },
});

Deno.test("describePython() says what is wrong", async () => {
  await rejects(describePython("/no/such/python"), {
    code: "CLIBS_PYTHON_MISSING",
    message: "Cannot find Python: /no/such/python is not there",
    hint: "install python3, or name one with --python or $CLIBS_PYTHON",
  });
  await rejects(describePython("no-such-python"), {
    code: "CLIBS_PYTHON_MISSING",
    message: "Cannot find Python: no-such-python is not on PATH",
  });
  using dir = new TempDir();
  dir.write({ python: "#!/bin/sh\necho no version is set >&2\nexit 1\n" });
  Deno.chmodSync(dir.join("python"), 0o755);
  await rejects(describePython(dir.join("python")), (error) => {
    ok(error instanceof ClibsError);
    equal(error.code, "CLIBS_PYTHON_BROKEN");
    deepEqual(error.facts, { "it said": "no version is set" });
    equal(error.hint, "name another with --python (python) or $CLIBS_PYTHON");
    return true;
  });
});

Deno.test({
  name: "describePython() does not run what it finds in the folder",
  ignore: !hasPython(),
  fn: async () => {
    using dir = new TempDir();
    dir.write({ "json.py": "raise RuntimeError('not the json of Python')" });
    const url = new URL("../../lib/toolchain/python.ts", import.meta.url);
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "eval",
        "--no-check",
        `import { describePython } from "${url}";
      console.log((await describePython("${PYTHON}")).executable);`,
      ],
      cwd: dir.path,
    }).output();
    const decoder = new TextDecoder();
    match(decoder.decode(stdout), /python3/, decoder.decode(stderr));
  },
});

Deno.test({
  name: "describePython() takes a shim that prints",
  ignore: !hasPython(),
  fn: async () => {
    using dir = new TempDir();
    const shim = program(dir, `echo using 3.11; exec ${PYTHON} "$@"`);
    match((await describePython(shim)).version, /^3\./);
  },
});

Deno.test("describePython() takes no other program for a Python", async (t) => {
  const scripts: [string, string, string][] = [
    ["prints nothing", "true", ""],
    ["prints text", "echo hello", ""],
    ["prints JSON", "echo null", ""],
    ["fails", "echo first >&2; echo last >&2; exit 3", "last"],
  ];
  for (const [name, script, said] of scripts) {
    await t.step(name, async () => {
      using dir = new TempDir();
      const path = program(dir, script);
      await rejects(describePython(path), {
        code: "CLIBS_PYTHON_BROKEN",
        message: `Cannot use the Python ${path}: it does not run as one`,
        facts: said === "" ? {} : { "it said": said },
      });
    });
  }
  await t.step("cannot be run", async () => {
    using dir = new TempDir();
    dir.write({ python: "print(1)" });
    await rejects(describePython(dir.join("python")), (error) => {
      ok(error instanceof ClibsError);
      equal(error.code, "CLIBS_PYTHON_BROKEN");
      match(error.facts["it said"] ?? "", /Permission denied/);
      return true;
    });
  });
});

Deno.test({
  name: "describePython() looks where it is told to",
  ignore: !hasPython(),
  fn: async () => {
    const none = () => undefined;
    await rejects(
      describePython(undefined, (name) => name === "PATH" ? "" : none()),
      {
        code: "CLIBS_PYTHON_MISSING",
        message: "Cannot find Python: python3 is not on PATH",
      },
    );
    const env: Record<string, string> = { CLIBS_PYTHON: PYTHON, PATH: "" };
    equal(
      (await describePython(undefined, (name) => env[name])).executable,
      PYTHON,
    );
  },
});
