/** What a pkg.yaml says for one target. */

import type { BuildSpec } from "./spec.ts";

/**
 * Whether a glob matches a whole target triple: `*` stands for any text, `?`
 * for one character.
 */
export function matchesTarget(pattern: string, target: string): boolean {
  // By hand: as a regular expression, many stars take exponential time.
  let at = 0;
  let star = -1;
  let starAt = 0;
  let next = 0;
  while (at < target.length) {
    const wanted = pattern[next];
    if (wanted === "*") {
      star = next++;
      starAt = at;
    } else if (wanted === "?" || wanted === target[at]) {
      next++;
      at++;
    } else if (star >= 0) {
      // The last star takes one character more.
      next = star + 1;
      at = ++starAt;
    } else {
      return false;
    }
  }
  while (pattern[next] === "*") next++;
  return next === pattern.length;
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
