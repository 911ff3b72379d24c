/** Whether and how to colour. */

/** When to use colours, as `--color` says. */
export type ColorMode = "auto" | "always" | "never";

/**
 * Whether a stream gets colours.
 *
 * `--color` decides; with `auto`, NO_COLOR turns them off, else FORCE_COLOR
 * turns them on, else they are on if the stream is a terminal that is not
 * `dumb`. An empty variable counts as unset.
 */
export function wantsColor(
  mode: ColorMode,
  isTerminal: boolean,
  env: (name: string) => string | undefined,
): boolean {
  if (mode !== "auto") return mode === "always";
  if (env("NO_COLOR")) return false;
  const force = env("FORCE_COLOR");
  if (force) return force !== "0";
  return isTerminal && env("TERM") !== "dumb";
}

/** Marks text; without colours, returns it as it is. */
export interface Paint {
  (style: Style, text: string): string;
}

/** What text stands for. */
export type Style = "error" | "warn" | "good" | "strong" | "dim";

const CODES: Readonly<Record<Style, string>> = {
  error: "1;31",
  warn: "1;33",
  good: "32",
  strong: "1",
  dim: "2",
};

/** A {@linkcode Paint} that colours, or one that does not. */
export function painter(color: boolean): Paint {
  return (style, text) =>
    color && text !== "" ? `\x1b[${CODES[style]}m${text}\x1b[0m` : text;
}
