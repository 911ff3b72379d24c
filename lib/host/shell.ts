/** Words of command lines, and lists of folders as variables hold them. */

/** A word as a POSIX shell reads it literally; in quotes if it needs them. */
export function quoteWord(text: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(text)
    ? text
    : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** A command as a POSIX shell runs it literally. */
export function commandLine(words: readonly string[]): string {
  return words.map(quoteWord).join(" ");
}

/** Splits a command or flags at blanks. */
export function splitWords(text: string | undefined): string[] {
  return (text ?? "").split(/\s+/).filter((word) => word !== "");
}

/** The folders of a variable such as PATH, on systems that join them by colons. */
export function splitPaths(text: string | undefined): string[] {
  return (text ?? "").split(":").filter((path) => path !== "");
}
