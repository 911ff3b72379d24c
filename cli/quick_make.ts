/** The shortest way for `clibs make` with names, and what is often given. */

import type { AskedServer, MakeReport } from "../mod.ts";

/** Asks a server; see `askQuickly` in lib. */
export type Ask = (
  options: { targets: string[]; jobs?: number },
  wants: { lines: boolean; progress: boolean },
) => Promise<
  { lines: readonly string[]; report: MakeReport } | AskedServer | undefined
>;

/** What is understood of a command line. */
interface Line {
  targets: string[];
  jobs?: number;
  quiet: boolean;
}

/**
 * Makes files if the repo has a server, and it is done at once.
 *
 * @returns The exit code; or the server that was asked, if it takes longer;
 *   undefined if none was.
 */
export async function quickMake(
  argv: readonly string[],
  ask: Ask,
): Promise<number | AskedServer | undefined> {
  const env = (name: string) => Deno.env.get(name) ?? "";
  if (Deno.build.os !== "linux" || env("CLIBS_MAKE_SERVER") === "0") {
    return undefined;
  }
  if (env("LMAKE_ARGS").trim() !== "") return undefined;
  const line = understand(argv);
  if (!line) return undefined;
  const { quiet, ...options } = line;
  const answer = await ask(options, {
    lines: !quiet,
    progress: !quiet && Deno.stderr.isTerminal(),
  });
  if (!answer || !("lines" in answer)) return answer;
  if (!quiet) print(answer.lines.map((text) => `${text}\n`).join(""));
  return answer.report.ok ? 0 : 1;
}

/** Reads a command line; undefined if it is for the parser of all commands. */
function understand([command, ...words]: readonly string[]): Line | undefined {
  if (command !== "make") return undefined;
  const line: Line = { targets: [], quiet: false };
  for (const word of words) {
    const jobs = /^-j([1-9]\d?)$/.exec(word)?.[1];
    if (jobs) line.jobs = Number(jobs);
    else if (word === "-q") line.quiet = true;
    else if (word === "" || word.startsWith("-")) return undefined;
    else line.targets.push(word);
  }
  return line;
}

/** What `streams.ts` does, which would be loaded with all of `mod.ts`. */
function print(text: string): void {
  let rest = new TextEncoder().encode(text);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(Deno.stderr.writeSync(rest));
    } catch (error) {
      // The reader made the pipe non-blocking, and it is full.
      if (!(error instanceof Deno.errors.WouldBlock)) return;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}
