/** Pools of what jobs need: their running sum never exceeds what there is. */

import { CancelledError } from "../../errors.ts";
import { Heap } from "./heap.ts";
import type { Amounts } from "./resources.ts";
import type { Turn, Turns } from "./spawner.ts";

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
  /**
   * Whoever will start it when its turn comes: then it may get a place that
   * another one still has.
   */
  turns?: Turns | undefined;
}

/** A place in a pool. */
export interface Grant {
  /**
   * When it may start: at once, or as soon as others have ended. May come
   * earlier until it is told to {@linkcode Turns}.
   */
  readonly turn: Readonly<Turn>;
  /** Gives the place back. @param wasStarted Default: true. */
  readonly release: (wasStarted?: boolean) => void;
}

/** Those that want the same, so that one can take the place of another. */
class Class {
  readonly id = ++classes;
  readonly waiting: Heap<Waiting> = new Heap(comesBefore);
  /** Those that have places that others still have, in the order of turns. */
  readonly ahead: Ahead[] = [];
  /** How many have places of their own. */
  running = 0;
  /** How many have ended. */
  ended = 0;
  /** The last turn that was given. */
  turn = 0;
}

interface Ahead {
  readonly waiting: Waiting;
  readonly turn: Turn;
}

let classes = 0;

interface Waiting {
  readonly wants: Amounts;
  readonly prio: number;
  readonly urgency: number;
  readonly order: number;
  onNear: (() => void) | undefined;
  readonly turns: Turns | undefined;
  readonly resolve: (grant: Grant) => void;
  readonly reject: (error: Error) => void;
  readonly ofSignal: Set<Waiting> | undefined;
  isCancelled: boolean;
}

/** Shares out amounts among jobs, the most urgent first. */
export class Pool {
  readonly #free: Map<string, number>;
  readonly #total: Amounts;
  readonly #classes = new Map<string, Class>();
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
   * @throws {CancelledError} If the signal fires while waiting.
   */
  async take(
    wants: Amounts,
    options: TakeOptions = {},
  ): Promise<Grant> {
    const { prio = 0, urgency = 0, signal, onNear, turns } = options;
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
        turns,
        resolve,
        reject,
        ofSignal,
        isCancelled: false,
      };
      ofSignal?.add(waiting);
      this.#classOf(wants).waiting.push(waiting);
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

  #classOf(wants: Amounts): Class {
    const key = Object.entries(wants).sort().join(" ");
    let found = this.#classes.get(key);
    if (!found) this.#classes.set(key, found = new Class());
    return found;
  }

  #next(): void {
    for (const each of this.#classes.values()) this.#catchUp(each);
    while (this.#startOne());
    this.#queueAhead();
    for (const { waiting } of this.#classes.values()) {
      const near = waiting.first?.onNear;
      if (!near) continue;
      waiting.first.onNear = undefined;
      near();
    }
  }

  /** Has those that wait for others' places start in places that are free. */
  #catchUp(of: Class): void {
    for (let next; (next = of.ahead[0]) && this.#fits(next.waiting.wants);) {
      of.ahead.shift();
      const { waiting: first } = next;
      this.#add(first.wants, -1);
      of.running++;
      of.ended++;
      first.turns!.pass({ class: of.id, after: 0 });
    }
  }

  /** Starts the first one for which there is enough; whether there was one. */
  #startOne(): boolean {
    const found = this.#first((wants) => this.#fits(wants));
    const first = found?.waiting.pop();
    if (!first) return false;
    this.#add(first.wants, -1);
    found!.running++;
    this.#grant(found!, first, { class: found!.id, after: 0 });
    return true;
  }

  /**
   * Gives out places that will be free: as many as there are jobs that want
   * the same, as long as nobody else is more urgent.
   */
  #queueAhead(): void {
    for (;;) {
      const found = this.#first(() => true);
      if (!found?.waiting.first?.turns) return;
      if (found.ahead.length >= found.running) return;
      const first = found.waiting.pop()!;
      found.turn = Math.max(found.turn, found.ended) + 1;
      const turn = { class: found.id, after: found.turn };
      found.ahead.push({ waiting: first, turn });
      this.#grant(found, first, turn);
    }
  }

  /** The class of the most urgent one that may be taken. */
  #first(mayTake: (wants: Amounts) => boolean): Class | undefined {
    let best: Class | undefined;
    for (const each of this.#classes.values()) {
      while (each.waiting.first?.isCancelled) each.waiting.pop();
      const { first } = each.waiting;
      if (!first || !mayTake(first.wants)) continue;
      const other = best?.waiting.first;
      if (!other || comesBefore(first, other)) best = each;
    }
    return best;
  }

  #grant(of: Class, waiting: Waiting, turn: Turn): void {
    waiting.ofSignal?.delete(waiting);
    let isGiven = false;
    const release = (wasStarted = true) => {
      if (isGiven) return;
      isGiven = true;
      const at = of.ahead.findIndex((each) => each.waiting === waiting);
      if (at >= 0 && !wasStarted) this.#skip(of, at);
      else {
        of.ended++;
        if (!wasStarted) waiting.turns?.pass(turn);
        // Who was faster than we heard of takes nobody's place any more.
        if (at >= 0) of.ahead.splice(at, 1);
        else if (!of.ahead.shift()) {
          of.running--;
          this.#add(waiting.wants, 1);
        }
      }
      this.#next();
    };
    waiting.resolve({ turn, release });
  }

  /** Takes back a place that another one still has. */
  #skip(of: Class, at: number): void {
    const [skipped] = of.ahead.splice(at, 1);
    skipped!.waiting.turns!.skip({ ...skipped!.turn });
    for (const { turn } of of.ahead.slice(at)) turn.after--;
    of.turn--;
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
