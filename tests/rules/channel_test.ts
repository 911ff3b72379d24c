import assert from "node:assert/strict";
import { JOB_ID_VARIABLE } from "../../lib/jobs/group.ts";
import {
  JOB_ID_VARIABLE as CHANNEL_VARIABLE,
  MAX_FRAME,
  toFrame,
  writeAll,
} from "../../lib/rules/channel/frames.ts";
import { JobServer } from "../../lib/rules/channel/server.ts";
import { TempDir } from "../support/temp.ts";
import { Client } from "./job_client.ts";
import { FakeServices, Session } from "./job_support.ts";

/** What the server makes of raw bytes: null if it hangs up without a word. */
async function answerTo(session: Session, bytes: Uint8Array): Promise<unknown> {
  using client = await Client.connect(session.server.address);
  await writeAll(client.socket, bytes).catch(() => {});
  await client.socket.closeWrite().catch(() => {});
  return await client.receive();
}

Deno.test("a request is answered under its id", async () => {
  await using session = await Session.open();
  session.services.deps = ["a", "b"];
  using client = await Client.of(session);
  assert.deepEqual(
    await client.ask({ id: 7, op: "listDeps", cwd: "/r", dir: "d" }),
    { id: 7, result: ["a", "b"] },
  );
  assert.deepEqual(session.services.calls, [[
    "listDeps",
    "/r",
    "d",
    undefined,
  ]]);
});

Deno.test("several requests are in flight, and answered as they are done", async () => {
  await using session = await Session.open();
  const gate = Promise.withResolvers<boolean>();
  session.services.checkDeps = () => gate.promise;
  using client = await Client.of(session);
  await client.send(
    { id: 1, op: "checkDeps", sync: true },
    { id: 2, op: "xxhsum", text: "t" },
  );
  assert.deepEqual(await client.receive(), {
    id: 2,
    result: "0123456789abcdef",
  });
  gate.resolve(false);
  assert.deepEqual(await client.receive(), { id: 1, result: false });
});

Deno.test("requests of a connection reach the service in their order", async () => {
  await using session = await Session.open();
  using client = await Client.of(session);
  const names = Array.from({ length: 200 }, (_, i) => `f${i}`);
  await client.send(
    ...names.map((name, id) => ({
      id,
      op: "depend",
      cwd: "/r",
      files: [name],
    })),
  );
  for (const _ of names) await client.receive();
  assert.deepEqual(
    session.services.calls.map(([, , files]) => (files as string[])[0]),
    names,
  );
});

Deno.test("jobs have one server and each its own services", async () => {
  await using session = await Session.open();
  const other = new FakeServices();
  other.deps = ["theirs"];
  session.services.deps = ["mine"];
  using _job = session.server.add("other", other);
  using client = await Client.of(session);
  using client2 = await Client.connect(session.server.address);
  await client2.send({ hello: 1, job: "other" });
  const list = { id: 1, op: "listDeps", cwd: "/" };
  assert.deepEqual((await client.ask(list)).result, ["mine"]);
  assert.deepEqual((await client2.ask(list)).result, ["theirs"]);
  assert.throws(() => session.server.add("other", other), RangeError);
});

const ENDED = {
  code: "CLIBS_JOB_ENDED",
  message: "Cannot ask the runner: the job has ended",
  facts: {},
};

Deno.test("a job that has ended is refused, also on an old connection", async () => {
  await using session = await Session.open();
  using client = await Client.of(session);
  const list = { id: 1, op: "listDeps", cwd: "/" };
  assert.deepEqual((await client.ask(list)).result, []);
  session.job[Symbol.dispose]();
  assert.deepEqual(await client.ask(list), { id: 1, error: ENDED });
  using late = await Client.of(session);
  assert.deepEqual(await late.receive(), { id: null, error: ENDED });
  assert.equal(await late.receive(), null);
});

Deno.test("another version of the protocol is refused", async () => {
  await using session = await Session.open();
  using client = await Client.connect(session.server.address);
  const { error } = await client.ask({ hello: 2, job: session.id });
  assert.equal(error.code, "CLIBS_JOB_CHANNEL");
  assert.equal(
    error.message,
    "Cannot talk to the runner: it speaks version 1 of the channel, the job 2",
  );
});

Deno.test("frames that are none close the connection, and nothing else", async (t) => {
  await using session = await Session.open();
  const hello = toFrame(JSON.stringify({ hello: 1, job: session.id }));
  const after = (bytes: Uint8Array) => {
    const all = new Uint8Array(hello.length + bytes.length);
    all.set(hello);
    all.set(bytes, hello.length);
    return all;
  };
  const huge = new Uint8Array(4);
  new DataView(huge.buffer).setUint32(0, MAX_FRAME + 1, true);
  const hostile: Record<string, Uint8Array> = {
    "a huge length at once": huge,
    "the largest length": new Uint8Array([255, 255, 255, 255]),
    "a huge length later": after(huge),
    "half a length": after(new Uint8Array([1, 0])),
    "a frame that is cut off": after(new Uint8Array([9, 0, 0, 0, 123])),
    "no JSON": after(toFrame("{no")),
    "no object": after(toFrame("[1]")),
    "null": after(toFrame("null")),
    "not UTF-8": after(toFrame(new Uint8Array([0x7b, 0xff, 0x7d]))),
    "an empty frame": toFrame(""),
    "neither JSON nor a twin's": toFrame("hello\0"),
    "a twin's without fields": toFrame("twin1\0"),
    "a twin's with a count that is no number": toFrame("twin1\0a\0/\0x\0?\0"),
    "a twin's with a huge count": toFrame("twin1\0a\0/\0x\0" + "9999999999\0"),
    "a twin's with too few arguments": toFrame("twin1\0a\0/\0x\0" + "3\0a\0"),
    "nothing": new Uint8Array(0),
  };
  for (const [name, bytes] of Object.entries(hostile)) {
    await t.step(name, async () => {
      assert.equal(await answerTo(session, bytes), null);
    });
  }
  assert.deepEqual(session.services.calls, []);
  using client = await Client.of(session);
  assert.deepEqual(
    (await client.ask({ id: 1, op: "listDeps", cwd: "/" })).result,
    [],
  );
});

