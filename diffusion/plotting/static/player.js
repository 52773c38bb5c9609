// Player of a cascade: one module, no framework, nothing from any network.
//
// mount(root, spec) unpacks the arrays of plotting/player.py, draws them with WebGL2 and builds the controls. Rows are
// users in the order of the page; times are steps, or what the model's clock counts.

const WORDS = {
  play: "Play", pause: "Pause", first: "To the start", back: "One step back", next: "One step on", last: "To the end",
  speed: "Speed", colour: "Colour by", clock: "Clock", find: "Find a user", save: "Save picture",
  step: "step", community: "community", unreached: "not reached", showAll: "Show all", legend: "Reached so far",
  fresh: (unit) => `New per ${unit}`, total: "Reached in total", table: "Numbers by step", keys: "Keys",
  keyList: "Space: play or pause. Left and right arrow: one step. Home and End: start and end. Plus, minus, 0: zoom. "
    + "Escape: let go of a user. Drag to move the picture, turn the wheel or pinch to zoom, click a user to keep its path.",
  others: (n) => `${n} other communities`, seed: "seed", unnamed: "a user without a name in this page",
  noUser: (name) => `No user called “${name}” is named in this page.`,
  hidden: (n) => `${number(n)} of them hidden by the legend`,
  lost: "The browser has taken the graphics memory back: reload the page.",
};
const NEVER = 1e9;
const HIDDEN = 255; // states: colour + 1, plus 128 once reached; 0 is the colour of users not reached
const COLOURS = 12;
const RAMP = 10;
const format = new Intl.NumberFormat("en");
const number = (value) => format.format(value);

// -- data -------------------------------------------------------------------------------------------------------------

const TYPES = { u1: Uint8Array, u2: Uint16Array, u4: Uint32Array, f4: Float32Array };

