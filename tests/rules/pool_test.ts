/** Places for jobs: never too many, never forgotten, the most urgent first. */

import assert from "node:assert/strict";
import { CancelledError } from "../../lib/errors.ts";
import { Heap } from "../../lib/rules/engine/heap.ts";
import { type Grant, Pool } from "../../lib/rules/engine/pool.ts";
import type { Amounts } from "../../lib/rules/engine/resources.ts";
import type { Turn, Turns } from "../../lib/rules/engine/spawner.ts";
import { Random } from "../support/seeded.ts";

/** Lets all promises go as far as they can. */
const settle = () => new Promise((done) => setTimeout(done, 0));

Deno.test("a heap gives things in order", () => {
  const random = new Random(3);
  const heap = new Heap<number>((a, b) => a < b);
  const items: number[] = [];
  for (let i = 0; i < 2000; i++) {
    if (random.chance(0.6)) {
      const item = random.below(100);
      items.push(item);
      heap.push(item);
    } else {
      items.sort((a, b) => a - b);
      assert.equal(heap.first, items[0]);
      assert.equal(heap.pop(), items.shift());
    }
  }
});

Deno.test("who comes first: priority, urgency, order", async () => {
  const pool = new Pool({ cpu: 1 });
  const first = await pool.take({ cpu: 1 });
  const order: string[] = [];
  const wait = async (name: string, prio: number, urgency: number) => {
    const { release } = await pool.take({ cpu: 1 }, { prio, urgency });
    order.push(name);
    release();
  };
  const all = [
    wait("plain", 0, 0),
    wait("urgent", 0, 5),
    wait("more urgent", 0, 9),
    wait("first", 1, 0),
    wait("last", -1, 100),
    wait("plain, later", 0, 0),
  ];
  first.release();
  await Promise.all(all);
  assert.deepEqual(order, [
    "first",
    "more urgent",
    "urgent",
    "plain",
    "plain, later",
    "last",
  ]);
});

Deno.test("who is near is told once, before the turn", async () => {
  const pool = new Pool({ cpu: 1 });
  const { release } = await pool.take({ cpu: 1 });
  const told: string[] = [];
  const wait = (name: string) =>
    pool.take({ cpu: 1 }, { onNear: () => told.push(name) });
  const a = wait("a"), b = wait("b");
  assert.deepEqual(told, ["a"]);
  release();
  (await a).release();
  (await b).release();
  assert.deepEqual(told, ["a", "b"]);
});

Deno.test("a wait that is cancelled takes nothing", async () => {
  const pool = new Pool({ cpu: 1 });
  const { release } = await pool.take({ cpu: 1 });
  const abort = new AbortController();
  const { signal } = abort;
  const gone = Array.from(
    { length: 3 },
    () => pool.take({ cpu: 1 }, { signal }),
  );
  const stays = pool.take({ cpu: 1 });
  abort.abort();
  for (const each of gone) await assert.rejects(each, CancelledError);
  await assert.rejects(pool.take({ cpu: 1 }, { signal }), CancelledError);
  release();
  (await stays).release();
});

Deno.test("a place of another kind is not waited for when one is free", async () => {
  const pool = new Pool({ cpu: 2, gpu: 1 });
  const passed: Turn[] = [];
  const turns = {
    pass: (turn: Turn) => void passed.push(turn),
    skip: () => assert.fail(),
  };
  const long = await pool.take({ cpu: 1 }, { turns });
  const other = await pool.take({ cpu: 1, gpu: 1 }, { turns });
  const next = await pool.take({ cpu: 1 }, { turns });
  assert.equal(next.turn.after, 1);
  assert.deepEqual(passed, []);
  other.release();
  // It need not wait for the long one any more.
  assert.deepEqual(passed, [{ class: next.turn.class, after: 0 }]);
  next.release();
  long.release();
});

/** The counts of spawn.c. */
class FakeSpawner implements Turns {
  readonly ended = new Map<number, number>();
  #queue: { turn: Turn; start: () => void }[] = [];

  start(turn: Turn, start: () => void): void {
    // What is sent is a copy.
    this.#queue.push({ turn: { ...turn }, start });
    this.#advance();
  }

  skip({ class: of, after }: Turn): void {
    for (const { turn } of this.#queue) {
      if (turn.class === of && turn.after > after) turn.after--;
    }
  }

  pass({ class: of }: Turn): void {
    this.ended.set(of, (this.ended.get(of) ?? 0) + 1);
    this.#advance();
  }

  #advance(): void {
    for (let i = 0; i < this.#queue.length;) {
      const { turn, start } = this.#queue[i]!;
      if (turn.after > (this.ended.get(turn.class) ?? 0)) i++;
      else {
        this.#queue.splice(i, 1);
        start();
        i = 0;
      }
    }
  }
}

Deno.test("random jobs: none is forgotten, and they never have more than there is", async () => {
  for (let seed = 1; seed <= 40; seed++) {
    await simulate(seed);
  }
});

async function simulate(seed: number): Promise<void> {
  const random = new Random(seed);
  const pick = (n: number) => random.below(n);
  const total: Record<string, number> = { cpu: 1 + pick(4), mem: 4 };
  const pool = new Pool(total);
  const spawner = new FakeSpawner();
  const abort = new AbortController();
  const used: Record<string, number> = { cpu: 0, mem: 0 };
  const running: (() => void)[] = [];
  const canQueue = seed % 4 > 0;
  let left = 60;
  const kinds: Amounts[] = [{ cpu: 1 }, { cpu: 1, mem: 2 }, { mem: 1 }];
  const add = (wants: Amounts, sign: number) => {
    for (const [name, amount] of Object.entries(wants)) {
      used[name]! += sign * amount;
      assert.ok(used[name]! <= total[name]!, `seed ${seed}: too much ${name}`);
    }
  };
  const job = async () => {
    const wants = kinds[pick(3)]!;
    const fate = random.next();
    let grant: Grant | undefined;
    try {
      grant = await pool.take(wants, {
        prio: pick(3),
        urgency: pick(3),
        ...(fate < 0.1 ? { signal: abort.signal } : {}),
        ...(canQueue ? { turns: spawner } : {}),
      });
      // Some are late, and some turn out not to be startable.
      if (pick(3) === 0) await settle();
      if (fate > 0.85) return grant.release(false);
      const { turn, release } = grant;
      await new Promise<void>((done) =>
        spawner.start(turn, () => {
          add(wants, 1);
          running.push(() => {
            add(wants, -1);
            spawner.pass(turn);
            // Hearing of it takes a moment.
            setTimeout(() => {
              release();
              done();
            }, pick(2));
          });
        })
      );
    } catch (error) {
      if (!(error instanceof CancelledError)) throw error;
    } finally {
      left--;
    }
  };
  const jobs = Array.from({ length: left }, job);
  let idle = 0;
  while (left > 0) {
    await settle();
    if (pick(50) === 0) abort.abort();
    const at = pick(running.length + 1);
    const [end] = running.splice(at, 1);
    end?.();
    idle = running.length === 0 && !end ? idle + 1 : 0;
    assert.ok(idle < 200, `seed ${seed}: ${left} jobs are waiting for nothing`);
  }
  await Promise.all(jobs);
  // All is there again.
  (await pool.take(total)).release();
}
