/** Errors of what jobs ask their runner for. */

import type { Explanations } from "./codes.ts";

/** Explanations of the codes in lib/rules/job and lib/rules/channel. */
export const rulesJobErrors: Explanations = {
  CLIBS_JOB_ARGUMENT: {
    title: "A function of the job module got arguments that it cannot use",
    text:
      `The message names the function and the argument: an option that does not exist,
two options that exclude each other (\`regexpr\` with \`read\`, \`verbose\` with
\`direct\`), an empty file name, a length of codes outside 1 to 16, a folder that
leads out of the current one. Correct the call in the \`cmd\` of the rule.

The programs \`ldepend\`, \`ltarget\`, … end with exit code 11 in that case and print
their options.`,
  },
  CLIBS_JOB_CHANNEL: {
    title: "A job cannot talk to its runner",
    text:
      `Jobs ask \`clibs make\` through the socket named in CLIBS_JOB_SOCKET. The runner
has ended, the socket was removed, or the two are of different versions. A job that
runs under \`clibs make\` has all of it set up; do not set the variable yourself.`,
  },
  CLIBS_JOB_COMMAND: {
    title: "A command that a job ran through runCc failed",
    text:
      `\`runCc\` throws when the command does not end with exit code 0, cannot be started,
or would run although a dep of the job is in error. What the command itself said is
on the job's stderr, above the message. Catch the error in \`cmd\` if the job can go
on without the result.`,
  },
  CLIBS_JOB_ENDED: {
    title: "A process asked the runner for a job that has ended",
    text:
      `Something that a job started is still running after the job has ended, and uses
\`ldepend\` or another function of jobs. Its accesses cannot count any more. Have the
command wait for what it starts, or set \`killDaemons\` on the rule.`,
  },
  CLIBS_JOB_OUTSIDE: {
    title: "A job function was called where no job runs",
    text:
      `\`depend\`, \`target\` and the others tell the runner about one running job. While
\`Lmakefile.ts\` is read there is none. Call them in the function that is the \`cmd\` of
a rule, through its argument (\`j.lmake.depend("x")\`) or through an import.`,
  },
};