async function unpack(spec) {
  const packed = Uint8Array.from(atob(spec.data), (c) => c.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  const arrays = {};
  let at = 0;
  for (const [name, type, size] of spec.parts) {
    const values = new TYPES[type](size);
    const width = values.BYTES_PER_ELEMENT;
    const plain = new Uint8Array(values.buffer);
    for (let plane = 0; plane < width; plane++) {
      for (let i = 0; i < size; i++) plain[i * width + plane] = bytes[at++];
    }
    arrays[name] = values;
  }
  return arrays;
}

function summed(differences) {
  const total = new Uint32Array(differences.length);
  let sum = 0;
  for (let i = 0; i < total.length; i++) total[i] = sum += differences[i];
  return total;
}

// Everything that is known of the cascade, by row and by event (a user reached, in the order of row).
function prepare(spec, arrays) {
  const n = spec.users;
  const disc = new Uint8Array(n);
  const place = new Uint16Array(2 * n);
  let row = 0;
  arrays.discs.forEach((size, d) => {
    for (let k = 0, x = 0; k < size; k++, row++) {
      disc[row] = d;
      place[2 * row] = x += arrays.x[row];
      place[2 * row + 1] = arrays.y[row];
    }
  });
  const m = spec.reached;
  const users = new Uint32Array(m);
  const event = new Int32Array(n).fill(-1);
  for (let i = 0, e = 0; i < n; i++) if (arrays.reached_at[i]) { users[e] = i; event[i] = e++; }
  const step = Uint16Array.from(users, (i) => arrays.reached_at[i] - 1);
  const parent = Int32Array.from(arrays.parent, (p) => p - 1);
  const children = new Uint32Array(m);
  for (let e = 0; e < m; e++) if (parent[e] >= 0) children[event[parent[e]]]++;
  const newByStep = new Uint32Array(spec.steps);
  for (let e = 0; e < m; e++) newByStep[step[e]]++;
  const text = JSON.parse(new TextDecoder().decode(arrays.labels));
  const named = arrays.named ? new Map(Array.from(summed(arrays.named), (i, k) => [i, text[k]])) : null;
  const kinds = Object.entries(spec.kinds).map(([name, values]) => ({
    name, values, taken: values.map((_, k) => arrays[`${name} ${k}`]),
  }));
  return {
    n, m, disc, place, users, event, step, parent, children, newByStep, kinds, time: arrays.time || null,
    source: arrays.source ? summed(arrays.source) : null, target: arrays.target || null,
    label: (i) => (named ? named.get(i) : text[i]) ?? null,
    find(name) {
      if (!named) { const at = text.indexOf(name); return at >= 0 ? at : text.findIndex((t) => t.startsWith(name)); }
      for (const [i, t] of named) if (t === name) return i;
      return -1;
    },
  };
}

// Order of events by a clock, how many have happened by a time, and their numbers in bins of one step or as wide.
function clockOf(data, when, pace, end, unit) {
  const order = Uint32Array.from({ length: data.m }, (_, e) => e).sort((a, b) => when[a] - when[b] || a - b);
  const sorted = Float32Array.from(order, (e) => when[e]);
  const lastStep = new Uint16Array(data.m);
  for (let k = 0, top = 0; k < data.m; k++) lastStep[k] = top = Math.max(top, data.step[order[k]]);
  const upTo = (now) => {
    let low = 0, high = data.m;
    while (low < high) { const mid = (low + high) >> 1; if (sorted[mid] <= now) low = mid + 1; else high = mid; }
    return low;
  };
  const bins = new Uint32Array(Math.max(1, Math.floor(end / pace + 1e-6) + 1));
  const before = new Uint32Array(bins.length + 1);
  for (const t of sorted) bins[Math.min(bins.length - 1, Math.floor(t / pace + 1e-6))]++;
  bins.forEach((count, b) => { before[b + 1] = before[b] + count; });
  const totals = Uint32Array.from(bins, (_, b) => upTo(b === bins.length - 1 ? end : b * pace));
  return { when, pace, end, unit, order, upTo, bins, before, totals, stepBy: (count) => (count ? lastStep[count - 1] : 0) };
}

// Cells of a grid over the picture, to find the user under the pointer.
function gridOf(data) {
  const side = Math.max(1, Math.min(512, Math.round(Math.sqrt(data.n / 2))));
  const cell = (value) => Math.min(side - 1, (value * side) >> 16);
  const start = new Uint32Array(side * side + 1);
  const of = new Uint32Array(data.n);
  for (let i = 0; i < data.n; i++) start[(of[i] = cell(data.place[2 * i + 1]) * side + cell(data.place[2 * i])) + 1]++;
  for (let c = 0; c < side * side; c++) start[c + 1] += start[c];
  const rows = new Uint32Array(data.n), next = start.slice();
  for (let i = 0; i < data.n; i++) rows[next[of[i]]++] = i;
  return (x, y, radius, better) => { // in units of place
    let found = -1, best = Infinity;
    const clip = (value) => cell(Math.max(0, Math.min(65535, value)));
    for (let cy = clip(y - radius); cy <= clip(y + radius); cy++) {
      for (let cx = clip(x - radius); cx <= clip(x + radius); cx++) {
        for (let k = start[cy * side + cx]; k < start[cy * side + cx + 1]; k++) {
          const i = rows[k], gap = Math.hypot(data.place[2 * i] - x, data.place[2 * i + 1] - y);
          const cost = gap - better(i) * radius;
          if (gap <= radius && cost < best) { best = cost; found = i; }
        }
      }
    }
    return found;
  };
}

// -- WebGL2 -----------------------------------------------------------------------------------------------------------

const USERS = [`#version 300 es
in vec2 a_place; in uint a_state; in float a_when; in uint a_seed;
uniform vec4 u_view; uniform float u_now, u_size, u_pulse; uniform int u_pass; uniform sampler2D u_palette;
out vec4 v_colour; out float v_size; flat out uint v_seed;
void main() {
  bool reached = a_state >= 128u;
  int pass = a_state == 255u ? -1 : a_seed == 1u ? 2 : reached ? 1 : 0;
  gl_Position = pass == u_pass ? vec4(a_place * u_view.xy + u_view.zw, 0.0, 1.0) : vec4(2.0, 2.0, 2.0, 1.0);
  v_colour = texelFetch(u_palette, ivec2(int(a_state & 127u), reached ? 1 : 0), 0);
  float fresh = reached ? u_pulse * exp(-5.0 * (u_now - a_when)) : 0.0;
  v_size = a_seed == 1u ? max(11.0, 2.4 * u_size) : reached ? u_size * (1.35 + fresh) : u_size;
  v_seed = a_seed;
  gl_PointSize = v_size + 1.0;
}`, `#version 300 es
precision highp float;
in vec4 v_colour; in float v_size; flat in uint v_seed;
uniform vec4 u_ink;
out vec4 colour;
void main() {
  float r = length(gl_PointCoord - 0.5) * (v_size + 1.0), edge = v_size * 0.5;
  float cover = clamp(edge + 0.5 - r, 0.0, 1.0);
  vec4 mine = v_seed == 1u ? mix(v_colour, u_ink, clamp(r - edge + 2.5, 0.0, 1.0)) : v_colour;
  colour = vec4(mine.rgb * mine.a, mine.a) * cover;
}`];
const ARCS = [`#version 300 es
in vec2 a_from, a_to; in float a_when; in uint a_state;
uniform vec4 u_view, u_ink; uniform float u_now, u_span, u_alpha; uniform sampler2D u_palette;
out vec4 v_colour;
void main() {
  float grown = clamp((u_now - a_when) / u_span + 1.0, 0.0, 1.0);
  bool away = a_state == 255u || grown <= 0.0;
  vec2 at = gl_VertexID == 0 ? a_from : mix(a_from, a_to, grown);
  gl_Position = away ? vec4(2.0, 2.0, 2.0, 1.0) : vec4(at * u_view.xy + u_view.zw, 0.0, 1.0);
  vec4 base = a_state >= 128u ? texelFetch(u_palette, ivec2(int(a_state & 127u), 1), 0) : u_ink;
  float alpha = u_alpha * (gl_VertexID == 0 ? 0.35 : 1.0) * (a_state >= 128u ? 1.0 : 0.5);
  v_colour = vec4(base.rgb * alpha, alpha);
}`, `#version 300 es
precision highp float;
in vec4 v_colour; out vec4 colour;
void main() { colour = v_colour; }`];
const PALE = [`#version 300 es
in vec2 a_place; in uint a_state;
uniform vec4 u_view;
out float v_shown;
void main() {
  gl_Position = vec4(a_place * u_view.xy + u_view.zw, 0.0, 1.0);
  v_shown = a_state == 255u ? 0.0 : 1.0;
}`, `#version 300 es
precision highp float;
in float v_shown;
uniform vec4 u_ink; out vec4 colour;
void main() { colour = vec4(u_ink.rgb, 1.0) * u_ink.a * (v_shown > 0.999 ? 1.0 : 0.0); }`];

function program(gl, [vertex, fragment]) {
  const made = gl.createProgram();
  for (const [kind, text] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, text);
    gl.compileShader(shader);
    gl.attachShader(made, shader);
  }
  gl.linkProgram(made);
  if (!gl.getProgramParameter(made, gl.LINK_STATUS) && !gl.isContextLost()) throw new Error(gl.getProgramInfoLog(made));
  const uniforms = {};
  for (let k = 0; k < gl.getProgramParameter(made, gl.ACTIVE_UNIFORMS); k++) {
    const { name } = gl.getActiveUniform(made, k);
    uniforms[name] = gl.getUniformLocation(made, name);
  }
  return { made, uniforms, at: (name) => gl.getAttribLocation(made, name) };
}

