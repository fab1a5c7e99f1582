// Draws the family tree that Python has laid out: scales it to the window, decides which names fit, moves and zooms.
// Names come from documents: they are set as text and never as markup.

const NS = "http://www.w3.org/2000/svg";
const TOP = 26, PAD = 40, BOTTOM = 12;
const RADIUS = [4.2, 6.5, 11, 17];
const FONT = [[11, 400], [12, 500], [14, 700], [19, 800]];
const SHAPES = {
  model: (r) => `M${-r} 0a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0z`,
  technique: (r) => `M0 ${-1.2 * r}L${1.2 * r} 0L0 ${1.2 * r}L${-1.2 * r} 0z`,
  concept: (r) => `M${-r} ${-r}H${r}V${r}H${-r}z`,
  dataset: (r) => `M0 ${-1.2 * r}L${1.15 * r} ${r}H${-1.15 * r}z`,
  other: (r) => `M${-r} 0L${-r / 2} ${-r}H${r / 2}L${r} 0L${r / 2} ${r}H${-r / 2}z`,
};
const shape = (kind, r) => (SHAPES[kind] || SHAPES.other)(r);
const colour = (hue) => (hue === null ? "hsl(0 0% 52%)" : `hsl(${hue} 58% 48%)`);
const pen = document.createElement("canvas").getContext("2d");

function make(tag, attributes, parent) {
  const element = document.createElementNS(NS, tag);
  for (const [name, value] of Object.entries(attributes || {})) element.setAttribute(name, value);
  if (parent) parent.appendChild(element);
  return element;
}

class Tree {
  constructor(root) {
    this.root = root;
    this.stage = root.querySelector(".stage");
    this.zoom = 1; this.ox = 0; this.oy = 0; this.left = 172;
    this.watch = new ResizeObserver(() => this.draw());
    this.watch.observe(this.stage);
    this.listen();
  }

  update(data, send) {
    this.data = data; this.send = send;
    this.stage.setAttribute("aria-label", data.words.label);
    this.root.querySelector(".help").textContent = data.words.help;
    const titles = { in: data.words.in, out: data.words.out, fit: data.words.fit, svg: data.words.svg, png: data.words.png };
    for (const button of this.root.querySelectorAll("[data-do]")) {
      button.title = titles[button.dataset.do];
      button.setAttribute("aria-label", titles[button.dataset.do]);
      if (button.dataset.do === "fit") button.textContent = data.words.fit;
    }
    if (this.stamp !== data.stamp) { this.stamp = data.stamp; this.build(); this.legend(); }
    this.light();
    if (data.focus && data.focus !== this.shown) this.reveal(data.focus);
    this.shown = data.focus;
    this.draw();
    this.stage.dataset.drawn = String(data.nodes.length);
    this.stage.dataset.focus = data.focus || "";
  }

  build() {
    const { data } = this;
    this.stage.replaceChildren();
    this.left = data.lanes.some((lane) => lane.name) ? 172 : 16;
    this.svg = make("svg", { width: "100%", height: "100%", xmlns: NS }, this.stage);
    make("style", {}, this.svg).textContent = data.style;
    make("rect", { class: "back", width: "100%", height: "100%" }, this.svg);
    const layers = ["lanes", "rules", "steps", "nodes", "names", "gutter", "axis"];
    for (const name of layers) this[name] = make("g", { class: name }, this.svg);
    this.rows = data.lanes.reduce((most, lane) => Math.max(most, lane.top + lane.rows), 1);
    this.bands = data.lanes.map((lane, n) => ({
      lane, back: make("rect", { class: n % 2 ? "lane plain" : "lane", style: `--hue:${colour(lane.hue)}` }, this.lanes),
    }));
    make("rect", { class: "gutter", x: 0, y: 0, width: this.left - 8, height: "100%" }, this.gutter);
    for (const band of this.bands) {
      band.name = make("text", { class: "family", x: 8 }, this.gutter);
      band.name.textContent = band.lane.name;
    }
    make("rect", { class: "gutter", x: 0, y: 0, width: "100%", height: TOP - 4 }, this.axis);
    this.ticks = data.ticks.map(([label, x]) => {
      const rule = make("line", { class: "rule", y1: TOP, y2: "100%" }, this.rules);
      const text = make("text", { class: "year", y: 15 }, this.axis);
      text.textContent = label;
      return { x, rule, text };
    });
    this.byId = new Map(data.nodes.map((node) => [node.id, node]));
    this.lines = data.steps.map((step) => this.line(step, ""));
    this.items = [...data.nodes].sort((a, b) => b.rank - a.rank).map((node) => this.item(node));
    this.itemById = new Map(this.items.map((item) => [item.node.id, item]));
    this.extras = [];
  }

