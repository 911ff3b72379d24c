/** Plain commands without a shell: which they are, and that nobody sees it. */

import assert from "node:assert/strict";
import {
  addLooks,
  directCommand,
  learnPrograms,
} from "../../lib/rules/engine/direct.ts";
import { AccessLog } from "../../lib/trace/access.ts";
import { LmakeRepo } from "../support/lmake.ts";
import { TempDir } from "../support/temp.ts";

const ignore = Deno.build.os !== "linux";
const TOOLS = "/usr/lib";
const options = {
  shell: ["/bin/bash"],
  env: { PATH: `${TOOLS}:/usr/bin:/bin`, HOME: "/h" } as Record<string, string>,
  cwd: "/somewhere",
  tools: TOOLS,
};

/** A log of a run of some programs. */
function logOf(...programs: string[]): AccessLog {
  const log = new AccessLog();
  for (const program of programs) {
    log.commands.push({
      pid: 1,
      parent: 0,
      program: Deno.realPathSync(program),
      argv: [],
      cwd: "/",
      startNs: 0,
      endNs: 0,
    });
  }
  return log;
}

Deno.test({
  name: "programs that were never seen, or escaped, have a shell",
  ignore,
  fn() {
    assert.equal(directCommand("nl x", options), undefined);
    const escaped = logOf("/usr/bin/od");
    const program = Deno.realPathSync("/usr/bin/od");
    escaped.escapes.set(program, { program, reason: "static", seen: true });
    learnPrograms(escaped);
    assert.equal(directCommand("od x", options), undefined);
    learnPrograms(logOf("/usr/bin/nl"));
    assert.deepEqual(directCommand("nl x", options), {
      program: "/usr/bin/nl",
      argv: ["nl", "x"],
      env: { PWD: "/somewhere", SHLVL: "0", _: "/usr/bin/nl" },
      looks: [
        { path: `${TOOLS}/nl`, isThere: false },
        { path: "/usr/bin/nl", isThere: true },
      ],
    });
  },
});

Deno.test({
  name: "a command is plain if no word means anything to the shell",
  ignore,
  fn() {
    learnPrograms(logOf("/usr/bin/cat", "/usr/bin/test", "/usr/bin/printf"));
    const plain = [
      "cat",
      "  cat -n  a/b.c \t x=1 -I. +x %y a:b @f \n",
      "cat 1,2",
    ];
    for (const text of plain) {
      assert.deepEqual(
        directCommand(text, options)?.argv,
        text.trim().split(/\s+/),
      );
    }
    const others = [
      "",
      "cat a\ncat b",
      "cat;",
      "cat a | cat",
      "cat <a",
      "cat >a",
      "cat $A",
      "cat ~",
      "cat *",
      "cat a?",
      "cat [a]",
      "cat {a,b}",
      "cat 'a'",
      'cat "a"',
      "cat a\\ b",
      "cat `a`",
      "cat #a",
      "cat a&",
      "cat (a)",
      "cat !a",
      "cat ä",
      "A=1 cat",
      "a=1",
      "test x",
      "printf x",
      "time cat",
      "/bin/cat",
      "./cat",
      "nosuchprogram",
    ];
    for (const text of others) {
      assert.equal(directCommand(text, options), undefined, text);
    }
  },
});

Deno.test({
  name: "what may make the shell do something else has one",
  ignore,
  fn() {
    learnPrograms(logOf("/usr/bin/cat"));
    const { env } = options;
    assert.ok(directCommand("cat", options));
    const names = [
      "BASH_ENV",
      "BASH_FUNC_cat%%",
      "SHELLOPTS",
      "PWD",
      "OLDPWD",
      "SHLVL",
      "_",
      "IFS",
      "a-b",
      "1a",
    ];
    for (const name of names) {
      const more = { ...options, env: { ...env, [name]: "x" } };
      assert.equal(directCommand("cat", more), undefined, name);
    }
    const with_ = (PATH: string) => ({ ...options, env: { PATH } });
    for (
      const path of ["", "bin:/usr/bin", "/repo/bin:/usr/bin", ":/usr/bin"]
    ) {
      assert.equal(directCommand("cat", with_(path)), undefined, path);
    }
    for (const shell of [["/bin/sh"], ["/bin/bash", "-e"], []]) {
      assert.equal(directCommand("cat", { ...options, shell }), undefined);
    }
  },
});

Deno.test({
  name: "a program that was exchanged is another one",
  ignore,
  fn() {
    using dir = new TempDir();
    Deno.copyFileSync("/usr/bin/cat", dir.join("tool"));
    const own = {
      ...options,
      tools: dir.path,
      env: { PATH: `${dir.path}:/usr/bin` },
    };
    learnPrograms(logOf(dir.join("tool")));
    assert.equal(directCommand("tool", own)?.program, dir.join("tool"));
    Deno.removeSync(dir.join("tool"));
    Deno.copyFileSync("/usr/bin/nl", dir.join("tool"));
    assert.equal(directCommand("tool", own), undefined);
  },
});

Deno.test({
  name: "where a program was looked for counts as read",
  ignore,
  fn() {
    learnPrograms(logOf("/usr/bin/cat"));
    const log = new AccessLog();
    addLooks(log, directCommand("cat", options)!);
    assert.deepEqual(
      [...log.accesses.values()].map(({ path, met }) => [path, met]),
      [[`${TOOLS}/cat`, "absent"], ["/usr/bin/cat", "found"]],
    );
  },
});

Deno.test({
  name: "jobs see no difference between a shell and none",
  ignore,
  async fn() {
    using repo = new LmakeRepo();
    repo.source({ "dir/s": "S\n" });
    repo.rules(String.raw`
rule({ name: "Env", target: "{F:env\\d}", cmd: "env" });
rule({ name: "Same", targets: { OUT: "{F:copy\\d}" }, deps: { S: "dir/s" },
  cmd: "cp {S} {OUT}" });
rule({ name: "Where", target: "{F:where\\d}", cmd: "readlink /proc/self/cwd" });
rule({ name: "Bad", target: "{F:bad\\d}", cmd: "cat nosuch" });
rule({ name: "Write", target: "{F:write\\d}", cmd: "touch other" });
`);
    // One after the other: the first of each rule has a shell.
    for (const name of ["env", "copy", "where"]) {
      for (const n of [1, 2]) {
        await repo.make(`${name}${n}`, { unchecked: true });
      }
    }
    const env = (n: number) =>
      repo.content(`env${n}`).trim().split("\n")
        .map((line) =>
          line.replace(/^(TMPDIR|CLIBS_JOB_ID|CLIBS_TRACE_FILE)=.*/, "$1")
        )
        .sort();
    assert.deepEqual(env(2), env(1));
    assert.ok(env(1).includes(`PWD=${repo.dir.path}`), env(1).join("\n"));
    assert.equal(repo.content("copy2"), "S\n");
    assert.equal(repo.content("where2"), repo.content("where1"));
    assert.deepEqual(await repo.deps("copy2"), await repo.deps("copy1"));
    for (const name of ["bad", "write"]) {
      const said = async (n: number) => {
        const run = await repo.run(["make", `${name}${n}`]);
        return `${run.code} ${run.stderr}`.replaceAll(`${name}${n}`, name)
          .replace(/ *\d+\.\d{3}s|\d\d:\d\d:\d\d/g, "");
      };
      const first = await said(1);
      assert.equal(await said(2), first);
      assert.match(first, /^1 /);
    }
  },
});
