/** A first `Lmakefile.ts`. */

import { version } from "../../version.ts";

/**
 * Files of a new repo, by name: rules to begin with, and the configuration by
 * which editors find their types.
 */
export function initialLmakefile(): Record<string, string> {
  const [major, minor] = version.split(".");
  return {
    "Lmakefile.ts": LMAKEFILE,
    "deno.json": `${
      JSON.stringify(
        {
          imports: {
            "@clibs/cli/lmake": `jsr:@clibs/cli@^${major}.${minor}/lmake`,
          },
        },
        null,
        2,
      )
    }\n`,
  };
}

const LMAKEFILE = `import { dirRule, lmake, rule } from "@clibs/cli/lmake";

lmake.checkVersion("${version.split(".")[0]}");

// Compiles any C source. Headers need not be listed: what gcc reads is seen.
rule({
  name: "Compile",
  targets: { OBJ: "{File:.*}.o" },
  deps: { SRC: "{File}.c" },
  cmd: async (j) => {
    await j.lmake.runCc("gcc", "-O2", "-c", "-o", j.OBJ, j.SRC);
  },
});

// Links a program: \`clibs make hello\` makes hello of hello.c.
rule({
  name: "Link",
  targets: { EXE: "{Name:\\\\w+}" },
  deps: { OBJ: "{Name}.o" },
  cmd: "gcc -o {EXE} {OBJ}",
});

// Folders that a compiler searches exist before it does.
dirRule();
`;