  line([a, b, soft, said], more) {
    const from = this.byId.get(a), to = this.byId.get(b);
    const great = to.level > 1 || from.level > 2 ? " great" : "";
    const path = make("path", { class: `step${soft ? " soft" : ""}${great}${more}`, style: `--hue:${colour(to.hue)}` }, this.steps);
    make("title", {}, path).textContent = `${from.name} → ${to.name} (${said})`;
    return { a, b, from, to, path };
  }

  item(node) {
    const r = RADIUS[node.level];
    const said = `${node.name}, ${node.said}, ${node.date}`;
    const g = make("g", { class: "node", role: "button", "data-id": node.id, "aria-label": said, style: `--hue:${colour(node.hue)}` }, this.nodes);
    make("title", {}, g).textContent = said;
    make("circle", { class: "hit", r: Math.max(r, 9) }, g);
    make("path", { d: shape(node.kind, r) }, g);
    const [size, weight] = FONT[node.level];
    const text = make("text", { class: "name", "font-size": size, "font-weight": weight }, this.names);
    text.textContent = node.name;
    pen.font = `${weight} ${size}px sans-serif`;
    g.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") { event.preventDefault(); event.stopPropagation(); this.pick(node.id); }
    });
    return { node, g, text, r, size, width: pen.measureText(node.name).width + 4 };
  }

  legend() {
    const legend = this.root.querySelector(".legend");
    legend.replaceChildren();
    for (const [kind, said] of this.data.legend) {
      const entry = document.createElement("span");
      const picture = make("svg", { viewBox: "-8 -8 16 16", "aria-hidden": "true" }, entry);
      make("path", { d: shape(kind, 6) }, picture);
      entry.append(` ${said}`);
      legend.append(entry);
    }
  }

  light() {
    const { data } = this;
    for (const extra of this.extras) extra.path.remove();
    this.extras = data.extra.filter(([a, b]) => this.byId.has(a) && this.byId.has(b)).map((step) => this.line(step, " extra lit"));
    const lit = new Set(data.lit), way = new Set(data.way.map(([a, b]) => `${a} ${b}`));
    this.lit = lit;
    this.svg.classList.toggle("some", lit.size > 0);
    for (const { node, g } of this.items) {
      g.classList.toggle("lit", lit.has(node.id));
      g.classList.toggle("focus", node.id === data.focus || node.id === data.goal);
    }
    for (const { a, b, path } of [...this.lines, ...this.extras]) {
      path.classList.toggle("lit", lit.has(a) && lit.has(b));
      path.classList.toggle("way", way.has(`${a} ${b}`));
    }
  }

  scale() {
    this.w = this.stage.clientWidth || 900; this.h = this.stage.clientHeight || 600;
    this.kx = ((this.w - this.left - PAD) / 1000) * this.zoom;
    this.ky = ((this.h - TOP - BOTTOM) / this.rows) * this.zoom;
  }

  x(value) { return this.left + this.ox + value * this.kx; }
  y(value) { return TOP + this.oy + value * this.ky; }

  draw() {
    if (this.waiting || !this.svg) return;
    this.waiting = requestAnimationFrame(() => { this.waiting = null; this.paint(); });
  }

  paint() {
    this.scale();
    let under = -99;
    for (const { lane, back, name } of this.bands) {
      const top = this.y(lane.top), height = lane.rows * this.ky;
      back.setAttribute("x", 0); back.setAttribute("width", this.w);
      back.setAttribute("y", top); back.setAttribute("height", Math.max(height, 0));
      const at = Math.min(Math.max(top + height / 2 + 4, TOP + 10), top + height - 2);
      const fits = at - under >= 10 && at > TOP && at < this.h;
      name.setAttribute("y", at); name.style.display = fits ? "" : "none";
      name.classList.toggle("small", height < 13);
      if (fits) under = at;
    }
    let last = -99;
    for (const { x, rule, text } of this.ticks) {
      const at = this.x(x), show = at > this.left - 6 && at < this.w && at - last > 40;
      for (const part of [rule, text]) part.style.display = show ? "" : "none";
      if (!show) continue;
      last = at;
      rule.setAttribute("x1", at); rule.setAttribute("x2", at); text.setAttribute("x", at);
    }
    for (const { from, to, path } of [...this.lines, ...this.extras]) {
      const x1 = this.x(from.x), y1 = this.y(from.y), x2 = this.x(to.x), y2 = this.y(to.y);
      const bend = Math.max(Math.abs(x2 - x1) * 0.5, 14);
      path.setAttribute("d", `M${x1.toFixed(1)} ${y1.toFixed(1)}C${(x1 + bend).toFixed(1)} ${y1.toFixed(1)} ${(x2 - bend).toFixed(1)} ${y2.toFixed(1)} ${x2.toFixed(1)} ${y2.toFixed(1)}`);
    }
    this.label();
  }

  label() {
    const taken = [];
    const free = (box) => box.x > this.left - 8 && box.x + box.w < this.w && box.y > TOP - 4 && box.y + box.h < this.h &&
      !taken.some((t) => box.x < t.x + t.w && t.x < box.x + box.w && box.y < t.y + t.h && t.y < box.y + box.h);
    const seen = [];
    for (const item of this.items) {
      const { node, g, r } = item, cx = this.x(node.x), cy = this.y(node.y);
      const inside = cx > this.left - 10 && cx < this.w + 10 && cy > TOP - 6 && cy < this.h + 10;
      g.style.display = inside ? "" : "none";
      item.text.style.display = "none";
      g.setAttribute("tabindex", "-1");
      if (!inside) continue;
      g.setAttribute("transform", `translate(${cx.toFixed(1)} ${cy.toFixed(1)})`);
      if (node.level > 1 || this.zoom > 2) taken.push({ x: cx - r, y: cy - r, w: 2 * r, h: 2 * r });
      seen.push({ item, cx, cy });
    }
    const weight = ({ node }) => node.rank - (node.id === this.data.focus || node.id === this.data.goal ? 9e6 : 0) -
      (this.lit.has(node.id) ? 3e6 : 0) - node.level * 1e5;
    seen.sort((a, b) => weight(a.item) - weight(b.item));
    let named = 0;
    for (const { item, cx, cy } of seen) {
      if (this.lit.size && !this.lit.has(item.node.id)) continue;
      const { r, width: w, size } = item, h = size + 3;
      const places = [[cx + r + 3, cy - h / 2], [cx - r - 3 - w, cy - h / 2], [cx - w / 2, cy - r - h - 2], [cx - w / 2, cy + r + 2]];
      const spot = places.map(([x, y]) => ({ x, y, w, h })).find(free);
      if (!spot) continue;
      taken.push(spot);
      item.text.setAttribute("x", (spot.x + 2).toFixed(1));
      item.text.setAttribute("y", (spot.y + size).toFixed(1));
      item.text.style.display = "";
      item.g.setAttribute("tabindex", "0");
      named += 1;
    }
    this.stage.dataset.named = String(named);
  }

  pick(id) { this.send("picked", { id, at: Date.now() }); }

  reveal(id) {
    const node = this.byId.get(id);
    if (!node) return;
    this.scale();
    const cx = this.x(node.x), cy = this.y(node.y);
    if (cx < this.left || cx > this.w - 30 || cy < TOP || cy > this.h - 10) {
      this.ox += (this.left + this.w) / 2 - cx; this.oy += this.h / 2 - cy;
    }
  }
}

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const root = parentElement.querySelector(".tree");
  root.drawing = root.drawing || new Tree(root);
  root.drawing.update(data, setTriggerValue);
}
