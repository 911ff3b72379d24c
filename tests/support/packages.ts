/** Packages for tests: small, real, and built by real commands. */

import { buildPackages, FeedbackBus } from "@clibs/cli";
import type { BuildOptions, BuildReport, FeedbackEvent } from "@clibs/cli";
import { TempDir } from "./temp.ts";

/** A folder with packages, a cache of its own, and a log of what happened. */
export class PackageSpace implements Disposable {
  readonly dir = new TempDir();
  readonly cache = new TempDir();
  /** Events of all calls so far. */
  readonly events: FeedbackEvent[] = [];
  /** Variables on top of the process's. */
  env: Record<string, string> = {};
  readonly #bus = new FeedbackBus();

  constructor(files: Record<string, string> = {}) {
    this.dir.write(files);
    this.#bus.subscribe((event) => this.events.push(event));
  }

  /** Options that point at this space. */
  get options(): BuildOptions {
    const env = { CLIBS_CACHE_DIR: this.cache.path, ...this.env };
    return {
      feedback: this.#bus,
      env: (name) => (env as Record<string, string>)[name],
    };
  }

  /** Builds packages below some of the folders; default: all. */
  async build(
    paths: string[] = ["."],
    options: BuildOptions = {},
  ): Promise<BuildReport> {
    return await buildPackages(
      paths.map((path) => this.dir.join(path)),
      { ...this.options, targets: [TARGET], ...options },
    );
  }

  /** Builds, and returns `name status reason` for each package. */
  async outcome(
    paths: string[] = ["."],
    options: BuildOptions = {},
  ): Promise<string[]> {
    const { packages } = await this.build(paths, options);
    return packages.map(({ name, status, reason }) =>
      `${name} ${status}${reason === "" ? "" : `: ${reason}`}`
    );
  }

  /** Packs a folder of sources as the release `name`, below one top folder. */
  tarball(name: string, files: Record<string, string>): void {
    using source = new TempDir();
    for (const [path, text] of Object.entries(files)) {
      source.write({ [`top/${path}`]: text });
    }
    const { success } = new Deno.Command("tar", {
      args: [
        "-czf",
        this.dir.join(name),
        `--mtime=@${TARBALL_TIME / 1000}`,
        "-C",
        source.path,
        "top",
      ],
    }).outputSync();
    if (!success) throw new Error("tar failed");
  }

  /** Messages of warnings so far. */
  warnings(): string[] {
    return this.events.filter((event) => event.level === "warn")
      .map((event) => event.message);
  }

  [Symbol.dispose](): void {
    this.dir[Symbol.dispose]();
    this.cache[Symbol.dispose]();
  }
}

/** Date of everything in the tarballs, in milliseconds since the epoch. */
export const TARBALL_TIME = 1_600_000_000_000;

/** The target of these tests; any native one would do. */
export const TARGET = "x86_64-linux-gnu";

/** A pkg.yaml with a build command that only uses the shell. */
export function packageYaml(
  command: string,
  more = "",
): string {
  const script = command.split("\n").map((line) => `    ${line}`).join("\n");
  return `version: "1.0"\n${more}build:\n  command: |\n${script}\n`;
}
