/** A random history: a world of sources and rules, and edits of them. */

import type { LmakeRepo } from "./lmake.ts";
import * as makers from "./history_world.ts";
import { World } from "./history_world.ts";

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

/** One history; several share a repo, each in a folder of its own. */
export class History {
  readonly world: World;
  /** What is asked for in each step. */
  asked: string[] = [];
  /** What was done, for a person who looks for a fault. */
  readonly log: string[] = [];
  readonly #random: Random;
  readonly #words: string[];

  constructor(
    readonly repo: LmakeRepo,
    folder: string,
    seed: number,
  ) {
    this.#random = new Random(seed);
    this.world = new World(folder);
    const targets = this.#makeRules();
    this.#words = [...SOURCES, ...targets, "0z", "x", "y", "w"];
    for (const name of SOURCES) {
      if (this.#random.chance(0.85)) this.#write(name, this.#text());
    }
    this.#askAgain();
  }

  /**
   * Does something to the files or the rules.
   *
   * @returns Whether nothing has to run for it, if all was up to date before.
   */
  step(): boolean {
    const [name, action] = this.#random.pick(this.#actions());
    const at = this.log.push(name) - 1;
    const neutral = action();
    this.log[at] += neutral ? " (neutral)" : "";
    this.world.changed();
    if (!neutral) this.#askAgain();
    return neutral;
  }

  /** Full names of what is asked for. */
  paths(): string[] {
    return this.asked.map((name) => this.world.path(name));
  }

  /** Whether a correct build ends without error. */
  succeeds(): boolean {
    return this.asked.every((name) => this.#isMade(name));
  }

  /** What is wrong in a repo after a build; nothing if all is right. */
  differences(repo: LmakeRepo = this.repo): string[] {
    return this.asked.flatMap((name) => {
      const expected = this.world.outcome(name);
      const path = this.world.path(name);
      const actual = onDisk(repo, path);
      if (expected.kind === "error" || expected.kind === "absent") return [];
      const wanted = expected.kind === "link"
        ? `link to ${expected.to}`
        : JSON.stringify(expected.text);
      return actual === wanted
        ? []
        : [`${path} is ${actual} instead of ${wanted}`];
    });
  }

  #actions(): [name: string, action: () => boolean][] {
    const random = this.#random;
    const present = SOURCES.filter((name) => this.world.sources.has(name));
    const absent = SOURCES.filter((name) => !this.world.sources.has(name));
    const edit = () => {
      const name = random.pick(SOURCES);
      this.#write(name, this.#text());
      return false;
    };
    return [
      ["edit", edit],
      ["edit", edit],
      ["edit two", () => edit() || edit()],
      ["break", () => this.#break()],
      ["touch", () => {
        for (const name of random.some(present, 2)) {
          this.#note(name);
          this.repo.touch(this.world.path(name));
        }
        return true;
      }],
      ["write the same", () => {
        for (const name of random.some(present, 2)) {
          this.#write(name, this.world.sources.get(name)!);
        }
        return true;
      }],
      ["edit and restore", () => {
        for (const name of random.some(present, 1)) {
          const text = this.world.sources.get(name)!;
          this.#write(name, this.#text());
          this.#write(name, text);
        }
        return true;
      }],
      ["remove a source", () => {
        for (const name of random.some(present, 1)) this.#remove(name);
        return false;
      }],
      ["add a source", () => {
        for (const name of random.some(absent, 1)) {
          this.#write(name, this.#text());
        }
        return false;
      }],
      ["remove an intermediate", () => this.#removeTarget(false)],
      ["remove a target", () => this.#removeTarget(true)],
      ["edit a target", () => {
        for (const name of random.some(this.#built(), 1)) {
          this.#note(name);
          const path = this.world.path(name);
          Deno.removeSync(this.repo.path(path));
          this.repo.file({ [path]: "by hand\n" });
        }
        return false;
      }],
      ["edit a rule", () => {
        random.pick(this.world.makers).mark++;
        return false;
      }],
      ["make a source of a target, or no more", () => this.#shadow()],
      ["ask for others", () => {
        this.asked = [];
        return false;
      }],
      ["nothing", () => true],
    ];
  }

  #makeRules(): string[] {
    const random = this.#random;
    const known = [...SOURCES];
    const targets: string[] = [];
    const counts = [2 + random.below(2), 2 + random.below(2), 1, 1];
    for (const [i, count] of counts.entries()) {
      const layer = i + 1;
      const added: string[] = [];
      for (let j = 0; j < count; j++) {
        const name = (letter: string) => `${layer}${letter}${j}`;
        const dep = () => random.pick(known);
        const kinds: (() => makers.Maker)[] = [
          () => makers.concatenation(name("c"), random.some(known, 2)),
          () => makers.check(name("k"), dep()),
          () => makers.check(name("k"), dep()),
          () => makers.includes(name("i"), dep(), false),
          () => makers.includes(name("d"), dep(), true),
          () => makers.search(name("s"), random.some(known, 3)),
          () => makers.choice(name("o"), dep()),
          () => makers.link(name("l"), dep(), "0a"),
        ];
        if (layer === 2 && j === 0) kinds.push(() => makers.scatter(2, dep()));
        const maker = random.pick(kinds)();
        this.world.makers.push(maker);
        added.push(...maker.targets());
      }
      targets.push(...added);
      known.push(...targets.filter((name) => Number(name[0]) === layer));
    }
    return targets;
  }

  /** Makes something that is asked for fail, if an edit of one source can. */
  #break(): boolean {
    const { sources } = this.world;
    const text = `${this.#text().trim()} FAIL\n`;
    const before = new Map(sources);
    const breaks = (name: string) => {
      sources.set(name, text);
      this.world.changed();
      const broken = this.asked.some((asked) =>
        this.world.outcome(asked).kind === "error"
      );
      sources.clear();
      for (const [name, text] of before) sources.set(name, text);
      return broken;
    };
    const names = this.#random.some(SOURCES, SOURCES.length);
    return this.#write(names.find(breaks) ?? names[0]!, text);
  }

  /** Asks for what can be made for the most part, so that a build succeeds. */
  #askAgain(): void {
    const random = this.#random;
    const all = this.world.makers.flatMap((maker) => maker.targets());
    const candidates = [...this.asked, ...random.some(all.slice(-6), 6)];
    this.asked = [
      ...new Set(
        candidates.filter((name) => {
          const { kind } = this.world.outcome(name);
          return random.chance(KEPT[kind]);
        }),
      ),
    ].slice(0, 4);
  }

  #isMade(name: string): boolean {
    return ["text", "link"].includes(this.world.outcome(name).kind);
  }

  #text(): string {
    const random = this.#random;
    const words = random.some(this.#words, random.below(4));
    if (random.chance(0.02)) words.push("FAIL");
    return `${words.join(" ")}\n`;
  }

  #write(name: string, text: string): boolean {
    this.#note(`${name}=${text.trim()}`);
    this.repo.source({ [this.world.path(name)]: text });
    this.world.sources.set(name, text);
    return false;
  }

  #remove(name: string): void {
    this.#note(name);
    this.repo.remove(this.world.path(name));
    this.world.sources.delete(name);
  }

