// Explorer of a study: one module, no framework, nothing from any network.
//
// A position is one level of every factor of spec. What is drawn are rows of the table: at the position, or along one or
// two factors through it. What the table does not hold is said to be missing; nothing is interpolated.

const WORDS = {
  measure: "Measure", map: "Map over", curve: "Curve over", strategy: "with",
  missing: "not in this study", absent: "This combination is not in this study.", nearest: "Go to the nearest that is",
  noLine: (name) => `Here the study holds fewer than two levels of ${name}.`,
  noMap: (x, y, strategy) => `Here the study does not vary ${x} and ${y} together with ${strategy}.`,
  go: "Go to where it does",
  best: (r) => `Best strategy here: ${r.best}, by ${r.difference} over ${r.next}.`,
  undecided: (r) => `The best strategy is not decided here: ${r.best} reaches most, but is not told apart from ${r.against}`
    + (r.against === r.next ? ` (${r.difference} more).` : "."),
  single: (name) => `One strategy alone was tried here: ${name}.`,
  any: "any strategy", here: "At this position", cut: "R, by theory, passes 1 between cells at the thick lines. ",
  mapNote: "An empty cell is not in this study; the frame is the position.",
  curveNote: (level) => `Points with ${level} % intervals, joined by strategy; upright: the position.`,
};
const SVG = "http://www.w3.org/2000/svg";
const number = (value, digits = 3) => new Intl.NumberFormat("en", { maximumSignificantDigits: digits }).format(value);
const brief = (value) => (value >= 1e6 ? `${number(value / 1e6)}M` : value >= 1e4 ? `${number(value / 1e3)}k` : number(value));
const cut = (text, most) => (text.length <= most ? text : `${text.slice(0, Math.max(1, most - 1)).trimEnd()}…`);

// Text is put in as text, never as markup.
function fill(node, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) if (value !== false) node.setAttribute(key, value === true ? "" : value);
  node.append(...children.filter((child) => child !== null));
  return node;
}
const el = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children);
const svg = (tag, attributes = {}, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);

// -- the table --------------------------------------------------------------------------------------------------------

function tableOf(spec) {
  const n = spec.factors.length;
  const held = new Map(); // position -> strategy -> values of the measures
  for (const row of spec.rows) {
    const key = row.slice(0, n).join();
    if (!held.has(key)) held.set(key, new Map());
    held.get(key).set(row[n], row.slice(n + 1));
  }
  const positions = [...held.keys()].map((key) => key.split(",").map(Number));
  const at = (position) => held.get(position.join());
  const put = (position, ...pairs) => { const to = position.slice(); for (const [f, level] of pairs) to[f] = level; return to; };
  // Levels that stand on one axis with that of the position: amounts of money, or numbers of seeds.
  const along = (position, f) => {
    const groups = spec.factors[f].groups;
    return groups.map((_, level) => level).filter((level) => groups[level] === groups[position[f]]);
  };
  const model = spec.factors.findIndex((factor) => factor.model);
  const brought = new Set(spec.models.flat().map(([f]) => f));
  // A model brings its parameters; a parameter that the model was not run with brings the model that was.
  function moved(position, f, level) {
    const to = put(position, [f, level]);
    if (f === model) return put(to, ...spec.models[level]);
    if (at(to) || !brought.has(f)) return to;
    return spec.models.map((_, m) => put(to, [model, m])).find(at) ?? to;
  }
  const cells = (position, strategy, [fx, fy]) => along(position, fx).flatMap((x) => along(position, fy).map((y) => (
    { x, y, values: at(put(position, [fx, x], [fy, y]))?.get(strategy) }))).filter((cell) => cell.values);
  const points = (position, f) => along(position, f).flatMap((level) => (
    [...(at(put(position, [f, level])) ?? [])].map(([strategy, values]) => ({ level, strategy, values }))));
  const levels = (found, name) => new Set(found.map((point) => point[name])).size;
  const hasMap = (found) => { // more than two lines that cross, and half of the cells
    const [n, nx, ny] = [found.length, levels(found, "x"), levels(found, "y")];
    return n > 3 && n >= nx + ny && 2 * n > nx * ny;
  };
  const hasCurve = (found) => levels(found, "level") > 1;
  const changes = (a, b) => a.reduce((sum, level, f) => sum + (level !== b[f]), 0);
  // The position for which a score is highest, and of those the nearest.
  function seek(from, score) {
    let best = from, most = [-Infinity, 0];
    for (const position of positions) {
      const own = [score(position), -changes(position, from)];
      if (own[0] > most[0] || (own[0] === most[0] && own[1] > most[1])) { best = position; most = own; }
    }
    return best;
  }
  return { at, along, moved, put, cells, points, hasMap, hasCurve, seek, model };
}

