/** Profiles as files; what draws them is loaded at the first call. */

import type { BuildProfile } from "./profile.ts";

/**
 * A profile of `make` as a timeline for ui.perfetto.dev and Chrome, in the
 * Trace Event Format (JSON): a row for each slot, the critical path marked.
 */
export async function profileTrace(profile: BuildProfile): Promise<string> {
  return (await import("./trace_events.ts")).profileTrace(profile);
}

/**
 * A profile of `make` as a page of HTML that needs no other file: totals,
 * timeline, critical path, slowest jobs.
 */
export async function profileReport(profile: BuildProfile): Promise<string> {
  return (await import("./report.ts")).profileReport(profile);
}
