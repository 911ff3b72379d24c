/**
 * Files and rules of a random history, and what a correct build makes of them.
 *
 * Names begin with the number of their layer. A rule reads layers below its
 * own only, whatever words it finds in the files that it reads, so that no
 * edit can make a cycle.
 */

/** What there is under a name once everything was built. */
export type Outcome =
  | { kind: "text"; text: string }
  | { kind: "link"; to: string }
  | { kind: "absent" }
  | { kind: "error" };

/** Rules that make files of one layer. */
export interface Maker {
  /** Text of `Lmakefile.ts`; names of files start with the world's folder. */
  rules(world: World): string;
  /** What it makes under a name; nothing if it has no way to. */
  make(name: string, world: World): Outcome | undefined;
  /** Names that are worth asking for. */
  targets(): string[];
  /** The only name that it makes, if that may become a source. */
  single?: string;
  /** Part of its command, to be edited. */
  mark: number;
}

/** Files and rules in a folder of their own. */
export class World {
  /** Texts of the sources by name, without the folder. */
  readonly sources = new Map<string, string>();
  readonly makers: Maker[] = [];
  #known = new Map<string, Outcome>();

  constructor(readonly folder: string) {}

  /** Name in the repo. */
  path(name: string): string {
    return `${this.folder}/${name}`;
  }

  /** Forgets what was computed, after an edit. */
  changed(): void {
    this.#known = new Map();
  }

  /** Text of all rules. */
  rules(): string {
    return this.makers.map((maker) => maker.rules(this)).join("");
  }

  /** What there is under a name once everything was built. */
  outcome(name: string): Outcome {
    const known = this.#known.get(name);
    if (known) return known;
    const found = this.#compute(name);
    this.#known.set(name, found);
    return found;
  }

  /** What a job finds that opens a file for reading: links are followed. */
  read(name: string): Exclude<Outcome, { kind: "link" }> {
    const found = this.outcome(name);
    return found.kind === "link" ? this.read(found.to) : found;
  }

  #compute(name: string): Outcome {
    const text = this.sources.get(name);
    if (text !== undefined) return { kind: "text", text };
    for (const maker of this.makers) {
      const made = maker.make(name, this);
      if (made) return made;
    }
    return { kind: "absent" };
  }
}

/** Stops the computation of a target: a dep is in error. */
class InError extends Error {}

/** Computes a text from what `read` finds; deps in error make it one. */
function compute(
  world: World,
  body: (read: (name: string) => string | undefined) => string,
): Outcome {
  try {
    return {
      kind: "text",
      text: body((name) => {
        const found = world.read(name);
        if (found.kind === "error") throw new InError();
        return found.kind === "text" ? found.text : undefined;
      }),
    };
  } catch (error) {
    if (error instanceof InError) return { kind: "error" };
    throw error;
  }
}

/** Whether a rule with these static deps applies, and none is in error. */
function staticDeps(
  world: World,
  deps: readonly string[],
): "apply" | "error" | undefined {
  const kinds = deps.map((dep) => world.outcome(dep).kind);
  if (kinds.includes("absent")) return undefined;
  return kinds.includes("error") ? "error" : "apply";
}

/** A maker of one file out of static deps, whatever else it reads. */
function single(
  name: string,
  deps: readonly string[],
  text: (world: World, mark: number) => string,
  body: (
    read: (name: string) => string | undefined,
    mark: number,
    world: World,
  ) => string,
): Maker {
  return {
    mark: 0,
    single: name,
    rules(world) {
      const keys = deps.map((dep, i) => `D${i}: "${world.path(dep)}"`);
      return `rule({ name: "${ruleName(world, name)}", target: "${
        world.path(name)
      }", deps: { ${keys.join(", ")} }, cmd: ${
        JSON.stringify(text(world, this.mark))
      } });\n`;
    },
    make(asked, world) {
      if (asked !== name) return undefined;
      const state = staticDeps(world, deps);
      if (state === "error") return { kind: "error" };
      return state && compute(world, (read) => body(read, this.mark, world));
    },
    targets: () => [name],
  };
}

/** Concatenates its deps, the links among which may lead nowhere. */
export function concatenation(name: string, deps: string[]): Maker {
  return single(
    name,
    deps,
    (_, mark) =>
      `cat ${
        deps.map((_, i) => `{D${i}}`).join(" ")
      } 2>/dev/null; echo mark${mark}`,
    (read, mark) =>
      deps.map((dep) => read(dep) ?? "").join("") + `mark${mark}\n`,
  );
}

/** Fails if its dep has the word FAIL. */
export function check(name: string, dep: string): Maker {
  return single(
    name,
    [dep],
    (_, mark) => `cat {D0} 2>/dev/null; echo mark${mark}; ! grep -qs FAIL {D0}`,
    (read, mark) => {
      const text = read(dep) ?? "";
      if (text.includes("FAIL")) throw new InError();
      return `${text}mark${mark}\n`;
    },
  );
}

