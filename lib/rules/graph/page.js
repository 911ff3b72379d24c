// The part of a graph's page that moves: zooming, searching, following deps.

const { nodes, edges } = JSON.parse(document.getElementById("data").text);
const svg = document.querySelector("main svg");
const drawing = svg.querySelector(".drawing");
const aside = document.querySelector("aside");
const search = document.querySelector("input");
const nodeEls = [...svg.querySelectorAll("[data-node]")];
const edgeEls = [...svg.querySelectorAll("[data-edge]")];
/** Neighbours of each node: what it needs, and who needs it. */
const neighbours = [nodes.map(() => []), nodes.map(() => [])];
for (const [from, to] of edges) {
  neighbours[0][from].push(to);
  neighbours[1][to].push(from);
}
const legend = svg.querySelector(".legend");
let view = { scale: 1, x: 0, y: 0 };
/** Whether somebody has moved the drawing: then a new size leaves it there. */
let isMoved = false;

// The page draws in the units of the window, so that letters stay sharp.
svg.removeAttribute("viewBox");

function apply() {
  drawing.setAttribute(
    "transform",
    `translate(${view.x} ${view.y}) scale(${view.scale})`,
  );
}

function fit() {
  const { width, height } = svg.getBoundingClientRect();
  // As drawn, without what moved it since.
  const whole = drawing.getBBox();
  const scale = Math.min(
    1.25,
    (width - 48) / whole.width,
    (height - 80) / whole.height,
  );
  // Too small to read is no help: rather begin with the targets, to the right.
  if (scale < 0.3) {
    const x = width - 24 - (whole.x + whole.width) * 0.6;
    const target = nodeEls[0].getBBox();
    view = { scale: 0.6, x, y: height / 2 - topOf(0) * 0.6 - target.height };
  } else {
    view = {
      scale,
      x: (width - whole.width * scale) / 2 - whole.x * scale,
      y: (height - 32 - whole.height * scale) / 2 - whole.y * scale,
    };
  }
  apply();
}

/** Where a node begins, in the units of the drawing. */
function topOf(index) {
  return nodeEls[index].transform.baseVal[0].matrix.f;
}

function resize() {
  if (!isMoved) fit();
  const { height } = svg.getBoundingClientRect();
  legend.setAttribute("transform", `translate(24 ${height - 28})`);
}

function zoom(by, at) {
  isMoved = true;
  const scale = Math.min(4, Math.max(0.02, view.scale * by));
  view.x = at.x - (at.x - view.x) * scale / view.scale;
  view.y = at.y - (at.y - view.y) * scale / view.scale;
  view.scale = scale;
  apply();
}

function show(index) {
  isMoved = true;
  const { width, height } = svg.getBoundingClientRect();
  const box = nodeEls[index].getBoundingClientRect();
  const top = svg.getBoundingClientRect().top;
  view.x += width / 2 - (box.left + box.width / 2);
  view.y += height / 2 - (box.top - top + box.height / 2);
  apply();
}

/** All nodes that are reached from one by way of neighbours. */
function reach(start, side) {
  const found = new Set([start]);
  for (const at of found) {
    for (const next of neighbours[side][at]) found.add(next);
  }
  return found;
}

function choose(index) {
  for (const el of [...nodeEls, ...edgeEls]) {
    el.classList.remove("near", "here");
  }
  svg.classList.toggle("chosen", index !== undefined);
  aside.hidden = index === undefined;
  if (index === undefined) return;
  const needs = reach(index, 0);
  const users = reach(index, 1);
  nodeEls.forEach((el, i) =>
    el.classList.toggle("near", needs.has(i) || users.has(i))
  );
  nodeEls[index].classList.add("here");
  edgeEls.forEach((el, i) => {
    const [from, to] = edges[i];
    const isNear = needs.has(from) && needs.has(to) ||
      users.has(from) && users.has(to);
    el.classList.toggle("near", isNear);
  });
  tell(index);
}

function tell(index) {
  const node = nodes[index];
  aside.replaceChildren(element("h2", node.name));
  const line = [node.rule, node.state, node.time].filter(Boolean).join(" · ");
  aside.append(element("p", line));
  if (node.reason) aside.append(element("p", node.reason));
  if (node.members) list("Stands for", node.members);
  else if (node.files.length > 1) list("Makes", node.files);
  list("Needs", neighbours[0][index], true);
  list("Needed by", neighbours[1][index], true);
}

function list(title, items, areNodes = false) {
  if (items.length === 0) return;
  const ul = document.createElement("ul");
  for (const item of items.slice(0, 500)) {
    const li = element("li", areNodes ? nodes[item].name : item);
    if (areNodes) li.dataset.node = item;
    ul.append(li);
  }
  if (items.length > 500) ul.append(element("li", `… ${items.length} in all`));
  aside.append(element("h3", `${title} (${items.length})`), ul);
}

function element(name, text) {
  const el = document.createElement(name);
  el.textContent = text;
  return el;
}

svg.addEventListener("wheel", (event) => {
  event.preventDefault();
  const box = svg.getBoundingClientRect();
  zoom(1.0015 ** -event.deltaY, {
    x: event.clientX - box.left,
    y: event.clientY - box.top,
  });
}, { passive: false });

let drag;
svg.addEventListener("pointerdown", (event) => {
  drag = { x: event.clientX - view.x, y: event.clientY - view.y, moved: false };
});
globalThis.addEventListener("pointermove", (event) => {
  if (!drag) return;
  const x = event.clientX - drag.x;
  const y = event.clientY - drag.y;
  drag.moved ||= Math.hypot(x - view.x, y - view.y) > 4;
  if (!drag.moved) return;
  isMoved = true;
  view.x = x;
  view.y = y;
  apply();
});
globalThis.addEventListener("pointerup", (event) => {
  const moved = drag?.moved ?? true;
  drag = undefined;
  if (moved || !svg.contains(event.target)) return;
  const el = event.target.closest("[data-node]");
  choose(el ? Number(el.dataset.node) : undefined);
});
aside.addEventListener("click", (event) => {
  const index = event.target.dataset.node;
  if (index === undefined) return;
  choose(Number(index));
  show(Number(index));
});

let lastFound = -1;
function find(next) {
  const text = search.value.toLowerCase();
  const has = (node) =>
    text !== "" &&
    [node.name, node.rule ?? "", ...node.files, ...node.members ?? []]
      .some((name) => name.toLowerCase().includes(text));
  const found = nodes.flatMap((node, i) => has(node) ? [i] : []);
  nodeEls.forEach((el, i) => el.classList.toggle("found", found.includes(i)));
  if (found.length === 0) return;
  lastFound = next
    ? found[(found.indexOf(lastFound) + 1) % found.length]
    : found[0];
  show(lastFound);
}
search.addEventListener("input", () => find(false));
search.addEventListener("keydown", (event) => {
  if (event.key === "Enter") find(true);
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") choose(undefined);
});
document.getElementById("fit").addEventListener("click", fit);
globalThis.addEventListener("resize", resize);
resize();
