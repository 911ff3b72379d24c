/** What editors and `deno check` make of rules: nothing here needs to run. */

import { lmake, rule, sourceRule } from "../../lib/rules/define/mod.ts";
import { defined } from "./define_support.ts";

/** Compiles only if both types are the same. */
function same<A, B>(
  _proof: (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2)
    ? true
    : false,
): void {}

Deno.test("commands know their stems, targets, deps, resources and vars", () => {
  defined(() =>
    rule({
      name: "A",
      stems: { N: /\d+/ },
      targets: {
        OBJ: "{F:a{2,3}[^\\}x]}/{N}.o",
        PART: ["parts/{F}{N}/{K*:\\w+}-{*:.*}-{K*}.txt", "optional", "-phony"],
      },
      deps: (j) => {
        same<typeof j.F, string>(true);
        // @ts-expect-error deps are not known while they are made
        j.SRC;
        return { SRC: `${j.F}.c`, X: [j.N, "critical"] };
      },
      dep: "{F}.in",
      vars: { x: [1, 2], y: "s" },
      resources: { mem: "2G", lic: 1 },
      environ: (j) => ({ A: j.SRC + j.dep + j.lic.toFixed() + j.mem.at(0) }),
      cmd: async (j) => {
        same<typeof j.PART, (...stems: [string, string]) => string>(true);
        same<typeof j.OBJ, string>(true);
        same<typeof j.vars.x, number[]>(true);
        const state = await j.lmake.depend(j.SRC, j.X, { verbose: true });
        state[j.F]?.ok;
        // @ts-expect-error there is no such name
        j.FOO;
        // @ts-expect-error `target` is not used
        j.target;
        // @ts-expect-error it has two star stems
        j.PART("a");
        // @ts-expect-error there is no such option
        await j.lmake.depend(j.SRC, { verbos: true });
      },
    })
  );
});

Deno.test("single targets and deps, braces and methods", () => {
  defined(() =>
    rule({
      name: "B",
      target: "x{{y}}{A:.}{B:\\}}",
      deps: { S: "s" },
      cmd(j) {
        same<typeof j.A | typeof j.B | typeof j.S | typeof j.target, string>(
          true,
        );
        same<typeof j.cpu, number>(true);
        // @ts-expect-error `dep` is not used
        j.dep;
        // @ts-expect-error literal braces are no stem
        j.y;
      },
    })
  );
});

Deno.test("computed patterns may be names or functions", () => {
  const pattern: string = `${"x"}{N*:.}`;
  defined(() =>
    rule({
      name: "C",
      targets: { X: pattern },
      cmd: (j) => {
        const name: string = j.X;
        return name + j.X("a");
      },
    })
  );
});

Deno.test("a base that is spread keeps its types", () => {
  const base = { stderrOk: true, deps: { TOOL: "tool.sh" } };
  defined(() =>
    rule({
      ...base,
      name: "D",
      target: "d",
      cmd: ({ TOOL, lmake }) => lmake.xxhsumFile(TOOL),
    })
  );
});

/** Never called: what stands here would be refused. */
export function misspelt(): void {
  // @ts-expect-error a misspelt attribute
  rule({ name: "A", target: "a", stderrOK: true, cmd: "" });
  // @ts-expect-error a misspelt flag of a target
  rule({ name: "A", targets: { A: ["x", "optinal"] }, cmd: "" });
  // @ts-expect-error a misspelt flag of a dep
  rule({ name: "A", target: "a", deps: { B: ["y", "critcal"] }, cmd: "" });
  // @ts-expect-error a misspelt flag of a side dep
  rule({ name: "A", target: "a", sideDeps: { B: ["y", "ignored"] }, cmd: "" });
  // @ts-expect-error a flag that only jobs may use
  rule({ name: "A", target: "a", deps: { B: ["y", "noStar"] }, cmd: "" });
  // @ts-expect-error a wrong type
  rule({ name: "A", target: "a", timeout: "3", cmd: "" });
  // @ts-expect-error an attribute that cannot be a function
  rule({ name: "A", target: "a", stderrOk: () => true, cmd: "" });
  // @ts-expect-error no command
  rule({ name: "A", target: "a" });
  // @ts-expect-error no name
  rule({ target: "a", cmd: "" });
  // @ts-expect-error source rules run nothing
  sourceRule({ target: "a", cmd: "" });
  // @ts-expect-error a misspelt setting
  lmake.config = { pathMx: 3 };
  // @ts-expect-error a wrong word
  lmake.config.systemDeps = "files";
  // @ts-expect-error variables are read only
  lmake.userEnviron.CC = "gcc";
}
