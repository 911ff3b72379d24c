import assert from "node:assert/strict";
import { basename, dirname } from "node:path";
import { HEADER, HEADER_SIZE, RecordReader } from "../../lib/trace/record.ts";
import { SYSTEM_PREFIXES, TraceSession } from "../../lib/trace/session.ts";
import { TempDir } from "../support/temp.ts";

const ignore = Deno.build.os !== "linux";
const MODULE = new URL("../../lib/trace/session.ts", import.meta.url).href;

function headerOf(path: string): DataView {
  using file = Deno.openSync(path);
  const bytes = new Uint8Array(HEADER_SIZE);
  file.readSync(bytes);
  return new DataView(bytes.buffer);
}

function text(view: DataView, at: number): string {
  const bytes = new Uint8Array(view.buffer, at);
  return new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(0)));
}

Deno.test({
  name: "a session is a private file that ends with it",
  ignore,
  fn: () => {
    using dir = new TempDir();
    const session = new TraceSession("auto", { shim: "/s.so", tracer: "/t" }, {
      folder: dir.path,
      keepSystem: true,
      getenv: true,
    });
    const { path } = session;
    assert.equal(dirname(path), dir.path);
    assert.equal(Deno.statSync(path).mode! & 0o777, 0o600);
    const view = headerOf(path);
    assert.equal(view.getUint32(HEADER.flags, true), 1 | 2 | 4);
    assert.equal(
      Number(view.getBigUint64(HEADER.size, true)),
      Deno.statSync(path).size,
    );
    assert.equal(text(view, HEADER.path), path);
    assert.equal(text(view, HEADER.shim), "/s.so");
    assert.equal(text(view, HEADER.tracer), "/t");
    assert.equal(text(view, HEADER.prefixes), SYSTEM_PREFIXES[0]);
    const reader = new RecordReader(path);
    reader.read(() => assert.fail("there is no record yet"));
    assert.deepEqual([reader.systemReads(), reader.lost()], [0, 0]);
    reader.close();
    session[Symbol.dispose]();
    assert.deepEqual([...Deno.readDirSync(dir.path)], []);
  },
});

Deno.test({
  name: "a session says how a command is to be run",
  ignore,
  fn: () => {
    using dir = new TempDir();
    const tools = { shim: "/s.so", tracer: "/t" };
    const wrap = (
      method: "auto" | "ld_preload" | "ptrace" | "none",
      env: Record<string, string>,
      check?: boolean,
    ) => {
      using session = new TraceSession(method, tools, { folder: dir.path });
      const wrapped = session.wrap("/bin/make", ["make", "-j"], env, check);
      const json = JSON.stringify(wrapped).replaceAll(session.path, "TRACE");
      return JSON.parse(json);
    };
    const plain = ["/bin/make", "-j"];
    const preload = { LD_PRELOAD: "/s.so", CLIBS_TRACE_FILE: "TRACE" };
    assert.deepEqual(wrap("none", { A: "1" }), {
      argv: plain,
      env: { A: "1" },
      tool: false,
    });
    assert.deepEqual(wrap("ptrace", { A: "1" }), {
      argv: ["/t", "TRACE", "--", "make", "-j"],
      env: { A: "1" },
      tool: true,
    });
    assert.deepEqual(wrap("ld_preload", { A: "1" }), {
      argv: ["/t", "--exec", "/bin/make", "make", "-j"],
      env: { A: "1", ...preload },
      tool: true,
    });
    assert.deepEqual(wrap("auto", { LD_PRELOAD: "/jemalloc.so" }), {
      argv: ["/t", "--exec", "/bin/make", "make", "-j"],
      env: { ...preload, LD_PRELOAD: "/s.so:/jemalloc.so" },
      tool: true,
    });
    assert.deepEqual(wrap("auto", {}, false), {
      argv: plain,
      env: preload,
      tool: false,
    });
  },
});

