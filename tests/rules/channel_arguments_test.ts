import assert from "node:assert/strict";
import { Client } from "./job_client.ts";
import { Session } from "./job_support.ts";

const bad: [what: string, request: Record<string, unknown>, message: string][] =
  [
    ["no call", {}, "Cannot call undefined: the runner has no such call"],
    [
      "a call that objects have",
      { op: "toString" },
      "Cannot call toString: the runner has no such call",
    ],
    [
      "a relative cwd",
      { op: "listDeps", cwd: "r" },
      "Cannot call listDeps: cwd is not an absolute path",
    ],
    [
      "an unknown option",
      { op: "depend", options: { crtical: true } },
      'Cannot call depend: there is no option "crtical" (nearest: critical)',
    ],
    [
      "an option of another call",
      { op: "depend", options: { sourceOk: true } },
      'Cannot call depend: there is no option "sourceOk"',
    ],
    [
      "an option that is no boolean",
      { op: "target", options: { write: 1 } },
      "Cannot call target: option write is true or false",
    ],
    [
      "options that are a list",
      { op: "target", options: ["write"] },
      "Cannot call target: the options are not an object",
    ],
    ...["read", "followSymlinks", "direct", "verbose"].map((
      name,
    ): [string, Record<string, unknown>, string] => [
      `regexpr with ${name}`,
      { op: "depend", options: { regexpr: true, [name]: true } },
      `Cannot call depend: option regexpr cannot go with ${name}`,
    ]),
    [
      "verbose with direct",
      { op: "depend", options: { verbose: true, direct: true } },
      "Cannot call depend: option verbose cannot go with direct",
    ],
    [
      "regexpr with write",
      { op: "target", options: { regexpr: true, write: true } },
      "Cannot call target: option regexpr cannot go with write",
    ],
    [
      "an empty name",
      { op: "depend", files: ["a", ""] },
      "Cannot call depend: the name of a file is empty",
    ],
    [
      "a name that is no string",
      { op: "target", files: [3] },
      "Cannot call target: the name of a file is a string, not 3",
    ],
    [
      "a name with a NUL",
      { op: "target", files: ["a\0b"] },
      "Cannot call target: the name of a file has a NUL byte",
    ],
    [
      "no files",
      { op: "target" },
      "Cannot call target: the files are not a list",
    ],
    [
      "a delay below zero",
      { op: "checkDeps", delay: -1 },
      "Cannot call checkDeps: delay is a number of seconds",
    ],
    [
      "a code that is too short",
      { op: "encode", table: "t", context: "c", value: "v", minLength: 0 },
      "Cannot call encode: minLength is a whole number from 1 to 16",
    ],
    [
      "a code that is too long",
      { op: "encode", table: "t", context: "c", value: "v", minLength: 17 },
      "Cannot call encode: minLength is a whole number from 1 to 16",
    ],
    [
      "a code that is no string",
      { op: "decode", table: "t", context: "c", code: 3 },
      "Cannot call decode: code is not a string",
    ],
    [
      "a text that is none",
      { op: "xxhsum", text: null },
      "Cannot call xxhsum: text is not a string",
    ],
    [
      "an empty folder",
      { op: "listTargets", dir: "" },
      "Cannot call listTargets: the name of a file is empty",
    ],
  ];

Deno.test("arguments that cannot be used are refused", async (t) => {
  await using session = await Session.open();
  using client = await Client.of(session);
  for (const [what, request, message] of bad) {
    await t.step(what, async () => {
      const { id, error } = await client.ask({ id: 3, cwd: "/r", ...request });
      assert.equal(id, 3);
      assert.deepEqual(error, {
        code: "CLIBS_JOB_ARGUMENT",
        message,
        facts: {},
      });
    });
  }
  const { error } = await client.ask({
    id: 3,
    op: "depend",
    cwd: "/",
    files: ["("],
    options: { regexpr: true },
  });
  assert.match(
    error.message,
    /^Cannot call depend: Invalid regular expression/,
  );
  assert.deepEqual(session.services.calls, []);
});
