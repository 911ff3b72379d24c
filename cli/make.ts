/** `clibs make`. */

import { make, type MakeEvent, writeFirstLmakefile } from "../mod.ts";
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
  });
  context.result({ ...report, events });
  return report.ok ? 0 : 1;
}
