import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { cliArgs } from "../support/cli.ts";
import { has } from "../support/tools.ts";
import { TempDir } from "../support/temp.ts";

const frame = fileURLToPath(new URL("testdata/frame.ts", import.meta.url));

/** A tmux server of the test's own, with one window. */
class Terminal {
  #dir: TempDir;

  constructor(dir: TempDir) {
    this.#dir = dir;
  }

  /** Runs tmux; returns what it printed. */
  async tmux(...args: string[]): Promise<string> {
    const { stdout } = await new Deno.Command("tmux", {
      args: ["-f", "/dev/null", "-S", this.#dir.join("tmux"), ...args],
      stdin: "null",
    }).output();
    return new TextDecoder().decode(stdout);
  }

  /** The lines on the screen, without the empty ones at its end. */
  async screen(): Promise<string[]> {
    const text = await this.tmux("capture-pane", "-p");
    return text.trimEnd().split("\n");
  }

  /** Waits until the screen is as wanted; returns it. */
  async until(wanted: (lines: string[]) => boolean): Promise<string[]> {
    const end = Date.now() + 20_000;
    for (;;) {
      const lines = await this.screen();
      if (wanted(lines)) return lines;
      assert.ok(Date.now() < end, `the screen is\n${lines.join("\n")}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async start(columns: number, ...args: string[]): Promise<void> {
    const command = [Deno.execPath(), ...cliArgs(frame), ...args]
      .map((word) => `'${word}'`).join(" ");
    await this.tmux(
      "new-session",
      "-d",
      "-c",
      this.#dir.path,
      "-x",
      `${columns}`,
      "-y",
      "10",
      `env -u CI -u NO_COLOR -u FORCE_COLOR bash -c "${command}; ` +
        `echo exit \\$?; read -r"`,
    );
  }

  /** Whether the cursor is shown. */
  async cursor(): Promise<boolean> {
    const flag = await this.tmux("display-message", "-p", "#{cursor_flag}");
    return flag.trim() === "1";
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.tmux("kill-server");
  }
}

const withTmux = { ignore: !has("tmux") };

Deno.test(
  "a terminal shows the running tasks, and at the end what they did",
  withTmux,
  async () => {
    using dir = new TempDir();
    await using terminal = new Terminal(dir);
    await terminal.start(70, "build", "live");
    const lines = await terminal.until((lines) => lines.length >= 3);
    assert.equal(lines[0], "warning: a warning");
    assert.equal(
      lines[1],
      "fetch zlib-1.3.tar.gz  [==========          ] 50%  500.0 kB of 1.0 MB",
    );
    assert.match(
      lines[2]!,
      /^build bdwgc {2}\d+ s {2}\[ 50%\] Building C object \u6f22\u5b57\.o$/,
    );
    assert.equal(await terminal.cursor(), false);
    // Narrower while it runs: no line is left behind.
    await terminal.tmux("resize-window", "-x", "40");
    const narrow = await terminal.until((lines) =>
      lines.some((line) => line.endsWith("..."))
    );
    assert.equal(narrow.filter((line) => /^build bdwgc/.test(line)).length, 1);
    dir.write({ go: "" });
    const end = await terminal.until((lines) => lines.at(-1) === "exit 0");
    // tmux scrolls when it wraps lines anew, so more may stand above.
    assert.deepEqual(end.filter((line) => line !== "").slice(-3), [
      "fetch zlib-1.3.tar.gz (500.0 kB, 0.1 s)",
      "build bdwgc (0.1 s)",
      "exit 0",
    ]);
    assert.equal(await terminal.cursor(), true);
  },
);

Deno.test("Ctrl-C gives the terminal back", withTmux, async (t) => {
  for (const [scene, presses] of [["live", 1], ["deaf", 2]] as const) {
    await t.step(scene, async () => {
      using dir = new TempDir();
      await using terminal = new Terminal(dir);
      await terminal.start(70, "build", scene);
      await terminal.until((lines) => lines.some((l) => /^build /.test(l)));
      for (let i = 1; i <= presses; i++) {
        await terminal.tmux("send-keys", "C-c");
        await terminal.until((lines) =>
          lines.some((line) => /interrupted/.test(line))
        );
      }
      const end = await terminal.until((lines) => lines.at(-1) === "exit 130");
      assert.ok(!end.some((line) => /^build \w+ {2}\d/.test(line)), `${end}`);
      assert.equal(await terminal.cursor(), true);
    });
  }
});