/** Reads the files whose names its dep lists, with or without a declaration. */
export function includes(name: string, list: string, ahead: boolean): Maker {
  const layer = Number(name[0]);
  const mine = `[0-${layer - 1}]*`;
  const below = (word: string) => /^\d/.test(word) && Number(word[0]) < layer;
  return single(
    name,
    [list],
    (world, mark) =>
      (ahead
        ? `ldepend -r $(for f in $(cat {D0} 2>/dev/null); do case $f in ${mine}) echo ${world.folder}/$f;; esac; done); `
        : "") +
      `for f in $(cat {D0} 2>/dev/null); do case $f in ${mine}) cat ${world.folder}/$f 2>/dev/null || echo no $f;; *) echo skip $f;; esac; done; echo mark${mark}`,
    (read, mark) => {
      const words = (read(list) ?? "").split(/\s+/).filter(Boolean);
      const lines = words.map((word) =>
        below(word) ? read(word) ?? `no ${word}\n` : `skip ${word}\n`
      );
      return `${lines.join("")}mark${mark}\n`;
    },
  );
}

/** Takes the first of some files that can be read. */
export function search(name: string, candidates: string[]): Maker {
  return single(
    name,
    [],
    (world, mark) =>
      candidates.map((file) => `cat ${world.path(file)} 2>/dev/null || `)
        .join("") + `echo none; echo mark${mark}`,
    (read, mark) => {
      for (const file of candidates) {
        const text = read(file);
        if (text !== undefined) return `${text}mark${mark}\n`;
      }
      return `none\nmark${mark}\n`;
    },
  );
}

/** A link to the first file below its layer that its dep names. */
export function link(name: string, dep: string, fallback: string): Maker {
  const layer = Number(name[0]);
  return {
    mark: 0,
    rules(world) {
      return `rule({ name: "${ruleName(world, name)}", targets: { L: "${
        world.path(name)
      }" }, deps: { W: "${
        world.path(dep)
      }" }, cmd: "for f in $(cat {W} 2>/dev/null) ${fallback}; do case $f in [0-${
        layer - 1
      }]*) ln -s $f {L}; break;; esac; done # mark${this.mark}" });\n`;
    },
    make(asked, world) {
      if (asked !== name) return undefined;
      const state = staticDeps(world, [dep]);
      if (state !== "apply") return state && { kind: "error" };
      const source = world.read(dep);
      if (source.kind === "error") return { kind: "error" };
      const words = source.kind === "text" ? source.text.split(/\s+/) : [];
      const to = words.find((word) =>
        /^\d/.test(word) && Number(word[0]) < layer
      );
      return { kind: "link", to: to ?? fallback };
    },
    targets: () => [name],
  };
}

/** One file per word of its dep, and a consumer of each. */
export function scatter(layer: number, list: string): Maker {
  const part = new RegExp(`^${layer}p/(\\w+)\\.t$`);
  const up = new RegExp(`^${layer + 1}u_(\\w+)$`);
  return {
    mark: 0,
    rules(world) {
      const dir = world.path(`${layer}p`);
      return `rule({ name: "${
        ruleName(world, `${layer}p`)
      }", targets: { P: "${dir}/{N*:\\\\w+}.t" }, deps: { L: "${
        world.path(list)
      }" }, cmd: "for w in $(cat {L} 2>/dev/null); do case $w in */*);; *) echo $w mark${this.mark} >${dir}/$w.t;; esac; done" });\n` +
        `rule({ name: "${ruleName(world, `${layer}u`)}", target: "${
          world.path(`${layer + 1}u_`)
        }{N:\\\\w+}", dep: "${dir}/{N}.t", cmd: "cat; echo up" });\n`;
    },
    make(asked, world) {
      const consumed = up.exec(asked)?.[1];
      if (consumed !== undefined) {
        const dep = `${layer}p/${consumed}.t`;
        const state = staticDeps(world, [dep]);
        if (state === "error") return { kind: "error" };
        return state && compute(world, (read) => `${read(dep)}up\n`);
      }
      const word = part.exec(asked)?.[1];
      if (word === undefined) return undefined;
      const state = staticDeps(world, [list]);
      if (state !== "apply") return state && { kind: "error" };
      const made = compute(world, (read) => read(list) ?? "");
      if (made.kind !== "text") return made;
      return made.text.split(/\s+/).includes(word)
        ? { kind: "text", text: `${word} mark${this.mark}\n` }
        : undefined;
    },
    targets: () => [`${layer}p/x.t`, `${layer + 1}u_x`, `${layer + 1}u_y`],
  };
}

/** A target that one rule makes of some deps and another of the rest. */
export function choice(name: string, dep: string): Maker {
  return {
    mark: 0,
    rules(world) {
      const target = world.path(name);
      const deps = `deps: { S: "${world.path(dep)}" }`;
      const rule = ruleName(world, name);
      return `rule({ name: "${rule}_fancy", prio: 1, targets: { O: ["${target}", "optional"] }, ${deps}, cmd: "grep -qs x {S} && echo fancy${this.mark} >{O}; :" });\n` +
        `rule({ name: "${rule}_plain", target: "${target}", ${deps}, cmd: "echo plain; cat {S} 2>/dev/null; :" });\n`;
    },
    make(asked, world) {
      if (asked !== name) return undefined;
      const state = staticDeps(world, [dep]);
      if (state === "error") return { kind: "error" };
      return state && compute(world, (read) => {
        const text = read(dep) ?? "";
        return text.includes("x") ? `fancy${this.mark}\n` : `plain\n${text}`;
      });
    },
    targets: () => [name],
  };
}

function ruleName(world: World, name: string): string {
  return `${world.folder}_${name}`;
}
