/** Jobs written in Python, with the module that is on their `PYTHONPATH`. */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { lineOf, LmakeRepo, words } from "../../support/lmake.ts";

const PYTHON = "/usr/bin/python3";

/** A test that runs real Python programs in a repo of its own. */
function test(name: string, fn: (repo: LmakeRepo) => Promise<void>): void {
  Deno.test({
    name: `python: ${name}`,
    ignore: Deno.build.os !== "linux" || !isThere(PYTHON),
    async fn() {
      using repo = new LmakeRepo();
      await fn(repo);
    },
  });
}

function isThere(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** A rule whose command is a Python program, as text. */
function program(name: string, target: string, text: string): string {
  return String.raw`
rule({
  name: "${name}",
  targets: { OUT: ${JSON.stringify(target)} },
  shell: ["${PYTHON}"],
  readdirOk: true,
  cmd: ${JSON.stringify(text.replace(/[{}]/g, "$&$&"))},
});
`;
}

test("a program declares deps and targets, and lists them", async (repo) => {
  repo.source({
    "list.py": `
import lmake
lmake.report_import()
lmake.depend("a", ["b", "d/c"], read=True)
lmake.target("side")
open("side", "w").write("S\\n")
with open("out", "w") as out:
    print(lmake.list_deps("d"), lmake.list_deps(regexpr="[ab]"), file=out)
    print(lmake.list_targets(), lmake.list_root("d/"), lmake.list_root("."), file=out)
`,
    a: "A\n",
    b: "B\n",
    "d/c": "C\n",
  });
  repo.rules(
    `rule({ name: "List", targets: { OUT: "out" }, cmd: "${PYTHON} list.py" });`,
  );
  await repo.make("out", { words: { done: 1 } });
  assert.equal(
    repo.content("out"),
    "('d/c',) ('a', 'b')\n('side', 'out') d .\n",
  );
  assert.deepEqual(await repo.targets("out"), ["side", "out"]);
  const groups = await repo.show("-d", "out");
  for (const name of ["a", "b", "d/c", "list.py"]) lineOf(groups, name);
  await repo.make("out");
  repo.source({ "d/c": "other\n" });
  await repo.make("out", { words: { steady: 1 } });
  const text = repo.content("list.py");
  repo.source({ "list.py": text.replace('"side"', '"side", source_ok=False') });
  await repo.make("out", { words: { steady: 1 } });
});

test("a command is a Python program itself", async (repo) => {
  repo.source({ src: "S\n" });
  repo.rules(String.raw`
rule({
  name: "Upper",
  targets: { OUT: "{F:\\w+}.up" },
  deps: { SRC: "{F}" },
  shell: ["${PYTHON}"],
  readdirOk: true,
  cmd: "print(open('{SRC}').read().upper(), end='', file=open('{OUT}', 'w'))",
});
`);
  await repo.make("src.up", { words: { done: 1 } });
  assert.equal(repo.content("src.up"), "S\n");
});

test("deps that are made on the way have the job run again", async (repo) => {
  repo.source({ list: "x y\n" });
  repo.rules(
    program(
      "All",
      "all",
      `
import lmake
names = open("list").read().split()
files = [name + ".gen" for name in names]
lmake.depend(files, read=True)
assert lmake.check_deps(sync=True) is True
open("all", "w").write("".join(open(file).read() for file in files))
`,
    ) +
      String
        .raw`rule({ name: "Gen", targets: { OUT: "{F:\\w+}.gen" }, cmd: "echo made {F} >{OUT}" });`,
  );
  await repo.make("all", { words: { done: 3, again: 1 } });
  assert.equal(repo.content("all"), "made x\nmade y\n");
  await repo.make("all");
  repo.source({ list: "y\n" });
  await repo.make("all", { words: { done: 1 } });
  assert.equal(repo.content("all"), "made y\n");
});

test("depend tells states, and builds at once if it is asked to", async (repo) => {
  repo.source({ src: "S\n" });
  repo.rules(
    program(
      "Ask",
      "ask",
      `
import lmake
told = lmake.depend("src", "nowhere", verbose=True, ignore_error=True, required=False)
direct = lmake.depend("made", direct=True)
failed = lmake.depend("bad", direct=True, ignore_error=True)
with open("ask", "w") as out:
    print(told["src"]["ok"], told["src"]["checksum"] == lmake.xxhsum_file("src"), file=out)
    print(told["nowhere"], direct, failed, open("made").read(), end="", file=out)
`,
    ) +
      `rule({ name: "Made", targets: { OUT: "made" }, resources: { cpu: 0 }, cmd: "echo M >{OUT}" });
rule({ name: "Bad", targets: { OUT: "bad" }, resources: { cpu: 0 }, cmd: "exit 3" });`,
  );
  await repo.make("ask", { words: { done: 2, failed: 1 } });
  assert.equal(
    repo.content("ask"),
    "True True\n{'ok': True, 'checksum': 'none'} True False M\n",
  );
});

test("codes of a table, and checksums", async (repo) => {
  repo.source({ tab: "", text: "héllo\n", empty: "" });
  repo.rules(
    program(
      "Code",
      "code",
      `
import lmake
code = lmake.encode("tab", "ctx", "value", 3)
assert lmake.decode("tab", "ctx", code) == "value"
sums = [lmake.xxhsum_file(name) for name in ("text", "empty", "nowhere")]
assert lmake.xxhsum("héllo\\n") == lmake.xxhsum("héllo\\n".encode())
assert len(lmake.xxhsum("")) == 16
open("code", "w").write(code + " " + " ".join(sums) + "\\n")
try:
    lmake.decode("tab", "ctx", "nosuch")
except lmake.Error as error:
    print(error.code)
`,
    ),
  );
  await repo.make("code", { words: { done: 1 } });
  const [code = "", text, empty, nowhere] = words(repo.content("code"));
  assert.match(code, /^[0-9a-f]{3,}$/);
  assert.equal(repo.content("tab"), `\t${code}\tctx\tvalue\n`);
  assert.equal(empty, "empty-R");
  assert.equal(nowhere, "none");
  assert.equal(words((await repo.ok("xxhsum", "text")).stdout)[0], text);
});

test("trees of targets are copied, moved and removed", async (repo) => {
  repo.rules(
    `
rule({
  name: "Tree",
  targets: { DONE: "done", ONE: "one/{*:.*}", TWO: "two/{*:.*}", THREE: "three/{*:.*}" },
  shell: ["${PYTHON}"],
  readdirOk: true,
  cmd: ${
      JSON.stringify(`
import lmake, os
def put(name, text, mode=0o644):
    os.makedirs(os.path.dirname(name), exist_ok=True)
    with open(name, "wb") as file:
        file.write(text)
    os.chmod(name, mode)
put("one/a", bytes(range(256)), 0o755)
put("one/sub/b1", b"b")
put("one/sub/b2", b"c")
os.symlink("nowhere", "one/link")
lmake.cp_target_tree("one", "two")
lmake.mv_target_tree("one/sub", "three/x", regexpr=".*/b1")
lmake.rm_target_tree("one/", ".*2")
open("done", "w").close()
for bad in ("", "/abs", "../up"):
    try:
        lmake.rm_target_tree(bad)
    except lmake.Error as error:
        assert error.code == "CLIBS_JOB_ARGUMENT", error.code
    else:
        raise SystemExit("accepted " + bad)
`)
    },
});
`,
  );
  await repo.make("done", { words: { done: 1 } });
  const targets = (await repo.targets("done")).filter((name) => repo.has(name));
  assert.deepEqual(targets.sort(), [
    "done",
    "one/a",
    "one/link",
    "three/x/b1",
    "two/a",
    "two/link",
    "two/sub/b1",
    "two/sub/b2",
  ]);
  assert.ok(!repo.has("one/sub"), "emptied folders are removed");
  assert.equal(Deno.readLinkSync(repo.path("two/link")), "nowhere");
  assert.deepEqual(
    Deno.readFileSync(repo.path("two/a")),
    Uint8Array.from({ length: 256 }, (_, i) => i),
  );
  assert.equal(Deno.statSync(repo.path("two/a")).mode! & 0o111, 0o111);
});

test("what is accessed with autodep off is no dep, of children either", async (repo) => {
  repo.source({ a: "A\n", b: "B\n", c: "C\n", d: "D\n" });
  repo.rules(
    program(
      "Off",
      "off",
      `
import lmake, subprocess
assert lmake.get_autodep() is True
with lmake.Autodep(False) as scope:
    assert lmake.get_autodep() is False
    open("a").read()
    subprocess.run(["cat", "b"], stdout=subprocess.DEVNULL)
    with lmake.Autodep(True):
        open("c").read()
    assert lmake.get_autodep() is False
try:
    with lmake.Autodep(False):
        raise KeyError
except KeyError:
    pass
assert lmake.get_autodep()
open("d").read()
open("off", "w").close()
`,
    ),
  );
  await repo.make("off", { words: { done: 1 } });
  const deps = await repo.deps("off");
  assert.deepEqual(deps.filter((name) => /^[abcd]$/.test(name)), ["c", "d"]);
});

test("threads and processes of a job ask at once", async (repo) => {
  const names = Array.from({ length: 40 }, (_, i) => `in/${i}`);
  repo.source(Object.fromEntries(names.map((name) => [name, `${name}\n`])));
  repo.rules(
    program(
      "Many",
      "many",
      `
import concurrent.futures, multiprocessing, os
import lmake

def one(i):
    name = "in/%d" % i
    lmake.depend(name, read=True)
    return lmake.xxhsum_file(name)

lmake.depend("in/0")
with concurrent.futures.ThreadPoolExecutor(8) as pool:
    sums = list(pool.map(one, range(20)))
pids = []
for i in range(20, 40):
    pid = os.fork()
    if pid == 0:
        one(i)
        os._exit(0)
    pids.append(pid)
for pid in pids:
    assert os.waitpid(pid, 0)[1] == 0
assert len(set(sums)) == 20
open("many", "w").close()
`,
    ),
  );
  await repo.make("many", { words: { done: 1 } });
  const deps = new Set(await repo.deps("many"));
  assert.deepEqual(names.filter((name) => !deps.has(name)), []);
});

test("mistakes are errors with the names of Python", async (repo) => {
  repo.source({ src: "S\n" });
  repo.rules(
    program(
      "Wrong",
      "wrong",
      `
import lmake
said = []
def refused(call, *kinds):
    try:
        call()
    except kinds as error:
        said.append(str(error))
    else:
        raise SystemExit("not refused")
refused(lambda: lmake.depend("src", no_such=True), TypeError)
refused(lambda: lmake.depend(3), TypeError)
refused(lambda: lmake.report_import("m", "d"), TypeError)
refused(lambda: lmake.depend(""), lmake.Error)
refused(lambda: lmake.depend("s.*", regexpr=True, follow_symlinks=True), lmake.Error)
refused(lambda: lmake.depend("src", verbose=True, direct=True), lmake.Error)
refused(lambda: lmake.encode("t", "c", "v", 17), lmake.Error)
refused(lambda: lmake.check_deps(-1), lmake.Error)
refused(lambda: lmake.run_cc(), lmake.Error)
open("wrong", "w").write("\\n".join(said) + "\\n")
`,
    ),
  );
  await repo.make("wrong", { words: { done: 1 } });
  assert.deepEqual(repo.content("wrong").trimEnd().split("\n").slice(3), [
    "Cannot call depend: the name of a file is empty",
    "Cannot call depend: option regexpr cannot go with follow_symlinks",
    "Cannot call depend: option verbose cannot go with direct",
    "Cannot call encode: min_length is a whole number from 1 to 16",
    "Cannot call check_deps: delay is a number of seconds",
    "Cannot call run_cc: there is no command",
  ]);
});

test("an error that is not caught fails the job and is shown", async (repo) => {
  repo.rules(program("Bad", "bad", `import lmake\nlmake.depend("")\n`));
  await repo.make("bad", {
    exit: 1,
    words: { failed: 1 },
    says: ["Error: Cannot call depend: the name of a file is empty"],
  });
});

test("report_import declares what an import looked at", async (repo) => {
  repo.source({
    "main.py": `
import sys
sys.dont_write_bytecode = True
import lmake
sys.path.insert(0, "gen")
lmake.report_import("helper", module_suffixes=(".py",))
import helper
open("out", "w").write(helper.WORD)
`,
    template: "WORD = 'one'\n",
  });
  repo.rules(String.raw`
rule({ name: "Main", targets: { OUT: "out" }, cmd: "${PYTHON} main.py" });
rule({ name: "Gen", targets: { OUT: "gen/helper.py" }, cmd: "cat template >{OUT}" });
`);
  // It fails, or not, before the module is there: what counts is that it runs
  // again once it is.
  await repo.make("out", { unchecked: true });
  assert.equal(repo.content("out"), "one");
  await repo.make("out");
  repo.source({ template: "WORD = 'two'\n" });
  await repo.make("out", { words: { done: 2 } });
  assert.equal(repo.content("out"), "two");
  assert.ok(!repo.has("gen/__pycache__"));
});

test("report_import goes by the suffixes of this Python", async (repo) => {
  repo.source({ "pkg/__init__.py": "", "lib/other.py": "" });
  repo.rules(
    program(
      "Report",
      "report",
      `
import lmake
lmake.report_import("a.b.pkg", ["lib", "."])
lmake.report_import("other", ["lib/", "."], [".so", ".py", ".late"])
open("report", "w").close()
`,
    ),
  );
  await repo.make("report", { words: { done: 1 } });
  const deps = await repo.deps("report");
  assert.ok(deps.includes("lib/pkg.py"), deps.join(" "));
  assert.ok(deps.includes("lib/pkg/__init__.py"), deps.join(" "));
  assert.ok(deps.includes("pkg/__init__.py"), deps.join(" "));
  assert.ok(deps.includes("lib/other.so"), deps.join(" "));
  assert.ok(!deps.includes("lib/other.late"), "it was found before");
});

test("run_cc has the folders of headers made", async (repo) => {
  repo.source({
    "main.c": '#include "v.h"\nint main(void) { return V; }\n',
    "cc.py": `
import lmake
lmake.report_import()
said = lmake.run_cc("cc", "-Iearly", "-I", "late", "-c", "-o", "main.o", "main.c")
assert said == ""
text = lmake.run_cc("cc", "-E", "-P", "-xc", "-", stdin="int VALUE;\\n")
assert text.strip() == "int VALUE;", text
`,
    "late/v.h": "#define V 1\n",
  });
  const rules = (more: string) =>
    repo.rules(
      `rule({ name: "Cc", targets: { OUT: "main.o" }, readdirOk: true, cmd: "${PYTHON} cc.py" });
dirRule();${more}`,
    );
  rules("");
  await repo.make("main.o", { unchecked: true });
  assert.ok(repo.has("main.o"));
  await repo.make("main.o");
  rules(
    `\nrule({ name: "H", targets: { OUT: "early/v.h" }, cmd: "echo '#define V 2' >{OUT}" });`,
  );
  await repo.make("main.o", { unchecked: true });
  assert.ok((await repo.deps("main.o")).includes("early/v.h"));
});

test("names that are not UTF-8 go both ways", async (repo) => {
  repo.rules(
    program(
      "Bytes",
      "bytes",
      String.raw`
import lmake, os
name = os.fsdecode(b"raw-\xff")
lmake.target(name)
open(name, "w").close()
assert name in lmake.list_targets(), lmake.list_targets()
lmake.depend(b"also-\xfe", read=True, required=False)
assert os.fsdecode(b"also-\xfe") in lmake.list_deps()
open("bytes", "w").close()
`,
    ),
  );
  await repo.make("bytes", { words: { done: 1 } });
});

test("a program of several modules runs again when one changes", async (repo) => {
  repo.source({
    "tool/__main__.py": `
import lmake
lmake.watch_imports(("/__init__.py", ".py"))
import argparse, dataclasses, json, pathlib, re, subprocess
from tool import words
from tool.sub.emit import emit

parser = argparse.ArgumentParser()
parser.add_argument("source", type=pathlib.Path)
parser.add_argument("out", type=pathlib.Path)
args = parser.parse_args()
counted = words.count(args.source.read_text())
counted["shell"] = subprocess.run(
    ["wc", "-w", args.source], stdout=subprocess.PIPE, check=True, text=True
).stdout.split()[0]
emit(args.out, counted)
`,
    "tool/__init__.py": "",
    "tool/words.py": `
import collections, re
def count(text):
    return dict(collections.Counter(re.findall(r"\\w+", text)))
`,
    "tool/sub/__init__.py": "",
    "tool/sub/emit.py": `
import json
def emit(path, value):
    path.write_text(json.dumps(value, sort_keys=True) + "\\n")
`,
    "a.txt": "x y x\n",
  });
  repo.rules(String.raw`
rule({
  name: "Count",
  targets: { OUT: "{F:\\w+}.json" },
  deps: { SRC: "{F}.txt" },
  readdirOk: true,
  environ: { PYTHONDONTWRITEBYTECODE: "1" },
  cmd: "${PYTHON} -m tool {SRC} {OUT}",
});
`);
  await repo.make("a.json", { words: { done: 1 } });
  assert.equal(repo.content("a.json"), '{"shell": "3", "x": 2, "y": 1}\n');
  await repo.make("a.json");
  repo.source({
    "tool/sub/emit.py": repo.content("tool/sub/emit.py").replace(
      "sort_keys=True",
      "indent=None",
    ),
  });
  await repo.make("a.json", { words: { done: 1 } });
  assert.equal(repo.content("a.json"), '{"x": 2, "y": 1, "shell": "3"}\n');
  // A module that would be found first.
  repo.source({ "tool/words/__init__.py": "def count(text): return {}\n" });
  await repo.make("a.json", { words: { done: 1 } });
  assert.equal(repo.content("a.json"), '{"shell": "3"}\n');
});

test("pools of processes work in a job", async (repo) => {
  repo.source({
    "pool.py": `
import concurrent.futures, multiprocessing, sys
import lmake

def one(i):
    lmake.depend(f"in/{i}", read=True)
    return len(open(f"in/{i}").read())

if __name__ == "__main__":
    lmake.report_import()
    context = multiprocessing.get_context(sys.argv[1])
    with concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as pool:
        total = sum(pool.map(one, range(6)))
    open(sys.argv[2], "w").write(f"{total}\\n")
`,
    ...Object.fromEntries(
      Array.from({ length: 6 }, (_, i) => [`in/${i}`, "x".repeat(i)]),
    ),
  });
  repo.rules(String.raw`
rule({
  name: "Pool",
  targets: { OUT: "{M:fork|spawn}.total" },
  environ: { PYTHONDONTWRITEBYTECODE: "1" },
  cmd: "${PYTHON} pool.py {M} {OUT}",
});
`);
  await repo.make("fork.total", "spawn.total", { words: { done: 2 } });
  for (const name of ["fork.total", "spawn.total"]) {
    assert.equal(repo.content(name), "15\n");
    const deps = await repo.deps(name);
    assert.equal(deps.filter((file) => file.startsWith("in/")).length, 6);
  }
});

test("the examples of the documentation work", async (repo) => {
  const page = Deno.readTextFileSync(
    new URL("../../../docs/lmake-tools.md", import.meta.url),
  );
  const [script] = [...page.matchAll(/```python\n# report\.py\n([^]*?)```/g)];
  const rules = [...page.matchAll(/```ts ignore\n(rule[^]*?)```/g)];
  assert.equal(rules.length, 2);
  repo.source({
    "report.py": script![1]!,
    "inputs.txt": "a b c.upper\n",
    a: "12\n",
    b: "\n",
    c: "x\n",
  });
  repo.rules(rules.map(([, text]) => text).join("\n"));
  await repo.make("report.txt", { unchecked: true });
  assert.equal(repo.content("report.txt"), "a: 3\nb: 1\nc.upper: 2\n");
  await repo.make("report.txt");
});

test("the rule's own PYTHONPATH comes first", async (repo) => {
  repo.source({ "mine/hello.py": "WORD = 'hello'\n" });
  repo.rules(
    program(
      "Path",
      "path",
      `
import hello, lmake
open("path", "w").write(hello.WORD + " " + str(lmake.repo_root == ROOT))
`.replace("ROOT", "__import__('os').getcwd()"),
    ).replace(
      "readdirOk: true,",
      `readdirOk: true, environ: { PYTHONPATH: "$REPO_ROOT/mine", PYTHONDONTWRITEBYTECODE: "1" },`,
    ),
  );
  await repo.make("path", { words: { done: 1 } });
  assert.equal(repo.content("path"), "hello True");
});

test("outside a job, calls say so", async () => {
  const folder = fileURLToPath(
    new URL("../../../lib/rules/python", import.meta.url),
  );
  const { code, stderr } = await new Deno.Command(PYTHON, {
    args: ["-B", "-c", "import lmake; lmake.depend('a')"],
    env: { PYTHONPATH: folder, CLIBS_JOB_SOCKET: "" },
  }).output();
  assert.equal(code, 1);
  assert.match(
    new TextDecoder().decode(stderr),
    /Error: Cannot call depend: it only works while a job runs\nhint: /,
  );
});
