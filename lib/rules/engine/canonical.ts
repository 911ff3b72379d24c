/** Where a path of a job leads, through the links of the repo. */

import { dirname, resolve } from "node:path";
import { isLink, readLinkNs } from "../../host/statx.ts";
import type { Files } from "./files.ts";

/** The kernel gives up after as many links. */
const MAX_LINKS = 40;

/** How a path is followed. */
export interface CanonicalOptions {
  /** Whether a link in its last place is followed too. */
  follow: boolean;
  /** Gets each link on the way, by its name in the repo, with its checksum. */
  onLink(file: string, sum: string): void;
  /** Gets each name on the way that there is nothing of. */
  onNothing(file: string, sum: string): void;
}

/** The path without links, as far as they lie in the repo. */
export function canonicalPath(
  files: Files,
  path: string,
  options: CanonicalOptions,
  links = 0,
): string {
  const parts = path.split("/").filter((part) => part !== "");
  let done = "";
  for (const [i, part] of parts.entries()) {
    done += `/${part}`;
    if (i === parts.length - 1 && !options.follow) break;
    const file = files.name(done);
    if (file === undefined || file === "" || links > MAX_LINKS) continue;
    const { stat, sum } = files.look(file);
    if (!stat) options.onNothing(file, sum);
    if (!stat || !isLink(stat)) continue;
    options.onLink(file, sum);
    const target = resolve(dirname(done), readLinkNs(done) ?? "");
    const rest = parts.slice(i + 1).join("/");
    const next = rest === "" ? target : `${target}/${rest}`;
    return canonicalPath(files, next, options, links + 1);
  }
  return done;
}
