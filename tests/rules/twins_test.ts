import assert from "node:assert/strict";
import { runTwin, TWINS } from "../../lib/rules/channel/twins.ts";
import { FakeServices } from "./job_support.ts";

/** Runs a twin without its program. */
async function twin(line: string, services = new FakeServices(), stdin = "") {
  const [program = "", ...args] = line.split(" ");
  const result = await runTwin(services, {
    program,
    args,
    cwd: "/r",
    stdin: new TextEncoder().encode(stdin),
  });
  return { ...result, calls: services.calls };
}

const DEPEND = ["noStar", "required"];

const depends: [line: string, files: string[], options: unknown][] = [
  ["ldepend a b", ["a", "b"], { flags: DEPEND }],
  ["ldepend -R a", ["a"], { flags: DEPEND, read: true }],
  ["ldepend --read a", ["a"], { flags: DEPEND, read: true }],
  ["ldepend -L a", ["a"], { flags: DEPEND, followSymlinks: true }],
  ["ldepend --follow-symlinks a", ["a"], {
    flags: DEPEND,
    followSymlinks: true,
  }],
  ["ldepend -d a", ["a"], { flags: DEPEND, direct: true }],
  ["ldepend -v a", ["a"], { flags: DEPEND, verbose: true }],
  ["ldepend -c a", ["a"], { flags: ["critical", ...DEPEND] }],
  ["ldepend -E a", ["a"], { flags: ["essential", ...DEPEND] }],
  ["ldepend -e a", ["a"], { flags: ["ignoreError", ...DEPEND] }],
  ["ldepend -r a", ["a"], { flags: ["noStar"] }],
  ["ldepend --no-required a", ["a"], { flags: ["noStar"] }],
  ["ldepend -I a", ["a"], { flags: ["ignore", "noStar"] }],
  ["ldepend -D a", ["a"], { flags: ["noStar", "readdirOk"] }],
  ["ldepend -X a.*", ["a.*"], { flags: DEPEND, regexpr: true }],
  ["ldepend --regexpr a.*", ["a.*"], { flags: DEPEND, regexpr: true }],
  ["ldepend -x a", ["a"], { flags: ["required"] }],
  ["ldepend -vRer a", ["a"], {
    flags: ["ignoreError", "noStar"],
    read: true,
    verbose: true,
  }],
  ["ldepend a -c b -- -R", ["a", "b", "-R"], {
    flags: ["critical", ...DEPEND],
  }],
  ["ldepend --crit a", ["a"], { flags: ["critical", ...DEPEND] }],
  ["ldepend -", ["-"], { flags: DEPEND }],
];

Deno.test("ldepend passes its options on", async (t) => {
  for (const [line, files, options] of depends) {
    await t.step(line, async () => {
      const { code, stderr, calls } = await twin(line);
      assert.deepEqual([code, stderr], [0, ""]);
      assert.deepEqual(calls, [["depend", "/r", files, options]]);
    });
  }
});

const TARGET = ["allow", "noStar"];

const targets: [line: string, options: unknown][] = [
  ["ltarget f", { flags: TARGET }],
  ["ltarget -W f", { flags: TARGET, write: true }],
  ["ltarget --write f", { flags: TARGET, write: true }],
  ["ltarget -L f", { flags: TARGET, followSymlinks: true }],
  ["ltarget -X f", { flags: TARGET, regexpr: true }],
  ["ltarget -a f", { flags: ["noStar"] }],
  ["ltarget --no-allow f", { flags: ["noStar"] }],
  ["ltarget -x f", { flags: ["allow"] }],
  ["ltarget -i f", { flags: ["allow", "incremental", "noStar"] }],
  ["ltarget -w f", { flags: ["allow", "noWarning", "noStar"] }],
  ["ltarget -I f", { flags: ["allow", "ignore", "noStar"] }],
  ["ltarget -s f", { flags: ["allow", "sourceOk", "noStar"] }],
  ["ltarget -E f", { flags: ["allow", "essential", "noStar"] }],
  ["ltarget -c f", { flags: ["allow", "critical", "noStar"] }],
  ["ltarget -e f", { flags: ["allow", "ignoreError", "noStar"] }],
  ["ltarget -D f", { flags: ["allow", "noStar", "readdirOk"] }],
  ["ltarget -r f", { flags: TARGET }],
  ["ltarget -Dr f", { flags: ["allow", "noStar", "readdirOk"] }],
  ["ltarget -isW f", {
    flags: ["allow", "incremental", "sourceOk", "noStar"],
    write: true,
  }],
];

Deno.test("ltarget passes its options on", async (t) => {
  for (const [line, options] of targets) {
    await t.step(line, async () => {
      const { code, stderr, calls } = await twin(line);
      assert.deepEqual([code, stderr], [0, ""]);
      assert.deepEqual(calls, [["target", "/r", ["f"], options]]);
    });
  }
});

Deno.test("no files are fine", async () => {
  for (const line of ["ldepend", "ltarget", "ldepend -R", "ltarget --"]) {
    assert.deepEqual(await twin(line), {
      code: 0,
      stdout: "",
      stderr: "",
      calls: [],
    });
  }
});

