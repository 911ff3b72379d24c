import assert from "node:assert/strict";
import { renderError } from "../../cli/render_error.ts";
import { ClibsError } from "../../mod.ts";

const plain = { color: false, verbose: false };

Deno.test("renderError() aligns facts and continues lines below their text", () => {
  const error = new ClibsError(
    "CLIBS_BUG",
    "Cannot read a/pkg.yaml: two problems\na/pkg.yaml:3:1 one\n\ntwo",
    {
      facts: { repo: "https://example.com/gc.git", "last lines": "a\n\nb\n" },
      hint: "do this\nand that",
    },
  );
  assert.equal(
    renderError(error, plain),
    `error: Cannot read a/pkg.yaml: two problems
  a/pkg.yaml:3:1 one

  two
  repo        https://example.com/gc.git
  last lines  a

              b
hint: do this
      and that
more: clibs explain CLIBS_BUG
`,
  );
});

Deno.test("renderError() escapes control characters wherever they are", () => {
  const error = new ClibsError("CLIBS_BUG", "a\x1b[31mb\r\u202e", {
    facts: { "f\x07": "g\x9b\x00h\ti" },
    hint: "j\x7f",
  });
  assert.equal(
    renderError(error, plain),
    "error: a\\x1b[31mb\\r\\u202e\n  f\\x07  g\\x9b\\x00h\ti\nhint: j\\x7f\n" +
      "more: clibs explain CLIBS_BUG\n",
  );
});

Deno.test("renderError() colours only its own words", () => {
  const error = new ClibsError("CLIBS_BUG", "message", { hint: "hint" });
  assert.equal(
    renderError(error, { ...plain, color: true }),
    "\x1b[1;31merror:\x1b[0m message\n\x1b[32mhint:\x1b[0m hint\n" +
      "\x1b[2mmore: clibs explain CLIBS_BUG\x1b[0m\n",
  );
});

Deno.test("renderError() survives a cause that causes itself", () => {
  const cause = new Error("round");
  cause.cause = cause;
  const error = new ClibsError("CLIBS_BUG", "message", { cause });
  const text = renderError(error, { ...plain, verbose: true });
  assert.equal(text.match(/caused by: Error: round/g)?.length, 10);
});
