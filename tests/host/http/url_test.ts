import { equal } from "node:assert/strict";
import { redactUrl } from "../../../lib/host/http/url.ts";

const cases: [string, string][] = [
  ["https://example.org/a.tgz", "https://example.org/a.tgz"],
  ["https://me:secret@example.org/a", "https://example.org/a"],
  ["https://token@example.org/a", "https://example.org/a"],
  [
    "https://example.org/a?X-Sig=abc&v=1",
    "https://example.org/a?X-Sig=***&v=1",
  ],
  ["https://example.org/a\x1b[31m", "https://example.org/a%1B[31m"],
  ["https://example.org/a#access=abc", "https://example.org/a"],
  ["https://me:sec/ret@[bad/a?b=c", "https://[bad/a?***"],
  ["../relative", "../relative"],
  ["/home/a@b/\x1b[31m?", "/home/a@b/\\x1b[31m?"],
];

Deno.test("redactUrl() hides what is secret", async (t) => {
  for (const [url, expected] of cases) {
    await t.step(expected, () => equal(redactUrl(url), expected));
  }
});
