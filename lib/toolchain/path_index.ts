/**
 * A map from very many paths to few owners, in one piece of memory which is
 * read from and written to disk as it is.
 *
 * It holds 64 bits of a hash for each path, not the path: of a hundred thousand
 * paths and as many questions one in 10⁹ systems gets a wrong answer.
 */

/** Words of a slot: two of the hash, one more than the owner's number. */
const SLOT = 3;
const FREE = 0;
/** Stands for paths that several owners have, such as folders. */
const SHARED = 0xffffffff;

/** Owners of paths by number. */
export class PathIndex {
  #words: Uint32Array<ArrayBuffer>;
  #used = 0;

  /**
   * Makes an index of what another one consisted of.
   *
   * @param words From {@linkcode words}; such an index is only read. Default:
   *   an empty index.
   */
  constructor(words: Uint32Array<ArrayBuffer> = new Uint32Array(SLOT << 12)) {
    this.#words = words;
  }

  /** What the index consists of; one may be made from it again, by this machine. */
  get words(): Uint32Array<ArrayBuffer> {
    return this.#words;
  }

  /** Gives a path to an owner. One that had another owner has none from now on. */
  set(path: string, owner: number): void {
    if (this.#used * SLOT * 3 > this.#words.length * 2) this.#grow();
    const [high, low] = hash(path);
    const place = this.#placeOf(high, low);
    const before = this.#words[place + 2];
    if (before === FREE) {
      this.#words[place] = high;
      this.#words[place + 1] = low;
      this.#words[place + 2] = owner + 1;
      this.#used++;
    } else if (before !== owner + 1) this.#words[place + 2] = SHARED;
  }

  /** The one owner of a path. */
  get(path: string): number | undefined {
    const [high, low] = hash(path);
    const found = this.#words[this.#placeOf(high, low) + 2]!;
    return found === FREE || found === SHARED ? undefined : found - 1;
  }

  #placeOf(high: number, low: number): number {
    const words = this.#words;
    const slots = words.length / SLOT;
    let slot = low & (slots - 1);
    while (true) {
      const place = slot * SLOT;
      if (
        words[place + 2] === FREE ||
        (words[place] === high && words[place + 1] === low)
      ) return place;
      slot = (slot + 1) & (slots - 1);
    }
  }

  #grow(): void {
    const before = this.#words;
    this.#words = new Uint32Array(before.length * 2);
    for (let from = 0; from < before.length; from += SLOT) {
      if (before[from + 2] === FREE) continue;
      const place = this.#placeOf(before[from]!, before[from + 1]!);
      this.#words.set(before.subarray(from, from + SLOT), place);
    }
  }
}

/** Whether an index can be made from so many words. */
export function isIndexLength(words: number): boolean {
  const slots = words / SLOT;
  return Number.isInteger(slots) && slots > 0 && (slots & (slots - 1)) === 0;
}

const pair: [number, number] = [0, 0];

/** Two independent hashes of 32 bits; good until the next call. */
function hash(text: string): [high: number, low: number] {
  let a = 0x9e3779b9;
  let b = 0x7f4a7c15;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    a = Math.imul(a ^ code, 0x2c1b3c6d);
    a = (a << 11) | (a >>> 21);
    b = Math.imul((b ^ (b >>> 15)) + code, 0x297a2d39);
  }
  pair[0] = mix(a ^ text.length);
  pair[1] = mix(b + text.length);
  return pair;
}

function mix(word: number): number {
  let x = word;
  x = Math.imul(x ^ (x >>> 16), 0x45d9f3b3);
  x = Math.imul(x ^ (x >>> 15), 0x119de1f3);
  return (x ^ (x >>> 16)) >>> 0;
}
