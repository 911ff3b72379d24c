/** What jobs need, in numbers. */

import { ClibsError } from "../../errors.ts";

/** Amounts by name; `mem` and `tmp` in megabytes. */
export type Amounts = Readonly<Record<string, number>>;

/**
 * Amounts as numbers: `2`, `"2"`, and for `mem` and `tmp` also `"512M"`,
 * `"4G"`, which come out in megabytes.
 *
 * @throws {ClibsError} `CLIBS_LMAKE_RESOURCE` for anything else.
 */
export function parseAmounts(
  given: Readonly<Record<string, number | string>>,
): Record<string, number> {
  return Object.fromEntries(
    Object.entries(given).map((
      [name, value],
    ) => [name, parseAmount(name, value)]),
  );
}

const UNITS: Record<string, number> = {
  k: 2 ** 10,
  m: 2 ** 20,
  g: 2 ** 30,
  t: 2 ** 40,
};

function parseAmount(name: string, value: number | string): number {
  if (typeof value === "number" && value >= 0) return value;
  const match = /^(\d+(?:\.\d+)?)\s*([kmgt]?)i?b?$/i.exec(String(value));
  if (!match) {
    throw new ClibsError(
      "CLIBS_LMAKE_RESOURCE",
      `Cannot use ${
        JSON.stringify(value)
      } of the resource ${name}: it is no amount`,
      { hint: "write a number, or for mem and tmp such as 512M or 4G" },
    );
  }
  const unit = match[2]!.toLowerCase();
  const bytes = Number(match[1]) * (UNITS[unit] ?? 1);
  const inMegabytes = name === "mem" || name === "tmp";
  return inMegabytes && unit !== "" ? Math.ceil(bytes / UNITS["m"]!) : bytes;
}