Deno.test("ldepend -v prints status, checksum and name", async () => {
  const services = new FakeServices();
  services.states = {
    a: { ok: true, checksum: "12-R" },
    b: { ok: false },
    c: { ok: true, checksum: "none" },
  };
  const all = await twin("ldepend -v a b c /x", services);
  assert.deepEqual([all.code, all.stdout], [
    1,
    "ok 12-R a\nerror - b\nok none c\n- - /x\n",
  ]);
  assert.equal((await twin("ldepend -ve a b", services)).code, 0);
  assert.equal((await twin("ldepend -v a /x", services)).code, 0);
});

Deno.test("ldepend -d fails if a dep is in error", async () => {
  const services = new FakeServices();
  services.states = { bad: { ok: false } };
  assert.equal((await twin("ldepend -d bad", services)).code, 1);
  assert.equal((await twin("ldepend -de bad", services)).code, 0);
  assert.equal((await twin("ldepend -d good", services)).code, 0);
  // Only these two options have it looked at.
  assert.equal((await twin("ldepend bad", services)).code, 0);
});

Deno.test("-l lists deps and targets", async () => {
  const lines: [line: string, call: unknown[]][] = [
    ["ldepend -l", ["listDeps", "/r", undefined, undefined]],
    ["ldepend --list", ["listDeps", "/r", undefined, undefined]],
    ["ldepend -l -z d", ["listDeps", "/r", "d", undefined]],
    ["ldepend -lzd -X d/.", ["listDeps", "/r", "d", "d/."]],
    ["ldepend -l -X x -z d", ["listDeps", "/r", "d", "x"]],
    ["ldepend --list --dir=d --regexpr=x", ["listDeps", "/r", "d", "x"]],
    ["ltarget -l", ["listTargets", "/r", undefined, undefined]],
    ["ltarget -lX x", ["listTargets", "/r", undefined, "x"]],
  ];
  for (const [line, call] of lines) {
    const services = new FakeServices();
    services.deps = ["p", "q r"];
    services.targets = () => ["p", "q r"];
    const { code, stdout, stderr, calls } = await twin(line, services);
    assert.deepEqual([code, stdout, stderr], [0, "p\nq r\n", ""], line);
    assert.deepEqual(calls, [call], line);
  }
});

Deno.test("lcheck_deps has the deps checked", async () => {
  const lines: [line: string, delay: number, sync: boolean, code: number][] = [
    ["lcheck_deps", 0, false, 0],
    ["lcheck_deps -s", 0, true, 1],
    ["lcheck_deps --sync --delay 2", 2, true, 1],
    ["lcheck_deps -d 0.5", 0.5, false, 0],
    ["lcheck_deps -d1 -s", 1, true, 1],
    ["lcheck_deps -sd1", 1, true, 1],
  ];
  for (const [line, delay, sync, code] of lines) {
    const services = new FakeServices();
    services.isOk = false;
    const result = await twin(line, services);
    assert.deepEqual(result.calls, [["checkDeps", delay, sync]], line);
    assert.equal(result.code, code, line);
  }
  assert.equal((await twin("lcheck_deps -s")).code, 0);
});

Deno.test("lencode and ldecode keep a value as it is", async () => {
  const services = new FakeServices();
  const value = "value\nline2\ttab\n\n";
  const coded = await twin("lencode -f tab -x ctx -l 4", services, value);
  assert.deepEqual([coded.code, coded.stdout], [0, "cccc\n"]);
  assert.deepEqual(services.calls[0], ["encode", "/r", "tab", "ctx", value, 4]);
  const back = await twin("ldecode -t tab -x ctx -c cccc", services);
  assert.deepEqual([back.code, back.stdout], [0, value]);
  await twin("lencode --table=tab --context=ctx", services, "");
  assert.deepEqual(services.calls.at(-1), [
    "encode",
    "/r",
    "tab",
    "ctx",
    "",
    1,
  ]);
  const missing = await twin("ldecode -f tab -x ctx -c zz", services);
  assert.deepEqual([missing.code, missing.stderr], [
    1,
    "ldecode: Cannot decode zz: table tab has no such code\nhint: see what codes there are\n",
  ]);
});

Deno.test("lencode refuses bytes that would come back as others", async () => {
  const services = new FakeServices();
  const { code, stderr } = await runTwin(services, {
    program: "lencode",
    args: ["-f", "t", "-x", "c"],
    cwd: "/r",
    stdin: new Uint8Array([0xff, 0xfe]),
  });
  assert.deepEqual([code, stderr], [
    1,
    "lencode: Cannot encode the value: it is not UTF-8\nhint: encode it as text first, with base64 say\n",
  ]);
  assert.deepEqual(services.calls, []);
  // A byte order mark is part of the value.
  await twin("lencode -f t -x c", services, "\ufeffv");
  assert.deepEqual(services.calls[0], ["encode", "/r", "t", "c", "\ufeffv", 1]);
});