// Buffers and draw calls. `arcs` are the events with a parent.
function sceneOf(canvas, data) {
  const gl = canvas.getContext("webgl2", { antialias: data.n <= 5000, alpha: true });
  if (!gl) return null;
  const users = program(gl, USERS), arcs = program(gl, ARCS), pale = program(gl, PALE);
  const child = data.users.filter((_, e) => data.parent[e] >= 0);
  const childEvents = Uint32Array.from(child, (i) => data.event[i]);
  const buffer = (values, target = gl.ARRAY_BUFFER) => {
    const made = gl.createBuffer();
    gl.bindBuffer(target, made);
    gl.bufferData(target, values, gl.DYNAMIC_DRAW);
    return made;
  };
  const refill = (made, values) => { gl.bindBuffer(gl.ARRAY_BUFFER, made); gl.bufferSubData(gl.ARRAY_BUFFER, 0, values); };
  const attach = (of, name, made, type, size, each = 0) => {
    const at = of.at(name);
    if (at < 0) return;
    gl.bindBuffer(gl.ARRAY_BUFFER, made);
    gl.enableVertexAttribArray(at);
    if (type === gl.UNSIGNED_BYTE) gl.vertexAttribIPointer(at, size, type, 0, 0);
    else gl.vertexAttribPointer(at, size, type, type === gl.UNSIGNED_SHORT, 0, 0);
    gl.vertexAttribDivisor(at, each);
  };
  const rowsOf = (list, ends) => {
    const out = new Uint16Array(2 * list.length);
    for (let k = 0; k < list.length; k++) { const i = ends(list[k]); out[2 * k] = data.place[2 * i]; out[2 * k + 1] = data.place[2 * i + 1]; }
    return out;
  };
  const seeds = new Uint8Array(data.n);
  data.users.forEach((i, e) => { if (data.parent[e] < 0) seeds[i] = 1; });
  const nodes = {
    place: buffer(data.place), state: buffer(new Uint8Array(data.n)), when: buffer(new Float32Array(data.n)), seed: buffer(seeds),
  };
  const tree = {
    from: buffer(rowsOf(childEvents, (e) => data.parent[e])), to: buffer(rowsOf(child, (i) => i)),
    when: buffer(new Float32Array(child.length)), state: buffer(new Uint8Array(child.length)),
  };
  const vaoUsers = gl.createVertexArray();
  gl.bindVertexArray(vaoUsers);
  attach(users, "a_place", nodes.place, gl.UNSIGNED_SHORT, 2);
  attach(users, "a_state", nodes.state, gl.UNSIGNED_BYTE, 1);
  attach(users, "a_when", nodes.when, gl.FLOAT, 1);
  attach(users, "a_seed", nodes.seed, gl.UNSIGNED_BYTE, 1);
  const vaoTree = gl.createVertexArray();
  gl.bindVertexArray(vaoTree);
  attach(arcs, "a_from", tree.from, gl.UNSIGNED_SHORT, 2, 1);
  attach(arcs, "a_to", tree.to, gl.UNSIGNED_SHORT, 2, 1);
  attach(arcs, "a_when", tree.when, gl.FLOAT, 1, 1);
  attach(arcs, "a_state", tree.state, gl.UNSIGNED_BYTE, 1, 1);
  const vaoPale = gl.createVertexArray();
  gl.bindVertexArray(vaoPale);
  attach(pale, "a_place", nodes.place, gl.UNSIGNED_SHORT, 2);
  attach(pale, "a_state", nodes.state, gl.UNSIGNED_BYTE, 1);
  let paleCount = 0;
  if (data.source) {
    const ends = new Uint32Array(2 * data.source.length);
    for (let a = 0; a < data.source.length; a++) { ends[2 * a] = data.source[a]; ends[2 * a + 1] = data.target[a]; }
    buffer(ends, gl.ELEMENT_ARRAY_BUFFER);
    paleCount = ends.length;
  }
  gl.bindVertexArray(null);
  const palette = gl.createTexture();
  gl.bindTexture(gl.TEXTURE_2D, palette);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
  const scratch = new Uint8Array(child.length);
  const clear = () => {
    gl.viewport(0, 0, canvas.width, canvas.height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  };
  return {
    lost: () => gl.isContextLost(),
    setWhen(when) {
      const byRow = new Float32Array(data.n).fill(NEVER);
      data.users.forEach((i, e) => { byRow[i] = when[e]; });
      refill(nodes.when, byRow);
      refill(tree.when, Float32Array.from(childEvents, (e) => when[e]));
    },
    setState(state) {
      refill(nodes.state, state);
      for (let k = 0; k < child.length; k++) scratch[k] = state[data.parent[childEvents[k]]] === HIDDEN ? HIDDEN : state[child[k]];
      refill(tree.state, scratch);
    },
    setPalette(rows) { // two rows of 128 colours: not reached, reached
      gl.bindTexture(gl.TEXTURE_2D, palette);
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, 128, 2, 0, gl.RGBA, gl.UNSIGNED_BYTE, rows);
    },
    drawPale(view, { paleInk }) {
      clear();
      gl.useProgram(pale.made);
      gl.bindVertexArray(vaoPale);
      gl.uniform4fv(pale.uniforms.u_view, view);
      gl.uniform4fv(pale.uniforms.u_ink, paleInk);
      gl.drawElements(gl.LINES, paleCount, gl.UNSIGNED_INT, 0);
    },
    draw(view, { now, span, pulse, size, ink, alpha }) {
      clear();
      gl.bindTexture(gl.TEXTURE_2D, palette);
      const points = (pass) => {
        gl.useProgram(users.made);
        gl.bindVertexArray(vaoUsers);
        gl.uniform4fv(users.uniforms.u_view, view);
        gl.uniform4fv(users.uniforms.u_ink, ink);
        gl.uniform1f(users.uniforms.u_now, now);
        gl.uniform1f(users.uniforms.u_pulse, pulse);
        gl.uniform1f(users.uniforms.u_size, size);
        gl.uniform1i(users.uniforms.u_pass, pass);
        gl.drawArrays(gl.POINTS, 0, data.n);
      };
      points(0);
      if (child.length) {
        gl.useProgram(arcs.made);
        gl.bindVertexArray(vaoTree);
        gl.uniform4fv(arcs.uniforms.u_view, view);
        gl.uniform4fv(arcs.uniforms.u_ink, ink);
        gl.uniform1f(arcs.uniforms.u_now, now);
        gl.uniform1f(arcs.uniforms.u_span, span);
        gl.uniform1f(arcs.uniforms.u_alpha, alpha);
        gl.drawArraysInstanced(gl.LINES, 0, 2, child.length);
      }
      points(1);
      points(2);
    },
  };
}

// -- page -------------------------------------------------------------------------------------------------------------

function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name in made && name !== "list") made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

function shape(tag, attributes = {}, text = null) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text !== null) made.textContent = text;
  return made;
}

function parseColour(text) {
  const hex = text.trim().replace("#", "");
  return [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16));
}

