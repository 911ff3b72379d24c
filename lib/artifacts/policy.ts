/** Where an artifact may come from, and in which order the places are tried. */

import { UsageError } from "../errors.ts";
import { nearest } from "../nearest.ts";

/** The policies, by name. */
export const POLICIES = [
  "prefer_prebuilt",
  "prefer_cache",
  "build_only",
  "prebuilt_only",
] as const;

/**
 * Where an artifact is taken from.
 *
 * - `prefer_prebuilt`: prebuilt, then cache, then a build
 * - `prefer_cache`: cache, then prebuilt, then a build
 * - `build_only`: always a build
 * - `prebuilt_only`: never a build
 */
export type Policy = typeof POLICIES[number];

/** A place that artifacts come from. */
export type Origin = "prebuilt" | "cache" | "build";

const ORIGINS: Record<Policy, readonly Origin[]> = {
  prefer_prebuilt: ["prebuilt", "cache", "build"],
  prefer_cache: ["cache", "prebuilt", "build"],
  build_only: ["build"],
  prebuilt_only: ["prebuilt"],
};

/** The places that a policy allows, in the order in which they are tried. */
export function originsOf(policy: Policy): readonly Origin[] {
  return ORIGINS[policy];
}

/**
 * Reads the name of a policy.
 *
 * @throws {UsageError} `CLIBS_POLICY` if there is none of that name.
 */
export function parsePolicy(text: string): Policy {
  const found = POLICIES.find((policy) => policy === text);
  if (found) return found;
  const near = nearest(text, POLICIES);
  throw new UsageError(
    "CLIBS_POLICY",
    `Cannot use the policy ${JSON.stringify(text)}: there is none of that name`,
    {
      facts: {
        policies: POLICIES.join(", "),
        ...(near ? { nearest: near } : {}),
      },
      hint: `use ${near ?? POLICIES[0]}`,
    },
  );
}