// -- drawing ----------------------------------------------------------------------------------------------------------

const fitting = (value, room) => (number(value).length * 6.2 < room ? number(value) : number(value, 2));
const text = (x, y, words, attributes = {}) => svg("text", { x, y, ...attributes }, words);

function scale(low, high, from, to, log) {
  const f = log ? Math.log : (v) => v;
  const span = f(high) - f(low) || 1;
  return (v) => from + ((f(v) - f(low)) / span) * (to - from);
}

function ticksOf(low, high, log) {
  const all = [];
  if (log && high > 8 * low) {
    const steps = high / low > 300 ? [1] : high / low > 40 ? [1, 3] : [1, 2, 5];
    for (let e = Math.floor(Math.log10(low)); e <= Math.log10(high); e++) for (const s of steps) all.push(s * 10 ** e);
  } else {
    const rough = (high - low) / 5 || 1, power = 10 ** Math.floor(Math.log10(rough));
    const step = power * [1, 2, 5, 10].find((s) => s * power >= rough);
    for (let k = Math.ceil(low / step); k * step <= high; k++) all.push(Number((k * step).toPrecision(12)));
  }
  return all.filter((v) => v >= low && v <= high);
}

function drawMap(spec, table, state, found, width, choose) {
  const [fx, fy] = state.axes, [x, y] = [spec.factors[fx], spec.factors[fy]];
  const shown = (name) => [...new Set(found.map((cell) => cell[name]))].sort((a, b) => a - b);
  const columns = shown("x"), rows = shown("y").reverse();
  const left = 30 + 6.4 * Math.max(...rows.map((r) => Math.min(16, y.levels[r].length))), top = 8;
  const w = (width - left - 4) / columns.length, h = 34, height = top + h * rows.length + 42;
  const measure = state.measure, R = spec.measures.findIndex((m) => m.key === "R_predicted");
  const values = found.map((cell) => cell.values[measure]?.[0]).filter((v) => v != null);
  const log = spec.measures[measure].key === "reach" && Math.min(...values) > 0;
  const shade = scale(Math.min(...values), Math.max(...values), 0, 1, log);
  const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `${spec.measures[measure].name} over ${x.name} and ${y.name}` });
  const by = new Map(found.map((cell) => [`${cell.x},${cell.y}`, cell]));
  const edges = [];
  rows.forEach((r, j) => columns.forEach((c, i) => {
    const cell = by.get(`${c},${r}`), value = cell?.values[measure], px = left + i * w, py = top + j * h;
    const words = `${x.name} ${x.levels[c]}, ${y.name} ${y.levels[r]}: ${value ? value[3] : WORDS.missing}`;
    const group = svg("g", { class: cell ? "cell" : "cell none", "data-x": x.levels[c], "data-y": y.levels[r] }, svg("title", {}, words),
      svg("rect", { x: px + 1, y: py + 1, width: Math.max(1, w - 2), height: h - 2, class: value ? "" : "none", "fill-opacity": value ? (0.05 + 0.62 * shade(value[0])).toFixed(3) : 0 }),
      value ? text(px + w / 2, py + h / 2 + 4, fitting(value[0], w), { "text-anchor": "middle" }) : null);
    if (cell) group.addEventListener("click", () => choose(table.put(state.position, [fx, c], [fy, r])));
    if (cell && c === state.position[fx] && r === state.position[fy]) edges.push(svg("rect", { x: px + 1, y: py + 1, width: w - 2, height: h - 2, class: "here" }));
    picture.append(group);
    for (const [di, dj] of [[1, 0], [0, 1]]) { // between two cells that are held
      const a = cell?.values[R]?.[0], b = by.get(`${columns[i + di]},${rows[j + dj]}`)?.values[R]?.[0];
      if (a != null && b != null && (a < 1) !== (b < 1)) {
        const [ex, ey] = [px + (di ? w : 0), py + (dj ? h : 0)];
        edges.push(svg("path", { d: di ? `M${ex} ${ey}v${h}` : `M${ex} ${ey}h${w}`, class: "one" }));
      }
    }
  }));
  picture.append(...edges);
  rows.forEach((r, j) => picture.append(text(left - 6, top + (j + 0.5) * h + 4, cut(y.levels[r], 16), { "text-anchor": "end" })));
  columns.forEach((c, i) => picture.append(text(left + (i + 0.5) * w, height - 26, cut(x.levels[c], Math.floor(w / 6.2)), { "text-anchor": "middle" })));
  const middle = top + (h * rows.length) / 2;
  picture.append(text(left + (width - left) / 2, height - 8, x.name, { "text-anchor": "middle", class: "axis" }),
    text(12, middle, y.name, { "text-anchor": "middle", class: "axis", transform: `rotate(-90 12 ${middle})` }));
  return [picture, (edges.some((edge) => edge.getAttribute("class") === "one") ? WORDS.cut : "") + WORDS.mapNote];
}