// Colourings: for each a list of values with the name of a CSS colour, and the value of an event at a step.
function colouringsOf(data, spec) {
  // Steps share a colour so that the colours have about as many users each; the seeds' step is alone.
  const depth = spec.steps - 1, later = data.m - data.newByStep[0];
  const binOf = new Uint8Array(spec.steps), ends = [[0, 0]];
  for (let s = 1, before = 0, last = 0; s <= depth; s++) {
    const bin = depth < RAMP ? s : 1 + Math.floor(((RAMP - 1) * (before + data.newByStep[s] / 2)) / later);
    if (bin !== last) ends.push([s, s]);
    last = bin;
    before += data.newByStep[s];
    binOf[s] = ends.length - 1;
    ends[binOf[s]][1] = s;
  }
  const range = ([a, z]) => (a === z ? `${WORDS.step} ${a}` : `${WORDS.step} ${a}–${z}`);
  const ramp = (b, of) => `--s${of < 2 ? 0 : Math.round((b * (RAMP - 1)) / (of - 1))}`;
  const byStep = Uint8Array.from(data.step, (s) => binOf[s]);
  const list = [{
    name: WORDS.step, fixed: byStep, tinted: false,
    values: ends.map((span, b) => ({ name: b ? range(span) : `${WORDS.seed}, ${range(span)}`, colour: ramp(b, ends.length) })),
  }];
  if (spec.discs.length > 1) {
    const own = spec.discs.length > COLOURS ? COLOURS - 1 : spec.discs.length;
    const values = spec.discs.slice(0, own).map((name, d) => ({ name: /^\d+$/.test(name) ? `${WORDS.community} ${name}` : name, colour: `--c${d}` }));
    if (own < spec.discs.length) values.push({ name: WORDS.others(spec.discs.length - own), colour: "--other" });
    const byDisc = Uint8Array.from(data.users, (i) => Math.min(data.disc[i], own));
    list.push({ name: WORDS.community, fixed: byDisc, tinted: true, own, values });
  }
  for (const kind of data.kinds) {
    const ordered = kind.name === "stage";
    const values = kind.values.map((name, k) => ({ name, colour: ordered ? ramp(k, kind.values.length) : `--c${k % COLOURS}` }));
    list.push({ name: kind.name, fixed: null, taken: kind.taken, tinted: false, values });
  }
  return list;
}

function valueAt(colouring, e, step) {
  if (colouring.fixed) return colouring.fixed[e];
  let value = 0, latest = 0;
  for (let k = 0; k < colouring.taken.length; k++) {
    const at = colouring.taken[k][e]; // step + 1, 0 for never
    if (at && at <= step + 1 && at >= latest) { value = k; latest = at; }
  }
  return value;
}

