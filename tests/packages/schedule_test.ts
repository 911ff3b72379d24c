import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { schedule } from "../../lib/packages/schedule.ts";

interface Node {
  name: string;
  needs: Node[];
}

const node = (name: string, ...needs: Node[]): Node => ({ name, needs });

Deno.test("schedule() runs a node after those it needs", async () => {
  const a = node("a");
  const b = node("b", a);
  const c = node("c", a);
  const d = node("d", b, c);
  const order: string[] = [];
  await schedule([a, b, c, d], 8, async ({ name }) => {
    await Promise.resolve();
    order.push(name);
  });
  deepEqual(order, ["a", "b", "c", "d"]);
});

Deno.test("schedule() keeps to its limit and tells how many run beside", async () => {
  const nodes = Array.from({ length: 7 }, (_, i) => node(String(i)));
  let running = 0;
  let most = 0;
  const shares: number[] = [];
  await schedule(nodes, 3, async (_, beside) => {
    shares.push(beside);
    most = Math.max(most, ++running);
    await new Promise((resolve) => setTimeout(resolve, 1));
    running--;
  });
  equal(most, 3);
  deepEqual(new Set(shares.slice(0, 3)), new Set([3]));
  ok(shares.every((share) => share <= 3));
});

Deno.test("schedule() starts nothing after a failure and waits for the rest", async () => {
  const slow = node("slow");
  const bad = node("bad");
  const later = node("later", slow);
  const ended: string[] = [];
  const run = schedule([slow, bad, later], 2, async ({ name }) => {
    if (name === "bad") throw new Error("broken");
    await new Promise((resolve) => setTimeout(resolve, 5));
    ended.push(name);
  });
  await rejects(run, /broken/);
  deepEqual(ended, ["slow"]);
});
