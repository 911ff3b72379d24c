/** Text from outside, made safe to print on a terminal. */

/**
 * Escapes what could move the cursor, recolour or reorder a terminal's text:
 * control characters (except tab) and the marks that turn writing around.
 *
 * @param text Any text; a newline is escaped too, so the result is one line.
 */
export function escapeControls(text: string): string {
  return text.replace(UNSAFE, (char) => {
    if (char === "\n") return "\\n";
    if (char === "\r") return "\\r";
    const code = char.charCodeAt(0);
    const hex = code.toString(16);
    return code < 256 ? `\\x${hex.padStart(2, "0")}` : `\\u${hex}`;
  });
}

/**
 * A command's output line as plain text: colours and other escape sequences
 * removed, of a line redrawn with carriage returns the last state, the rest
 * escaped.
 */
export function plainLine(line: string): string {
  const text = line.replace(SEQUENCES, "").replace(/\r+$/, "");
  return escapeControls(text.slice(text.lastIndexOf("\r") + 1));
}

const UNSAFE =
  // deno-lint-ignore no-control-regex
  /[\x00-\x08\x0a-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

// CSI and OSC sequences, the latter ended by BEL or ST.
const SEQUENCES =
  // deno-lint-ignore no-control-regex
  /\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[()][0-9A-B])/g;
