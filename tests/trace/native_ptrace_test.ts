import assert from "node:assert/strict";
import { has } from "../support/tools.ts";
import {
  Bench,
  CREATES,
  EXECUTES,
  KEEP_SYSTEM,
  latin,
  makeTrace,
  readTrace,
  TRUNCATED,
} from "./native_ptrace.ts";

const READY = Deno.build.os === "linux" && has("cc");

for (
  const [name, options] of [
    ["with a listener", []],
    ["by ptrace stops alone", ["-DTRACE_NO_LISTENER"]],
  ] as const
) {
  const test = (what: string, body: (bench: Bench) => void) =>
    Deno.test({
      name: `ptrace tracer ${name}: ${what}`,
      ignore: !READY,
      fn: () => body(bench ??= new Bench([...options])),
    });
  let bench: Bench | undefined;

  test("a program ends as it does untraced", (bench) => {
    const end = (...command: string[]) => {
      const { output } = bench.run(command);
      return [output.code, output.signal, latin(output.stderr)];
    };
    assert.deepEqual(end("sh", "-c", "echo out >&2; exit 3"), [
      3,
      null,
      "out\n",
    ]);
    assert.deepEqual(end("sh", "-c", "kill -TERM $$"), [143, "SIGTERM", ""]);
    assert.deepEqual(end("sh", "-c", "kill -KILL $$"), [137, "SIGKILL", ""]);
    assert.deepEqual(end("no-such-program").slice(0, 2), [127, null]);
    assert.deepEqual(end("./no-such-program").slice(0, 2), [127, null]);
    assert.deepEqual(end("/etc/passwd").slice(0, 2), [126, null]);
    assert.deepEqual(end("/").slice(0, 2), [126, null]);
    const bad = new Deno.Command(bench.tracer, { args: ["x"] }).outputSync();
    assert.equal(bad.code, 125);
    const none = new Deno.Command(bench.tracer, {
      args: ["/no/trace", "--", "true"],
    }).outputSync();
    assert.equal(none.code, 125);
    assert.match(latin(none.stderr), /^clibs-ptrace: /);
  });

  test("changes are recorded with their ends", (bench) => {
    assert.deepEqual(bench.lines(["changes"]), [
      "MKDIR d found",
      "WRITE d/a found",
      "ATTRIBUTES d/a found existed",
      "RENAME d/a d/b found",
      "HARDLINK d/b d/c found",
      "SYMLINK d/l found",
      "LINK d/l found",
      "READ d/b found",
      "ATTRIBUTES d/b found existed",
      "ATTRIBUTES d/b found existed",
      "UNLINK d/l found existed",
      "UNLINK d/nope absent",
      "READ d/l absent",
      "WRITE d failed existed",
      "RMDIR d failed existed",
      "UNLINK d/b found existed",
      "UNLINK d/c found existed",
      "RMDIR d found existed",
    ]);
    const { seen } = bench.run([bench.program, "changes"]);
    const made = seen.find((s) => s.op === "WRITE");
    assert.equal(made?.flags, TRUNCATED | CREATES);
  });

  test("calls without the C library", (bench) => {
    const lines = bench.lines(["raw"], { one: "1", two: "2", "sub/in": "" });
    assert.deepEqual(lines, [
      "READ one found",
      "RENAME one two found existed",
      "RENAME two one found existed",
      "READ sub found",
      "ACCESS sub/in found",
      "READDIR sub found",
      ...(lines.includes("WRITE named found")
        ? ["ACCESS . found", "WRITE named found"]
        : lines.slice(6)), // the file system knows no O_TMPFILE
    ]);
  });

  test("links on the way are recorded, and end", (bench) => {
    const files = {
      "real/file": "",
      "a": "->b",
      "b": "->c",
      "c": "->real",
      "loop": "->pool",
      "pool": "->loop",
      "far": "->nowhere/x",
      "up": "->real/../real/file",
    };
    const open = (...names: string[]) => bench.lines(["open", ...names], files);
    assert.deepEqual(open("a/file", "c/file", "./real//file"), [
      "LINK a found",
      "LINK b found",
      "LINK c found",
      "READ real/file found",
    ]);
    assert.deepEqual(
      open("a/../b/./nope"),
      [
        "LINK a found",
        "LINK b found",
        "LINK c found",
        "READ real/nope absent",
      ].filter((l) => !l.startsWith("?")),
    );
    assert.deepEqual(open("loop"), [
      "LINK loop found",
      "LINK pool found",
      "READ loop failed",
    ]);
    assert.deepEqual(open("far", "up", "real/file/"), [
      "LINK far found",
      "READ nowhere/x absent",
      "LINK up found",
      "READ real/file found",
      "READ real/file absent",
    ]);
  });

  test("names of any bytes, and paths longer than the kernel's", (bench) => {
    const { seen } = bench.run([
      ...["bash", "-c", `: < $'new\\nline'; : > $'\\xff\\xfe'; true`],
    ]);
    const paths = seen.map((s) => s.path.slice(bench.dir.length + 1));
    assert.ok(paths.includes("new\nline"));
    assert.ok(paths.includes("\xff\xfe"));

    const lines = bench.lines(["deep"]);
    const deepest = Array(25).fill("x".repeat(200)).join("/");
    assert.equal(lines.filter((l) => l.startsWith("MKDIR")).length, 25);
    assert.deepEqual(lines.filter((l) => !/^(MKDIR|ACCESS x.*x) /.test(l)), [
      `WRITE ${deepest}/f found`,
      `ACCESS ${deepest}/g absent`,
      `ACCESS ${deepest}/f found`,
      `ACCESS ${deepest}/h absent`,
    ]);
  });

  test("threads and processes", (bench) => {
    const { seen } = bench.run([bench.program, "threads"]);
    const probes = seen.filter((s) => s.state === "absent");
    assert.equal(probes.length, 1600);
    assert.equal(new Set(seen.map((s) => s.pid)).size, 1);
    assert.deepEqual(seen.filter((s) => s.op === "START").length, 1);

    const storm = bench.run([bench.program, "storm", "100"]);
    assert.equal(storm.output.code, 0);
    const count = (op: string) => storm.seen.filter((s) => s.op === op).length;
    assert.deepEqual([count("START"), count("EXEC"), count("EXIT")], [
      ...[101, 101, 101],
    ]);
    const main = storm.seen.find((s) => s.op === "START");
    assert.equal(main?.other, Deno.pid);
    for (const start of storm.seen.filter((s) => s.op === "START").slice(1)) {
      assert.equal(start.other, main?.pid);
    }

    const replaced = bench.run([bench.program, "replace"]);
    assert.equal(replaced.output.code, 7);
    const execs = replaced.seen.filter((s) => s.op === "EXEC");
    assert.deepEqual(
      execs.map((s) => s.pid),
      [main?.pid, main?.pid].map(() => execs[0]?.pid),
    );
    assert.deepEqual(execs.map((s) => s.second.split("\0").slice(1, -1)), [
      [bench.program, "replace"],
      [bench.program, "exit"],
    ]);
    assert.equal(replaced.seen.at(-1)?.other, 7 << 8);
  });

  test("signals interrupt nothing that they do not interrupt untraced", (bench) => {
    const { output } = bench.run([bench.program, "signals", "5000"], {
      files: { there: "" },
    });
    assert.equal(latin(output.stderr), "");
    assert.equal(output.code, 0);
  });

  test("its parent sees a program stop and go on", (bench) => {
    makeTrace(bench.trace, []);
    const { code, stderr } = new Deno.Command(bench.program, {
      args: [
        ...["stopper", bench.tracer, bench.trace, "--"],
        ...["/bin/sh", "-c", "kill -STOP $$; exit 4"],
      ],
    }).outputSync();
    assert.equal(latin(stderr), "");
    assert.equal(code, 0);
  });

  test("scripts, their interpreters and the search along PATH", (bench) => {
    const { seen } = bench.run(["sh", "-c", "./outer arg"], {
      files: {
        "outer": "#!inner one two\n",
        "inner": "#!/usr/bin/env -S cat\ntext\n",
      },
    });
    assert.ok(
      seen.some((s) => s.path.endsWith("/outer") && s.state === "failed"),
    );
    const script = `printf '#!%s/inner a b\\n' "$PWD" > outer;
      printf '#!/bin/cat\\ntext\\n' > inner; chmod +x inner outer; ./outer arg`;
    const run = bench.run(["sh", "-c", script], { flags: KEEP_SYSTEM });
    const executed = run.seen.filter((s) => s.flags & EXECUTES)
      .map((s) => s.path);
    const at = executed.indexOf(`${bench.dir}/outer`);
    assert.deepEqual(executed.slice(at, at + 2), [
      `${bench.dir}/outer`,
      `${bench.dir}/inner`,
    ]);
    assert.ok(executed.some((path) => /\/ld-[^/]*$/.test(path)));
    const exec = run.seen.filter((s) => s.op === "EXEC").at(-1);
    assert.equal(exec?.path, `${bench.dir}/outer`);
    assert.equal(exec?.second, `${bench.dir}\0./outer\0arg\0`);
  });

  test("a long command line is cut and says so", (bench) => {
    const { seen } = bench.run(["true", "x".repeat(9000), "y".repeat(9000)]);
    const exec = seen.filter((s) => s.op === "EXEC").at(-1);
    assert.equal(exec?.flags, TRUNCATED);
    assert.equal(exec?.second.length, bench.dir.length + 1 + 5 + 9001);
  });

  test("recording is switched off and on", (bench) => {
    const files = { hidden: "", shown: "", "sub/shown": "" };
    assert.deepEqual(bench.lines(["switch"], files), [
      "SWITCH . found",
      "SWITCH . found",
      "READ sub/shown found",
    ]);
  });

  test("system paths are counted or kept", (bench) => {
    const counted = bench.run(["cat", "/usr/lib/../lib/os-release"]);
    assert.ok(counted.system > 5);
    assert.ok(
      counted.seen.every((s) => s.op === "EXEC" || !/^\/usr/.test(s.path)),
    );
    const kept = bench.run(["cat", "/etc/os-release"], { flags: KEEP_SYSTEM });
    assert.equal(kept.system, 0);
    assert.ok(
      kept.seen.some((s) =>
        s.op === "READ" && s.path === "/etc/passwd" ||
        s.path === "/usr/lib/os-release"
      ),
    );
  });

  test("a waiting process is seized", (bench) => {
    makeTrace(bench.trace, ["/usr", "/lib", "/etc", "/proc"]);
    Deno.removeSync(bench.dir, { recursive: true });
    Deno.mkdirSync(bench.dir);
    const { code, stderr } = new Deno.Command(bench.program, {
      args: ["seized", bench.tracer, bench.trace, bench.program],
      cwd: bench.dir,
    }).outputSync();
    assert.equal(latin(stderr), "");
    assert.equal(code, 0);
    const { seen } = readTrace(bench.trace);
    assert.equal(seen[0]?.op, "READ");
    assert.equal(seen[0]?.flags, EXECUTES);
    assert.equal(seen[1]?.op, "EXEC");
    assert.equal(seen.filter((s) => s.op === "WRITE").length, 2);
    assert.equal(seen.at(-1)?.op, "EXIT");
  });

  test("it holds no descriptor and leaves what goes on", (bench) => {
    const list = ["bash", "-c", "exec 3<&- 9</dev/null; ls -l /proc/$$/fd"];
    const names = (text: Uint8Array) =>
      latin(text).split("\n").slice(1).map((l) =>
        l.replace(/.* (\d+ -> \S+).*/, "$1").replace(/\d{3,}/g, "N")
      );
    const bare = new Deno.Command(list[0] ?? "", { args: list.slice(1) });
    assert.deepEqual(
      names(bench.run(list).output.stdout),
      names(bare.outputSync().stdout),
    );
    const limited = bench.run(["sh", "-c", "ulimit -n 16; cat f; cat f"], {
      files: { f: "text" },
    });
    assert.equal(latin(limited.output.stdout), "texttext");
    const started = performance.now();
    const left = bench.run([
      ...["sh", "-c", "(exec sleep 30) >/dev/null 2>&1 & echo $!"],
    ]);
    assert.ok(performance.now() - started < 10_000);
    Deno.kill(Number(latin(left.output.stdout)), "SIGKILL");
  });

  test("it ends although parents are killed within fork", (bench) => {
    const storm = `for i in 1 2 3 4 5 6 7 8; do
      (while :; do /bin/true; done) & all="$all $!"
    done; sleep 0.2; kill -KILL $all; wait; exit 6`;
    for (let i = 0; i < 5; i++) {
      assert.equal(bench.run(["sh", "-c", storm]).output.code, 6);
    }
    const deadline = performance.now() + 5000;
    while (bench.isTracing()) {
      assert.ok(performance.now() < deadline, "a tracer is left");
    }
  });

  test("many accesses", (bench) => {
    const { seen } = bench.run([bench.program, "many", "50000"]);
    assert.equal(seen.filter((s) => s.op === "ACCESS").length, 50000);
  });

  Deno.test({
    name: `ptrace tracer ${name}: cleans up`,
    ignore: !READY,
    fn: () => bench?.[Symbol.dispose](),
  });
}
