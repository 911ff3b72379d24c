/** What a pkg.yaml says for one target. */

import type { BuildSpec } from "./spec.ts";

/**
 * Whether a glob matches a whole target triple: `*` stands for any text, `?`
 * for one character.
 */
export function matchesTarget(pattern: string, target: string): boolean {
  const source = pattern.replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*").replaceAll("?", ".");
  return new RegExp(`^${source}$`).test(target);
}

/** The command and variables of a build for one target. */
export function buildForTarget(
  build: BuildSpec,
  target: string,
): { command: string; env: Record<string, string> } {
  const override = build.targets.find((candidate) =>
    matchesTarget(candidate.pattern, target)
  );
  return {
    command: override?.command ?? build.command,
    env: { ...build.env, ...override?.env },
  };
}
