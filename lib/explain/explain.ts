/** Looks up what an error code means. */

import { type ErrorCode, UsageError } from "../errors.ts";
import type { Explanation } from "./codes.ts";
import { nearest } from "../nearest.ts";

/**
 * Explains an error code.
 *
 * @param code As printed after an error; in any case, with or without `CLIBS_`.
 * @returns What has gone wrong, why, and what to do.
 * @throws {UsageError} `CLIBS_EXPLAIN_UNKNOWN` if there is no such code.
 *
 * @example Usage
 * ```ts
 * import { explain } from "@clibs/cli";
 *
 * const { title } = await explain("CLIBS_DISK_FULL");
 * console.log(title);
 * ```
 */
export async function explain(
  code: string,
): Promise<Explanation & { code: ErrorCode }> {
  const { catalogue } = await import("./mod.ts");
  const upper = code.toUpperCase();
  for (const known of [upper, `CLIBS_${upper}`] as ErrorCode[]) {
    const explanation = catalogue.get(known);
    if (explanation) return { code: known, ...explanation };
  }
  const near = nearest(upper, catalogue.keys()) ??
    nearest(`CLIBS_${upper}`, catalogue.keys());
  throw new UsageError(
    "CLIBS_EXPLAIN_UNKNOWN",
    `Cannot explain ${JSON.stringify(code)}: there is no such error code`,
    {
      facts: near ? { nearest: near } : {},
      hint: near ? `clibs explain ${near}` : "clibs explain",
    },
  );
}

/** Every error code with its explanation, sorted by code. */
export async function explanations(): Promise<[ErrorCode, Explanation][]> {
  const { catalogue } = await import("./mod.ts");
  return [...catalogue] as [ErrorCode, Explanation][];
}
