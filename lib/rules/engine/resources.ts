/** Pools of what jobs need: their running sum never exceeds what there is. */

import { CancelledError, ClibsError } from "../../errors.ts";

/** Amounts by name; `mem` and `tmp` in megabytes. */
export type Amounts = Readonly<Record<string, number>>;

interface Waiting {
  wants: Amounts;
  prio: number;
  order: number;
  start: (release: () => void) => void;
}

/** Shares out amounts among jobs, the most urgent first. */
export class Pool {
  readonly #free: Map<string, number>;
  readonly #total: Amounts;
  /** Those that want the same, in the order in which they get it. */
  readonly #queues = new Map<string, Waiting[]>();
  #order = 0;

  /** @param total What there is. */
  constructor(total: Amounts) {
    this.#total = total;
    this.#free = new Map(Object.entries(total));
  }

  /**
   * Why a job can never run; undefined if it can.
   *
   * @param wants What it needs.
   */
  problem(wants: Amounts): string | undefined {
    for (const [name, amount] of Object.entries(wants)) {
      const total = this.#total[name];
      if (total === undefined) return `there is no resource ${name}`;
      if (amount > total) return `it needs ${amount} ${name} of ${total}`;
    }
    return undefined;
  }

  /**
   * Waits until there is enough, and takes it.
   *
   * @param prio Higher comes first.
   * @returns A function that gives it back.
   * @throws {CancelledError} If `signal` fires while waiting.
   */
  async take(
    wants: Amounts,
    prio: number,
    signal?: AbortSignal,
  ): Promise<() => void> {
    if (signal?.aborted) throw new CancelledError();
    return await new Promise((resolve, reject) => {
      const give = () => {
        const queue = this.#queueOf(wants);
        const at = queue.indexOf(waiting);
        if (at >= 0) queue.splice(at, 1);
        reject(new CancelledError());
      };
      const waiting: Waiting = {
        wants,
        prio,
        order: this.#order++,
        start: (release) => {
          signal?.removeEventListener("abort", give);
          resolve(release);
        },
      };
      signal?.addEventListener("abort", give, { once: true });
      insert(this.#queueOf(wants), waiting);
      this.#next();
    });
  }

  #queueOf(wants: Amounts): Waiting[] {
    const key = Object.entries(wants).sort().join(" ");
    let queue = this.#queues.get(key);
    if (!queue) this.#queues.set(key, queue = []);
    return queue;
  }

  #next(): void {
    for (;;) {
      let first: Waiting | undefined;
      let from: Waiting[] | undefined;
      for (const queue of this.#queues.values()) {
        const head = queue.at(-1);
        if (!head || !this.#fits(head.wants)) continue;
        if (first && !comesBefore(head, first)) continue;
        [first, from] = [head, queue];
      }
      if (!first) return;
      from!.pop();
      this.#start(first);
    }
  }

  #start(waiting: Waiting): void {
    this.#add(waiting.wants, -1);
    let given = false;
    waiting.start(() => {
      if (given) return;
      given = true;
      this.#add(waiting.wants, 1);
      this.#next();
    });
  }

  #fits(wants: Amounts): boolean {
    return Object.entries(wants).every(([name, amount]) =>
      amount <= (this.#free.get(name) ?? 0)
    );
  }

  #add(wants: Amounts, sign: number): void {
    for (const [name, amount] of Object.entries(wants)) {
      this.#free.set(name, (this.#free.get(name) ?? 0) + sign * amount);
    }
  }
}

function comesBefore(a: Waiting, b: Waiting): boolean {
  return a.prio === b.prio ? a.order < b.order : a.prio > b.prio;
}

/** Inserts into a queue whose last one is the first to go. */
function insert(queue: Waiting[], waiting: Waiting): void {
  let low = 0;
  let high = queue.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (comesBefore(queue[middle]!, waiting)) high = middle;
    else low = middle + 1;
  }
  queue.splice(low, 0, waiting);
}

/**
 * Amounts as numbers: `2`, `"2"`, and for `mem` and `tmp` also `"512M"`,
 * `"4G"`, which come out in megabytes.
 *
 * @throws {ClibsError} `CLIBS_LMAKE_RESOURCE` for anything else.
 */
export function parseAmounts(
  given: Readonly<Record<string, number | string>>,
): Record<string, number> {
  return Object.fromEntries(
    Object.entries(given).map((
      [name, value],
    ) => [name, parseAmount(name, value)]),
  );
}

const UNITS: Record<string, number> = {
  k: 2 ** 10,
  m: 2 ** 20,
  g: 2 ** 30,
  t: 2 ** 40,
};

function parseAmount(name: string, value: number | string): number {
  if (typeof value === "number" && value >= 0) return value;
  const match = /^(\d+(?:\.\d+)?)\s*([kmgt]?)i?b?$/i.exec(String(value));
  if (!match) {
    throw new ClibsError(
      "CLIBS_LMAKE_RESOURCE",
      `Cannot use ${
        JSON.stringify(value)
      } of the resource ${name}: it is no amount`,
      { hint: "write a number, or for mem and tmp such as 512M or 4G" },
    );
  }
  const unit = match[2]!.toLowerCase();
  const bytes = Number(match[1]) * (UNITS[unit] ?? 1);
  const inMegabytes = name === "mem" || name === "tmp";
  return inMegabytes && unit !== "" ? Math.ceil(bytes / UNITS["m"]!) : bytes;
}
