/** Errors of archives. */

import type { Explanations } from "./codes.ts";

/** What `clibs explain` says about archives that cannot be unpacked. */
export const archiveErrors: Explanations = {
  CLIBS_ARCHIVE_UNSAFE: {
    title: "An archive has an entry that must not be unpacked",
    text: "An entry has an absolute name, `..` or control characters in its\n" +
      "name, is a device or a fifo, is a link that leads out of the tree, or\n" +
      "would be written through a link. The same code is used for entries that\n" +
      "two programs could read differently, as that is how checks are evaded.\n\n" +
      "Nothing is written outside the folder, and no part of the archive is\n" +
      "used. Ask its publisher; a repacked archive (`tar czf`) works.",
  },
  CLIBS_ARCHIVE_CORRUPT: {
    title: "An archive is damaged or cut short",
    text: "The archive ends early, has a wrong checksum, or has data where\n" +
      "there should be none. Most often a download was interrupted, or a proxy\n" +
      "changed it.\n\n" +
      "Download it again. If it stays so, compare its SHA-256 with the\n" +
      "publisher's.",
  },
  CLIBS_ARCHIVE_UNSUPPORTED: {
    title: "An archive uses a feature that clibs does not read",
    text: "Sparse files, names that are not UTF-8, encrypted or split zip\n" +
      "files, and rare compression methods are not supported.\n\n" +
      "Repack the archive with `tar czf`, or set `extract: false` on the file\n" +
      "in pkg.yaml and unpack it in `build.command`.",
  },
  CLIBS_ARCHIVE_TOO_LARGE: {
    title: "An archive unpacks to far more than it should",
    text: "The archive has more than 5 million entries, more than 64 GiB of\n" +
      "content, or more than 400 times its own size. Archives like this are\n" +
      "made to fill a disk.\n\n" +
      "Check where it came from. A real one can be unpacked in\n" +
      "`build.command`, with `extract: false` on the file.",
  },
  CLIBS_ARCHIVE_UNKNOWN: {
    title: "A file is not an archive of a known kind",
    text:
      "Archives are recognised by their content: tar (plain, gzip, bzip2,\n" +
      "xz, zstd), zip and gzip. A file with the right name can still be an\n" +
      "error page which a server sent.\n\n" +
      "Look at the file. If it is not meant to be unpacked, set\n" +
      "`extract: false`.",
  },
  CLIBS_ARCHIVE_NOT_EMPTY: {
    title: "The folder to unpack into is not empty",
    text: "An archive is only unpacked into a new or empty folder, so that\n" +
      "nothing which is there already can redirect or mix with its entries.\n\n" +
      "Remove the folder or choose another one.",
  },
};