function drawCurve(spec, table, state, found, width, choose) {
  const factor = spec.factors[state.curve], measure = spec.measures[state.measure];
  let own = found.filter((point) => point.values[state.measure]);
  if (measure.common) own = own.filter((p, i) => own.findIndex((q) => q.level === p.level) === i).map((p) => ({ ...p, strategy: -1 }));
  const at = [...new Set(found.map((point) => point.level))].sort((a, b) => a - b);
  const place = at.map((level) => factor.numbers[level]);
  const numeric = place.every((v) => v !== null);
  const left = 46, right = 114, top = 12, bottom = 42, height = 300;
  const logX = numeric && place[0] > 0 && place[place.length - 1] >= 8 * place[0];
  const spot = numeric ? scale(place[0], place[place.length - 1], left + 10, width - right, logX)
    : scale(0, at.length - 1, left + 24, width - right - 14, false);
  const x = (level) => spot(numeric ? factor.numbers[level] : at.indexOf(level));
  const ends = own.flatMap((point) => point.values[state.measure].slice(0, 3)).filter((v) => v !== null);
  if (measure.common && ends.length) ends.push(1);
  let [low, high] = [Math.min(...ends), Math.max(...ends)];
  const logY = low > 0 && high > 3 * low;
  if (logY) { low /= 1.15; high *= 1.15; } else { const gap = 0.06 * (high - low || Math.abs(high) || 1); low -= gap; high += gap; }
  const y = scale(low, high, height - bottom, top, logY);
  const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `${measure.name} by ${factor.name}` });
  for (const tick of ends.length ? ticksOf(low, high, logY) : []) {
    picture.append(svg("path", { d: `M${left} ${y(tick)}H${width - right + 10}`, class: "grid" }), text(left - 5, y(tick) + 4, brief(tick), { "text-anchor": "end" }));
  }
  if (measure.common && ends.length) picture.append(svg("path", { d: `M${left} ${y(1)}H${width - right + 10}`, class: "axis" }));
  let edge = -Infinity;
  at.forEach((level) => {
    const words = cut(numeric ? brief(factor.numbers[level]) : factor.levels[level], 14), half = 3.2 * words.length;
    if (x(level) - half > edge) { picture.append(text(x(level), height - 24, words, { "text-anchor": "middle" })); edge = x(level) + half + 4; }
  });
  const hereX = at.includes(state.position[state.curve]) ? x(state.position[state.curve]) : null;
  if (hereX !== null) picture.append(svg("path", { d: `M${hereX} ${top}V${height - bottom}`, class: "here" }));
  const names = [];
  const series = [...new Set(own.map((point) => point.strategy))].sort((a, b) => a - b);
  series.forEach((s, i) => {
    const strategy = spec.strategies[s] ?? { name: WORDS.any, colour: -1 };
    const points = own.filter((point) => point.strategy === s).sort((a, b) => a.level - b.level);
    const side = (i - (series.length - 1) / 2) * Math.min(3, (numeric ? 10 : 24) / series.length); // intervals do not hide each other
    const px = (point) => x(point.level) + side, py = (point) => y(point.values[state.measure][0]);
    const group = svg("g", { class: `series${strategy.colour < 0 ? " grey" : ""}`, style: strategy.colour < 0 ? false : `--own: var(--c${strategy.colour}); --name: var(--t${strategy.colour})` });
    if (numeric && points.length > 1) group.append(svg("polyline", { points: points.map((p) => `${px(p)},${py(p)}`).join(" ") }));
    for (const point of points) {
      const [, a, b, words] = point.values[state.measure];
      const dot = svg("g", { class: "point", "data-level": factor.levels[point.level], "data-strategy": strategy.name }, svg("title", {}, `${strategy.name}, ${factor.name} ${factor.levels[point.level]}: ${words}`),
        a === null || b === null ? null : svg("path", { d: `M${px(point)} ${y(a)}V${y(b)}` }), svg("circle", { cx: px(point), cy: py(point), r: 3.6 }));
      dot.addEventListener("click", () => choose(table.put(state.position, [state.curve, point.level])));
      group.append(dot);
    }
    picture.append(group);
    const last = points[points.length - 1];
    names.push({ y: py(last), from: [px(last), py(last)], name: strategy.name, style: group.getAttribute("style") });
  });
  names.sort((a, b) => a.y - b.y).forEach((n, i) => { n.y = Math.max(n.y, i ? names[i - 1].y + 13 : top + 4); });
  for (let i = names.length - 1, most = height - bottom + 4; i >= 0; i--, most = names[i + 1].y - 13) names[i].y = Math.min(names[i].y, most);
  for (const n of names) picture.append(text(width - right + 14, n.y + 4, cut(n.name, 15), { class: "name", ...(n.style && { style: n.style }) }));
  picture.append(text((left + width - right) / 2, height - 6, factor.name, { "text-anchor": "middle", class: "axis" }));
  return [picture, WORDS.curveNote(number(100 * spec.level))];
}

