/** Error codes of git sources. */

import type { Explanations } from "./codes.ts";

/** Entries for what fetching from git can fail with. */
export const gitErrors: Explanations = {
  CLIBS_GIT_URL: {
    title: "A git address is not one that clibs accepts",
    text:
      "Accepted are https, http, ssh, git and file URLs, scp-like addresses\n" +
      "(user@host:path) and absolute paths. Whatever git could take for an\n" +
      "option or a helper program (a leading `-`, or `::`) is refused.\n\n" +
      "Correct `git.repo` in pkg.yaml; if the address comes from a submodule,\n" +
      "report it to the maintainers of the repository.",
  },
  CLIBS_GIT_REF_NAME: {
    title: "A git ref is not a plain name",
    text:
      "`git.ref` is a branch, a tag, or a commit id. Ranges, expressions\n" +
      "(`HEAD~1`, `a..b`, `x@{1}`) and names with a leading `-` are refused.\n\n" +
      "Write the name or the commit id itself.",
  },
  CLIBS_GIT_REF: {
    title: "A git ref is not in the repository",
    text:
      "The server has no branch, tag or commit of that name, the id is too short\n" +
      "to be unique, or the name stands for something that is not a commit.\n\n" +
      "Compare with `git ls-remote`; the error names the nearest ref.",
  },
  CLIBS_GIT_COMMIT: {
    title: "The locked commit cannot be had any more",
    text:
      "pkg.lock.json pins a commit which the server no longer gives out, for\n" +
      "instance because a branch was force-pushed or a tag was moved.\n\n" +
      "Find out why; if the change is right, run `clibs update`.",
  },
  CLIBS_GIT_FETCH: {
    title: "git could not fetch from the server",
    text:
      "git's own last lines are shown. Usual causes: a wrong address, no\n" +
      "network, a proxy, an unknown certificate.\n\n" +
      "Try `git ls-remote` with the same address.",
  },
  CLIBS_GIT_AUTH: {
    title: "A git server asks for credentials",
    text:
      "clibs never prompts. It uses the credential helpers, ssh keys and\n" +
      "agents that git is configured with.\n\n" +
      "Make `git ls-remote` with that address work without a question: store\n" +
      "the credential, or add the key to the agent and the host to known_hosts.\n" +
      "A private repository and one that does not exist often look the same.",
  },
  CLIBS_GIT_STALL: {
    title: "A git server was silent for too long",
    text:
      "Nothing came from the server for the time shown, so the fetch was\n" +
      "ended. Nothing has to be cleaned up: run the command again.",
  },
  CLIBS_GIT_UNSAFE: {
    title: "A repository holds something that could do harm",
    text:
      "Refused are entries named `.git`, symbolic links that lead out of the\n" +
      "tree, and submodules that run commands, have no address or point at\n" +
      "local files. Nothing of it was run.\n\n" +
      "Use another ref, or report it to the maintainers.",
  },
  CLIBS_GIT_CACHE: {
    title: "A cached git repository is damaged or cannot be made",
    text:
      "clibs makes a damaged repository anew by itself when it may use the\n" +
      "network. If this stays, remove the folder that is shown and check the\n" +
      "disk's free space.",
  },
};