export async function mount(root, spec, keys = root) {
  const canvas = element("canvas", { tabIndex: 0, role: "img" });
  if (typeof DecompressionStream === "undefined" || !document.createElement("canvas").getContext("webgl2")) return null;
  const data = prepare(spec, await unpack(spec));
  let scene = sceneOf(canvas, data);
  const find = gridOf(data);
  const clocks = [clockOf(data, data.step, 1, Math.max(spec.steps - 1, 0), WORDS.step)];
  if (data.time) {
    let end = 0;
    for (const t of data.time) end = Math.max(end, t);
    if (end > 0) clocks.push(clockOf(data, data.time, end / Math.max(spec.steps - 1, 1), end, spec.clock));
  }
  const colourings = colouringsOf(data, spec);
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const first = Math.max(0, colourings.findIndex((c) => ["brand", "stage"].includes(c.name)));
  const now = { clock: clocks[0], at: 0, colouring: colourings[first], hidden: new Set(), user: -1, kept: -1, playing: false, speed: 1 };
  const state = new Uint8Array(data.n);
  let counts = [], shownState = "", shownPale = "", view = { zoom: 1, x: 0, y: 0 }, colours = null, asked = 0, last = 0;

  // -- what is shown ----

  const reached = () => now.clock.upTo(now.at);
  const stepNow = () => now.clock.stepBy(reached());

  function restate() { // states of all users and counts of the legend
    const count = reached(), step = stepNow(), { order } = now.clock, { colouring, hidden } = now;
    const key = [count, colouring.fixed ? 0 : step, colouring.name, now.clock.unit, ...hidden].join();
    if (key === shownState) return;
    shownState = key;
    counts = new Array(colouring.values.length).fill(0);
    const away = colouring.values.map((_, k) => hidden.has(k));
    const rest = hidden.has("unreached") ? HIDDEN : 0;
    if (colouring.tinted) for (let i = 0; i < data.n; i++) { const k = Math.min(data.disc[i], colouring.own); state[i] = rest || (away[k] ? HIDDEN : k + 1); }
    else state.fill(rest);
    for (let k = 0; k < count; k++) {
      const value = valueAt(colouring, order[k], step);
      counts[value]++;
      state[data.users[order[k]]] = away[value] ? HIDDEN : 129 + value;
    }
    scene.setState(state);
  }

  function recolour() {
    const style = getComputedStyle(root);
    const css = (name) => parseColour(style.getPropertyValue(name));
    const rows = new Uint8Array(2 * 128 * 4);
    rows.set([...css("--cp-unreached"), 255], 0);
    now.colouring.values.forEach((value, k) => {
      const rgb = css(value.colour);
      rows.set([...rgb, 75], 4 * (k + 1));
      rows.set([...rgb, 255], 4 * (128 + k + 1));
    });
    scene.setPalette(rows);
    const ink = css("--cp-ink").map((c) => c / 255);
    const paleAlpha = data.source ? Math.max(0.01, Math.min(0.7, 1200 / data.source.length)) : 0;
    colours = { ink: [...ink, 1], paleInk: [...ink, paleAlpha] };
  }

  // From places (0 to 65,535) to clip space: the whole picture fits, then zoom and shift.
  function transform() {
    const w = canvas.clientWidth || 1, h = canvas.clientHeight || 1, pad = 16;
    const fit = Math.min((w - 2 * pad) / 1, (h - 2 * pad) / spec.aspect) * view.zoom; // pixels of the whole width
    const sx = (2 * fit) / w, sy = (2 * fit) / h;
    return { fit, w, h, clip: [sx, sy, -sx / 2 - view.x * sx, -(sy * spec.aspect) / 2 - view.y * sy] };
  }
  const toScreen = (i, t = transform()) => [
    ((data.place[2 * i] / 65535) * t.clip[0] + t.clip[2] + 1) * 0.5 * t.w,
    (1 - ((data.place[2 * i + 1] / 65535) * t.clip[1] + t.clip[3])) * 0.5 * t.h,
  ];
  const toPlace = (px, py, t = transform()) => [
    (((px / t.w) * 2 - 1 - t.clip[2]) / t.clip[0]) * 65535, ((1 - (py / t.h) * 2 - t.clip[3]) / t.clip[1]) * 65535,
  ];
  function pointSize(t) {
    return Math.max(1, Math.min(14, 0.62 * spec.spacing * t.fit));
  }

  function paint() {
    asked = 0;
    if (scene.lost()) return;
    restate();
    const ratio = Math.min(devicePixelRatio || 1, 2), t = transform();
    const [w, h] = [Math.round(t.w * ratio), Math.round(t.h * ratio)];
    if (canvas.width !== w || canvas.height !== h) { canvas.width = w; canvas.height = h; }
    const key = [w, h, ...t.clip, dark.matches, now.hidden.size ? shownState : ""].join();
    if (data.source && key !== shownPale) { // all arcs are drawn again only when the view or the filter changes
      shownPale = key;
      scene.drawPale(t.clip, colours);
      if (pale.width !== w || pale.height !== h) { pale.width = w; pale.height = h; }
      const c = pale.getContext("2d");
      c.clearRect(0, 0, w, h);
      c.globalAlpha = 0.35; // where many cross, they must not outshine who is reached
      c.drawImage(canvas, 0, 0);
    }
    drawScene(t, ratio);
    overlay(t);
    report();
  }
  function drawScene(t, ratio) {
    const moving = !still.matches;
    scene.draw(t.clip, {
      now: now.at, span: moving ? now.clock.pace : 1e-6, pulse: moving ? 0.7 : 0, size: pointSize(t) * ratio, ...colours,
      alpha: Math.max(0.12, Math.min(0.75, 1500 / data.m)),
    });
  }
  function ask() { if (!asked) asked = requestAnimationFrame(frame); }
  function frame(at) {
    if (now.playing) {
      const seconds = Math.max(0, Math.min(0.1, (at - last) / 1000)); // a frame may have begun before the click
      if (still.matches) {
        if (at - last >= 1000 / now.speed) { last = at; move(1); }
      } else { last = at; now.at = Math.min(now.clock.end, now.at + seconds * now.speed * now.clock.pace); }
      if (now.at >= now.clock.end) play(false);
    }
    paint();
    if (now.playing) ask();
  }

  // -- moving in time ----

  function go(at) { now.at = Math.max(0, Math.min(now.clock.end, at)); ask(); }
  function move(steps) {
    const { pace } = now.clock;
    go((steps > 0 ? Math.floor(now.at / pace + 1e-6) + steps : Math.ceil(now.at / pace - 1e-6) + steps) * pace);
  }
  function play(on) {
    if (on && now.at >= now.clock.end) now.at = 0;
    now.playing = on;
    last = performance.now();
    playButton.textContent = on ? WORDS.pause : WORDS.play;
    playButton.setAttribute("aria-pressed", on);
    status.setAttribute("aria-live", on ? "off" : "polite");
    ask();
  }

  // -- controls ----

  const button = (label, text, act) => element("button", { type: "button", title: label, ariaLabel: label, onclick: act }, text);
  const playButton = element("button", { type: "button", className: "cp-play", onclick: () => play(!now.playing) }, WORDS.play);
  const slider = element("input", { type: "range", min: 0, step: "any", ariaLabel: WORDS.step, oninput: () => go(Number(slider.value)) });
  const choice = (label, options, chosen, act) => {
    const made = element("select", { onchange: () => act(made.selectedIndex) }, ...options.map((text) => element("option", {}, text)));
    made.selectedIndex = chosen;
    return element("label", {}, `${label} `, made);
  };
  const speeds = [0.5, 1, 2, 4, 8];
  const status = element("p", { className: "cp-status", role: "status" });
  const legend = element("div", { className: "cp-legend", role: "group", ariaLabel: WORDS.legend });
  const tip = element("div", { className: "cp-tip", hidden: true });
  const over = shape("svg", { class: "cp-over", "aria-hidden": "true" });
  const pale = element("canvas", { ariaHidden: "true" });
  const stage = element("div", { className: "cp-stage" }, pale, canvas, over, tip);
  const search = element("input", { type: "search", size: 12, ariaLabel: WORDS.find, placeholder: WORDS.find, onkeydown: (e) => { if (e.key === "Enter") seek(search.value.trim()); } });
  const freshChart = chartOf("bars"), totalChart = chartOf("line");
  const controls = element("div", { className: "cp-controls" },
    element("span", { className: "cp-group" }, button(WORDS.first, "|◀\uFE0E", () => go(0)), button(WORDS.back, "◀\uFE0E", () => move(-1)), playButton,
      button(WORDS.next, "▶\uFE0E", () => move(1)), button(WORDS.last, "▶\uFE0E|", () => go(now.clock.end))),
    slider);
  const settings = element("div", { className: "cp-controls cp-settings" },
    choice(WORDS.colour, colourings.map((c) => c.name), first, (k) => { now.colouring = colourings[k]; now.hidden.clear(); recolour(); buildLegend(); ask(); }),
    choice(WORDS.speed, speeds.map((s) => `${s}×`), 1, (k) => { now.speed = speeds[k]; }),
    ...(clocks.length > 1 ? [choice(WORDS.clock, clocks.map((c) => c.unit), 0, (k) => setClock(clocks[k]))] : []),
    search, element("button", { type: "button", onclick: savePicture }, WORDS.save));
  const cells = Array.from(data.newByStep.slice(0, 2000), (fresh, s) => [s, fresh]);
  let total = 0;
  const table = element("table", {}, element("thead", {}, element("tr", {}, ...[WORDS.step, WORDS.fresh(WORDS.step), WORDS.total].map((w) => element("th", { scope: "col" }, w)))),
    element("tbody", {}, ...cells.map(([s, fresh]) => element("tr", {}, ...[s, fresh, total += fresh].map((v) => element("td", {}, number(v)))))));
  root.replaceChildren(
    element("header", {}, element("h1", {}, spec.title), element("p", { className: "cp-summary" }, spec.summary)),
    element("div", { className: "cp-body" }, stage, element("aside", {}, legend)),
    controls, status,
    element("div", { className: "cp-charts" }, freshChart.figure, totalChart.figure),
    settings,
    element("div", { className: "cp-note" }, ...spec.notes.map((text) => element("p", {}, text))),
    element("details", {}, element("summary", {}, WORDS.table), table),
    element("details", {}, element("summary", {}, WORDS.keys), element("p", {}, WORDS.keyList)));

  function setClock(clock) {
    now.at *= clock.end / Math.max(now.clock.end, 1e-9);
    now.clock = clock;
    if (clock === clocks[0]) now.at = Math.round(now.at);
    slider.max = clock.end;
    scene.setWhen(clock.when);
    freshChart.build(clock.bins, WORDS.fresh(clock === clocks[0] ? WORDS.step : `${short(clock.pace)} ${clock.unit}`));
    totalChart.build(clock.totals, WORDS.total);
    ask();
  }
  const short = (value) => number(Number(value.toPrecision(value >= 100 ? 4 : 3)));

  function report() {
    const { clock } = now, count = reached(), whole = clock === clocks[0];
    const bin = Math.floor(now.at / clock.pace + 1e-6), fresh = count - clock.before[Math.min(bin, clock.bins.length - 1)];
    let hiddenCount = 0;
    now.hidden.forEach((k) => { if (k !== "unreached") hiddenCount += counts[k]; });
    const where = whole ? `Step ${bin} of ${clock.end}: ${number(fresh)} new` : `${short(now.at)} of ${short(clock.end)} ${clock.unit}`;
    const text = `${where}${whole ? ", " : ": "}${number(count)} of ${number(spec.reached)} reached`
      + (hiddenCount ? `, ${WORDS.hidden(hiddenCount)}` : "");
    if (status.textContent !== text) {
      status.textContent = text;
      canvas.setAttribute("aria-label", `${spec.title}. ${text}`);
      Object.assign(root.dataset, { at: bin, new: fresh, reached: count });
    }
    slider.value = now.at;
    slider.setAttribute("aria-valuetext", where);
    freshChart.mark(now.at / clock.pace, fresh);
    totalChart.mark(now.at / clock.pace, count);
    entries.forEach(([key, made]) => { made.textContent = number(key === "unreached" ? spec.users - count : counts[key]); });
  }

  // -- legend ----

  let entries = [];
  function buildLegend() {
    const list = now.colouring.values.map((value, k) => [k, value.name, value.colour]);
    if (spec.reached < spec.users) list.push(["unreached", WORDS.unreached, "--cp-unreached"]);
    entries = [];
    legend.replaceChildren(element("h2", {}, WORDS.legend), ...list.map(([key, name, colour]) => {
      const figure = element("span", { className: "cp-count" });
      const made = element("button", { type: "button", ariaPressed: "true", onclick: () => {
        if (now.hidden.has(key)) now.hidden.delete(key); else now.hidden.add(key);
        made.setAttribute("aria-pressed", !now.hidden.has(key));
        all.hidden = !now.hidden.size;
        ask();
      } }, element("span", { className: "cp-swatch", style: `background:var(${colour})` }), element("span", { className: "cp-name" }, name), figure);
      entries.push([key, figure]);
      return made;
    }));
    const all = element("button", { type: "button", hidden: true, className: "cp-all", onclick: () => { now.hidden.clear(); buildLegend(); ask(); } }, WORDS.showAll);
    legend.append(all);
  }

  // -- curves ----

  function chartOf(kind) {
    const drawing = shape("svg", { "aria-hidden": "true" }), caption = element("figcaption");
    const figure = element("figure", {}, caption, drawing);
    let values = [], title = "", marker = null, dot = null, past = null, w = 0, left = 0, scale = 1;
    const H = 92, base = 72, top = 8;
    const x = (b) => left + ((w - left - 8) * (b + (kind === "bars" ? 0.5 : 0))) / Math.max(1, values.length - (kind === "bars" ? 0 : 1));
    const y = (v) => base - (base - top) * (v / scale);
    function build(newValues = values, newTitle = title) {
      values = newValues; title = newTitle;
      w = figure.clientWidth || 300;
      scale = values.reduce((a, b) => Math.max(a, b), 1);
      left = 12 + 6.5 * number(scale).length;
      const n = values.length;
      const line = (of, to) => {
        let text = "";
        if (kind === "bars") {
          const gap = Math.min(2, (w / n) * 0.2), half = Math.max(0.5, (w - left - 8) / n / 2 - gap / 2);
          for (let b = 0; b < to; b++) if (of[b]) text += `M${(x(b) - half).toFixed(1)} ${base}V${Math.min(base - 1, y(of[b])).toFixed(1)}h${(2 * half).toFixed(1)}V${base}Z`;
        } else for (let b = 0; b < to; b++) text += `${b ? "L" : "M"}${x(b).toFixed(1)} ${y(of[b]).toFixed(1)}`;
        return text;
      };
      const d = line(values, n), id = `cp${Math.random().toString(36).slice(2)}`;
      past = shape("rect", { x: 0, y: 0, width: 0, height: H });
      const clip = shape("clipPath", { id });
      clip.append(past);
      marker = shape("line", { y1: top - 4, y2: base, class: "cp-marker" });
      dot = shape("circle", { r: kind === "bars" ? 0 : 4, class: "cp-dot" });
      drawing.setAttribute("viewBox", `0 0 ${w} ${H}`);
      drawing.setAttribute("height", H);
      drawing.replaceChildren(clip,
        shape("path", { d: `M${left} ${base}H${w - 8}`, class: "cp-axis" }),
        shape("text", { x: left - 5, y: top + 5, "text-anchor": "end" }, number(scale)), shape("text", { x: left - 5, y: base, "text-anchor": "end" }, "0"),
        shape("text", { x: x(0), y: H - 4, "text-anchor": kind === "bars" ? "middle" : "start" }, "0"),
        ...(n > 1 ? [shape("text", { x: x(n - 1), y: H - 4, "text-anchor": "end" }, `${short(now.clock.end)}${now.clock === clocks[0] ? "" : ` ${now.clock.unit}`}`)] : []),
        shape("path", { d, class: `cp-${kind} cp-ahead` }), shape("path", { d, class: `cp-${kind}`, "clip-path": `url(#${id})` }), marker, dot);
    }
    const scrub = (e) => {
      const box = drawing.getBoundingClientRect(), n = values.length;
      const b = ((e.clientX - box.left - left) / Math.max(1, w - left - 8)) * (kind === "bars" ? n : Math.max(1, n - 1));
      go((kind === "bars" ? Math.floor(b) : Math.round(b)) * now.clock.pace);
    };
    drawing.addEventListener("pointerdown", (e) => { drawing.setPointerCapture(e.pointerId); play(false); scrub(e); });
    drawing.addEventListener("pointermove", (e) => { if (e.buttons) scrub(e); });
    return {
      figure, build,
      mark(at, value) {
        const steps = kind === "bars" && now.clock === clocks[0], half = (w - left - 8) / values.length / 2;
        const on = x(Math.min(steps ? Math.floor(at + 1e-6) : at, values.length - 1)) - (kind === "bars" && !steps ? half : 0);
        past.setAttribute("width", on + (steps ? half : 0));
        marker.setAttribute("x1", on);
        marker.setAttribute("x2", on);
        dot.setAttribute("cx", on);
        dot.setAttribute("cy", y(value));
        caption.replaceChildren(element("span", {}, title), " ", element("strong", {}, number(value)));
      },
    };
  }

  // -- one user ----

  function pathTo(i) {
    const path = [i];
    for (let e = data.event[i]; e >= 0 && data.parent[e] >= 0; e = data.event[data.parent[e]]) path.push(data.parent[e]);
    return path;
  }
  const called = (i) => data.label(i) ?? WORDS.unnamed;
  const timeOf = (e) => (now.clock === clocks[0] ? `step ${data.step[e]}` : `${short(now.clock.when[e])} ${now.clock.unit}`);

  function describe(i) {
    const e = data.event[i], lines = [element("strong", {}, called(i))];
    const add = (text) => lines.push(element("div", {}, text));
    if (spec.discs.length > 1) add(`${WORDS.community}: ${spec.discs[data.disc[i]]}`);
    if (e < 0) { add("never reached in this run"); return lines; }
    const done = now.clock.when[e] <= now.at;
    const path = pathTo(i);
    if (data.parent[e] < 0) add(`${WORDS.seed}, ${timeOf(e)}`);
    else add(`${done ? "reached" : "not reached yet: will be reached"} at ${timeOf(e)} through ${called(data.parent[e])}`);
    for (const kind of data.kinds) if (done) add(`${kind.name}: ${kind.values[valueAt({ taken: kind.taken }, e, stepNow())]}`);
    if (path.length > 2) {
      const names = path.length > 9 ? [...path.slice(0, 4).map(called), `${path.length - 8} more`, ...path.slice(-4).map(called)] : path.map(called);
      add(`path from the seed: ${names.reverse().join(" → ")}`);
    }
    add(`passed it on to ${number(data.children[e])} ${data.children[e] === 1 ? "user" : "users"}`);
    return lines;
  }

  function overlay(t) {
    const i = now.user >= 0 ? now.user : now.kept;
    tip.hidden = i < 0;
    if (i < 0) { over.replaceChildren(); return; }
    const path = (data.event[i] >= 0 ? pathTo(i) : [i]).map((k) => toScreen(k, t));
    over.setAttribute("viewBox", `0 0 ${t.w} ${t.h}`);
    over.replaceChildren(
      shape("polyline", { points: path.map((p) => p.map((v) => v.toFixed(1)).join()).join(" "), class: "cp-path" }),
      ...path.map(([x, y], k) => shape("circle", { cx: x, cy: y, r: k ? 4 : 7, class: k ? "cp-via" : "cp-here" })));
    const key = `${i} ${stepNow()} ${now.at >= (now.clock.when[data.event[i]] ?? 0)} ${now.clock.unit}`;
    if (tip.dataset.key !== key) { tip.replaceChildren(...describe(i)); tip.dataset.key = key; }
    const [x, y] = path[0];
    tip.style.left = `${Math.max(4, Math.min(t.w - tip.offsetWidth - 4, x + 14))}px`;
    tip.style.top = `${Math.max(4, y + 14 + tip.offsetHeight > t.h ? y - tip.offsetHeight - 14 : y + 14)}px`;
  }

  function seek(name) {
    if (!name) return;
    const i = data.find(name);
    if (i < 0) { status.textContent = WORDS.noUser(name); return; }
    now.kept = i;
    ask();
  }

  // -- pointer and keys ----

  const pointers = new Map();
  let dragged = 0;
  const spot = (e) => { const box = canvas.getBoundingClientRect(); return [e.clientX - box.left, e.clientY - box.top]; };
  function under(e) {
    const t = transform(), [px, py] = spot(e), [x, y] = toPlace(px, py, t);
    const radius = (Math.max(e.pointerType === "touch" ? 20 : 9, pointSize(t)) / t.fit) * 65535;
    return find(x, y, radius, (i) => (state[i] === HIDDEN ? -10 : data.event[i] >= 0 && data.parent[data.event[i]] < 0 ? 1 : state[i] >= 128 ? 0.5 : 0));
  }
  function zoom(factor, px = canvas.clientWidth / 2, py = canvas.clientHeight / 2) {
    const before = toPlace(px, py);
    view.zoom = Math.max(1, Math.min(60, view.zoom * factor));
    if (view.zoom === 1) { view.x = view.y = 0; ask(); return; }
    const after = toPlace(px, py);
    shift((before[0] - after[0]) / 65535, (before[1] - after[1]) / 65535);
  }
  function shift(dx, dy) { // in widths of the picture
    view.x = Math.max(-0.5, Math.min(0.5, view.x + dx));
    view.y = Math.max(-0.5, Math.min(0.5, view.y + dy));
    ask();
  }
  canvas.addEventListener("pointerdown", (e) => { canvas.setPointerCapture(e.pointerId); pointers.set(e.pointerId, e); if (pointers.size === 1) dragged = 0; });
  canvas.addEventListener("pointermove", (e) => {
    const before = pointers.get(e.pointerId);
    if (!before) { now.user = under(e); canvas.classList.toggle("cp-on", now.user >= 0); ask(); return; }
    const { fit } = transform(), dx = e.clientX - before.clientX, dy = e.clientY - before.clientY;
    dragged += Math.abs(dx) + Math.abs(dy);
    if (pointers.size === 2) {
      const other = [...pointers].find(([id]) => id !== e.pointerId)[1];
      const gap = (p) => Math.hypot(p.clientX - other.clientX, p.clientY - other.clientY);
      zoom(gap(e) / Math.max(1, gap(before)), ...spot({ clientX: (e.clientX + other.clientX) / 2, clientY: (e.clientY + other.clientY) / 2 }));
    } else if (view.zoom > 1) shift(-dx / fit, dy / fit);
    pointers.set(e.pointerId, e);
  });
  const release = (e) => {
    if (pointers.delete(e.pointerId) && dragged < 6 && e.type === "pointerup") { const i = under(e); now.kept = i === now.kept ? -1 : i; ask(); }
  };
  canvas.addEventListener("pointerup", release);
  canvas.addEventListener("pointercancel", release);
  canvas.addEventListener("pointerleave", () => { now.user = -1; ask(); });
  canvas.addEventListener("wheel", (e) => { e.preventDefault(); zoom(Math.exp(-e.deltaY / 300), ...spot(e)); }, { passive: false });
  const acts = {
    " ": () => play(!now.playing), ArrowLeft: () => move(-1), ArrowRight: () => move(1), Home: () => go(0), End: () => go(now.clock.end),
    "+": () => zoom(1.4), "=": () => zoom(1.4), "-": () => zoom(1 / 1.4), 0: () => zoom(1 / 60), Escape: () => { now.kept = now.user = -1; ask(); },
  };
  const pressed = (e) => {
    const tag = e.target.tagName;
    if (e.ctrlKey || e.metaKey || e.altKey || tag === "SELECT" || (tag === "INPUT" && e.key !== "Escape" && (e.target !== slider || !["ArrowLeft", "ArrowRight", " "].includes(e.key)))) return;
    if (e.key === " " && (tag === "BUTTON" || tag === "SUMMARY")) return;
    if (acts[e.key]) { e.preventDefault(); e.stopPropagation(); acts[e.key](); }
  };
  keys.addEventListener("keydown", pressed);

  // -- picture ----

  async function savePicture() {
    const t = transform(), ratio = 2, margin = 24 * ratio;
    canvas.width = t.w * ratio;
    canvas.height = t.h * ratio;
    const picture = document.createElement("canvas"), names = now.colouring.values.map((value, k) => [value, k]).filter(([, k]) => !now.hidden.has(k));
    const style = getComputedStyle(root), font = (size, weight = 400) => `${weight} ${size * ratio}px ${style.fontFamily}`;
    const c = picture.getContext("2d");
    const place = (dry, y) => { // the legend in rows; returns where it ends
      let x = margin;
      c.font = font(13);
      for (const [value, k] of names) {
        const text = `${value.name}: ${number(counts[k])}`, width = c.measureText(text).width + 38 * ratio;
        if (x + width > picture.width - margin / 2 && x > margin) { x = margin; y += 20 * ratio; }
        if (!dry) {
          c.fillStyle = style.getPropertyValue(value.colour);
          c.fillRect(x, y - 10 * ratio, 12 * ratio, 12 * ratio);
          c.fillStyle = style.getPropertyValue("--cp-ink");
          c.fillText(text, x + 18 * ratio, y);
        }
        x += width;
      }
      return y + 20 * ratio;
    };
    picture.width = canvas.width + 2 * margin;
    const top = margin + 64 * ratio, below = place(true, top + canvas.height + 20 * ratio);
    picture.height = below + 24 * ratio;
    c.fillStyle = style.getPropertyValue("--cp-paper");
    c.fillRect(0, 0, picture.width, picture.height);
    c.fillStyle = style.getPropertyValue("--cp-ink");
    c.font = font(20, 650);
    c.fillText(spec.title, margin, margin + 18 * ratio, picture.width - 2 * margin);
    c.font = font(14);
    c.fillText(status.textContent, margin, margin + 44 * ratio, picture.width - 2 * margin);
    if (data.source) { scene.drawPale(t.clip, colours); c.drawImage(canvas, margin, top); }
    drawScene(t, ratio);
    c.drawImage(canvas, margin, top);
    place(false, top + canvas.height + 20 * ratio);
    c.font = font(11);
    c.fillStyle = style.getPropertyValue("--cp-soft");
    c.fillText(spec.notes.join(" "), margin, below + 4 * ratio, picture.width - 2 * margin);
    paint();
    const blob = await new Promise((done) => picture.toBlob(done, "image/png"));
    const link = element("a", { href: URL.createObjectURL(blob), download: `cascade-step-${stepNow()}.png` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }

  // -- start ----

  const refresh = () => { recolour(); ask(); };
  const sized = new ResizeObserver(() => { freshChart.build(); totalChart.build(); ask(); });
  const seen = { from: (hash) => /^#step=(\d+)$/.exec(hash) };
  canvas.addEventListener("webglcontextlost", (e) => { e.preventDefault(); status.textContent = WORDS.lost; });
  canvas.addEventListener("webglcontextrestored", () => { scene = sceneOf(canvas, data); shownState = shownPale = ""; recolour(); scene.setWhen(now.clock.when); ask(); });
  dark.addEventListener("change", refresh);
  still.addEventListener("change", ask);
  recolour();
  buildLegend();
  setClock(clocks[0]);
  sized.observe(stage);
  const asks = keys === document ? seen.from(location.hash) : null;
  if (asks) go(Number(asks[1]));
  paint();
  root.player = { go, move, play, seek, get at() { return now.at; }, destroy() {
    now.playing = false;
    cancelAnimationFrame(asked);
    sized.disconnect();
    keys.removeEventListener("keydown", pressed);
    dark.removeEventListener("change", refresh);
    still.removeEventListener("change", ask);
  } };
  return root.player;
}

export default {
  // As a Jupyter widget: what the page shows without WebGL2, until the player has taken its place.
  async render({ model, el }) {
    const root = element("div", { className: "cascade-player" });
    root.innerHTML = model.get("still");
    el.append(root);
    const player = await mount(root, JSON.parse(model.get("spec")));
    return () => player && player.destroy();
  },
};
