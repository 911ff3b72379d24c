/** Kinds of rules in random histories: as a text, and as what they compute. */

import { fail, type Maker, type Reader, type World } from "./history_world.ts";

/**
 * Concatenates its deps, the links among which may lead nowhere.
 *
 * @param pause Seconds for which its target is there by half.
 */
export function concatenation(
  name: string,
  deps: string[],
  pause: number,
): Maker {
  const keys = deps.map((_, i) => `{D${i}}`).join(" ");
  return single(
    name,
    deps,
    (_, mark) => `cat ${keys} 2>/dev/null; sleep ${pause}; echo mark${mark}`,
    (read, mark) =>
      `${deps.map((dep) => read.text(dep) ?? "").join("")}mark${mark}\n`,
  );
}

/** Fails if its dep has the word FAIL. */
export function check(name: string, dep: string): Maker {
  return single(
    name,
    [dep],
    (_, mark) => `cat {D0} 2>/dev/null; echo mark${mark}; ! grep -qs FAIL {D0}`,
    (read, mark) => {
      const text = read.text(dep) ?? "";
      return text.includes("FAIL") ? fail() : `${text}mark${mark}\n`;
    },
  );
}

/** How {@linkcode includes} goes about it. */
export type IncludeStyle = "plain" | "declared" | "checked" | "critical";

/** Reads the files whose names its dep lists. */
export function includes(
  name: string,
  list: string,
  style: IncludeStyle,
): Maker {
  const mine = `[0-${layerOf(name) - 1}]*`;
  const each = (world: World, then: string, other: string) =>
    `for f in $(cat {D0} 2>/dev/null); do case $f in ${mine}) ${
      then.replaceAll("F", `${world.folder}/$f`)
    };; *) ${other};; esac; done`;
  return single(
    name,
    [list],
    (world, mark) =>
      (style === "declared"
        ? `ldepend -r $(${each(world, "echo F", ":")}); `
        : "") +
      (style === "checked"
        ? `${each(world, "cat F >/dev/null 2>&1", ":")}; lcheck_deps; `
        : "") +
      each(world, "cat F 2>/dev/null || echo no $f", "echo skip $f") +
      `; echo mark${mark}`,
    (read, mark) => included(read, name, list) + `mark${mark}\n`,
    style === "critical" ? "critical" : undefined,
  );
}

/** The same in TypeScript. */
export function functionIncludes(name: string, list: string): Maker {
  const maker: Maker = {
    name,
    mark: 0,
    single: name,
    rules: (world) =>
      `rule({ name: "${world.ruleName(name)}", target: "${
        world.path(name)
      }", deps: { L: "${world.path(list)}" }, vars: { mark: ${maker.mark} }, ` +
      `cmd: async (j) => {
  const read = (name: string) => Deno.readTextFile(name).catch(() => undefined);
  for (const f of (await read(j.L) ?? "").split(/\\s+/).filter(Boolean)) {
    const text = /^[0-${
        layerOf(name) - 1
      }]/.test(f) ? await read("${world.folder}/" + f) ?? "no " + f + "\\n" : "skip " + f + "\\n";
    await Deno.stdout.write(new TextEncoder().encode(text));
  }
  console.log("mark" + j.vars.mark);
} });\n`,
    make: (asked, world) =>
      asked === name
        ? world.run(
          maker,
          name,
          name,
          [list],
          (read) => `${included(read, name, list)}mark${maker.mark}\n`,
        )
        : undefined,
    targets: () => [name],
  };
  return maker;
}

/**
 * Takes the first of some files that can be read.
 *
 * @param pause Seconds before it looks.
 */
export function search(
  name: string,
  candidates: string[],
  pause: number,
): Maker {
  return single(
    name,
    [],
    (world, mark) =>
      `sleep ${pause}; ` +
      candidates.map((file) => `cat ${world.path(file)} 2>/dev/null || `)
        .join("") +
      `echo none; echo mark${mark}`,
    (read, mark) => {
      for (const file of candidates) {
        const text = read.text(file);
        if (text !== undefined) return `${text}mark${mark}\n`;
      }
      return `none\nmark${mark}\n`;
    },
  );
}

