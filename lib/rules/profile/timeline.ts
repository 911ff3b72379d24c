/** The runs of a profile, drawn in rows over time. */

import { durationText, escapeHtml, percent } from "./html.ts";
import type { BuildProfile, ProfiledRun } from "./profile.ts";

/** Height of a row, and of what is in it. */
const ROW = 22, BOX = 18;
/** Height of the curve of how many jobs run, and of the axis. */
const CURVE = 48, AXIS = 22;
/** Rows that are drawn at most: more say nothing to anybody. */
const MAX_ROWS = 64;
/** Runs narrower than this part of the width are drawn together. */
const NARROW = 1 / 1500;

/** A box: one run, or several that are too short to be told apart. */
interface Box {
  startMs: number;
  endMs: number;
  runs: ProfiledRun[];
}

/**
 * The timeline as an SVG element as wide as its place.
 *
 * @param colorOf Colour of a rule.
 */
export function timelineSvg(
  profile: BuildProfile,
  colorOf: (rule: string) => string,
): string {
  const width = Math.max(1, profile.elapsedMs);
  const rows = Math.min(profile.slots, MAX_ROWS);
  const hasCritical = profile.critical.length > 0;
  const top = CURVE + AXIS;
  const height = top + ROW * (rows + (hasCritical ? 1 : 0));
  const parts = [
    gridOf(width, height),
    curveOf(profile, width),
  ];
  const row = (runs: readonly ProfiledRun[], y: number) => {
    for (const box of boxesOf(runs, width)) {
      parts.push(boxSvg(box, y, width, colorOf));
    }
  };
  if (hasCritical) row(profile.critical.map((i) => profile.runs[i]!), top);
  const first = top + (hasCritical ? ROW : 0);
  for (let slot = 0; slot < rows; slot++) {
    row(
      profile.runs.filter((run) => run.slot === slot),
      first + slot * ROW,
    );
  }
  const labels = [
    `<text x="-8" y="${CURVE - 4}" text-anchor="end">running</text>`,
    ...(hasCritical
      ? [`<text x="-8" y="${top + 13}" text-anchor="end">critical</text>`]
      : []),
    ...Array.from(
      { length: rows },
      (_, slot) =>
        `<text x="-8" y="${first + slot * ROW + 13}" text-anchor="end">slot ${
          slot + 1
        }</text>`,
    ),
  ];
  return `<div style="padding-left:56px;min-width:640px"><svg width="100%" height="${height}" role="img" aria-label="Jobs over time">${
    labels.join("")
  }${parts.join("\n")}</svg></div>`;
}

function gridOf(width: number, height: number): string {
  const step = stepFor(width / 8);
  const lines: string[] = [];
  for (let at = 0; at <= width; at += step) {
    const x = percent(at, width);
    lines.push(
      `<line class="grid" x1="${x}" x2="${x}" y1="0" y2="${height}"/>`,
    );
    // The last one would be cut off.
    if (at + step / 2 > width) continue;
    lines.push(
      `<svg x="${x}" y="${CURVE}" overflow="visible"><text x="3" y="14">${
        at === 0 ? "0" : durationText(at).replace(/\.0+ | 00 s$/, " ").trim()
      }</text></svg>`,
    );
  }
  return lines.join("");
}

/** The next of 1, 2, 5, 10 …, in units that people count time in. */
function stepFor(least: number): number {
  const steps = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000]
    .concat([15, 30, 60, 120, 300, 600, 1800, 3600, 7200].map((s) => s * 1000));
  return steps.sort((a, b) => a - b).find((step) => step >= least) ??
    Math.ceil(least / 3_600_000) * 3_600_000;
}

/** How many jobs run at each moment, as an area. */
function curveOf({ runs, slots }: BuildProfile, width: number): string {
  const changes = runs.flatMap(({ startMs, endMs }) => [
    { at: startMs, by: 1 },
    { at: endMs, by: -1 },
  ]).sort((a, b) => a.at - b.at || a.by - b.by);
  const steps = (ms: number) =>
    +(Math.round(ms / width / NARROW) * NARROW).toFixed(5);
  const points = ["0,1"];
  let running = 0;
  const y = () => (1 - running / Math.max(1, slots)).toFixed(4);
  changes.forEach(({ at, by }, i) => {
    const x = steps(at);
    // Of what happens within the width of a dot, only the outcome is drawn.
    if (i === 0 || steps(changes[i - 1]!.at) !== x) {
      points.push(`${x},${y()}`);
    }
    running += by;
    const next = changes[i + 1];
    if (!next || steps(next.at) !== x) points.push(`${x},${y()}`);
  });
  points.push("1,1");
  return `<svg width="100%" height="${CURVE}" viewBox="0 0 1 1" preserveAspectRatio="none"><polygon class="area" points="${
    points.join(" ")
  }"/></svg>`;
}

/** Boxes of a row, whose runs come in order of time. */
function boxesOf(runs: readonly ProfiledRun[], width: number): Box[] {
  const least = width * NARROW;
  const boxes: Box[] = [];
  for (const run of runs) {
    const last = boxes.at(-1);
    const isShort = run.endMs - run.startMs < least;
    if (
      last && isShort && run.startMs - last.endMs < least &&
      run.endMs - last.startMs < 4 * least
    ) {
      last.endMs = run.endMs;
      last.runs.push(run);
    } else {
      boxes.push({ startMs: run.startMs, endMs: run.endMs, runs: [run] });
    }
  }
  return boxes;
}

function boxSvg(
  { startMs, endMs, runs }: Box,
  y: number,
  width: number,
  colorOf: (rule: string) => string,
): string {
  const run = runs.reduce((a, b) =>
    b.endMs - b.startMs > a.endMs - a.startMs ? b : a
  );
  const x = percent(startMs, width);
  const size = percent(endMs - startMs, width);
  const classes = [
    ...(runs.some(isFailed) ? ["failed"] : []),
    ...(runs.some(({ critical }) => critical) ? ["critical"] : []),
  ];
  const title = runs.length === 1
    ? titleOf(run)
    : `${runs.length} short jobs, ${durationText(endMs - startMs)}; such as\n${
      titleOf(run)
    }`;
  const rect =
    `<rect x="${x}" y="${y}" width="${size}" height="${BOX}" rx="2"${
      classes.length > 0 ? ` class="${classes.join(" ")}"` : ""
    } style="fill:${classes.includes("failed") ? "" : colorOf(run.rule)}">` +
    `<title>${escapeHtml(title)}</title></rect>`;
  // Narrower ones have no room for a letter.
  if ((endMs - startMs) / width < 0.02) return rect;
  return `${rect}<svg x="${x}" y="${y}" width="${size}" height="${BOX}" style="overflow:hidden;pointer-events:none"><text class="in" x="5" y="13">${
    escapeHtml(run.name)
  }</text></svg>`;
}

/** Whether a run came to nothing. */
export function isFailed({ word }: ProfiledRun): boolean {
  return /failed|error|lost|killed|loop/.test(word);
}

function titleOf(run: ProfiledRun): string {
  return [
    `${run.rule} ${run.name}`,
    `${run.word}, ${durationText(run.endMs - run.startMs)}, from ${
      durationText(run.startMs)
    }`,
    ...(run.reason ? [`why: ${run.reason}`] : []),
    ...(run.critical ? ["on the critical path"] : []),
  ].join("\n");
}
