/** Error codes of result caches. */

import type { Explanations } from "./codes.ts";

/** Entries for what sharing results between repos can fail with. */
export const rulesCacheErrors: Explanations = {
  CLIBS_LMAKE_CACHE: {
    title: "A result cache is not set up",
    text:
      "The `cache` of a rule names one of `lmake.config.caches`, which says where\n" +
      'it is and how large it may become: `{ dir: "/some/folder", size: "20G" }`.\n' +
      "A relative folder is below the root of the repo. Sizes are a number of\n" +
      "bytes with `K`, `M`, `G` or `T` behind it; 10G if none is given.\n\n" +
      "Add the cache to the settings, or take `cache` out of the rule.",
  },
};