/** Tells what it can of files without reading them. */
export function looks(name: string, files: string[]): Maker {
  return single(
    name,
    [],
    (world, mark) =>
      `for f in ${files.map((file) => world.path(file)).join(" ")}; do ` +
      "[ -f $f ] && echo there || echo absent; [ -f $f -a -x $f ] && echo executable; readlink $f; done; " +
      `echo mark${mark}`,
    (read, mark) => {
      const lines = files.flatMap((file) => {
        const link = read.link(file);
        const found = read.found(file);
        const executable = found.kind === "text" && found.executable;
        return [
          found.kind === "text" ? "there" : "absent",
          ...executable ? ["executable"] : [],
          ...link === undefined ? [] : [link],
        ];
      });
      return `${lines.join("\n")}\nmark${mark}\n`;
    },
  );
}

/** A link to the first file below its layer that its dep names. */
export function link(name: string, dep: string, fallback: string): Maker {
  const layer = layerOf(name);
  return linkMaker(
    name,
    dep,
    `for f in $(cat {W} 2>/dev/null) ${fallback}; do case $f in [0-${
      layer - 1
    }]*) ln -s $f {L}; break;; esac; done`,
    (text) => wordsOf(text).find((word) => isBelow(word, layer)) ?? fallback,
  );
}

/** A link to one of two folders. */
export function folderLink(name: string, dep: string): Maker {
  return linkMaker(
    name,
    dep,
    "if grep -qs x {W}; then ln -s 0g {L}; else ln -s 0h {L}; fi",
    (text) => text.includes("x") ? "0g" : "0h",
  );
}

/** One file per word of its dep, and a consumer of each. */
export function scatter(layer: number, list: string): Maker {
  const part = new RegExp(`^${layer}p/(\\w+)\\.t$`);
  const user = new RegExp(`^${layer + 1}u_(\\w+)$`);
  const maker: Maker = {
    name: `${layer}p`,
    mark: 0,
    rules: (world) => {
      const dir = world.path(`${layer}p`);
      return `rule({ name: "${
        world.ruleName(`${layer}p`)
      }", targets: { P: "${dir}/{N*:\\\\w+}.t" }, deps: { L: "${
        world.path(list)
      }" }, cmd: "for w in $(cat {L} 2>/dev/null); do case $w in */*);; *) echo $w mark${maker.mark} >${dir}/$w.t;; esac; done" });\n` +
        `rule({ name: "${world.ruleName(`${layer}pu`)}", target: "${
          world.path(`${layer + 1}u_`)
        }{N:\\\\w+}", dep: "${dir}/{N}.t", cmd: "cat; echo up" });\n`;
    },
    make: (asked, world) => {
      const used = user.exec(asked)?.[1];
      if (used !== undefined) {
        const dep = `${layer}p/${used}.t`;
        const consumer = { ...maker, mark: 0 };
        return world.run(
          consumer,
          `${layer}pu`,
          asked,
          [dep],
          (read) => `${read.text(dep)}up\n`,
        );
      }
      const word = part.exec(asked)?.[1];
      if (word === undefined) return undefined;
      return world.run(
        maker,
        `${layer}p`,
        `${layer}p/{N*}.t`,
        [list],
        (read) =>
          wordsOf(read.text(list) ?? "").includes(word)
            ? `${word} mark${maker.mark}\n`
            : undefined,
      );
    },
    targets: () => [`${layer}p/x.t`, `${layer + 1}u_x`, `${layer + 1}u_y`],
  };
  return maker;
}

/** A target that one rule makes of some deps and another of the rest. */
export function choice(name: string, dep: string): Maker {
  const maker: Maker = {
    name,
    mark: 0,
    rules: (world) => {
      const target = world.path(name);
      const deps = `deps: { S: "${world.path(dep)}" }`;
      const rule = world.ruleName(name);
      return `rule({ name: "${rule}_fancy", prio: 1, targets: { O: ["${target}", "optional"] }, ${deps}, cmd: "grep -qs x {S} && echo fancy${maker.mark} >{O}; :" });\n` +
        `rule({ name: "${rule}_plain", target: "${target}", ${deps}, cmd: "echo plain; cat {S} 2>/dev/null; :" });\n`;
    },
    make: (asked, world) => {
      if (asked !== name) return undefined;
      const plain = { ...maker, mark: 0 };
      return world.run(
        maker,
        `${name}_fancy`,
        name,
        [dep],
        (read) =>
          read.text(dep)?.includes("x") ? `fancy${maker.mark}\n` : undefined,
      ) ??
        world.run(
          plain,
          `${name}_plain`,
          name,
          [dep],
          (read) => `plain\n${read.text(dep) ?? ""}`,
        );
    },
    targets: () => [name],
  };
  return maker;
}

