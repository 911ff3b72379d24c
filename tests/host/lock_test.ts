import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { CancelledError } from "../../lib/errors.ts";
import { FeedbackBus } from "../../lib/feedback/bus.ts";
import { withLock } from "../../lib/host/lock.ts";
import { TempDir } from "../support/temp.ts";

const holder = (path: string) => `
  import { withLock } from "${import.meta.resolve("../../lib/host/lock.ts")}";
  await withLock(${
  JSON.stringify(path)
}, { doing: "building zlib" }, async () => {
    console.log("held");
    await new Promise((resolve) => setTimeout(resolve, 600_000));
  });`;

/** A process that holds the lock until it is killed. */
async function hold(dir: TempDir, path: string): Promise<Deno.ChildProcess> {
  dir.write({ "holder.ts": holder(path) });
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", dir.join("holder.ts")],
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  await reader.read();
  await reader.cancel();
  return child;
}

Deno.test("withLock() keeps two callers apart", async () => {
  using dir = new TempDir();
  const order: string[] = [];
  const work = (name: string) => async () => {
    order.push(`${name} in`);
    await new Promise((resolve) => setTimeout(resolve, 5));
    order.push(`${name} out`);
  };
  const path = dir.join("sub/lock");
  await Promise.all([
    withLock(path, { doing: "one" }, work("a")),
    withLock(path, { doing: "two" }, work("b")),
  ]);
  deepEqual(order, ["a in", "a out", "b in", "b out"]);
});

Deno.test("withLock() says for whom it waits, and goes on when that one is killed", async () => {
  using dir = new TempDir();
  const path = dir.join("lock");
  const child = await hold(dir, path);
  const bus = new FeedbackBus();
  const messages: string[] = [];
  bus.subscribe((event) => {
    messages.push(event.message);
    child.kill("SIGKILL");
  });
  equal(
    await withLock(
      path,
      { doing: "x", feedback: bus },
      () => Promise.resolve(7),
    ),
    7,
  );
  deepEqual(messages, [`waiting for pid ${child.pid} building zlib`]);
  await child.status;
});

Deno.test("withLock() gives up waiting on a signal", async () => {
  using dir = new TempDir();
  const path = dir.join("lock");
  const child = await hold(dir, path);
  const abort = new AbortController();
  const bus = new FeedbackBus();
  bus.subscribe(() => abort.abort());
  let ran = false;
  await rejects(
    withLock(path, { doing: "x", feedback: bus, signal: abort.signal }, () => {
      ran = true;
      return Promise.resolve();
    }),
    CancelledError,
  );
  ok(!ran);
  child.kill("SIGKILL");
  await child.status;
});

Deno.test("withLock() lets go when the work throws", async () => {
  using dir = new TempDir();
  const path = dir.join("lock");
  const broken = withLock(path, { doing: "x" }, () => {
    throw new Error("broken");
  });
  await rejects(broken, /broken/);
  await withLock(path, { doing: "y" }, () => Promise.resolve());
});