  #removeTarget(asked: boolean): boolean {
    const found = this.#built().filter((name) =>
      this.asked.includes(name) === asked
    );
    for (const name of this.#random.some(found, 1)) {
      this.#note(name);
      Deno.removeSync(this.repo.path(this.world.path(name)));
    }
    return !asked;
  }

  #shadow(): boolean {
    for (const { single } of this.world.makers) {
      if (single && this.world.sources.has(single)) {
        // The file stays, and is no more than a target edited by hand.
        this.#note(single);
        this.repo.unlist(this.world.path(single));
        this.world.sources.delete(single);
        return false;
      }
    }
    const singles = this.world.makers.flatMap(({ single }) => single ?? []);
    for (const name of this.#random.some(singles, 1)) {
      this.#write(name, this.#text());
    }
    return false;
  }

  /** Targets that are on disk and no sources. */
  #built(): string[] {
    return this.world.makers.flatMap((maker) => maker.targets()).filter((
      name,
    ) => !this.world.sources.has(name) && this.repo.has(this.world.path(name)));
  }

  #note(what: string): void {
    if (this.log.length > 0) this.log[this.log.length - 1] += ` ${what}`;
  }
}

/** How likely it is that something is asked for, by what becomes of it. */
const KEPT = { text: 1, link: 1, absent: 0.04, error: 0.4 };

const SOURCES = ["0a", "0b", "0c", "0d", "0e", "0f"];

function onDisk(repo: LmakeRepo, path: string): string {
  try {
    const info = Deno.lstatSync(repo.path(path));
    return info.isSymlink
      ? `link to ${Deno.readLinkSync(repo.path(path))}`
      : JSON.stringify(repo.content(path));
  } catch {
    return "absent";
  }
}
