/** How far `clibs make` has got, as one line. */

import type { MakeProgress } from "../mod.ts";
import { formatDuration } from "./text.ts";

/** The line, such as `12 done, 2 running, 5 waiting  ETA 8 s  Compile a.o 3 s`. */
export function statusLine(progress: MakeProgress): string {
  const { done, running, waiting, unknown, etaMs, longest } = progress;
  const counts = [
    `${done} done`,
    `${running} running`,
    `${waiting} waiting`,
    ...(unknown > 0 ? [`${unknown} unknown`] : []),
  ];
  return [
    counts.join(", "),
    ...(etaMs === undefined ? [] : [`ETA ${wholeSeconds(etaMs)}`]),
    ...(longest
      ? [
        `${longest.rule} ${longest.name} ${
          wholeSeconds(Math.max(0, longest.elapsedMs - 500))
        }`,
      ]
      : []),
  ].join("  ");
}

/** A time that changes once a second: tenths would only flicker. */
function wholeSeconds(ms: number): string {
  return formatDuration(Math.round(ms / 1000) * 1000).replace(".0", "");
}
