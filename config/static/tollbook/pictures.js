// A click on a bar opens the rows behind it. The table beneath each chart has the same links.
"use strict";

function barAt(event) {
  const canvas = event.target.closest?.("canvas.chart");
  const chart = canvas && Chart.getChart(canvas);
  if (!chart) {
    return null;
  }
  const at = chart.getElementsAtEventForMode(event, "nearest", { intersect: true }, true);
  const near = at.length ? at : chart.getElementsAtEventForMode(event, "index", chart.options.interaction, true);
  const links = near.map((bar) => chart.data.datasets[bar.datasetIndex].links?.[bar.index]).filter(Boolean);
  return { canvas, link: links[0] };
}

document.addEventListener("click", (event) => {
  const link = barAt(event)?.link;
  if (link) {
    window.location.assign(link);
  }
});

document.addEventListener("mousemove", (event) => {
  const found = barAt(event);
  if (found) {
    found.canvas.style.cursor = found.link ? "pointer" : "default";
  }
});
