/** A random history: a world of sources and rules, and edits of them. */

import { Editor, SOURCES } from "./history_edits.ts";
import * as makers from "./history_makers.ts";
import { type JobFacts, type Maker, World } from "./history_world.ts";
import type { LmakeRepo } from "./lmake.ts";
import type { JobLine } from "./lmake_lines.ts";
import { Random } from "./seeded.ts";

/** One history; several share a repo, each in a folder of its own. */
export class History {
  readonly world: World;
  /** What is asked for. */
  asked: string[] = [];
  /** What was done, for a person who looks for a fault. */
  readonly log: string[] = [];
  readonly #random: Random;
  readonly #editor: Editor;
  /** What each job was a function of when it ran last. */
  readonly #last = new Map<string, JobFacts>();

  constructor(readonly repo: LmakeRepo, folder: string, seed: number) {
    this.#random = new Random(seed);
    this.world = new World(folder);
    const words = [...SOURCES, ...this.#makeRules(), "0z", "x", "y", "w"];
    this.#editor = new Editor(repo, this.world, this.#random, words);
    this.#editor.begin();
    this.#askAgain();
  }

  /**
   * Does something to the files or the rules.
   *
   * @returns Whether nothing has to run for it, if all was up to date before.
   */
  step(): boolean {
    const { text, neutral, disturbed } = this.#editor.edit(this.asked);
    this.log.push(text);
    for (const maker of disturbed) {
      this.#forget((key) => key.startsWith(this.world.ruleName(maker)));
    }
    if (neutral) return true;
    if (this.#random.chance(0.1)) this.asked = [];
    this.#askAgain();
    return false;
  }

  /** Edits one source, as the only step that may be done during a build. */
  editMeanwhile(): void {
    const name = this.#random.pick(SOURCES);
    const text = this.#editor.text();
    this.log.push(`meanwhile ${name}=${text.trim()}`);
    this.#editor.write(name, text);
    this.world.changed();
  }

  /** Takes it that nobody knows which jobs have run. */
  forgetRuns(): void {
    this.#last.clear();
  }

  /** Full names of what is asked for. */
  paths(): string[] {
    return this.asked.map((name) => this.world.path(name));
  }

  /** Whether a correct build ends without error. */
  succeeds(): boolean {
    return this.asked.every((name) =>
      ["text", "link"].includes(this.world.outcome(name).kind)
    );
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

  /**
   * Jobs that ran though nothing that they had read was different, which this
   * keeps account of; to be called after each build that came to its end.
   */
  needless(lines: readonly JobLine[]): string[] {
    const { world } = this;
    this.#editor.settle(this.asked);
    world.computeAll();
    // Where a rule does not apply any more, its target has been removed.
    this.#forget((key) => !world.jobs.has(key));
    const mine = lines.filter(({ job }) => job.startsWith(`${world.folder}/`));
    const ended = new Map<string, string>();
    for (const { rule, job, word } of mine) {
      if (ENDED.test(word)) ended.set(`${rule} ${job}`, job);
    }
    const keys = new Set(mine.map(({ rule, job }) => `${rule} ${job}`));
    return [...keys].filter((key) => {
      const ran = ended.has(key);
      // A job of another rule has unlinked what this one had made.
      const displaced = [...ended].some(([other, job]) =>
        other !== key && job === ended.get(key)
      );
      const last = this.#last.get(key);
      const now = world.jobs.get(key);
      if (ran && now && !now.blocked) {
        this.#last.set(key, { ...now, reads: new Map(now.reads) });
      } else {
        this.#last.delete(key);
      }
      return ran && !displaced && last && now && last.mark === now.mark &&
        [...last.reads].every(([name, state]) => world.state(name) === state);
    });
  }

  #forget(which: (key: string) => boolean): void {
    for (const key of this.#last.keys()) {
      if (which(key)) this.#last.delete(key);
    }
  }

  #makeRules(): string[] {
    const random = this.#random;
    const known = [...SOURCES];
    const targets: string[] = [];
    const counts = [2 + random.below(2), 2 + random.below(2), 2, 1];
    for (const [i, count] of counts.entries()) {
      const layer = i + 1;
      const added: string[] = [];
      for (let j = 0; j < count; j++) {
        const maker = random.pick(kindsOf(layer, j, random, known))();
        this.world.makers.push(maker);
        added.push(...maker.targets());
        if (maker.name.startsWith(`${layer}f`)) added.push(`${maker.name}/x`);
      }
      targets.push(...added);
      known.push(...targets.filter((name) => Number(name[0]) === layer));
    }
    return targets;
  }

  /** Asks for what can be made for the most part, so that a build succeeds. */
  #askAgain(): void {
    const random = this.#random;
    const all = this.world.makers.flatMap((maker) => maker.targets());
    const candidates = [...this.asked, ...random.some(all.slice(-7), 7)];
    this.asked = [
      ...new Set(
        candidates.filter((name) =>
          random.chance(KEPT[this.world.outcome(name).kind])
        ),
      ),
    ].slice(0, 4);
  }
}

/** Kinds of rules that may be the `j`-th of a layer. */
function kindsOf(
  layer: number,
  j: number,
  random: Random,
  known: readonly string[],
): (() => Maker)[] {
  const name = (letter: string) => `${layer}${letter}${j}`;
  const dep = () => random.pick(known);
  const style = () =>
    random.pick(["plain", "declared", "checked", "critical"] as const);
  const pause = () => random.pick([0, 0, 0.01, 0.04]);
  const kinds: (() => Maker)[] = [
    () => makers.concatenation(name("c"), random.some(known, 2), pause()),
    () => makers.check(name("k"), dep()),
    () => makers.check(name("k"), dep()),
    () => makers.includes(name("i"), dep(), style()),
    () => makers.includes(name("i"), dep(), style()),
    () => makers.search(name("s"), random.some(known, 3), pause()),
    () => makers.looks(name("e"), random.some(known, 3)),
    () => makers.choice(name("o"), dep()),
    () => makers.pair(name("t"), dep()),
    () => makers.coded(name("q"), dep()),
    () => makers.link(name("l"), dep(), "0a"),
    () => makers.folderLink(name("f"), dep()),
  ];
  if (layer === 2 && j === 0) {
    kinds.push(() => makers.scatter(2, dep()), () => makers.scatter(2, dep()));
  }
  // Each starts a Deno, which takes as long as ten others.
  if (random.chance(0.2)) {
    kinds.push(() => makers.functionIncludes(name("j"), dep()));
  }
  return kinds;
}

/** Words that follow a run whose outcome stands. */
const ENDED = /^(was_)?(hit_)?(done|steady|failed)$/;

/** How likely it is that something is asked for, by what becomes of it. */
const KEPT = { text: 1, link: 1, absent: 0.04, error: 0.4 };

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
