/** Rows of text in aligned columns. */

import { escapeControls } from "../mod.ts";
import { displayWidth } from "./text.ts";

/** Aligns the columns of some rows; the last one is left as it is. */
export function table(rows: readonly (readonly string[])[]): string {
  const cells = rows.map((row) => row.map(escapeControls));
  const widths: number[] = [];
  for (const row of cells) {
    for (const [i, cell] of row.entries()) {
      widths[i] = Math.max(widths[i] ?? 0, displayWidth(cell));
    }
  }
  return cells.map((row) => {
    const padded = row.map((cell, i) =>
      cell + " ".repeat((widths[i] ?? 0) - displayWidth(cell))
    );
    return `${padded.join("  ").trimEnd()}\n`;
  }).join("");
}
