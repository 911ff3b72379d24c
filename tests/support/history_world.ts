/**
 * Files and rules of a random history, and what a correct build makes of them.
 *
 * Names begin with the number of their layer. A rule reads layers below its
 * own only, whatever words it finds in the files that it reads, so that no
 * edit can make a cycle.
 */

/** What there is under a name once everything was built. */
export type Outcome =
  | { kind: "text"; text: string; executable?: boolean }
  | { kind: "link"; to: string }
  | { kind: "absent" }
  | { kind: "error" };

/** What a job finds that opens a file: links are followed. */
export type Found = Exclude<Outcome, { kind: "link" }>;

/** A source. */
export type Source = Extract<Outcome, { kind: "text" | "link" }>;

/** Rules that make files of one layer. */
export interface Maker {
  /** What the names of its rules start with, after the world's folder. */
  name: string;
  /** Part of its command, to be edited. */
  mark: number;
  /** Text for `Lmakefile.ts`; names of files start with the world's folder. */
  rules(world: World): string;
  /** What it makes under a name; nothing if it has no way to. */
  make(name: string, world: World): Outcome | undefined;
  /** Names that are worth asking for. */
  targets(): string[];
  /** The only name that it makes, if that may become a source. */
  single?: string;
}

/** What a job is a function of. */
export interface JobFacts {
  /** Its command. */
  mark: number;
  /** What it reads, as {@linkcode World.state} tells it. */
  reads: Map<string, string>;
  /** A dep is in error, so that nobody knows how far the job gets. */
  blocked: boolean;
}

/** Ends the computation of a target. */
class Failure extends Error {
  constructor(readonly isDep: boolean) {
    super();
  }
}

/** Ends a job with an error of its own. */
export function fail(): never {
  throw new Failure(false);
}

/** What the command of a job may look at. */
export interface Reader {
  /** Text of a file; nothing if it is not there. */
  text(name: string): string | undefined;
  /** What is there, links followed; never in error. */
  found(name: string): Exclude<Found, { kind: "error" }>;
  /** What a link says; nothing if it is none. */
  link(name: string): string | undefined;
}

/** Files and rules in a folder of their own. */
export class World {
  /** The sources by name, without the folder. */
  readonly sources = new Map<string, Source>();
  readonly makers: Maker[] = [];
  /** Jobs by rule and name; only those that were computed. */
  readonly jobs = new Map<string, JobFacts>();
  #known = new Map<string, Outcome>();

  constructor(readonly folder: string) {}

  /** Name in the repo. */
  path(name: string): string {
    return `${this.folder}/${name}`;
  }

  /** Forgets what was computed, after an edit. */
  changed(): void {
    this.#known = new Map();
    this.jobs.clear();
  }

  /** Text of all rules. */
  rules(): string {
    return this.makers.map((maker) => maker.rules(this)).join("");
  }

  /** Name of a rule. */
  ruleName(name: string): string {
    return `${this.folder}_${name}`;
  }

  /** What there is under a name once everything was built. */
  outcome(name: string): Outcome {
    const known = this.#known.get(name);
    if (known) return known;
    const found = this.sources.get(name) ?? this.#make(name);
    this.#known.set(name, found);
    return found;
  }

  /** The same as a text, to be compared. */
  state(name: string): string {
    return JSON.stringify(this.outcome(name));
  }

  /** Computes all that the rules make, and so all jobs. */
  computeAll(): void {
    for (const maker of this.makers) {
      for (const name of maker.targets()) this.outcome(name);
    }
  }

  /**
   * Runs a job.
   *
   * @param rule Rule, without the folder.
   * @param target The first target, which names the job.
   * @param deps Its static deps.
   * @returns What it makes; nothing if the rule does not apply.
   */
  run(
    maker: Maker,
    rule: string,
    target: string,
    deps: readonly string[],
    body: (read: Reader) => Outcome | string | undefined,
  ): Outcome | undefined {
    const facts: JobFacts = {
      mark: maker.mark,
      reads: new Map(),
      blocked: true,
    };
    const note = (name: string) => facts.reads.set(name, this.state(name));
    deps.forEach(note);
    const kinds = deps.map((dep) => this.outcome(dep).kind);
    if (kinds.includes("absent")) return undefined;
    this.jobs.set(`${this.ruleName(rule)} ${this.path(target)}`, facts);
    if (kinds.includes("error")) return { kind: "error" };
    try {
      const made = body(this.#reader(note));
      facts.blocked = false;
      return typeof made === "string" ? { kind: "text", text: made } : made;
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      facts.blocked = error.isDep;
      return { kind: "error" };
    }
  }

  #make(name: string): Outcome {
    for (const maker of this.makers) {
      const made = maker.make(name, this);
      if (made) return made;
    }
    return { kind: "absent" };
  }

  #reader(note: (name: string) => void): Reader {
    const look = (name: string): Outcome => {
      // A folder may be a link to another.
      const [folder = "", ...rest] = name.split("/");
      if (rest.length > 0) {
        const link = look(folder);
        if (link.kind === "link") return look([link.to, ...rest].join("/"));
      }
      note(name);
      const found = this.outcome(name);
      if (found.kind === "error") throw new Failure(true);
      return found;
    };
    const follow = (name: string): Exclude<Found, { kind: "error" }> => {
      const found = look(name);
      if (found.kind === "link") return follow(found.to);
      return found as Exclude<Found, { kind: "error" }>;
    };
    return {
      found: follow,
      text(name) {
        const found = follow(name);
        return found.kind === "text" ? found.text : undefined;
      },
      link(name) {
        const found = look(name);
        return found.kind === "link" ? found.to : undefined;
      },
    };
  }
}
