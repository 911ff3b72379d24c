/** Writes a pkg.yaml for an archive or a repository. */

import { basename, dirname, join, relative, resolve } from "node:path";
import { ClibsError, UsageError } from "../errors.ts";
import { lstatIfExists, removeTree, writeFileAtomic } from "../host/files.ts";
import {
  type BuildGuess,
  type BuildSystem,
  guessBuild,
  guessNameVersion,
  versionOfTag,
} from "./guess.ts";
import { PACKAGE_FILE } from "./layout.ts";
import {
  type FetchContext,
  fetchContext,
  type FetchOptions,
} from "./options.ts";
import { type PackageDescription, renderPackageYaml } from "./render_spec.ts";

/** Options of {@linkcode initPackage}. */
export interface InitOptions extends FetchOptions {
  /** Folder for the pkg.yaml. Default: the name, below the current folder. */
  dir?: string;
  /** Name of the package. Default: guessed from the address. */
  name?: string;
  /** Version. Default: guessed from the address or the tag. */
  version?: string;
  /** Branch, tag or commit; makes the address a repository's. Default: newest tag. */
  ref?: string;
  /** Build command. Default: guessed from the sources. */
  command?: string;
  /** Replace a pkg.yaml that is there. Default: false. */
  force?: boolean;
}

/** Result of {@linkcode initPackage}. */
export interface InitReport {
  /** Version of this form. */
  version: 1;
  /** Absolute path of the pkg.yaml. */
  path: string;
  /** Name of the package. */
  name: string;
  /** Version of the library. */
  packageVersion: string;
  /** The build system found. */
  system: BuildSystem;
  /** The file that gave it away. */
  why: string;
}

/** What a pkg.yaml is written from. */
interface Description {
  name?: string;
  version: string;
  /** The sources, for a pkg.yaml in some folder. */
  source: (dir: string) => Pick<PackageDescription, "git" | "files">;
  guess: BuildGuess;
}

/**
 * Looks into an archive or a git repository and writes a pkg.yaml that fetches
 * it and builds it as its build system is usually run.
 *
 * @param address URL or path of an archive, or address of a repository.
 * @throws {ClibsError} `CLIBS_INIT_EXISTS`, or what fetching throws.
 */
export async function initPackage(
  address: string,
  options: InitOptions = {},
): Promise<InitReport> {
  const context = fetchContext(options);
  const guessed = options.name ?? guessNameVersion(address).name;
  // Before anything is fetched, where the address alone shows the folder.
  if (guessed !== undefined) pathFor(guessed, options);
  const tmp = Deno.makeTempDirSync({ prefix: "clibs-init-" });
  try {
    const isGit = options.ref !== undefined || looksLikeGit(address);
    const found = isGit
      ? await fromGit(address, options, context, join(tmp, "src"))
      : await fromArchive(address, options, context, join(tmp, "src"));
    const name = options.name ?? found.name;
    if (name === undefined) throw nameNeeded(address);
    const path = pathFor(name, options);
    const dir = dirname(path);
    const guess = options.command === undefined ? found.guess : {
      ...found.guess,
      command: options.command,
    };
    const text = renderPackageYaml({
      schema: schemaUrl(),
      name: basename(dir) === name ? undefined : name,
      version: found.version,
      ...found.source(dir),
      command: guess.command,
    });
    // A name or version from outside may be one that pkg.yaml cannot have.
    const { parsePackageSpec } = await import("./parse_spec.ts");
    await parsePackageSpec(new TextEncoder().encode(text), path);
    Deno.mkdirSync(dir, { recursive: true });
    writeFileAtomic(path, text);
    return {
      version: 1,
      path,
      name,
      packageVersion: found.version,
      system: guess.system,
      why: guess.why,
    };
  } finally {
    removeTree(tmp);
  }
}

/** Where the pkg.yaml goes, unless one is there that must stay. */
function pathFor(name: string, options: InitOptions): string {
  const path = join(resolve(options.dir ?? name), PACKAGE_FILE);
  if (lstatIfExists(path) && !options.force) throw exists(path);
  return path;
}

