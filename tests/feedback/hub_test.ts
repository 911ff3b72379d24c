import { deepEqual, equal, ok } from "node:assert/strict";
import { FeedbackHub } from "../../lib/feedback/hub.ts";
import { TempDir } from "../support/temp.ts";

Deno.test("FeedbackHub writes to a file, and to another, and stops", () => {
  using dir = new TempDir();
  const hub = new FeedbackHub();
  hub.setFileSink(dir.join("logs/one.log"));
  hub.log("success", "built");
  hub.setFileSink(dir.join("two.jsonl"));
  hub.log("engine", "printed");
  hub.setFileSink(undefined);
  hub.log("error", "nobody hears");
  ok(/^\S+Z SUCCESS built\n$/.test(dir.read("logs/one.log")));
  const event = JSON.parse(dir.read("two.jsonl"));
  deepEqual([event.level, event.message], ["engine", "printed"]);
});

Deno.test("FeedbackHub shows levels on standard error, and stops", async () => {
  const hub = new URL("../../lib/feedback/hub.ts", import.meta.url).href;
  using dir = new TempDir();
  dir.write({
    "a.ts": `import { feedback } from "${hub}";
feedback.enableConsole();
feedback.enableConsole(true);
for (const level of ["info", "warn", "error", "success", "engine"] as const) {
  feedback.log(level, \`\${level} \\x1b[31mtext\`);
}
feedback.emit("debug", "note", "hidden", { about: "x" });
feedback.enableConsole(false);
feedback.log("info", "hidden");
const events: string[] = [];
const leave = feedback.subscribe(({ message }) => events.push(message));
feedback.log("info", "seen");
leave();
feedback.log("info", "hidden");
console.log(events.join());
`,
  });
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", "--no-check", "a.ts"],
    cwd: dir.path,
  }).output();
  const decoder = new TextDecoder();
  equal(decoder.decode(stdout), "seen\n");
  equal(
    decoder.decode(stderr),
    `INFO info text
WARN warn text
ERROR error text
SUCCESS success text
ENGINE engine text
`,
  );
});
