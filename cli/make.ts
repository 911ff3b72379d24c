/** `clibs make`. */

import {
  make,
  type MakeEvent,
  SERVER_WORD,
  writeFirstLmakefile,
} from "../mod.ts";
import type { CommandContext } from "./command.ts";
import type { Flags } from "./commands.ts";

/** Runs the command; returns its exit code. */
export async function run(
  context: CommandContext,
  args: string[],
  flags: Flags<"make">,
): Promise<number> {
  if (flags.init) {
    const files = await writeFirstLmakefile(".");
    context.result({ files });
    context.stdout(files.map((file) => `wrote ${file}\n`).join(""));
    return 0;
  }
  const events: MakeEvent[] = [];
  const write = (text: string) => {
    if (!context.quiet && !context.json) {
      Deno.stderr.writeSync(new TextEncoder().encode(`${text}\n`));
    }
  };
  const report = await make({
    targets: args,
    jobs: flags.jobs,
    rerunErrors: flags.forgetErrors,
    all: flags.archive,
    retries: flags.retry,
    sourcesOk: flags.sourceOk,
    keepTmp: flags.keepTmp,
    verbose: context.verbose,
    onLine: write,
    onEvent: (event) => void events.push(event),
    ...(flags.liveOut && !context.json
      ? { onStdout: (chunk: Uint8Array) => void Deno.stdout.writeSync(chunk) }
      : {}),
    feedback: context.bus,
    signal: context.signal,
    serverCommand,
  });
  context.result({ ...report, events });
  return report.ok ? 0 : 1;
}

/** The command line of a server: this program again. */
function serverCommand(root: string): string[] {
  const program = Deno.build.standalone
    ? []
    : ["run", "--allow-all", "--quiet", "--no-check", Deno.mainModule];
  return [Deno.execPath(), ...program, SERVER_WORD, root];
}
