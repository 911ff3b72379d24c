/** A user's session: a folder, a cache and a home of its own, and the command. */

import { clibs, type CliResult } from "./cli.ts";
import { TempDir } from "./temp.ts";

/** A folder in which the real command is run. */
export class Session implements Disposable {
  readonly dir = new TempDir();
  readonly home = new TempDir();

  constructor(files: Record<string, string> = {}) {
    this.dir.write(files);
  }

  /** Variables that keep a run apart from the user's own files. */
  get env(): Record<string, string> {
    return {
      HOME: this.home.path,
      XDG_CACHE_HOME: this.home.join("cache"),
      CLIBS_CACHE_DIR: this.home.join("clibs"),
      // The packages of Deno itself are not what is tested here.
      DENO_DIR: Deno.env.get("DENO_DIR") ?? denoDir(),
    };
  }

  /** Runs `clibs` with some arguments in the folder. */
  async clibs(...args: string[]): Promise<CliResult> {
    return await clibs(args, { cwd: this.dir.path, env: this.env });
  }

  /** Runs it, and fails with its output if it fails. */
  async ok(...args: string[]): Promise<string> {
    const result = await this.clibs(...args);
    if (result.code !== 0) {
      throw new Error(
        `clibs ${args.join(" ")}: exit ${result.code}\n${result.stderr}`,
      );
    }
    return result.stdout;
  }

  /** Runs a bash script in the folder, and fails with its output if it fails. */
  async bash(script: string): Promise<string> {
    const { success, stdout, stderr } = await new Deno.Command("bash", {
      args: ["-ec", script],
      cwd: this.dir.path,
      env: this.env,
    }).output();
    const decoder = new TextDecoder();
    if (!success) throw new Error(`${script}\n${decoder.decode(stderr)}`);
    return decoder.decode(stdout);
  }

  /** A line to compare: paths and times replaced. */
  neutral(text: string): string {
    return text.replaceAll(this.dir.path, "DIR")
      .replaceAll(this.home.path, "HOME")
      .replace(/built in [\d.]+ (s|min( \d+ s)?)/g, "built in TIME")
      .replace(/\(([\d.]+ (B|kB|MB), )?[\d.]+ s\)/g, "(TIME)");
  }

  [Symbol.dispose](): void {
    this.dir[Symbol.dispose]();
    this.home[Symbol.dispose]();
  }
}

function denoDir(): string {
  return new URL(
    JSON.parse(new TextDecoder().decode(
      new Deno.Command(Deno.execPath(), { args: ["info", "--json"] })
        .outputSync().stdout,
    )).denoDir,
    "file:///",
  ).pathname;
}
