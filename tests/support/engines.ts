/** A project with engines in a temporary folder. */

import type { FeedbackEvent } from "../../lib/feedback/bus.ts";
import { FeedbackBus } from "../../lib/feedback/bus.ts";
import type { BuildEngineOptions } from "../../lib/engines/options.ts";
import { TempDir } from "./temp.ts";
import { PYTHON } from "./tools.ts";

/** The smallest engine. */
export const ANSWER = `extern "C" int answer() { return 42; }\n`;

/** A project, and what was reported about it. */
export class EngineSpace implements Disposable {
  readonly dir = new TempDir();
  readonly events: FeedbackEvent[] = [];
  readonly #bus = new FeedbackBus();

  /** @param files Contents by path; sources are below `core/engines`. */
  constructor(files: Record<string, string>) {
    this.dir.write({ "deno.json": "{}", ...files });
    this.#bus.subscribe((event) => this.events.push(event));
  }

  /** Options for the calls for engines. */
  get options(): BuildEngineOptions {
    return {
      sourceDir: this.dir.join("core/engines"),
      feedback: this.#bus,
      python: PYTHON,
      env: (name) =>
        name === "CLIBS_CACHE_DIR"
          ? this.dir.join("user-cache")
          : Deno.env.get(name),
    };
  }

  /** Messages of some level, with the folder's name replaced. */
  messages(level: string): string[] {
    return this.events.filter((event) => event.level === level)
      .map(({ message }) => this.neutral(message));
  }

  /** How many compiles have been started. */
  get builds(): number {
    return this.events.filter(({ code }) => code === "task.start").length;
  }

  /** Text with the folder and ABI keys replaced. */
  neutral(text: string): string {
    return text.replaceAll(Deno.realPathSync(this.dir.path), "DIR")
      .replaceAll(/(ffi|napi|pybind11)-[\w.+-]+-[0-9a-f]{12}/g, "$1-KEY")
      .replaceAll(/[0-9a-f]{64}/g, "DIGEST");
  }

  /** The only folder of prebuilts, or of the cache, of a kind. */
  folder(parent: "assets/binaries" | ".clibs/cache", kind = "ffi"): string {
    const [name] = [...Deno.readDirSync(this.dir.join(parent))]
      .map((entry) => entry.name).filter((n) => n.startsWith(`${kind}-`));
    return `${parent}/${name}`;
  }

  [Symbol.dispose](): void {
    this.dir[Symbol.dispose]();
  }
}

/** A test that loads engines, which stay loaded as long as the process. */
export function engineTest(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, fn, sanitizeResources: false });
}

/** Runs a command to its end, and fails with its output if it fails. */
export function run(command: string, args: string[], cwd: string): string {
  const output = new Deno.Command(command, { args, cwd }).outputSync();
  const decoder = new TextDecoder();
  if (output.success) return decoder.decode(output.stdout);
  throw new Error(
    `${command} ${args.join(" ")}: ${decoder.decode(output.stderr)}`,
  );
}
