/** Splits a stream of bytes into lines of text. */

/** Longest line that is passed on whole; the rest of a longer one is dropped. */
const MAX_LINE_BYTES = 64 * 1024;

/**
 * Calls `onLine` for each line of a stream; a last line without an end counts.
 * A carriage return ends a line as well: progress meters overwrite themselves.
 */
export async function readLines(
  stream: ReadableStream<Uint8Array>,
  onLine: (line: string) => void,
): Promise<void> {
  let rest = "";
  let dropping = false;
  const decoder = new TextDecoder();
  const take = (text: string) => {
    const lines = (rest + text).split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? "";
    for (const line of lines) {
      if (dropping) dropping = false;
      else onLine(line);
    }
    if (rest.length > MAX_LINE_BYTES) {
      if (!dropping) onLine(rest.slice(0, MAX_LINE_BYTES));
      dropping = true;
      rest = "";
    }
  };
  for await (const chunk of stream) {
    take(decoder.decode(chunk, { stream: true }));
  }
  take(decoder.decode());
  const last = rest.replace(/\r$/, "");
  if (last !== "" && !dropping) onLine(last);
}