function looksLikeGit(address: string): boolean {
  if (/\.git\/?$/.test(address)) return true;
  if (/^(git|ssh|git\+ssh):/i.test(address)) return true;
  if (/^[\w.-]+@[\w.-]+:/.test(address)) return true;
  return lstatIfExists(join(address, ".git")) !== undefined;
}

async function fromGit(
  address: string,
  options: InitOptions,
  context: FetchContext,
  into: string,
): Promise<Description> {
  const { checkoutGit, latestGitTag } = await import("../host/git/mod.ts");
  const isLocal = lstatIfExists(address) !== undefined;
  const repo = isLocal ? resolve(address) : address;
  const ref = options.ref ?? (await latestGitTag(repo, context.signal))?.tag;
  if (ref === undefined) {
    throw new UsageError(
      "CLIBS_INIT_REF",
      "Cannot write a pkg.yaml: the repository has no tags to choose from",
      { hint: "name a branch or commit with --ref" },
    );
  }
  const guessed = guessNameVersion(address);
  await checkoutGit({
    what: options.name ?? guessed.name ?? "the repository",
    repo,
    ref,
    submodules: false,
    into,
    cache: context.cache,
    offline: context.offline,
    stallMs: context.stallMs,
    signal: context.signal,
    feedback: context.feedback,
  });
  return {
    name: guessed.name,
    version: options.version ?? versionOfTag(ref),
    source: (dir) => ({
      git: { repo: isLocal ? pathFrom(dir, address) : address, ref },
    }),
    guess: guessBuild(into),
  };
}

async function fromArchive(
  address: string,
  options: InitOptions,
  context: FetchContext,
  into: string,
): Promise<Description> {
  const { download } = await import("../host/http/download.ts");
  const { extractArchive } = await import("../host/archive/mod.ts");
  const guessed = guessNameVersion(address);
  const isUrl = /^[a-z][a-z0-9+.-]*:\/\//i.test(address);
  const filename = address.replace(/[?#].*$/, "").split("/").at(-1) ?? "";
  const file = await download({
    urls: [isUrl ? address : resolve(address)],
    filename,
    cache: context.cache,
    mirrors: context.mirrors,
    offline: context.offline,
    stallMs: context.stallMs,
    signal: context.signal,
    feedback: context.feedback,
    what: options.name ?? guessed.name ?? "the archive",
  });
  Deno.mkdirSync(into, { recursive: true });
  await extractArchive(file.path, into, {
    strip: "auto",
    name: filename,
    signal: context.signal,
  });
  return {
    name: guessed.name,
    version: options.version ?? guessed.version ?? "0",
    source: (dir) => ({
      files: [{
        url: isUrl ? address : pathFrom(dir, address),
        sha256: file.sha256,
      }],
    }),
    guess: guessBuild(into),
  };
}

/** A path as pkg.yaml has it: it cannot be taken for a URL or an option. */
function pathFrom(dir: string, path: string): string {
  const found = relative(dir, resolve(path));
  return found.startsWith(".") ? found : `./${found}`;
}

/**
 * Where the JSON Schema of this version is published; undefined for a copy on
 * a disk, whose path would mean nothing to others.
 */
function schemaUrl(): string | undefined {
  const url = new URL("../../schema/pkg.schema.json", import.meta.url);
  return url.protocol === "https:" ? url.href : undefined;
}

function nameNeeded(address: string): UsageError {
  return new UsageError(
    "CLIBS_INIT_NAME",
    "Cannot write a pkg.yaml: the address shows no name for the package",
    { facts: { address }, hint: "give one with --name" },
  );
}

function exists(path: string): ClibsError {
  return new ClibsError(
    "CLIBS_INIT_EXISTS",
    "Cannot write a pkg.yaml: there is one already",
    { facts: { file: path }, hint: "use --force to replace it, or --dir" },
  );
}