Deno.test("random bytes neither stop the server nor reach a service", async () => {
  await using session = await Session.open();
  let seed = 1;
  const random = () =>
    (seed = Math.imul(seed, 1103515245) + 12345 >>> 0) / 2 ** 32;
  for (let round = 0; round < 200; round++) {
    const bytes = Uint8Array.from(
      { length: random() * 64 },
      () => random() * 256,
    );
    // Half of them with a length that is right.
    const answer = await answerTo(session, round % 2 ? bytes : toFrame(bytes));
    assert.equal(answer, null, `round ${round}`);
  }
  assert.deepEqual(session.services.calls, []);
});

Deno.test("an error of the service comes with its code and hint", async () => {
  await using session = await Session.open();
  using client = await Client.of(session);
  const request = {
    op: "decode",
    cwd: "/",
    table: "t",
    context: "c",
    code: "x",
  };
  assert.deepEqual((await client.ask({ id: 1, ...request })).error, {
    code: "CLIBS_CODEC_CODE",
    message: "Cannot decode x: table t has no such code",
    facts: {},
    hint: "see what codes there are",
  });
  session.services.decode = () => Promise.reject(new Error("odd"));
  const { error } = await client.ask({ id: 2, ...request });
  assert.equal(error.code, "CLIBS_BUG");
});

Deno.test("results of depend are shaped for the caller", async () => {
  await using session = await Session.open();
  session.services.states = {
    a: { ok: true, checksum: "1-R" },
    b: { ok: false },
  };
  using client = await Client.of(session);
  const depend = async (options: unknown, files = ["a", "b", "c"]) =>
    (await client.ask({ id: 1, op: "depend", cwd: "/", files, options }))
      .result;
  assert.deepEqual(await depend({ verbose: true, ignoreError: true }), {
    a: { ok: true, checksum: "1-R" },
    b: { ok: false },
    c: {},
  });
  assert.equal(await depend({ direct: true }), false);
  assert.equal(await depend({ direct: true }, ["a", "c"]), true);
  assert.equal(await depend(null), null);
});

Deno.test("a frame may come byte by byte", async () => {
  await using session = await Session.open();
  using client = await Client.of(session);
  const frame = toFrame(
    JSON.stringify({ id: 1, op: "xxhsum", text: "é".repeat(20) }),
  );
  for (const byte of frame) {
    await writeAll(client.socket, new Uint8Array([byte]));
  }
  assert.equal((await client.receive()).id, 1);
  assert.deepEqual(session.services.calls, [["xxhsum", "é".repeat(20)]]);
});

Deno.test("long frames pass, in both directions", async () => {
  await using session = await Session.open();
  const names = Array.from({ length: 100_000 }, (_, i) => `dir/file${i}.txt`);
  session.services.deps = names;
  using client = await Client.of(session);
  const [{ result }] = await Promise.all([
    client.receive(),
    client.send({ id: 1, op: "listDeps", cwd: "/", regexpr: "x".repeat(1e6) }),
  ]);
  assert.deepEqual(result, names);
});

Deno.test("a socket whose path would be too long lies elsewhere", async () => {
  using dir = new TempDir();
  const long = dir.join("d".repeat(120));
  Deno.mkdirSync(long);
  const server = await JobServer.listen(long);
  assert.ok(server.address.length < 108, server.address);
  using _job = server.add("j", new FakeServices());
  using client = await Client.connect(server.address);
  await client.send({ hello: 1, job: "j" });
  assert.deepEqual(
    (await client.ask({ id: 1, op: "listDeps", cwd: "/" })).result,
    [],
  );
  await server.close();
  assert.throws(() => Deno.lstatSync(server.address), Deno.errors.NotFound);
});

Deno.test("the socket is the user's alone, and goes with the server", async () => {
  using dir = new TempDir();
  const server = await JobServer.listen(dir.path);
  assert.equal((Deno.lstatSync(server.address).mode ?? 0) & 0o777, 0o600);
  using client = await Client.connect(server.address);
  await server.close();
  await server.close();
  assert.equal(await client.receive(), null);
  assert.deepEqual([...Deno.readDirSync(dir.path)], []);
});

Deno.test("jobs have the id under which clibs knows their processes", () => {
  assert.equal(CHANNEL_VARIABLE, JOB_ID_VARIABLE);
});
