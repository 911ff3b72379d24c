/** Regular expressions of stems, and how they become part of a pattern's. */

/** A stem's regular expression within that of a pattern. */
export interface EmbeddedRegex {
  /** Source for the flags `s` and `u`. */
  source: string;
  /** Groups it captures. */
  groups: number;
}

/**
 * Prepares the regular expression of a stem for use inside another.
 *
 * Its back references go on meaning its own groups, and its named groups get
 * names that no other stem has. Punctuation may be escaped without need, as
 * other dialects allow.
 *
 * @param regex What the user wrote.
 * @param groupsBefore Groups that the whole captures before this one.
 * @param id Unique in the whole.
 * @throws {SyntaxError} If it is no regular expression.
 */
export function embedRegex(
  regex: string,
  groupsBefore: number,
  id: number,
): EmbeddedRegex {
  // By itself first: `a)(b` would be fine within parentheses.
  compile(rewrite(regex, 0, 0).source);
  return rewrite(regex, groupsBefore, id);
}

/** Text as a regular expression that matches just it. */
export function escapeRegex(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}

/** Compiles with the flags of patterns. */
export function compile(source: string): RegExp {
  return new RegExp(source, "su");
}

/** What is wrong with a regular expression, from the error of its compilation. */
export function regexProblem(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const cause = message.slice(message.lastIndexOf("/su: ") + 5);
  return cause.charAt(0).toLowerCase() + cause.slice(1);
}

function rewrite(
  regex: string,
  groupsBefore: number,
  id: number,
): EmbeddedRegex {
  let source = "";
  let groups = 0;
  let inClass = false;
  for (let at = 0; at < regex.length; at++) {
    const rest = regex.slice(at);
    const escape = /^\\(?:([1-9]\d*)|k<([^>]*)>|([\s\S]))/u.exec(rest);
    const named = inClass ? null : /^\(\?<([^=!>][^>]*)>/u.exec(rest);
    if (escape) {
      const [whole, number, name, char] = escape;
      at += whole.length - 1;
      if (inClass && !char) source += whole;
      else if (number) source += `(?:\\${Number(number) + groupsBefore})`;
      else if (name !== undefined) source += `\\k<u${id}_${name}>`;
      else if (isNeedlessEscape(char!, inClass)) source += char;
      else source += whole;
    } else if (named) {
      groups++;
      at += named[0].length - 1;
      source += `(?<u${id}_${named[1]}>`;
    } else {
      const char = rest[0]!;
      if (char === "[") inClass = true;
      else if (char === "]") inClass = false;
      else if (char === "(" && !inClass && rest[1] !== "?") groups++;
      source += char;
    }
  }
  return { source, groups };
}

/** Whether the flag `u` forbids an escape that stands for the character itself. */
function isNeedlessEscape(char: string, inClass: boolean): boolean {
  if (char === "-") return !inClass;
  return !/[A-Za-z0-9^$\\.*+?()[\]{}|/]/.test(char);
}
