/** Commands of every kind for tests of tracing. */

import { fileURLToPath } from "node:url";
import type { Case } from "./compare.ts";
import type { TempDir } from "./temp.ts";
import { PYTHON } from "./tools.ts";

const PROGRAMS = fileURLToPath(
  new URL("../trace/programs/", import.meta.url),
);

/** Compiles a program of tests/trace/programs; returns its path. */
export function compile(
  name: string,
  to: string,
  ...flags: string[]
): string {
  return compileWith("gcc", name, to, ...flags);
}

function compileWith(
  compiler: string,
  name: string,
  to: string,
  ...flags: string[]
): string {
  const { success, stderr } = new Deno.Command(compiler, {
    args: ["-w", "-O1", `${PROGRAMS}${name}.c`, "-o", to, ...flags],
  }).outputSync();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return to;
}

function run(dir: TempDir, script: string): void {
  const { success, stderr } = new Deno.Command("bash", {
    args: ["-ec", script],
    cwd: dir.path,
  }).outputSync();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

const bash = (script: string): string[] => ["bash", "-c", script];

/** Files that raw.c and word32.c look for. */
function rawFiles(dir: TempDir): void {
  run(
    dir,
    "echo in >in; echo in2 >in2; mkdir dir; echo f >dir/file; echo f >dir/file2; ln -s dir/file link; ln -s nowhere link2",
  );
}

/** A program of tests/trace/programs, compiled in the folder and run. */
export function program(
  name: string,
  flags: string[] = [],
  more: Partial<Case> = {},
): Case {
  return {
    command: ["./program"],
    prepare: (dir) => {
      compile(name, dir.join("program"), ...flags);
    },
    ...more,
  };
}

const raw = { prepare: rawFiles };

/** What runs without being built first, by name. */
export const SMALL: Record<string, Case> = {
  "a program that uses syscall()": program("raw", [], {
    prepare: (dir) => {
      raw.prepare(dir);
      compile("raw", dir.join("program"));
    },
  }),
  "eight threads": program("threads", ["-lpthread"], {
    prepare: (dir) => {
      compile("threads", dir.join("program"), "-lpthread");
      run(
        dir,
        `mkdir t1 t3 common
for i in {0..150}; do echo $i >t1/in$i; echo $i >common/in$i; done`,
      );
    },
  }),
  "a storm of processes": {
    ...program("storm"),
    command: ["./program", "80"],
    prepare: (dir) => {
      compile("storm", dir.join("program"));
      run(dir, "for i in {0..79}; do echo $i >in$i; done");
    },
  },
  "hard names": program("deep"),
  "a bash script": {
    command: bash(`
cat <(cat in) link/file 2>&1
cd -P link && cat ../in file missing 2>/dev/null
cd .. && for f in d*/*; do [ -e "$f" ] && [ -x "$f" ]; done
echo text | tee out | cat >> out2
cat <<END > "$(printf 'new\\nline')"
here $(< in)
END
. ./part; type part >/dev/null 2>&1
( cd dir; mkdir -p x/y/z; touch x/y/z/t; rm -r x; mv file moved; ln -s moved file )
cp -a dir copy; find copy -type f -o -type l | sort; readlink -f link/file
[ -e "" ] || cat "" 2>/dev/null || cd "" || readlink "" || ls "" 2>/dev/null
PATH=$PWD/bin:$PATH tool; [ -d dir ] && test ! -e gone; exec cat -- in`),
    prepare: (dir) => {
      run(
        dir,
        `echo in >in; mkdir dir bin; echo f >dir/file; ln -s dir link
echo 'cat dir/moved' >part
printf '#!/bin/sh\\necho tool; cat in\\n' >bin/tool; chmod +x bin/tool`,
      );
    },
  },
  "dash and a cleared environment": {
    command: [
      "sh",
      "-c",
      `env -i /bin/cat in; env -i PATH=/bin sh -c 'cat in2 >out; exec env -i cat in3'; unset LD_PRELOAD CLIBS_TRACE_FILE; cat in4`,
    ],
    prepare: (dir) => run(dir, "for i in '' 2 3 4; do echo $i >in$i; done"),
  },
  "tar": {
    command: bash(
      `tar cf all.tar tree && mkdir to && tar xf all.tar -C to &&
tar czf all.tgz --exclude=b tree && tar tzf all.tgz >list && rm -r tree`,
    ),
    prepare: (dir) =>
      run(
        dir,
        `mkdir -p tree/a/b; echo 1 >tree/a/one; echo 2 >tree/a/b/two
ln -s a/one tree/link; ln tree/a/one tree/hard; ln -s nowhere tree/dangling; touch $'tree/\\xff\\xfe'`,
      ),
  },
  "git": {
    command: bash(
      `git init -q . && git add . && git commit -qm first && echo more >>a/one &&
git diff --stat && git commit -qam second && git checkout -q HEAD~1 && git log --oneline --format=%s && git clone -q . ../clone && git status --short`,
    ),
    env: {
      GIT_AUTHOR_DATE: "1700000000 +0000",
      GIT_COMMITTER_DATE: "1700000000 +0000",
      GIT_AUTHOR_NAME: "n",
      GIT_AUTHOR_EMAIL: "e@e",
      GIT_COMMITTER_NAME: "n",
      GIT_COMMITTER_EMAIL: "e@e",
      GIT_CONFIG_COUNT: "3",
      GIT_CONFIG_KEY_0: "init.defaultBranch",
      GIT_CONFIG_VALUE_0: "main",
      GIT_CONFIG_KEY_1: "advice.detachedHead",
      GIT_CONFIG_VALUE_1: "false",
      GIT_CONFIG_KEY_2: "gc.auto",
      GIT_CONFIG_VALUE_2: "0",
    },
    prepare: (dir) => run(dir, "mkdir a; echo 1 >a/one; ln -s a/one link"),
  },
  "perl": {
    command: [
      "perl",
      "-Ilib",
      "-e",
      `use Part; use File::Find; use File::Copy; use Cwd "realpath";
print Part::text(), realpath("link"), "\\n"; find(sub {}, "dir"); copy("in", "out");
opendir(D, "dir"); my @n = sort readdir D; print "@n\\n"; rename "out", "out2"; unlink "gone";
print -e "missing" ? 1 : 0, -x "in" ? 1 : 0, "\\n"; system("cat in >out3"); print \`cat in\`;
open(F, "<", "absent") or print "none\\n"; utime 1, 2, "in"; symlink "in", "new"; print readlink "new";`,
    ],
    prepare: (dir) =>
      run(
        dir,
        `mkdir -p lib dir/sub; echo in >in; touch dir/sub/f; ln -s dir/sub link
echo 'package Part; sub text { "part\\n" } 1;' >lib/Part.pm`,
      ),
  },
  "python": {
    command: [PYTHON, "main.py"],
    prepare: (dir) =>
      dir.write({
        "main.py":
          `import glob, os, pathlib, shutil, subprocess, tempfile, pkg.part
print(pkg.part.TEXT, sorted(glob.glob("d*/**", recursive=True)), os.path.realpath("dir/../in"))
for root, dirs, files in os.walk("dir"): print(root, sorted(dirs), sorted(files))
shutil.copytree("dir", "copy"); shutil.rmtree("copy/sub"); os.replace("copy", "moved")
pathlib.Path("out").write_text("x"); print(pathlib.Path("out").read_text(), os.path.exists("gone"))
subprocess.run(["cat", "in"], check=True); print(os.listdir("pkg") != [])
with open("in", "a") as f: f.write("more")
with tempfile.TemporaryDirectory(dir=".") as t: open(t + "/x", "w").close()
try: open("missing")
except OSError as e: print(e)
dir = os.open("dir", os.O_RDONLY); os.close(os.open("sub/f", os.O_RDONLY, dir_fd=dir)); print(os.scandir(dir) is not None)
`,
        "pkg/__init__.py": "",
        "pkg/part.py": "TEXT = 1\n",
        "dir/sub/f": "f",
        "in": "in\n",
      }),
    random: [[/\/tmp[a-z0-9_]{8}/g, "/tmp~"]],
  },
  "node": {
    command: ["node", "main.js"],
    prepare: (dir) =>
      dir.write({
        "main.js":
          `const fs = require("fs"), part = require("./part"), lib = require("lib");
console.log(part, lib, fs.existsSync("gone"), fs.readdirSync("dir"), fs.realpathSync("dir/../in"));
fs.writeFileSync("out", fs.readFileSync("in")); fs.appendFileSync("out", "x"); fs.renameSync("out", "out2");
fs.mkdirSync("new/deep", { recursive: true }); fs.symlinkSync("../in", "new/link"); fs.rmSync("new", { recursive: true });
fs.promises.readFile("in", "utf8").then(async (t) => { console.log(t); await fs.promises.writeFile("out3", t); await fs.promises.stat("dir/f"); });
try { fs.statSync("missing"); } catch (e) { console.log(e.code); }
console.log(require("child_process").execFileSync("cat", ["in"]) + "");
`,
        "part.js": "module.exports = 1;\n",
        "node_modules/lib/index.js": "module.exports = 2;\n",
        "node_modules/lib/package.json": '{"name":"lib"}',
        "dir/f": "f",
        "in": "in\n",
      }),
  },
  "deno": {
    command: ["./deno", "run", "-A", "--no-config", "main.ts"],
    prepare: (dir) => {
      Deno.symlinkSync(Deno.execPath(), dir.join("deno"));
      dir.write({
        "main.ts": `import { part } from "./part.ts";
console.log(part, Array.from(Deno.readDirSync("dir"), (e) => e.name), Deno.realPathSync("./in"));
Deno.writeTextFileSync("out", Deno.readTextFileSync("in")); Deno.renameSync("out", "out2");
await Deno.writeTextFile("out3", await Deno.readTextFile("in"), { append: true }); Deno.mkdirSync("new/deep", { recursive: true });
try { Deno.statSync("missing"); } catch (e) { console.log((e as Error).name); }
Deno.symlinkSync("in", "new/link"); console.log(Deno.lstatSync("new/link").isSymlink); Deno.removeSync("new", { recursive: true });
console.log(new TextDecoder().decode(new Deno.Command("cat", { args: ["in"] }).outputSync().stdout));
`,
        "part.ts": "export const part: number = 1;\n",
        "dir/f": "f",
        "in": "in\n",
      });
    },
    // What it keeps for itself is written by threads that race with its end.
    ignore: /\/home\/|\.deno|^\/root\//,
  },
};

/** What the library alone cannot see, or only in part. */
export const HIDDEN: Record<string, Case & { tools?: string[] }> = {
  "a static program with its own calls": {
    command: ["./program"],
    prepare: (dir) => {
      raw.prepare(dir);
      compile("raw", dir.join("program"), "-DOWN", "-static");
    },
  },
  "a 32-bit program": {
    command: ["./program"],
    prepare: (dir) => {
      raw.prepare(dir);
      compile(
        "word32",
        dir.join("program"),
        "-m32",
        "-nostdlib",
        "-static",
        "-fno-pic",
        "-no-pie",
      );
    },
  },
  "a program of another C library, and what it starts": {
    command: bash("./program; ./storm 8; env -i ./program; cat out"),
    prepare: (dir) => {
      raw.prepare(dir);
      compileWith("musl-gcc", "raw", dir.join("program"));
      compileWith("musl-gcc", "storm", dir.join("storm"));
      run(dir, "for i in {0..7}; do echo $i >in$i; done");
    },
    tools: ["musl-gcc"],
  },
  "names longer than the kernel's": {
    ...program("deep"),
    command: ["./program", "deeper"],
  },
  "a shell with static programs": {
    command: bash("cd dir; ../program; cat out; cd ..; ./program | cat"),
    prepare: (dir) => {
      raw.prepare(dir);
      compile("raw", dir.join("program"), "-static");
    },
  },
};