Deno.test({
  name: "tools whose paths the loader would take apart are used by a link",
  ignore,
  fn: () => {
    using dir = new TempDir();
    const long = `/${"x".repeat(600)}`;
    const session = new TraceSession("auto", {
      shim: "/home/a b/s.so",
      tracer: `${long}/t`,
    }, { folder: dir.path });
    const { argv, env } = session.wrap("/bin/sh", ["sh"], {});
    assert.equal(env.LD_PRELOAD, `${session.path}.so`);
    assert.equal(Deno.readLinkSync(env.LD_PRELOAD), "/home/a b/s.so");
    assert.equal(Deno.readLinkSync(argv[0]!), `${long}/t`);
    assert.equal(text(headerOf(session.path), HEADER.shim), env.LD_PRELOAD);
    session[Symbol.dispose]();
    assert.deepEqual([...Deno.readDirSync(dir.path)], []);
  },
});

Deno.test({
  name: "files of killed sessions are removed by the next one, others are not",
  ignore,
  fn: async () => {
    using dir = new TempDir();
    using running = new TraceSession("none", {}, { folder: dir.path });
    const name = (id: string) => `clibs-trace-${Deno.uid()}-${id}`;
    dir.write({
      [name("1-killed")]: "",
      [name("2-new")]: "",
      [`clibs-trace-${Deno.uid()! + 1}-3-other`]: "",
      "clibs-other": "",
    });
    for (const link of [name("1-killed"), name("2-new"), name("0-gone")]) {
      Deno.symlinkSync("/x", dir.join(`${link}.so`));
    }
    for (const { name } of Deno.readDirSync(dir.path)) {
      if (name.endsWith("-new") || name.endsWith(".so")) continue;
      Deno.utimeSync(dir.join(name), 1, 1);
    }
    const code = `const { TraceSession } = await import(${
      JSON.stringify(MODULE)
    }); using _ = new TraceSession("none", {}, { folder: Deno.args[0] });`;
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["eval", "--no-check", code, dir.path],
    }).output();
    assert.ok(success, new TextDecoder().decode(stderr));
    const left = Array.from(Deno.readDirSync(dir.path), ({ name }) => name);
    assert.deepEqual(
      left.sort(),
      [
        basename(running.path),
        name("2-new"),
        `${name("2-new")}.so`,
        `clibs-trace-${Deno.uid()! + 1}-3-other`,
        "clibs-other",
      ].sort(),
    );
  },
});

Deno.test({
  name: "where no folder takes the records, the error says why",
  ignore,
  fn: () => {
    using dir = new TempDir();
    const folder = dir.join("none");
    assert.throws(() => new TraceSession("none", {}, { folder }), (error) => {
      const { code, message, facts, hint } = error as {
        code: string;
        message: string;
        facts: Record<string, string>;
        hint: string;
      };
      assert.equal(code, "CLIBS_TRACE_FOLDER");
      assert.equal(message, "Cannot trace: no folder takes the records");
      assert.match(facts[folder]!, /No such file/);
      assert.equal(hint, "set TMPDIR to a folder that can be written");
      return true;
    });
  },
});

Deno.test({
  name: "a limit on the size of files makes the room smaller, or too small",
  ignore,
  fn: async () => {
    using dir = new TempDir();
    const code = `const { TraceSession } = await import(${
      JSON.stringify(MODULE)
    }); using s = new TraceSession("none", {}, { folder: Deno.args[0] });
    console.log(Deno.statSync(s.path).size);`;
    const run = (blocks: number) =>
      new Deno.Command("bash", {
        args: [
          "-c",
          `ulimit -f ${blocks}; exec "$0" eval --no-check "$1" "$2"`,
          Deno.execPath(),
          code,
          dir.path,
        ],
        env: { NO_COLOR: "1" },
      }).output();
    const large = await run(65536);
    assert.equal(new TextDecoder().decode(large.stdout), `${65536 * 1024}\n`);
    const small = await run(500);
    assert.match(
      new TextDecoder().decode(small.stderr),
      /no folder takes the records/,
    );
  },
});
