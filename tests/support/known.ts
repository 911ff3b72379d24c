/** What a tracer knows, in the words of the tests. */

import { type AccessLog, KIND } from "../../lib/trace/access.ts";
import type { Kind } from "./calls.ts";
import { toBytes } from "./oracle.ts";

/** What a tracer knows of one path. */
export interface Known {
  kinds: ReadonlySet<Kind>;
  wrote: boolean;
  first?: "found" | "absent" | "error";
}

/** What a tracer's log says of each path, by bytes. */
export function knownOf(log: AccessLog): Map<string, Known> {
  const known = new Map<string, Known>();
  for (const access of log.accesses.values()) {
    const kinds = Object.entries(KIND).filter(([, bit]) => access.kinds & bit)
      .map(([kind]) => kind as Kind);
    known.set(toBytes(access.path), {
      kinds: new Set(kinds),
      wrote: access.firstWrite !== 0 || access.folder || access.attributes,
      first: access.met,
    });
  }
  return known;
}
