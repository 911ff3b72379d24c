/** Turns the ways in which git fails into errors that say what to do. */

import { ClibsError } from "../../errors.ts";
import type { GitAddress } from "./address.ts";
import type { GitOutput } from "./run.ts";
import { nearestNames, printable } from "./text.ts";

/** For whom git works: names and places for messages. */
export interface Subject {
  /** Name of the package. */
  what: string;
  /** Where the ref is written. */
  asked?: string;
  /** The repository. */
  address: GitAddress;
  /** The ref, as written. */
  ref: string;
}

const AUTH =
  /could not read (Username|Password)|Authentication failed|terminal prompts disabled|Permission denied \(|Host key verification failed|error: 40[13]\b|Invalid username or/i;

/** Facts that every message has. */
export function facts(subject: Subject): Record<string, string> {
  return {
    repo: printable(subject.address.shown),
    ...(subject.asked === undefined ? {} : { asked: printable(subject.asked) }),
  };
}

function title(subject: Subject, why: string): string {
  return `Cannot fetch ${printable(subject.what)}: ${why}`;
}

/** Whether another way of asking the same server is pointless. */
export function isFinal(output: GitOutput): boolean {
  return output.stalled || output.lines.some((line) => AUTH.test(line)) ||
    isTooSlow(output);
}

function isTooSlow(output: GitOutput): boolean {
  return output.lines.some((line) => /Operation too slow/.test(line));
}

/** The error for a failed command that talks to a server. */
export function remoteFailure(
  subject: Subject,
  output: GitOutput,
  stallMs: number,
): ClibsError {
  const shown = facts(subject);
  const said = lastWords(output);
  if (said !== "") shown.git = said;
  const hint = `check that \`git ls-remote ${shown.repo}\` works`;
  if (output.stalled || isTooSlow(output)) {
    return new ClibsError(
      "CLIBS_GIT_STALL",
      title(subject, `the git server was silent for ${stallMs / 1000} s`),
      { facts: shown, hint: "run the command again; clibs keeps what it has" },
    );
  }
  if (output.lines.some((line) => AUTH.test(line))) {
    return new ClibsError(
      "CLIBS_GIT_AUTH",
      title(subject, "the git server asks for credentials"),
      { facts: shown, hint },
    );
  }
  return new ClibsError("CLIBS_GIT_FETCH", title(subject, "git failed"), {
    facts: shown,
    hint,
  });
}

function lastWords(output: GitOutput): string {
  const telling = output.lines.filter((line) =>
    /^(fatal|error|remote|ssh):/.test(line)
  );
  const lines = telling.length > 0 ? telling : output.lines;
  return lines.slice(-3).join("; ").slice(0, 600);
}

/** The ref is no branch, tag or commit; `names` are those that there are. */
export function refNotFound(
  subject: Subject,
  names: readonly string[],
): ClibsError {
  const nearest = nearestNames(subject.ref, names)[0];
  const ref = printable(subject.ref);
  const place = subject.asked?.replace(/(:\d+)+$/, "");
  const where = place === undefined ? "" : ` in ${printable(place)}`;
  return new ClibsError(
    "CLIBS_GIT_REF",
    title(subject, `git ref "${ref}" is not in the repository`),
    {
      facts: {
        ...facts(subject),
        ...(nearest === undefined ? {} : { nearest: printable(nearest) }),
      },
      hint: nearest === undefined
        ? `list the names with \`git ls-remote ${
          printable(subject.address.shown)
        }\``
        : `set \`ref: ${printable(nearest)}\`${where}`,
    },
  );
}

/** The ref is there but stands for something else, or for several things. */
export function refUnusable(
  subject: Subject,
  why: string,
  hint: string,
): ClibsError {
  const ref = printable(subject.ref);
  return new ClibsError(
    "CLIBS_GIT_REF",
    title(subject, `git ref "${ref}" ${why}`),
    { facts: facts(subject), hint },
  );
}

/** A commit that was pinned is not to be had any more. */
export function commitGone(subject: Subject, commit: string): ClibsError {
  return new ClibsError(
    "CLIBS_GIT_COMMIT",
    title(subject, "the locked commit is not in the repository any more"),
    {
      facts: { ...facts(subject), ref: printable(subject.ref), commit },
      hint: `lock what the ref stands for now with \`clibs update ${
        printable(subject.what)
      }\``,
    },
  );
}

/** Something is needed that the cache does not have. */
export function offline(subject: Subject): ClibsError {
  return new ClibsError(
    "CLIBS_OFFLINE",
    title(
      subject,
      `git ref "${
        printable(subject.ref)
      }" is not in the cache, and clibs is offline`,
    ),
    { facts: facts(subject), hint: "run the command again without --offline" },
  );
}

/** The repository holds something that could do harm. */
export function unsafe(
  subject: Subject,
  why: string,
  more: Record<string, string>,
): ClibsError {
  return new ClibsError("CLIBS_GIT_UNSAFE", title(subject, why), {
    facts: {
      ...facts(subject),
      ...Object.fromEntries(
        Object.entries(more).map(([name, value]) => [name, printable(value)]),
      ),
    },
    hint: "report it to the maintainers of the repository; use another ref",
  });
}
