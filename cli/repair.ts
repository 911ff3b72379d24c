/** `clibs repair`. */

import { repairState } from "../mod.ts";
import type { CommandContext } from "./command.ts";
import { table } from "./table.ts";

/** Runs the command; returns its exit code. */
export async function run(context: CommandContext): Promise<number> {
  const report = await repairState({ feedback: context.bus });
  context.result({ ...report });
  context.stdout(table([
    ["jobs", String(report.jobs)],
    ["torn records removed", String(report.torn)],
    ["targets as their jobs left them", String(report.targets)],
    ["targets that are not there", String(report.missing.length)],
    ["targets changed since", String(report.changed.length)],
    ["marks kept", String(report.marks)],
  ]));
  const named = [
    ...context.verbose ? report.missing.map((file) => ["missing", file]) : [],
    ...report.changed.map((file) => ["changed", file]),
  ];
  context.stdout(table(named));
  return 0;
}
