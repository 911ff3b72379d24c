/** What commands print that remove paths. */

import type { SkippedPath } from "../mod.ts";
import type { CommandContext } from "./command.ts";
import { formatBytes } from "./text.ts";

/** Prints each path, and how much space it makes. */
export function printRemoval(
  context: CommandContext,
  report: {
    removed: readonly string[];
    skipped: readonly SkippedPath[];
    bytesFreed: number;
    dryRun: boolean;
  },
): void {
  for (const path of report.removed) context.stdout(`${path}\n`);
  for (const { path, reason } of report.skipped) {
    context.stdout(`${path}: kept, ${reason}\n`);
  }
  const verb = report.dryRun ? "would be freed" : "freed";
  context.stdout(`${formatBytes(report.bytesFreed)} ${verb}\n`);
}
