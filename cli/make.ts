/** `clibs make`. */

import {
  make,
  type MakeEvent,
  profileReport,
  profileTrace,
  SERVER_WORD,
  UsageError,
  writeFirstLmakefile,
} from "../mod.ts";
import type { CommandContext } from "./command.ts";
import type { Flags } from "./commands.ts";
import { statusLine } from "./make_status.ts";

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
  const write = (text: string) => context.stderr(`${text}\n`);
  const { profile: tracePath, report: pagePath } = flags;
  // Before hours of work rather than after them.
  for (const path of [tracePath, pagePath]) {
    if (path !== undefined) writeFile(path, undefined);
  }
  // What jobs print would be mixed with a line that redraws itself.
  const isLive = context.live && !flags.liveOut;
  const status = (line: string) =>
    context.bus.emit("debug", "status", line, { line });
  const { profile, ...report } = await make({
    targets: args,
    jobs: flags.jobs,
    backendArgs: flags.backend,
    rerunErrors: flags.forgetErrors,
    all: flags.archive,
    retries: flags.retry,
    sourcesOk: flags.sourceOk,
    keepTmp: flags.keepTmp,
    cacheMethod: flags.cacheMethod,
    local: flags.local,
    noIncremental: flags.noIncremental,
    maxSubmits: flags.maxSubmits,
    maxRuns: flags.maxRuns,
    ...(flags.ignoreDeps
      ? { ignoredDeps: "all" as const }
      : flags.ignoreNonEssential
      ? { ignoredDeps: "nonEssential" as const }
      : {}),
    byJob: flags.job,
    rule: flags.rule,
    sync: flags.sync,
    verbose: context.verbose,
    ...(context.quiet || context.json ? {} : { onLine: write }),
    ...(context.json
      ? { onEvent: (event: MakeEvent) => void events.push(event) }
      : {}),
    ...(isLive
      ? { onProgress: (progress) => status(statusLine(progress)) }
      : {}),
    profile: tracePath !== undefined || pagePath !== undefined,
    ...(flags.liveOut && !context.json
      ? { onStdout: (chunk: Uint8Array) => void Deno.stdout.writeSync(chunk) }
      : {}),
    feedback: context.bus,
    signal: context.signal,
    serverCommand,
    asked: context.asked,
  }).finally(() => isLive && status(""));
  if (profile && tracePath !== undefined) {
    writeFile(tracePath, await profileTrace(profile));
  }
  if (profile && pagePath !== undefined) {
    writeFile(pagePath, await profileReport(profile));
  }
  context.result({ ...report, events });
  return report.ok ? 0 : 1;
}

/** @param text Nothing: only sees whether it can be written. */
function writeFile(path: string, text: string | undefined): void {
  try {
    using file = Deno.openSync(path, {
      write: true,
      create: true,
      truncate: text !== undefined,
    });
    const rest = new TextEncoder().encode(text);
    for (let at = 0; at < rest.length;) {
      at += file.writeSync(rest.subarray(at));
    }
  } catch (cause) {
    throw new UsageError(
      "CLIBS_USAGE_OUTPUT",
      `Cannot write ${path}: ${(cause as Error).message}`,
      { cause, hint: "name a file in a folder that exists and is writable" },
    );
  }
}

/** The command line of a server: this program again. */
function serverCommand(root: string): string[] {
  const program = Deno.build.standalone
    ? []
    : ["run", "--allow-all", "--quiet", "--no-check", Deno.mainModule];
  return [Deno.execPath(), ...program, SERVER_WORD, root];
}
