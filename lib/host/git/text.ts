/** Text from outside, made fit for messages. */

const CONTROL =
  // deno-lint-ignore no-control-regex
  /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** Whether a text could move the cursor, end a line or reverse its direction. */
export function hasControlCharacters(text: string): boolean {
  return text.search(CONTROL) >= 0;
}

/** Writes control characters as `\xNN` or `\u{NNNN}`. */
export function printable(text: string): string {
  return text.replace(CONTROL, (character) => {
    const code = character.charCodeAt(0);
    return code < 256
      ? `\\x${code.toString(16).padStart(2, "0")}`
      : `\\u{${code.toString(16)}}`;
  });
}

/**
 * Names that were probably meant, best first.
 *
 * @param name What was written.
 * @param candidates What there is.
 * @returns Those within a third of the name's length, in edits.
 */
export function nearestNames(
  name: string,
  candidates: readonly string[],
): string[] {
  const limit = Math.max(1, Math.floor(name.length / 3));
  return candidates
    .filter((other) => Math.abs(other.length - name.length) <= limit)
    .map((other) => ({ other, edits: editDistance(name, other) }))
    .filter(({ edits }) => edits <= limit)
    // Of equals the later name: for tags, usually the newer version.
    .sort((a, b) => a.edits - b.edits || (a.other < b.other ? 1 : -1))
    .map(({ other }) => other);
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(change, (previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1));
    }
    previous = row;
  }
  return previous[b.length] ?? 0;
}
