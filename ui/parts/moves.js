// How the tree is moved (mouse, touch, keyboard) and saved as a picture; added to the class of tree.js.

Object.assign(Tree.prototype, {
  at(factor, px, py) {
    const zoom = Math.min(Math.max(this.zoom * factor, 0.6), 24), change = zoom / this.zoom;
    this.ox = px - this.left - (px - this.left - this.ox) * change;
    this.oy = py - TOP - (py - TOP - this.oy) * change;
    this.zoom = zoom;
    this.draw();
  },

  by(dx, dy) { this.ox += dx; this.oy += dy; this.draw(); },

  fit() { this.zoom = 1; this.ox = 0; this.oy = 0; this.draw(); },

  listen() {
    const { stage } = this;
    stage.addEventListener("wheel", (event) => {
      event.preventDefault();
      const box = stage.getBoundingClientRect();
      this.at(Math.exp(-event.deltaY * 0.0015), event.clientX - box.left, event.clientY - box.top);
    }, { passive: false });
    let held = null;
    stage.addEventListener("pointerdown", (event) => { held = { x: event.clientX, y: event.clientY, far: 0 }; });
    stage.addEventListener("pointermove", (event) => {
      if (!held || !event.buttons) return;
      const dx = event.clientX - held.x, dy = event.clientY - held.y;
      held.far += Math.abs(dx) + Math.abs(dy); held.x = event.clientX; held.y = event.clientY;
      if (held.far > 4) { stage.classList.add("held"); this.by(dx, dy); }
    });
    for (const end of ["pointerup", "pointerleave"]) stage.addEventListener(end, () => stage.classList.remove("held"));
    stage.addEventListener("click", (event) => {
      if (held && held.far > 4) return;
      const node = event.target.closest(".node");
      if (node) this.pick(node.dataset.id);
      else if (this.data.focus) this.pick("");
    });
    stage.addEventListener("keydown", (event) => this.key(event));
    for (const button of this.root.querySelectorAll("[data-do]")) {
      button.addEventListener("click", () => this.act(button.dataset.do));
    }
  },

  key(event) {
    const step = 60, middle = [(this.w + this.left) / 2, this.h / 2];
    const moves = {
      ArrowLeft: () => this.by(step, 0), ArrowRight: () => this.by(-step, 0),
      ArrowUp: () => this.by(0, step), ArrowDown: () => this.by(0, -step),
      "+": () => this.at(1.3, ...middle), "=": () => this.at(1.3, ...middle), "-": () => this.at(1 / 1.3, ...middle),
      0: () => this.fit(), Escape: () => this.pick(""),
    };
    if (!moves[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    moves[event.key]();
  },

  act(what) {
    const middle = [(this.w + this.left) / 2, this.h / 2];
    if (what === "in") this.at(1.4, ...middle);
    else if (what === "out") this.at(1 / 1.4, ...middle);
    else if (what === "fit") this.fit();
    else if (what === "svg") this.save(new Blob([this.picture()], { type: "image/svg+xml" }), "ailineage.svg");
    else this.raster();
  },

  picture() {
    const copy = this.svg.cloneNode(true), look = getComputedStyle(this.stage);
    copy.setAttribute("width", this.w); copy.setAttribute("height", this.h);
    copy.setAttribute("viewBox", `0 0 ${this.w} ${this.h}`);
    const ink = look.color, back = look.getPropertyValue("--st-background-color").trim() || "white";
    copy.setAttribute("style", `--ink:${ink};--back:${back}`);
    for (const gone of copy.querySelectorAll('[style*="display: none"]')) gone.remove();
    return new XMLSerializer().serializeToString(copy);
  },

  raster() {
    const image = new Image(), canvas = document.createElement("canvas");
    canvas.width = this.w * 2; canvas.height = this.h * 2;
    image.onload = () => {
      const context = canvas.getContext("2d");
      context.scale(2, 2);
      context.drawImage(image, 0, 0, this.w, this.h);
      canvas.toBlob((blob) => this.save(blob, "ailineage.png"), "image/png");
    };
    image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(this.picture())}`;
  },

  save(blob, name) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 5000);
  },
});
