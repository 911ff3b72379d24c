/** Edits of a random history: of sources, targets, rules and modes. */

import type { LmakeRepo } from "./lmake.ts";
import { TABLE } from "./history_makers.ts";
import type { World } from "./history_world.ts";
import type { Random } from "./seeded.ts";

/** Sources that there may be; those that are not are candidates. */
export const SOURCES = ["0a", "0b", "0c", "0d", "0e", "0g/x", "0h/x"];

/** What an edit comes down to. */
export interface Edit {
  /** What was done. */
  text: string;
  /** Nothing has to run for it, if all was up to date before. */
  neutral: boolean;
  /** Makers whose targets were changed on disk. */
  disturbed: string[];
}

/** Edits the files of a world in a repo. */
export class Editor {
  readonly #repo: LmakeRepo;
  readonly #world: World;
  readonly #random: Random;
  readonly #words: readonly string[];
  #log: string[] = [];
  #disturbed: string[] = [];
  /** Targets that were edited by hand. */
  readonly #byHand = new Map<string, string>();

  constructor(
    repo: LmakeRepo,
    world: World,
    random: Random,
    words: readonly string[],
  ) {
    this.#repo = repo;
    this.#world = world;
    this.#random = random;
    this.#words = words;
  }

  /** Writes the sources that there are at first. */
  begin(): void {
    this.#repo.source({ [this.#world.path(TABLE)]: "" });
    for (const name of SOURCES) {
      if (this.#random.chance(0.85)) this.write(name, this.text());
    }
  }

  /** Does one thing or another; `asked` are the names that are asked for. */
  edit(asked: readonly string[]): Edit {
    const actions = this.#actions(asked);
    const [name, action] = this.#random.pick(actions);
    this.#log = [name];
    this.#disturbed = [];
    const neutral = action() === "neutral";
    this.#world.changed();
    const text = this.#log.join(" ") + (neutral ? " (neutral)" : "");
    return { text, neutral, disturbed: this.#disturbed };
  }

  /**
   * Removes edits of targets that nobody needed in the last build: where the
   * rule did not apply any more, they would rightly be an error.
   */
  settle(asked: readonly string[]): void {
    for (const [name, text] of this.#byHand) {
      const path = this.#world.path(name);
      if (asked.includes(name) || !this.#repo.has(path)) continue;
      if (Deno.lstatSync(this.#repo.path(path)).isSymlink) continue;
      if (this.#repo.content(path) === text) {
        Deno.removeSync(this.#repo.path(path));
      }
    }
    this.#byHand.clear();
  }

  /** A random text for a source. */
  text(): string {
    const words = this.#random.some(this.#words, this.#random.below(4));
    if (this.#random.chance(0.02)) words.push("FAIL");
    return `${words.join(" ")}\n`;
  }

  /** Writes a source. */
  write(name: string, text: string): void {
    this.#note(`${name}=${text.trim()}`);
    const path = this.#world.path(name);
    const before = this.#world.sources.get(name);
    // A link would be written through.
    if (before?.kind !== "text" && this.#repo.has(path)) {
      Deno.removeSync(this.#repo.path(path));
    }
    this.#repo.source({ [path]: text });
    this.#set(name, text, before?.kind === "text" && before.executable);
  }

  #actions(
    asked: readonly string[],
  ): [name: string, action: () => "neutral" | void][] {
    const random = this.#random;
    const { sources, makers } = this.#world;
    const present = SOURCES.filter((name) => sources.has(name));
    const texts = present.flatMap((name) => {
      const source = sources.get(name)!;
      return source.kind === "text" ? [{ name, text: source.text }] : [];
    });
    const absent = SOURCES.filter((name) => !sources.has(name));
    const edit = () => this.write(random.pick(SOURCES), this.text());
    return [
      ["edit", edit],
      ["edit", edit],
      ["edit two", () => (edit(), edit())],
      ["break", () => this.#break(asked)],
      ["touch", () => {
        for (const { name } of random.some(texts, 2)) {
          this.#note(name);
          this.#repo.touch(this.#world.path(name));
        }
        return "neutral";
      }],
      ["write the same", () => {
        for (const { name, text } of random.some(texts, 2)) {
          this.write(name, text);
        }
        return "neutral";
      }],
      ["edit and restore", () => {
        for (const { name, text } of random.some(texts, 1)) {
          this.write(name, this.text());
          this.write(name, text);
        }
        return "neutral";
      }],
      ["remove", () => {
        for (const name of random.some(present, 1)) this.#remove(name);
      }],
      ["add", () => {
        for (const name of random.some(absent, 1)) {
          this.write(name, this.text());
        }
      }],
      ["link", () => this.#link()],
      ["change a mode", () => {
        for (const { name, text } of random.some(texts, 1)) {
          const source = sources.get(name)!;
          const executable = source.kind === "text" && !source.executable;
          this.#note(`${name} ${executable}`);
          Deno.chmodSync(
            this.#repo.path(this.#world.path(name)),
            executable ? 0o755 : 0o644,
          );
          this.#set(name, text, executable);
        }
      }],
      ["spoil the table", () => {
        const table = this.#world.path(TABLE);
        const text = this.#repo.content(table);
        const garbage = random.pick(["\n", "<<<<<<< mine\n", "no code\n"]);
        this.#repo.source({ [table]: `${garbage}${text}\n` });
        return "neutral";
      }],
      ["empty the table", () => {
        this.#repo.source({ [this.#world.path(TABLE)]: "" });
        this.#disturbed = makers.map(({ name }) => name);
      }],
      ["remove an intermediate", () => {
        this.#removeTarget((name) => !asked.includes(name));
        return "neutral";
      }],
      ["remove a target", () => {
        this.#removeTarget((name) => asked.includes(name));
      }],
      ["edit a target", () => {
        const built = this.#built().filter(({ name }) => this.#isMade(name));
        for (const { name, maker } of random.some(built, 1)) {
          this.#disturb(name, maker);
          const path = this.#world.path(name);
          Deno.removeSync(this.#repo.path(path));
          this.#repo.file({ [path]: "by hand\n" });
          this.#byHand.set(name, "by hand\n");
        }
      }],
      ["edit a rule", () => {
        const maker = random.pick(makers);
        this.#note(maker.name);
        maker.mark++;
      }],
      ["make a source of a target, or no more", () => this.#shadow()],
      ["nothing", () => "neutral"],
    ];
  }

  /** Makes something that is asked for fail, if an edit of one source can. */
  #break(asked: readonly string[]): void {
    const world = this.#world;
    const text = `${this.text().trim()} FAIL\n`;
    const before = new Map(world.sources);
    const breaks = (name: string) => {
      world.sources.set(name, { kind: "text", text });
      world.changed();
      const broken = asked.some((one) => world.outcome(one).kind === "error");
      world.sources.clear();
      for (const [name, source] of before) world.sources.set(name, source);
      world.changed();
      return broken;
    };
    const names = this.#random.some(SOURCES, SOURCES.length);
    this.write(names.find(breaks) ?? names[0]!, text);
  }

  /** Makes a link of a source, to a later one so that there is no circle. */
  #link(): void {
    const from = this.#random.below(4);
    const name = SOURCES[from]!;
    const to = this.#random.pick(SOURCES.slice(from + 1));
    this.#note(`${name} to ${to}`);
    const path = this.#world.path(name);
    if (this.#repo.has(path)) Deno.removeSync(this.#repo.path(path));
    this.#repo.sourceLink({ [path]: to });
    this.#world.sources.set(name, { kind: "link", to });
  }

  /** Keeps the mode, as writing does. */
  #set(name: string, text: string, executable = false): void {
    const mode = executable ? { executable } : {};
    this.#world.sources.set(name, { kind: "text", text, ...mode });
  }

  #remove(name: string): void {
    this.#note(name);
    this.#repo.remove(this.#world.path(name));
    this.#world.sources.delete(name);
  }

  #removeTarget(which: (name: string) => boolean): void {
    const found = this.#built().filter(({ name }) => which(name));
    for (const { name, maker } of this.#random.some(found, 1)) {
      this.#disturb(name, maker);
      Deno.removeSync(this.#repo.path(this.#world.path(name)));
    }
  }

  #shadow(): void {
    const { makers, sources } = this.#world;
    const singles = makers.flatMap(({ single }) => single ?? []);
    const shadowed = singles.find((name) => sources.has(name));
    if (shadowed) {
      this.#disturb(shadowed, shadowed);
      const path = this.#world.path(shadowed);
      this.#repo.unlist(path);
      sources.delete(shadowed);
      this.#world.changed();
      // The file is no more than a target edited by hand, if it is one at all.
      if (this.#isMade(shadowed)) {
        this.#byHand.set(shadowed, this.#repo.content(path));
      } else Deno.removeSync(this.#repo.path(path));
      return;
    }
    for (const name of this.#random.some(singles, 1)) {
      this.#disturb(name, name);
      this.write(name, this.text());
    }
  }

  #isMade(name: string): boolean {
    return ["text", "link"].includes(this.#world.outcome(name).kind);
  }

  #disturb(name: string, maker: string): void {
    this.#note(name);
    this.#disturbed.push(maker);
  }

  /** Targets that are on disk and no sources. */
  #built(): { name: string; maker: string }[] {
    const { makers, sources } = this.#world;
    return makers.flatMap((maker) =>
      maker.targets().map((name) => ({ name, maker: maker.name }))
    ).filter(({ name }) =>
      !sources.has(name) && this.#repo.has(this.#world.path(name))
    );
  }

  #note(what: string): void {
    this.#log.push(what);
  }
}
