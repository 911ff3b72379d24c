/** Pools of what jobs need: their running sum never exceeds what there is. */

import { CancelledError } from "../../errors.ts";
import { Heap } from "./heap.ts";
import type { Amounts } from "./resources.ts";

/** How a job waits. */
export interface TakeOptions {
  /** Higher comes first. Default: 0. */
  prio?: number;
  /** Of those with the same priority the higher one comes first. Default: 0. */
  urgency?: number;
  /** Ends the wait. */
  signal?: AbortSignal | undefined;
  /** Called when its turn is near, so that it can get ready; once. */
  onNear?: () => void;
}

interface Waiting {
  readonly wants: Amounts;
  readonly prio: number;
  readonly urgency: number;
  readonly order: number;
  onNear: (() => void) | undefined;
  readonly resolve: (release: () => void) => void;
  readonly reject: (error: Error) => void;
  readonly ofSignal: Set<Waiting> | undefined;
  isCancelled: boolean;
}

/** Shares out amounts among jobs, the most urgent first. */
export class Pool {
  readonly #free: Map<string, number>;
  readonly #total: Amounts;
  /** Those that want the same, in the order in which they get it. */
  readonly #queues = new Map<string, Heap<Waiting>>();
  /** One listener for all that wait with a signal: there may be many. */
  readonly #ofSignals = new WeakMap<AbortSignal, Set<Waiting>>();
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
   * @returns A function that gives it back.
   * @throws {CancelledError} If the signal fires while waiting.
   */
  async take(
    wants: Amounts,
    { prio = 0, urgency = 0, signal, onNear }: TakeOptions = {},
  ): Promise<() => void> {
    if (signal?.aborted) throw new CancelledError();
    return await new Promise((resolve, reject) => {
      const ofSignal = signal && this.#ofSignal(signal);
      const order = this.#order++;
      const waiting: Waiting = {
        wants,
        prio,
        urgency,
        order,
        onNear,
        resolve,
        reject,
        ofSignal,
        isCancelled: false,
      };
      ofSignal?.add(waiting);
      this.#queueOf(wants).push(waiting);
      this.#next();
    });
  }

  #ofSignal(signal: AbortSignal): Set<Waiting> {
    let all = this.#ofSignals.get(signal);
    if (all) return all;
    this.#ofSignals.set(signal, all = new Set());
    signal.addEventListener("abort", () => {
      for (const waiting of all) {
        // Its queue drops it when its turn comes.
        waiting.isCancelled = true;
        waiting.reject(new CancelledError());
      }
      all.clear();
    }, { once: true });
    return all;
  }

  #queueOf(wants: Amounts): Heap<Waiting> {
    const key = Object.entries(wants).sort().join(" ");
    let queue = this.#queues.get(key);
    if (!queue) this.#queues.set(key, queue = new Heap(comesBefore));
    return queue;
  }

  #next(): void {
    for (;;) {
      let first: Waiting | undefined;
      let from: Heap<Waiting> | undefined;
      for (const queue of this.#queues.values()) {
        while (queue.first?.isCancelled) queue.pop();
        const head = queue.first;
        if (!head || !this.#fits(head.wants)) continue;
        if (first && !comesBefore(head, first)) continue;
        [first, from] = [head, queue];
      }
      if (!first) break;
      from!.pop();
      this.#start(first);
    }
    for (const { first } of this.#queues.values()) {
      const near = first?.onNear;
      if (!near) continue;
      first.onNear = undefined;
      near();
    }
  }

  #start(waiting: Waiting): void {
    waiting.ofSignal?.delete(waiting);
    this.#add(waiting.wants, -1);
    let given = false;
    waiting.resolve(() => {
      if (given) return;
      given = true;
      this.#add(waiting.wants, 1);
      this.#next();
    });
  }

  #fits(wants: Amounts): boolean {
    for (const name in wants) {
      if (wants[name]! > (this.#free.get(name) ?? 0)) return false;
    }
    return true;
  }

  #add(wants: Amounts, sign: number): void {
    for (const [name, amount] of Object.entries(wants)) {
      this.#free.set(name, (this.#free.get(name) ?? 0) + sign * amount);
    }
  }
}

function comesBefore(a: Waiting, b: Waiting): boolean {
  if (a.prio !== b.prio) return a.prio > b.prio;
  if (a.urgency !== b.urgency) return a.urgency > b.urgency;
  return a.order < b.order;
}
