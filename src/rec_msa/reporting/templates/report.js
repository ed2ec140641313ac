"use strict";
(() => {
  // Figures are drawn when they come near the window, and all of them before the page is printed.
  const config = { displayModeBar: false, responsive: true, scrollZoom: false, doubleClick: "reset" };
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const canvases = [...document.querySelectorAll(".canvas")];

  function theme() {
    const style = getComputedStyle(document.body);
    const ground = style.getPropertyValue("--ground").trim();
    const font = { color: style.color, family: style.fontFamily };
    return { font, hoverlabel: { bgcolor: ground, bordercolor: style.color, font } };
  }

  function draw(canvas) {
    if (canvas.dataset.drawn) return;
    canvas.dataset.drawn = "yes";
    const { data, layout } = JSON.parse(canvas.nextElementSibling.textContent);
    Object.assign(layout, theme(), { autosize: true, dragmode: false });
    Plotly.newPlot(canvas, data, layout, config).then(() => hide(canvas));
  }

  function hide(canvas) {
    const figure = canvas.closest("figure");
    const off = [...figure.querySelectorAll('.legend button[aria-pressed="false"]')].map((one) => one.dataset.group);
    const legend = figure.querySelector(".legend");
    if (!legend) return;
    const shown = canvas.data.map((trace) => !off.includes(trace.legendgroup));
    Plotly.restyle(canvas, { visible: shown });
  }

  const near = new IntersectionObserver(
    (entries) => entries.filter((entry) => entry.isIntersecting).forEach((entry) => draw(entry.target)),
    { rootMargin: "600px" },
  );
  canvases.forEach((canvas) => near.observe(canvas));
  window.addEventListener("beforeprint", () => canvases.forEach(draw));
  dark.addEventListener("change", () =>
    canvases.filter((canvas) => canvas.dataset.drawn).forEach((canvas) => Plotly.relayout(canvas, theme())),
  );

  document.querySelectorAll(".legend button").forEach((button) =>
    button.addEventListener("click", () => {
      const pressed = button.getAttribute("aria-pressed") === "true";
      button.setAttribute("aria-pressed", String(!pressed));
      button.closest("figure").querySelectorAll(".canvas[data-drawn]").forEach(hide);
    }),
  );

  // Wide windows have room for the contents beside the text.
  const wide = window.matchMedia("(min-width: 72rem)");
  const contents = document.querySelector(".contents details");
  const open = () => { contents.open = wide.matches; };
  open();
  wide.addEventListener("change", open);
})();
