/** A profile as a page for people: one file, which needs nothing else. */

import { durationText, escapeHtml, percent } from "./html.ts";
import type { BuildProfile, ProfiledRun } from "./profile.ts";
import style from "./report.css" with { type: "text" };
import { isFailed, timelineSvg } from "./timeline.ts";

/** Rules with colours of their own; see report.css. */
const COLORS = 7;
/** Lines of a list. */
const SLOWEST = 25, CRITICAL = 100;

/** The page, as HTML. */
export function profileReport(profile: BuildProfile): string {
  const title = `clibs make ${profile.targets.join(" ")}`.trim();
  const rules = rulesOf(profile.runs);
  const colors = new Map(
    rules.slice(0, COLORS).map(({ rule }, i) => [rule, `var(--c${i})`]),
  );
  const colorOf = (rule: string) => colors.get(rule) ?? "var(--other)";
  const sections = profile.runs.length === 0
    ? ["<h2>Timeline</h2><p>No job had to run: everything was up to date.</p>"]
    : [
      section(
        "Timeline",
        "One row for each job that ran at the same time as others. What is on the critical path has a frame, and is drawn once more above.",
        timelineSvg(profile, colorOf) + legend(rules, colorOf),
      ),
      section(
        "Critical path",
        `Each of these jobs had to wait for the one before. More CPUs do not make the build quicker than ${
          durationText(profile.criticalMs)
        }; quicker jobs here do.`,
        runTable(
          profile.critical.map((i) => profile.runs[i]!),
          CRITICAL,
          colorOf,
        ),
      ),
      section(
        "Slowest jobs",
        "",
        runTable([...profile.runs].sort(byLength), SLOWEST, colorOf),
      ),
      section("Rules", "", ruleTable(rules, colorOf)),
    ];
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>
${style.trim()}
</style>
</head>
<body>
<h1><code>${escapeHtml(title)}</code></h1>
<p>${
    profile.ok
      ? '<strong class="good">All targets are right.</strong>'
      : '<strong class="bad">Not all targets could be made.</strong>'
  } ${startText(profile.startedMs)}</p>
${tiles(profile)}
${sections.join("\n")}
</body>
</html>
`;
}

function startText(startedMs: number): string {
  const iso = new Date(startedMs).toISOString();
  return `Started <time datetime="${iso}">${
    iso.slice(0, 19).replace("T", " ")
  } UTC</time>.`;
}

function section(title: string, text: string, body: string): string {
  return `<h2>${title}</h2>
${text === "" ? "" : `<p>${text}</p>\n`}<div class="card">${body}</div>`;
}

function tiles(profile: BuildProfile): string {
  const { runs, elapsedMs, criticalMs } = profile;
  const jobMs = runs.reduce((sum, run) => sum + lengthOf(run), 0);
  const failed = runs.filter(isFailed).length;
  const again = runs.filter(({ word }) => /rerun|retry/.test(word)).length;
  const waitedMs = runs.reduce(
    (sum, { readyMs, startMs }) => sum + startMs - readyMs,
    0,
  );
  const parts: [name: string, value: string, more: string][] = [
    ["Elapsed", durationText(elapsedMs), ""],
    [
      "Runs of jobs",
      runs.length.toLocaleString("en"),
      [
        ...(failed > 0 ? [`${failed} failed`] : []),
        ...(again > 0 ? [`${again} to run again`] : []),
      ].join(", "),
    ],
    [
      "Time of all jobs",
      durationText(jobMs),
      `${
        (elapsedMs > 0 ? jobMs / elapsedMs : 0).toFixed(1)
      } at once on average, ${profile.slots} at most`,
    ],
    [
      "Critical path",
      durationText(criticalMs),
      `${
        Math.round(elapsedMs > 0 ? criticalMs / elapsedMs * 100 : 0)
      } % of the time, ${profile.critical.length} jobs`,
    ],
    [
      "Waiting for a slot",
      durationText(runs.length > 0 ? waitedMs / runs.length : 0),
      "per job that was ready, on average",
    ],
  ];
  const items = parts.map(([name, value, more]) =>
    `<div><dt>${name}</dt><dd>${value}${
      more === "" ? "" : `<small>${more}</small>`
    }</dd></div>`
  );
  return `<dl class="tiles">${items.join("\n")}</dl>`;
}

interface RuleSum {
  rule: string;
  count: number;
  totalMs: number;
  longest: ProfiledRun;
}

/** The rules, those that took longest first. */
function rulesOf(runs: readonly ProfiledRun[]): RuleSum[] {
  const sums = new Map<string, RuleSum>();
  for (const run of runs) {
    const sum = sums.get(run.rule) ??
      { rule: run.rule, count: 0, totalMs: 0, longest: run };
    sums.set(run.rule, sum);
    sum.count++;
    sum.totalMs += lengthOf(run);
    if (lengthOf(run) > lengthOf(sum.longest)) sum.longest = run;
  }
  return [...sums.values()].sort((a, b) => b.totalMs - a.totalMs);
}

function legend(
  rules: readonly RuleSum[],
  colorOf: (rule: string) => string,
): string {
  const items = rules.slice(0, COLORS)
    .map(({ rule }) => [escapeHtml(rule), colorOf(rule)]);
  if (rules.length > COLORS) items.push(["other rules", "var(--other)"]);
  return `<ul class="legend">${
    items.map(([name, color]) =>
      `<li><i style="background:${color}"></i>${name}</li>`
    ).join("")
  }<li><i style="background:var(--bad)"></i>came to nothing</li><li><i style="border:2px solid var(--text)"></i>on the critical path</li></ul>`;
}

function runTable(
  runs: readonly ProfiledRun[],
  limit: number,
  colorOf: (rule: string) => string,
): string {
  const shown = runs.slice(0, limit);
  const longest = Math.max(...shown.map(lengthOf));
  const rows = shown.map((run) =>
    `<tr><td class="number">${durationText(run.startMs)}</td>` +
    `<td class="number">${durationText(lengthOf(run))}</td>` +
    barCell(lengthOf(run), longest, colorOf(run.rule)) +
    `<td>${escapeHtml(run.rule)}</td><td><span class="name">${
      escapeHtml(run.name)
    }</span>${
      run.reason ? `<div class="why">${escapeHtml(run.reason)}</div>` : ""
    }</td><td${isFailed(run) ? ' class="bad"' : ""}>${
      escapeHtml(run.word)
    }</td></tr>`
  );
  const rest = runs.length - shown.length;
  return `<table><thead><tr><th class="number">Start</th><th class="number">Time</th><th></th><th>Rule</th><th>Job</th><th>End</th></tr></thead><tbody>
${rows.join("\n")}
</tbody></table>${
    rest > 0 ? `<p>… and ${rest.toLocaleString("en")} more</p>` : ""
  }`;
}

function ruleTable(
  rules: readonly RuleSum[],
  colorOf: (rule: string) => string,
): string {
  const most = rules[0]!.totalMs;
  const rows = rules.map(({ rule, count, totalMs, longest }) =>
    `<tr><td>${escapeHtml(rule)}</td><td class="number">${
      count.toLocaleString("en")
    }</td><td class="number">${durationText(totalMs)}</td>` +
    barCell(totalMs, most, colorOf(rule)) +
    `<td class="number">${durationText(totalMs / count)}</td>` +
    `<td class="number">${
      durationText(lengthOf(longest))
    }</td><td class="name">${escapeHtml(longest.name)}</td></tr>`
  );
  return `<table><thead><tr><th>Rule</th><th class="number">Runs</th><th class="number">Time</th><th></th><th class="number">Mean</th><th class="number">Longest</th><th></th></tr></thead><tbody>
${rows.join("\n")}
</tbody></table>`;
}

function barCell(part: number, whole: number, color: string): string {
  return `<td class="bar"><i style="width:${
    percent(part, whole)
  };background:${color}"></i></td>`;
}

function byLength(a: ProfiledRun, b: ProfiledRun): number {
  return lengthOf(b) - lengthOf(a) || a.startMs - b.startMs;
}

function lengthOf({ startMs, endMs }: ProfiledRun): number {
  return endMs - startMs;
}
