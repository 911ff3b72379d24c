/**
 * The environment and options under which git runs.
 *
 * Commands that talk to a server see the user's configuration, because that is
 * where credential helpers, proxies, certificates and `url.insteadOf` are.
 * Commands that only read the cache and write the work tree see none at all:
 * no filter, attribute or hook of the machine can change or run anything.
 */

import { quoteWord } from "../shell.ts";
import type { GitAddress } from "./address.ts";

/**
 * Variables of git that are passed on. They are how CI hands over keys,
 * certificates and configuration files. All others are dropped: most would
 * point git at the repository from whose hook clibs was started (`GIT_DIR`,
 * `GIT_INDEX_FILE`), weaken checks (`GIT_SSL_NO_VERIFY`), or print secrets
 * (`GIT_TRACE*`).
 */
const PASSED_ON = new Set([
  "GIT_ASKPASS",
  "GIT_CONFIG_GLOBAL",
  "GIT_CONFIG_NOSYSTEM",
  "GIT_CONFIG_SYSTEM",
  "GIT_EXEC_PATH",
  "GIT_HTTP_PROXY_AUTHMETHOD",
  "GIT_HTTP_USER_AGENT",
  "GIT_PROXY_SSL_CAINFO",
  "GIT_PROXY_SSL_CERT",
  "GIT_PROXY_SSL_KEY",
  "GIT_SSH_COMMAND",
  "GIT_SSH_VARIANT",
  "GIT_SSL_CAINFO",
  "GIT_SSL_CAPATH",
  "GIT_SSL_CERT",
  "GIT_SSL_KEY",
]);

/**
 * What git may speak when an address of each kind is asked for: what the user's
 * `url.insteadOf` may turn it into. Without `http` in the first line, a server
 * cannot redirect https to http. Submodule addresses are checked by themselves.
 */
const ALLOWED: Record<GitAddress["transport"], string> = {
  https: "https:ssh:file",
  http: "http:https:ssh:file",
  git: "git:https:http:ssh:file",
  ssh: "ssh:https:file",
  file: "file",
};

/** Options before every git command. They win over every configuration file. */
const SAFE_CONFIG = [
  "core.hooksPath=/dev/null",
  // Empty is "off" for every version; "false" was the name of a program once.
  "core.fsmonitor=",
  "core.attributesFile=/dev/null",
  "core.excludesFile=/dev/null",
  "core.alternateRefsCommand=true",
  "core.autocrlf=false",
  "core.eol=lf",
  "core.safecrlf=false",
  "core.protectHFS=true",
  "core.protectNTFS=true",
  "core.sparseCheckout=false",
  "init.templateDir=",
  "protocol.version=2",
  "protocol.ext.allow=never",
  "transfer.bundleURI=false",
  "fetch.recurseSubmodules=false",
  "fetch.prune=false",
  "fetch.writeCommitGraph=false",
  "submodule.recurse=false",
  "http.followRedirects=initial",
  "credential.interactive=false",
  "gc.auto=0",
  "maintenance.auto=false",
  "advice.detachedHead=false",
];

/** Options and environment of one git command. */
export interface GitSetting {
  /** Options before the command's name. */
  options: string[];
  /** The whole environment. */
  env: Record<string, string>;
}

/** For commands that read and write files only. */
export function localSetting(
  gitDir: string,
  inherited: Record<string, string> = Deno.env.toObject(),
): GitSetting {
  return {
    options: safeOptions(),
    env: {
      ...baseEnvironment(inherited),
      // Versions before 2.32 know no GIT_CONFIG_GLOBAL: move their home.
      HOME: gitDir,
      XDG_CONFIG_HOME: gitDir,
      GIT_CONFIG_GLOBAL: "/dev/null",
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_ATTR_NOSYSTEM: "1",
      GIT_ALLOW_PROTOCOL: "",
      GIT_NO_LAZY_FETCH: "1",
    },
  };
}

/** For commands that talk to the server at `address`. */
export function remoteSetting(
  address: GitAddress,
  stallMs: number,
  inherited: Record<string, string> = Deno.env.toObject(),
): GitSetting {
  const env = baseEnvironment(inherited);
  for (const [name, value] of Object.entries(inherited)) {
    if (PASSED_ON.has(name)) env[name] = value;
  }
  Object.assign(env, {
    // Overrides `protocol.*` of every configuration file, and of `-c`.
    GIT_ALLOW_PROTOCOL: ALLOWED[address.transport],
    GIT_HTTP_LOW_SPEED_LIMIT: "1",
    GIT_HTTP_LOW_SPEED_TIME: String(Math.max(1, Math.ceil(stallMs / 1000))),
    // Set, if empty: otherwise git falls back to SSH_ASKPASS, a window.
    GIT_ASKPASS: env.GIT_ASKPASS ?? "",
    // Set, so that core.sshCommand is not asked. BatchMode: fail, never ask.
    GIT_SSH_COMMAND: env.GIT_SSH_COMMAND ??
      (inherited.GIT_SSH
        ? quoteWord(inherited.GIT_SSH)
        : "ssh -oBatchMode=yes"),
  });
  return {
    options: [...safeOptions(), ...credentialOptions(address, env)],
    env,
  };
}

function safeOptions(): string[] {
  return SAFE_CONFIG.flatMap((setting) => ["-c", setting]);
}

function baseEnvironment(
  inherited: Record<string, string>,
): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(inherited)) {
    if (!/^GIT_/i.test(name)) env[name] = value;
  }
  return Object.assign(env, {
    // Messages are matched, so they have to be English.
    LC_ALL: "C",
    LANGUAGE: "",
    GIT_TERMINAL_PROMPT: "0",
    GIT_OPTIONAL_LOCKS: "0",
    GIT_NO_REPLACE_OBJECTS: "1",
    GIT_PAGER: "cat",
  });
}

/**
 * A password from the address goes through the environment, which only the
 * same user can read; arguments can be read by everybody. It is bound to its
 * origin, so that a redirect cannot send it elsewhere.
 */
function credentialOptions(
  { credential }: GitAddress,
  env: Record<string, string>,
): string[] {
  if (!credential) return [];
  env.CLIBS_GIT_USER = credential.user;
  env.CLIBS_GIT_PASSWORD = credential.password;
  const helper = '!f() { test "$1" = get && printf "username=%s\\n' +
    'password=%s\\n" "$CLIBS_GIT_USER" "$CLIBS_GIT_PASSWORD"; }; f';
  return [
    // An empty one drops those of the configuration files, which would
    // otherwise be asked first and be told to store the password.
    "-c",
    "credential.helper=",
    "-c",
    `credential.${credential.origin}.helper=${helper}`,
  ];
}
