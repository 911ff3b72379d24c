/** Random numbers that a seed repeats. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A number from 0 to 1, the latter excluded. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 0x1_0000_0000;
  }

  /** A whole number below another. */
  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  /** Whether something with a probability happens. */
  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** One of some. */
  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)]!;
  }

  /** Some, without repetition, in random order. */
  some<T>(from: readonly T[], count: number): T[] {
    const left = [...from];
    const found: T[] = [];
    while (found.length < count && left.length > 0) {
      found.push(...left.splice(this.below(left.length), 1));
    }
    return found;
  }
}
