/** A gzip file that holds one file, not an archive. */

import type { Budget } from "./budget.ts";
import type { FaultReporter } from "./failure.ts";
import { safeComponents } from "./names.ts";
import type { TreeWriter } from "./tree.ts";

/**
 * Writes the content as one file.
 *
 * The name in the gzip header is not used: it is the packer's, not the
 * user's. Its date is, unless it is zero.
 */
export async function writeGzContent(
  path: string,
  content: AsyncGenerator<Uint8Array>,
  tree: TreeWriter,
  budget: Budget,
  faults: FaultReporter,
  options: { name: string },
): Promise<void> {
  faults.begin(options.name);
  const components = safeComponents(options.name, faults);
  budget.addEntry(0);
  if (!tree.openFile([components.at(-1) ?? "content"], 0o666)) return;
  for await (const chunk of content) {
    budget.addUnpacked(chunk.length);
    budget.addContent(chunk.length);
    tree.write(chunk);
  }
  const seconds = headerTime(path);
  tree.closeFile(seconds === 0 ? undefined : { seconds, nanos: 0 });
  faults.end();
}

function headerTime(path: string): number {
  using file = Deno.openSync(path);
  const header = new Uint8Array(8);
  file.readSync(header);
  return new DataView(header.buffer).getUint32(4, true);
}
