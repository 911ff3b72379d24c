/** What a job is told of a dep by a verbose `depend()`. */

import type { Outcome } from "./state.ts";

/** State and checksum of a dep as one text, which is a dep itself. */
export function toldText(
  outcome: Outcome | undefined,
  ignoresError: boolean,
): string {
  if (!outcome) return "unknown";
  return `${outcome.failure && ignoresError ? "error" : "ok"} ${outcome.sum}`;
}
