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
  readonly #waiting: Waiting[] = [];
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
      const waiting: Waiting = {
        wants,
        prio,
        order: this.#order++,
        start: (release) => {
          signal?.removeEventListener("abort", give);
          resolve(release);
        },
      };
      const give = () => {
        const at = this.#waiting.indexOf(waiting);
        if (at >= 0) this.#waiting.splice(at, 1);
        reject(new CancelledError());
      };
      signal?.addEventListener("abort", give, { once: true });
      this.#waiting.push(waiting);
      this.#next();
    });
  }

  #next(): void {
    this.#waiting.sort((a, b) => b.prio - a.prio || a.order - b.order);
    for (let i = 0; i < this.#waiting.length;) {
      const waiting = this.#waiting[i]!;
      if (!this.#fits(waiting.wants)) {
        i++;
        continue;
      }
      this.#waiting.splice(i, 1);
      this.#add(waiting.wants, -1);
      let given = false;
      waiting.start(() => {
        if (given) return;
        given = true;
        this.#add(waiting.wants, 1);
        this.#next();
      });
    }
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