// -- the section ------------------------------------------------------------------------------------------------------

function mount(root, spec) {
  const table = tableOf(spec);
  const state = { position: null, strategy: 0, measure: 0, axes: spec.maps[0] ?? null, curve: spec.curves[0] };
  const rank = (strategy) => (position) => (state.axes ? table.cells(position, strategy, state.axes).length : table.points(position, state.curve).length);
  const first = spec.rows[0].slice(0, spec.factors.length);
  // Begin where the map is fullest, of those positions where most strategies were tried.
  const fullest = (position) => Math.max(...[...table.at(position).keys()].map((s) => rank(s)(position)));
  const most = fullest(table.seek(first, fullest));
  const start = table.seek(first, (position) => (2 * fullest(position) > most ? table.at(position).size : -1));
  const grey = (s) => spec.strategies[s].colour < 0; // random is the baseline: any other is shown before it
  const bestStrategy = (position) => [...table.at(position).keys()].reduce((a, b) => (
    rank(b)(position) > rank(a)(position) || (grey(a) && rank(b)(position) === rank(a)(position)) ? b : a));
  state.position = start;
  state.strategy = bestStrategy(start);

  const choose = (position) => { state.position = position; update(); };
  const shows = (position) => table.hasMap(table.cells(position, state.strategy, state.axes));
  const toMap = () => {
    const own = table.seek(state.position, rank(state.strategy));
    state.position = shows(own) ? own : table.seek(state.position, fullest);
    if (!shows(own)) state.strategy = bestStrategy(state.position);
    update();
  };
  const toCurve = () => choose(table.seek(state.position, (position) => table.points(position, state.curve).length));
  const here = () => table.at(state.position);

  const controls = spec.factors.map((factor, f) => {
    const output = el("output", {});
    const label = el("span", { class: "label" }, factor.name);
    const set = (level) => choose(table.moved(state.position, f, level));
    const holds = (level) => Boolean(table.at(table.moved(state.position, f, level)));
    if (factor.list) {
      const options = factor.levels.map((words, level) => el("option", { value: level }, words));
      const input = el("select", { "data-factor": factor.name }, ...options);
      input.addEventListener("change", () => set(Number(input.value)));
      const show = () => {
        input.value = state.position[f];
        options.forEach((option, level) => { option.textContent = factor.levels[level] + (holds(level) ? "" : ` (${WORDS.missing})`); });
      };
      return { node: el("label", { class: "control" }, label, input), show };
    }
    const last = factor.levels.length - 1;
    const input = el("input", { type: "range", min: 0, max: last, step: 1, "data-factor": factor.name, "aria-label": factor.name });
    const dots = factor.levels.map((_, level) => el("i", { style: `left: calc(8px + (100% - 16px) * ${level / last})` }));
    input.addEventListener("input", () => set(Number(input.value)));
    const show = () => {
      const level = state.position[f];
      input.value = level;
      input.setAttribute("aria-valuetext", factor.levels[level] + (here() ? "" : `, ${WORDS.missing}`));
      output.textContent = factor.levels[level];
      dots.forEach((dot, l) => dot.classList.toggle("held", holds(l)));
    };
    return { node: el("label", { class: "control" }, label, output, el("span", { class: "slide" }, input, el("span", { class: "dots", "aria-hidden": true }, ...dots))), show };
  });

  const pick = (name, options, value, change, kind = "pick") => {
    const input = el("select", { "data-pick": name }, ...options.map((words, i) => el("option", { value: i }, words)));
    input.value = value;
    input.addEventListener("change", () => change(Number(input.value)));
    return { node: el("label", { class: kind }, el("span", { class: "label" }, name), input), input };
  };
  const named = (f) => spec.factors[f].name;
  const measure = pick(WORDS.measure, spec.measures.map((m) => m.name), 0, (i) => { state.measure = i; update(); }, "control");
  const maps = pick(WORDS.map, spec.maps.map(([x, y]) => `${named(x)} × ${named(y)}`), 0, (i) => {
    state.axes = spec.maps[i];
    if (shows(state.position)) update(); else toMap();
  });
  const strategies = pick(WORDS.strategy, spec.strategies.map((s) => s.name), state.strategy, (i) => { state.strategy = i; update(); });
  const curves = pick(WORDS.curve, spec.curves.map(named), 0, (i) => {
    state.curve = spec.curves[i];
    if (table.hasCurve(table.points(state.position, state.curve))) update(); else toCurve();
  });
  const said = el("p", { class: "said", "aria-live": "polite" });
  const own = spec.measures.map((m, i) => ({ ...m, i, head: m.name.replace(", %", "") })).filter((m) => !m.common);
  const common = spec.measures.map((m, i) => ({ ...m, i })).filter((m) => m.common);
  const [map, curve, list] = ["map", "curve", "panel list"].map((name) => el("div", { class: `view ${name}` }));
  root.append(el("div", { class: "controls" }, ...controls.map((control) => control.node), measure.node), said,
    el("div", { class: "views" }, ...(state.axes ? [el("div", { class: "panel" }, el("div", { class: "picks" }, maps.node, strategies.node), map)] : []),
      el("div", { class: "panel" }, el("div", { class: "picks" }, curves.node), curve), list));

  const button = (words, action) => { const node = el("button", { type: "button" }, words); node.addEventListener("click", action); return node; };
  const show = (view, found, enough, draw, none, go) => {
    const width = Math.max(280, Math.round(view.clientWidth || 500));
    if (!enough) { view.replaceChildren(el("p", { class: "none" }, `${none} `, button(WORDS.go, go))); return; }
    const [picture, note] = draw(spec, table, state, found, width, choose);
    view.replaceChildren(picture, el("p", { class: "note" }, note));
  };

  function update() {
    controls.forEach((control) => control.show());
    strategies.input.value = state.strategy;
    const rows = here(), result = spec.rankings[state.position.join()];
    if (!rows) {
      said.replaceChildren(el("b", {}, WORDS.absent), " ", button(WORDS.nearest, () => choose(table.seek(state.position, () => 0))));
    } else if (result) said.replaceChildren(result.decided ? WORDS.best(result) : WORDS.undecided(result));
    else said.replaceChildren(WORDS.single([...rows.keys()].map((s) => spec.strategies[s].name).join(", ")));
    if (state.axes) {
      const cells = table.cells(state.position, state.strategy, state.axes);
      show(map, cells, table.hasMap(cells), drawMap, WORDS.noMap(...state.axes.map(named), spec.strategies[state.strategy].name), toMap);
    }
    const points = table.points(state.position, state.curve);
    show(curve, points, table.hasCurve(points), drawCurve, WORDS.noLine(named(state.curve)), toCurve);
    const sorted = [...(rows ?? [])].sort((a, b) => (b[1][0]?.[0] ?? 0) - (a[1][0]?.[0] ?? 0));
    list.replaceChildren(el("table", {}, el("thead", {}, el("tr", {}, el("th", { scope: "col" }, WORDS.here), ...own.map((m) => el("th", { scope: "col", class: "num" }, m.head)))),
      el("tbody", {}, ...sorted.map(([s, values]) => el("tr", { "data-strategy": spec.strategies[s].name }, el("td", {}, spec.strategies[s].name),
        ...own.map((m) => el("td", { class: "num" }, values[m.i]?.[3] ?? "–")))))),
    el("p", { class: "note" }, common.map((m) => { // of graph and model, whatever the strategy
      const value = sorted.map(([, values]) => values[m.i]).find((v) => v);
      return value ? `${m.name}: ${value[3]}. ` : "";
    }).join("")));
    list.hidden = !rows;
  }
  root.hidden = false;
  update();
  let width = root.clientWidth;
  addEventListener("resize", () => { if (root.clientWidth !== width) { width = root.clientWidth; update(); } });
}
