import { deepEqual } from "node:assert/strict";
import { readLines } from "../../lib/jobs/lines.ts";

async function linesOf(chunks: string[]): Promise<string[]> {
  const lines: string[] = [];
  const encoder = new TextEncoder();
  await readLines(
    ReadableStream.from(chunks.map((chunk) => encoder.encode(chunk))),
    (line) => lines.push(line),
  );
  return lines;
}

const cases: [string, string[], string[]][] = [
  ["nothing", [], []],
  ["no end on the last line", ["a\nb"], ["a", "b"]],
  ["an empty line", ["a\n\nb\n"], ["a", "", "b"]],
  ["a line over chunks", ["a", "b\nc", "\n"], ["ab", "c"]],
  ["Windows ends", ["a\r\nb\r\n"], ["a", "b"]],
  ["a Windows end cut in two", ["a\r", "\nb"], ["a", "b"]],
  ["a progress meter", ["10%\r20%\r", "done\n"], ["10%", "20%", "done"]],
];

Deno.test("readLines() splits a stream into lines", async (t) => {
  for (const [name, chunks, expected] of cases) {
    await t.step(
      name,
      async () => deepEqual(await linesOf(chunks), expected),
    );
  }
});

Deno.test("readLines() joins a character that two chunks share", async () => {
  const bytes = new TextEncoder().encode("é\n");
  const lines: string[] = [];
  const stream = ReadableStream.from([bytes.slice(0, 1), bytes.slice(1)]);
  await readLines(stream, (line) => lines.push(line));
  deepEqual(lines, ["é"]);
});

Deno.test("readLines() keeps the beginning of a line without end", async () => {
  const chunks = Array.from({ length: 40 }, () => "x".repeat(4096));
  const lines = await linesOf([...chunks, "\nnext\n"]);
  deepEqual(lines.map((line) => line.length > 60_000), [true, false]);
  deepEqual(lines[1], "next");
});
