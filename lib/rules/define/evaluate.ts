/** Calls attributes that are functions, for one job. */

import { ClibsError } from "../../errors.ts";
import { named } from "./report.ts";
import type { DefinedRule } from "./session.ts";

/**
 * The value of an attribute for a job, in its normal form.
 *
 * @param context Stems, targets, deps and resources by name; star targets are
 *   added.
 * @throws {ClibsError} `CLIBS_LMAKE_DYNAMIC` if the value is of a wrong kind.
 *   What the function throws is thrown on.
 */
export async function evaluate(
  { functions, spec, stars, vars }: DefinedRule,
  attribute: string,
  context: Readonly<Record<string, unknown>>,
): Promise<unknown> {
  const call = functions[attribute];
  if (call === undefined) {
    throw new ClibsError(
      "CLIBS_BUG",
      `Unexpected failure: ${attribute} of rule ${spec.name} is no function`,
    );
  }
  const stems = context as Record<string, string>;
  const j: Record<string, unknown> = { ...context, vars };
  for (const { key, pattern } of stars) {
    const bound = pattern.bind(
      Object.fromEntries(
        pattern.stems.map((name) => [name, stems[name] ?? ""]),
      ),
    );
    j[key] = (...values: string[]) => bound.expand(values);
  }
  try {
    return await call(j);
  } catch (error) {
    throw named(
      "use",
      {
        what: `${attribute} of the rule ${spec.name}`,
        code: "CLIBS_LMAKE_DYNAMIC",
      },
      "what the function returned",
      error,
    );
  }
}
