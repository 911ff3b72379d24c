/** `clibs repair`. */

import { repairState, repairTables } from "../mod.ts";
import type { CommandContext } from "./command.ts";
import { table } from "./table.ts";

/** Runs the command; returns its exit code. */
export async function run(
  context: CommandContext,
  tables: string[],
): Promise<number> {
  if (tables.length > 0) return await runTables(context, tables);
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

async function runTables(
  context: CommandContext,
  folders: string[],
): Promise<number> {
  const tables = await repairTables(folders);
  context.result({ tables });
  for (const { table: name, codes, recoded, dropped } of tables) {
    context.stdout(table([
      [`codes in ${name}`, String(codes)],
      ...recoded.map(({ context, before, code }) => [
        `now ${code} in ${context}`,
        before,
      ]),
      ...dropped.map((entry) => ["led nowhere", entry]),
    ]));
  }
  return 0;
}
