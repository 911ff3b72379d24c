import assert from "node:assert/strict";
import { TWINS } from "../../lib/rules/channel/twins.ts";
import { has } from "../support/tools.ts";
import { buildLauncher, Session } from "./job_support.ts";

Deno.test({
  name: "the launcher",
  ignore: !has("cc"),
  async fn(t) {
    using bin = buildLauncher(TWINS);
    const launch = (session: Session) =>
    (
      line: string,
      options?: Parameters<Session["run"]>[2],
    ) => {
      const [program = "", ...args] = line.split(" ");
      return session.run(bin.join(program), args, options);
    };

    await t.step("carries arguments, folder and answer", async () => {
      await using session = await Session.open();
      session.services.states = { "é x": { ok: false } };
      const result = await session.run(bin.join("ldepend"), ["-v", "é x", "b"]);
      assert.deepEqual(result, {
        code: 1,
        stdout: "error - é x\n- - b\n",
        stderr: "",
      });
      assert.deepEqual(session.services.calls[0]?.slice(1, 3), [
        session.dir.path,
        ["é x", "b"],
      ]);
    });

    await t.step("carries stdin and what is printed byte by byte", async () => {
      await using session = await Session.open();
      const run = launch(session);
      const value = "a\0b\n".repeat(50_000);
      const coded = await run("lencode -f t -x c", { stdin: value });
      assert.deepEqual(coded, { code: 0, stdout: "c\n", stderr: "" });
      const back = await run("ldecode -f t -x c -c c");
      assert.deepEqual(back, { code: 0, stdout: value, stderr: "" });
      const sum = await run("xxhsum", { stdin: "hello" });
      assert.equal(sum.stdout, "0123456789abcdef\n");
      assert.deepEqual(session.services.calls.at(-1), ["xxhsum", "hello"]);
    });

    await t.step("reads stdin only for who wants it", async () => {
      await using session = await Session.open();
      // `cat` after it gets all of it.
      const script = `"$0" f && ${bin.join("xxhsum")} f >/dev/null && cat`;
      const result = await session.run("sh", [
        "-c",
        script,
        bin.join("ldepend"),
      ], { stdin: "for cat" });
      assert.deepEqual(result, { code: 0, stdout: "for cat", stderr: "" });
    });

    await t.step("becomes the compiler, with its stdin", async () => {
      await using session = await Session.open();
      const script = 'cat; pwd; echo "$1" >&2; exit 3';
      const result = await session.run(
        bin.join("lrun_cc"),
        ["sh", "-c", script, "-I", "x"],
        { stdin: "in\n" },
      );
      assert.deepEqual(result, {
        code: 3,
        stdout: `in\n${session.dir.path}\n`,
        stderr: "x\n",
      });
      assert.deepEqual(session.services.calls.map(([name]) => name), [
        "depend",
        "checkDeps",
      ]);
      const missing = await session.run(bin.join("lrun_cc"), ["no-such-cc"]);
      assert.deepEqual([missing.code, missing.stderr], [
        127,
        "lrun_cc: cannot run no-such-cc: No such file or directory\n",
      ]);
    });

    await t.step("refuses bytes that are no text", async () => {
      await using session = await Session.open();
      const result = await session.run("bash", [
        "-c",
        `${bin.join("ldepend")} a $'\\xff'`,
      ]);
      assert.deepEqual([result.code, result.stderr], [
        1,
        "ldepend: Cannot read the arguments: they are not UTF-8\n",
      ]);
      assert.deepEqual(session.services.calls, []);
    });

    await t.step("says what is wrong with the command line", async () => {
      await using session = await Session.open();
      const result = await launch(session)("lcheck_deps -d x");
      assert.equal(result.code, 11);
      assert.match(
        result.stderr,
        /^lcheck_deps: -d needs a number of seconds\n/,
      );
    });

    await t.step("outside a job, or after it", async () => {
      await using session = await Session.open();
      const run = launch(session);
      for (const name of ["CLIBS_JOB_SOCKET", "CLIBS_JOB_ID"]) {
        assert.deepEqual(await run("ldepend a", { env: { [name]: "" } }), {
          code: 2,
          stdout: "",
          stderr: "ldepend: not inside a job of clibs make\n",
        });
      }
      const nowhere = session.folder.join("nowhere");
      assert.deepEqual(
        await run("ltarget a", { env: { CLIBS_JOB_SOCKET: nowhere } }),
        {
          code: 4,
          stdout: "",
          stderr:
            `ltarget: cannot reach the runner at ${nowhere}: No such file or directory\n`,
        },
      );
      const long = "/" + "x".repeat(200);
      assert.equal(
        (await run("ltarget a", { env: { CLIBS_JOB_SOCKET: long } })).code,
        4,
      );
      session.job[Symbol.dispose]();
      assert.deepEqual(await run("xxhsum a"), {
        code: 2,
        stdout: "",
        stderr: "xxhsum: Cannot ask the runner: the job has ended\n",
      });
      assert.deepEqual(session.services.calls, []);
    });

    await t.step("many at once", async () => {
      await using session = await Session.open();
      const script = `for i in $(seq 200); do ${
        bin.join("ldepend")
      } f$i & done; wait`;
      assert.deepEqual(await session.run("sh", ["-c", script]), {
        code: 0,
        stdout: "",
        stderr: "",
      });
      assert.equal(session.services.calls.length, 200);
    });
  },
});
