/** Error codes of the tables of `encode` and `decode`. */

import type { Explanations } from "./codes.ts";

/** Entries for what coding and decoding values can fail with. */
export const rulesCodecErrors: Explanations = {
  CLIBS_CODEC_TABLE: {
    title: "A table of codes cannot be used",
    text:
      "`encode` and `decode` take a regular source file of the repo (links to it\n" +
      "are followed), or a folder below a source dir, whose name ends in `/`.\n" +
      "A file that a job makes, that is missing or lies outside cannot be one.\n\n" +
      "Create the file (empty will do) and add it to the sources.",
  },
  CLIBS_CODEC_CODE: {
    title: "A table has no such code",
    text:
      "Codes come from `encode`, or are written into the table by hand. The\n" +
      "code may be of another context, or its line was removed or got another\n" +
      "code when two users' tables were merged.\n\n" +
      "Run the job again that made the code, or add the line.",
  },
  CLIBS_CODEC_CONTEXT: {
    title: "A context of a table is not a plain relative path",
    text:
      "In a table that is a folder each context is a folder in it. It must be\n" +
      "relative, without empty parts, `.` or `..`, must not end in `/`, and no\n" +
      "part may end in `.encode` or `.decode`.\n\n" +
      "Use a name such as `ctx` or `a/b`.",
  },
  CLIBS_CODEC_LENGTH: {
    title: "The least length of a code is out of range",
    text:
      "A new code is made of the first digits of a checksum of 16 digits, so\n" +
      "its least length is a whole number from 1 to 16. A value that has a code\n" +
      "already keeps it, whatever its length.",
  },
  CLIBS_CODEC_CONFIG: {
    title: "The settings of a table are not understood",
    text:
      "`LMAKE/config.ts` in the table's folder is read, not run: it holds\n" +
      '`export const file_sync = "none"`, `"dir"` or `"sync"`, and\n' +
      '`export const perm = "none"`, `"group"` or `"other"`; `config.json` an\n' +
      "object with the same two names.\n\n" +
      "Correct the file; without it `dir` and `none` are used.",
  },
  CLIBS_CODEC_DAMAGED: {
    title: "A table that is a folder contradicts itself",
    text:
      "A code leads to another value than it was made for, which happens when\n" +
      "files in it were edited or copied by hand.\n\n" +
      "Run `clibs repair FOLDER` while no job uses it.",
  },
};