Deno.test("xxhsum prints sums", async () => {
  const one = await twin("xxhsum f");
  assert.deepEqual([one.code, one.stdout], [0, "fedcba9876543210-R\n"]);
  assert.deepEqual(one.calls, [["xxhsumFile", "/r", "f"]]);
  const two = await twin("xxhsum f -- -g");
  assert.equal(two.stdout, "fedcba9876543210-R f\nfedcba9876543210-R -g\n");
  const none = await twin("xxhsum", new FakeServices(), "text");
  assert.equal(none.stdout, "0123456789abcdef\n");
  assert.deepEqual(none.calls, [["xxhsum", "text"]]);
});

Deno.test("lrun_cc depends on markers, checks, and leaves the command to its caller", async () => {
  const line =
    "lrun_cc gcc -c -Iearly -I inc -I inc/ -isystem sys -isystemsys2 -iquote q -idirafter late -L lib -Llib2 -I=root -I$SYSROOT/x -o o.o s.c -m -I";
  const { code, run, calls } = await twin(line);
  assert.equal(code, 0);
  assert.deepEqual(run, line.split(" ").slice(1));
  assert.deepEqual(calls, [
    [
      "depend",
      "/r",
      "early inc sys sys2 q late lib lib2".split(" ")
        .map((dir) => `${dir}/...`),
      { flags: ["noStar"], read: true },
    ],
    ["checkDeps", 0, true],
  ]);
  const marked = await twin("lrun_cc -m .here gcc -I .");
  assert.deepEqual(marked.calls[0]?.[2], ["./.here"]);
  assert.deepEqual(marked.run, ["gcc", "-I", "."]);
  const plain = await twin("lrun_cc --marker=x -- cc a.c");
  assert.deepEqual(plain.calls, [["checkDeps", 0, true]]);
  assert.deepEqual(plain.run, ["cc", "a.c"]);
});

Deno.test("lrun_cc runs nothing if a dep is in error", async () => {
  const services = new FakeServices();
  services.isOk = false;
  const { code, run, stderr } = await twin("lrun_cc gcc -Ix", services);
  assert.deepEqual([code, run], [1, undefined]);
  assert.equal(stderr, "lrun_cc: a dep of this job is in error\n");
});

const wrong: [line: string, message: string][] = [
  ["ldepend -q a", "unknown option -q"],
  ["ldepend --critcal a", "unknown option --critcal (nearest: --critical)"],
  ["ldepend --re a", "option --re may mean --read, --readdir-ok, --regexpr"],
  ["ldepend --read=x a", "option --read takes no value"],
  ["ldepend -XR a", "option regexpr cannot go with read"],
  ["ldepend -Xv a", "option regexpr cannot go with verbose"],
  ["ldepend -vd a", "option verbose cannot go with direct"],
  ["ldepend a ", "the name of a file is empty"],
  ["ldepend -z d a", "-z needs -l"],
  ["ldepend -l a", "-l takes no names; -X RE selects some"],
  ["ldepend -lX", "-X needs one regular expression"],
  ["ldepend -lR", "-l only goes with -z and -X"],
  ["ldepend --regexpr=x a", "--regexpr with a value needs --list"],
  ["ltarget -XW f", "option regexpr cannot go with write"],
  ["ltarget -R f", "unknown option -R"],
  ["lcheck_deps x", "nothing may follow the options: x"],
  ["lcheck_deps -d", "option -d needs SECONDS"],
  ["lcheck_deps -d x", "-d needs a number of seconds"],
  ["lencode -x c", "-f is missing"],
  ["lencode -f t", "-x is missing"],
  ["lencode -f t -x c -l 17", "minLength is a whole number from 1 to 16"],
  ["lencode -f t -x c v", "nothing may follow the options: v"],
  ["ldecode -f t -x c", "-c is missing"],
  ["ldecode -f t -c c", "-x is missing"],
  ["lrun_cc", "there is no command"],
  ["lrun_cc -q gcc", "unknown option -q"],
  ["xxhsum -q", "unknown option -q"],
];

Deno.test("a wrong command line ends with 11 and the usage", async (t) => {
  for (const [line, message] of wrong) {
    await t.step(line, async () => {
      const { code, stdout, stderr, calls } = await twin(line);
      const [program] = line.split(" ");
      assert.deepEqual([code, stdout, calls], [11, "", []]);
      assert.ok(
        stderr.startsWith(
          `${program}: ${message}\nusage: ${program} [options]`,
        ),
        stderr,
      );
    });
  }
  assert.equal((await twin("lother")).code, 11);
  assert.equal((await twin("constructor")).code, 11);
});

Deno.test("usage names every option", async () => {
  for (const program of TWINS) {
    const { code, stdout, calls } = await twin(`${program} --help`);
    assert.deepEqual([code, calls], [0, []]);
    assert.match(stdout, new RegExp(`^usage: ${program} \\[options\\]`));
  }
  assert.equal(
    (await twin("ldecode -h")).stdout,
    `usage: ldecode [options]
  -f, -t, --table TABLE  the table
  -x, --context CTX      the context in it
  -c, --code CODE        the code
  -h, --help             show this
`,
  );
});