/** Two targets of one job, the second of which it makes now and then. */
export function pair(name: string, dep: string): Maker {
  const second = `${name}b`;
  const maker: Maker = {
    name,
    mark: 0,
    rules: (world) =>
      `rule({ name: "${world.ruleName(name)}", targets: { A: "${
        world.path(name)
      }", B: ["${world.path(second)}", "optional"] }, deps: { S: "${
        world.path(dep)
      }" }, cmd: "echo a${maker.mark} >tmp_${world.folder}_${name}; mv tmp_${world.folder}_${name} {A}; cat {S} >>{A} 2>/dev/null; grep -qs x {S} && echo b >{B}; :" });\n`,
    make: (asked, world) =>
      asked === name || asked === second
        ? world.run(maker, name, name, [dep], (read) => {
          const text = read.text(dep) ?? "";
          if (asked === name) return `a${maker.mark}\n${text}`;
          return text.includes("x") ? "b\n" : undefined;
        })
        : undefined,
    targets: () => [name, second],
  };
  return maker;
}

/** Name of the table of codes. */
export const TABLE = "tab";

/** Its dep, by way of a code and back. */
export function coded(name: string, dep: string): Maker {
  return single(
    name,
    [dep],
    (world, mark) => {
      const table = `-f ${world.path(TABLE)} -x c`;
      return `code=$(cat {D0} 2>/dev/null | lencode ${table}); ldecode ${table} -c $code; echo mark${mark}`;
    },
    (read, mark) => `${read.text(dep) ?? ""}mark${mark}\n`,
  );
}

/** A maker of one file out of static deps, whatever else it reads. */
function single(
  name: string,
  deps: readonly string[],
  command: (world: World, mark: number) => string,
  body: (read: Reader, mark: number) => string,
  flag?: string,
): Maker {
  const maker: Maker = {
    name,
    mark: 0,
    single: name,
    rules: (world) => {
      const keys = deps.map((dep, i) => {
        const file = JSON.stringify(world.path(dep));
        return `D${i}: ${flag ? `[${file}, "${flag}"]` : file}`;
      });
      return `rule({ name: "${world.ruleName(name)}", target: "${
        world.path(name)
      }", deps: { ${keys.join(", ")} }, cmd: ${
        JSON.stringify(command(world, maker.mark))
      } });\n`;
    },
    make: (asked, world) =>
      asked === name
        ? world.run(maker, name, name, deps, (read) => body(read, maker.mark))
        : undefined,
    targets: () => [name],
  };
  return maker;
}

function linkMaker(
  name: string,
  dep: string,
  command: string,
  to: (text: string) => string,
): Maker {
  const maker: Maker = {
    name,
    mark: 0,
    rules: (world) =>
      `rule({ name: "${world.ruleName(name)}", targets: { L: "${
        world.path(name)
      }" }, deps: { W: "${
        world.path(dep)
      }" }, cmd: "${command} # mark${maker.mark}" });\n`,
    make: (asked, world) =>
      asked === name
        ? world.run(maker, name, name, [dep], (read) => ({
          kind: "link",
          to: to(read.text(dep) ?? ""),
        }))
        : undefined,
    targets: () => [name],
  };
  return maker;
}

/** What {@linkcode includes} makes of a list, whatever its style. */
function included(read: Reader, name: string, list: string): string {
  return wordsOf(read.text(list) ?? "").map((word) =>
    isBelow(word, layerOf(name))
      ? read.text(word) ?? `no ${word}\n`
      : `skip ${word}\n`
  ).join("");
}

function layerOf(name: string): number {
  return Number(name[0]);
}

function isBelow(word: string, layer: number): boolean {
  return /^\d/.test(word) && layerOf(word) < layer;
}

function wordsOf(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}
