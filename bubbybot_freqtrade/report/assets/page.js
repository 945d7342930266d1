"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const narrow = () => innerWidth <= 640;
const config = () => ({ displaylogo: false, responsive: true, displayModeBar: narrow() ? false : "hover", modeBarButtonsToRemove: ["lasso2d", "select2d"] });
const drawn = new Map();

function layout(more) {
  const axis = { gridcolor: css("--edge"), linecolor: css("--edge"), zerolinecolor: css("--dim"), automargin: true };
  const made = {
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", hovermode: "x unified",
    font: { color: css("--text"), family: "system-ui, sans-serif", size: 12 },
    hoverlabel: { bgcolor: css("--card"), bordercolor: css("--edge"), font: { color: css("--text") } },
    modebar: { bgcolor: "rgba(0,0,0,0)", color: css("--dim"), activecolor: css("--text") },
    margin: { l: 10, r: 10, t: 10, b: 30 }, showlegend: false, dragmode: narrow() ? false : "zoom",
    ...more,
  };
  for (const name of ["xaxis", "yaxis", "xaxis2", "yaxis2"]) made[name] = { ...axis, ...(more[name] || {}) };
  return made;
}

// Draws when the element comes near the screen, and anew when the colours change.
function chart(id, make) {
  const element = typeof id === "string" ? document.getElementById(id) : id;
  if (!element) return;
  const draw = () => {
    const { traces, layout: own } = make();
    Plotly.react(element, traces, own, config());
    element.dataset.drawn = "yes";
  };
  drawn.set(element, null);
  new IntersectionObserver((entries, observer) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    observer.disconnect();
    drawn.set(element, draw);
    draw();
  }, { rootMargin: "400px" }).observe(element);
}
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawn.forEach((draw) => draw && draw()));

const xs = (points) => points.map((point) => point[0]);
const ys = (points) => points.map((point) => point[1]);

chart("equity", () => {
  const { account, drawdown, held, share, currency } = data.curves;
  const traces = [
    { x: xs(account), y: ys(account), name: share ? "account" : "profit", mode: "lines", line: { shape: "hv", color: css("--line"), width: 2 },
      hovertemplate: "%{y:,.2f} " + currency },
    { x: xs(drawdown), y: ys(drawdown), name: "drawdown", yaxis: "y2", mode: "lines", fill: "tozeroy", line: { shape: "hv", color: css("--down"), width: 1 },
      hovertemplate: share ? "%{y:.2f} %" : "%{y:,.2f} " + currency },
  ];
  if (held) traces.splice(1, 0, { x: xs(held), y: ys(held), name: "buy and hold", mode: "lines", line: { color: css("--held"), width: 1.2 }, hovertemplate: "%{y:,.2f} " + currency });
  return { traces, layout: layout({
    showlegend: true, legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0 }, margin: { l: 10, r: 10, t: 30, b: 30 },
    xaxis: { type: "date", anchor: "y2", nticks: narrow() ? 4 : 10 }, yaxis: { domain: [0.34, 1], tickformat: "~s" },
    yaxis2: { domain: [0, 0.27], ticksuffix: share ? " %" : "" },
  }) };
});

function bars(id, rows, title) {
  chart(id, () => ({
    traces: [{ type: "bar", x: rows.map((row) => row[0]), y: rows.map((row) => row[1]), customdata: rows.map((row) => row[2]),
      marker: { color: rows.map((row) => css(row[3] ? "--up" : "--down")) }, hovertemplate: "%{customdata}<extra></extra>" }],
    layout: layout({ hovermode: "closest", bargap: 0.15, xaxis: { type: "category", tickangle: 0, automargin: true, ...(narrow() && rows.length > 9 ? { tickmode: "array", tickvals: rows.map((row) => row[0]).filter((name) => !name.includes(".")).filter((_, index, all) => all.length < 12 || index % 3 === 0) } : {}) }, yaxis: { title: { text: title } } }),
  }));
}
bars("r-histogram", (data.histogram || []).map(([middle, count]) => {
  const name = (middle > 0 ? "+" : middle < 0 ? "−" : "") + Math.abs(middle) + "R";
  return [name, count, count + " trades at about " + name, middle > 0];
}), "trades");
for (const id of ["by-hour", "by-weekday"]) bars(id, (data[id] || []).map((row) => [row.name, row.profit, row.told, row.profit >= 0]), data.curves?.currency);

chart("patterns", () => {
  const rows = data.patterns.slice(0, 24).reverse();
  const short = (name) => (narrow() ? name.replaceAll("Market Cipher", "MC").replaceAll("Lux Algo", "LUX").replaceAll("Frankie Candles", "FC") : name);
  const color = rows.map((row) => css(row.vetoed ? "--down" : "--line"));
  return {
    traces: [{ x: rows.map((row) => row.mean), y: rows.map((row) => short(row.name)), mode: "markers", marker: { size: 9, color },
      error_x: { type: "data", symmetric: false, array: rows.map((row) => row.high - row.mean), arrayminus: rows.map((row) => row.mean - row.low), color: css("--dim"), thickness: 1.5 },
      customdata: rows.map((row) => row.told), hovertemplate: "%{customdata}<extra></extra>" }],
    layout: layout({ hovermode: "closest", xaxis: { title: { text: "mean R with its interval" }, zeroline: true }, yaxis: { type: "category" } }),
  };
});

// --- a trade's chart ---------------------------------------------------------------------------

const shapes = { triangle: "triangle-up", pin: "diamond", circle: "circle", rect: "square", arrow: "arrow-up" };

// Labels at prices, moved up where one would lie on the other.
function apart(notes, least) {
  const made = notes.map((note) => [...note]).sort((a, b) => a[1] - b[1]);
  for (let i = 1; i < made.length; i += 1) made[i][1] = Math.max(made[i][1], made[i - 1][1] + least);
  return made;
}

function tradeChart(element, made, trade) {
  chart(element, () => {
    const x = made.c.map((_, index) => made.t + index * made.step);
    const end = Math.max(x[x.length - 1] + made.step, trade ? trade.closed + 3 * made.step : 0), up = css("--up"), down = css("--down");
    const box = (x0, x1, y0, y1, fillcolor) => ({ type: "rect", layer: "below", x0, x1, y0, y1, fillcolor, line: { width: 0 } });
    const shape = made.boxes.map(([x0, x1, y0, y1, color]) => box(x0, x1, y0, y1, color));
    for (const [x0, x1, y0, y1, color, , style] of made.lines)
      shape.push({ type: "line", layer: "below", x0, x1, y0, y1, line: { color, width: 1, dash: { dashed: "dash", dotted: "dot" }[style] || "solid" } });
    const tall = element.clientHeight - 40;
    const traces = [{ type: "candlestick", x, open: made.o, high: made.h, low: made.l, close: made.c, name: "",
      increasing: { line: { color: up, width: 1 }, fillcolor: up }, decreasing: { line: { color: down, width: 1 }, fillcolor: down } }];
    const names = {};
    for (const [px, py, color, label, form] of made.points) {
      const name = label || "dot";
      const trace = (names[name + color + form] ||= { mode: "markers", name, x: [], y: [], marker: { color, symbol: shapes[form] || "circle", size: 7, line: { color: css("--ground"), width: 1 } }, hovertemplate: name + "<extra></extra>" });
      trace.x.push(px); trace.y.push(py);
    }
    traces.push(...Object.values(names));
    const level = (name, price, color, x0, x1) => traces.push({ mode: "lines", name, x: [x0, x1], y: [price, price], line: { color, width: 1.5, dash: "dash" }, hovertemplate: name + " %{y}<extra></extra>" });
    if (trade) {
      if (trade.target) level("target", trade.target, up, trade.opened, trade.closed);
      level("entry", trade.entry, css("--line"), trade.opened, trade.closed);
      const steps = made.stops.filter((row) => row[0] <= trade.closed);
      if (steps.length) traces.push({ mode: "lines", name: "stop", x: [...xs(steps), trade.closed], y: [...ys(steps), steps[steps.length - 1][1]],
        line: { color: down, width: 2, shape: "hv" }, hovertemplate: "stop %{y}<extra></extra>" });
      const mark = (name, at, price, symbol, color) => traces.push({ mode: "markers", name, x: [at], y: [price],
        marker: { symbol, size: 13, color, line: { color: css("--ground"), width: 1.5 } }, hovertemplate: name + " %{y}<extra></extra>" });
      mark("entry", trade.opened, trade.entry, trade.long ? "triangle-up" : "triangle-down", css("--line"));
      mark("exit", trade.closed, trade.exit, "x", css("--text"));
    }
    const low = Math.min(...made.l), high = Math.max(...made.h), levels = trade ? [trade.stop || trade.entry, trade.target || trade.entry] : made.levels.map((row) => row[1]);
    if (!trade) for (const [name, price, color] of made.levels) level(name, price, color, x[0], end);
    const bottom = Math.min(low, ...levels), top = Math.max(high, ...levels), room = 0.04 * (top - bottom || 1);
    const unit = (top - bottom + 2 * room) / tall, pixel = (end - x[0]) / Math.max(element.clientWidth - 130, 100);
    const notes = apart(trade
      ? [...(trade.stop ? [["stop", trade.stop, down]] : []), ["entry", trade.entry, css("--line")], ...(trade.target ? [["target", trade.target, up]] : [])]
      : made.levels, 14 * unit).map(([text, y, color]) => ({ text, x: 1, xref: "paper", xanchor: "left", y, showarrow: false, font: { color, size: 11 } }));
    // What the words name, at its candle: longs below, shorts above, each on the next free line.
    const taken = [];
    let floor = bottom - room, ceiling = top + room;
    const free = (from, until, y) => !taken.some(([a, b, other]) => Math.abs(other - y) < 14 * unit && from < b && a < until);
    for (const [nx, ny, text, side] of made.noted || []) {
      const way = side === "long" ? 1 : -1, half = 3.4 * (text.length + 1) * pixel;
      const middle = Math.min(nx, end - half);
      let away = 26;
      while (away < 160 && !free(middle - half, middle + half, ny - way * away * unit)) away += 4;
      taken.push([middle - half, middle + half, ny - way * away * unit]);
      // Inside the axes, whose ticks' words are below.
      const need = away + 10, edge = (ny * tall - need * (way > 0 ? ceiling : floor)) / (tall - need);
      if (way > 0) floor = Math.min(floor, edge);
      else ceiling = Math.max(ceiling, edge);
      notes.push({ text: "", x: nx, y: ny, showarrow: true, arrowhead: 2, arrowsize: 0.8, arrowcolor: css("--dim"), ax: 0, ay: way * (away - 8) });
      notes.push({ text, x: middle, y: ny, yshift: -way * away, showarrow: false, font: { size: 11, color: side === "long" ? up : down } });
    }
    // Names inside the left ends of boxes and over those of lines; one that would lie on another is left to the hover.
    for (const [x0, x1, y0, y1, color, label] of [...made.boxes, ...made.lines].sort((a, b) => b[1] - b[0] - a[1] + a[0])) {
      const y = (y0 + y1) / 2, from = Math.max(x0, x[0]), over = y0 === y1 ? 7 : 0;
      traces.push({ mode: "markers", x: [(from + x1) / 2], y: [y], marker: { size: 10, opacity: 0 }, name: "", hovertemplate: label + " %{y}<extra></extra>" });
      const until = from + 7 * (label.length + 1) * pixel;
      if (!label || until > end || !free(from, until, y + over * unit)) continue;
      taken.push([from, until, y + over * unit]);
      notes.push({ text: label, x: from, xanchor: "left", y, yanchor: "middle", yshift: over, showarrow: false, font: { size: 10, color: css("--dim") } });
    }
    return { traces, layout: layout({
      hovermode: "closest", shapes: shape, margin: { l: 10, r: 62, t: 10, b: 30 },
      annotations: notes,
      xaxis: { type: "date", range: [x[0] - made.step, end], rangeslider: { visible: false }, nticks: narrow() ? 3 : 10, tickformat: "%H:%M\n%d %b" },
      yaxis: { range: [floor, ceiling], side: "left" },
    }) };
  });
}
// --- candles of trades without evidence: packed by pair, see report/packed.py -----------------

const unpacked = {};
function pricesOf(pair) {
  return (unpacked[pair] ||= (async () => {
    const { runs, prices } = data.packed.pairs[pair];
    const bytes = Uint8Array.from(atob(prices), (sign) => sign.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    const places = new Uint8Array(await new Response(stream).arrayBuffer());
    const count = places.length / 16, view = new DataView(new ArrayBuffer(places.length));
    for (let i = 0; i < 4 * count; i += 1) for (let place = 0; place < 4; place += 1) view.setUint8(4 * i + place, places[4 * count * place + i]);
    const all = Float32Array.from({ length: 4 * count }, (_, i) => view.getFloat32(4 * i, true));
    return { runs, rows: "ohlc".split("").map((_, part) => all.subarray(part * count, (part + 1) * count)) };
  })());
}
// The chart of a trade as the page has it for the newest; null without candles.
async function unpackedChart(pair, number, opened, closed) {
  const { step, before, after, pairs, stops } = data.packed;
  if (!pairs[pair]) return null;
  const { runs, rows } = await pricesOf(pair);
  const begin = opened - before * step, end = closed + after * step, most = 240;
  let first = 0;
  for (const [ms, count] of runs) {
    const from = Math.max(0, Math.ceil((begin - ms) / step)), until = Math.min(count, Math.floor((end - ms) / step) + 1);
    if (from < until && ms + (until - 1) * step > opened - 2 * step) {
      const joined = Math.ceil((until - from) / most), parts = Math.ceil((until - from) / joined), made = { o: [], h: [], l: [], c: [] };
      for (let part = 0; part < parts; part += 1) {
        const a = first + from + part * joined, b = Math.min(a + joined, first + until);
        made.o.push(rows[0][a]); made.h.push(Math.max(...rows[1].subarray(a, b))); made.l.push(Math.min(...rows[2].subarray(a, b))); made.c.push(rows[3][b - 1]);
      }
      return { ...made, t: ms + from * step, step: joined * step, boxes: [], lines: [], points: [], stops: stops[number] || [] };
    }
    first += count;
  }
  return null;
}

for (const [id, made] of Object.entries(data.pictures || {})) tradeChart(document.getElementById(id), made, null);

for (const [id, panel] of Object.entries(data.panels || {})) chart(id, () => ({
  traces: panel.lines.map((line) => ({ x: line.x, y: line.y, name: line.name, mode: line.dots ? "markers" : "lines", fill: line.fill ? "tozeroy" : "none",
    line: { color: line.color, width: 1.5, dash: line.dash || "solid" }, marker: { color: line.color, size: 9, line: { color: css("--ground"), width: 1 } } })),
  layout: layout({ showlegend: !narrow(), legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0 }, margin: { l: 10, r: 62, t: narrow() ? 10 : 34, b: 30 },
    xaxis: { type: "date", range: panel.dates, nticks: narrow() ? 3 : 10, tickformat: "%H:%M\n%d %b" }, yaxis: { range: panel.range } }),
}));

// --- the list ----------------------------------------------------------------------------------

const list = document.getElementById("trades");
if (list) {
  const PAGE = 50, rows = data.trades.rows, column = Object.fromEntries(data.trades.columns.map((name, index) => [name, index]));
  const words = (row, name) => data.trades.words[name][row[column[name]]];
  const value = { pair: (row) => words(row, "pair"), exit: (row) => words(row, "exit"), side: (row) => (row[column.long] ? "long" : "short") };
  const text = rows.map((row) => ["#" + row[0], value.pair(row), value.side(row), value.exit(row), words(row, "evidence"), when(row[column.opened])].join(" ").toLowerCase());
  const body = list.querySelector("tbody"), search = document.getElementById("search");
  let shown = rows.map((_, index) => index), page = 0, sorted = "closed", rising = false;

  function when(ms) { return new Date(ms).toISOString().slice(0, 16).replace("T", " "); }
  const number = (x, digits = 2) => x === null ? "–" : (x > 0 ? "+" : x < 0 ? "−" : "") + Math.abs(x).toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  const price = (x) => x.toLocaleString("en-US", { maximumSignificantDigits: 8 });
  const key = (index) => value[sorted] ? value[sorted](rows[index]) : rows[index][column[sorted]] ?? -Infinity;

  function cell(content, name) {
    const made = document.createElement("td");
    made.textContent = content;
    if (name) made.className = name;
    return made;
  }
  function render() {
    const needle = search.value.toLowerCase().trim().split(/\s+/);
    shown = rows.map((_, index) => index).filter((index) => needle.every((part) => text[index].includes(part)));
    shown.sort((a, b) => { const x = key(a), y = key(b); return (x < y ? -1 : x > y ? 1 : a - b) * (rising ? 1 : -1); });
    page = Math.min(page, Math.max(Math.ceil(shown.length / PAGE) - 1, 0));
    body.querySelectorAll(".chart").forEach((element) => { Plotly.purge(element); drawn.delete(element); });
    body.replaceChildren(...shown.slice(page * PAGE, (page + 1) * PAGE).map(line));
    document.getElementById("count").textContent = shown.length + " of " + rows.length;
    document.getElementById("back").disabled = page === 0;
    document.getElementById("next").disabled = (page + 1) * PAGE >= shown.length;
    for (const button of list.querySelectorAll("th button")) {
      button.parentElement.ariaSort = button.dataset.key === sorted ? (rising ? "ascending" : "descending") : "none";
      button.dataset.arrow = "";
      button.textContent = button.dataset.name + (button.dataset.key === sorted ? (rising ? " ↑" : " ↓") : "");
    }
  }
  function line(index) {
    const row = rows[index], made = document.createElement("tr"), tone = row[column.profit] > 0 ? "up" : "down";
    made.className = "trade";
    made.tabIndex = 0;
    made.append(
      cell("#" + row[0] + " " + value.pair(row).split(":")[0] + " " + value.side(row)), cell(when(row[column.opened]), "more"), cell(when(row[column.closed]), "more"),
      cell(value.exit(row)), cell(row[column.leverage] + "x", "more"), cell(number(row[column.r]) + (row[column.r] === null ? "" : "R"), tone), cell(number(row[column.profit]), tone));
    const toggle = () => open(made, row);
    made.addEventListener("click", toggle);
    made.addEventListener("keydown", (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); toggle(); } });
    return made;
  }
  function open(made, row) {
    if (made.classList.toggle("open")) {
      const detail = document.createElement("tr"), inside = cell("", "detail");
      inside.colSpan = 7;
      detail.append(inside);
      made.after(detail);
      const facts = document.createElement("div");
      facts.className = "facts";
      const told = [["entry", price(row[column.entry])], ["exit", price(row[column.exit_rate]) + ", " + value.exit(row)], ["stop", row[column.stop] ? price(row[column.stop]) : "none"]];
      if (row[column.target]) told.push(["target", price(row[column.target])]);
      told.push(["opened", when(row[column.opened])], ["closed", when(row[column.closed])], ["fees", number(-row[column.fees])], ["funding", number(row[column.funding])]);
      if (row[column.confidence] !== null) told.push(["confidence", row[column.confidence].toFixed(2)]);
      for (const [name, what] of told) {
        const one = document.createElement("span");
        one.append(Object.assign(document.createElement("small"), { textContent: name + " " }), what);
        facts.append(one);
      }
      inside.append(facts, Object.assign(document.createElement("p"), { textContent: "Evidence: " + words(row, "evidence") + "." }));
      const note = (textContent) => inside.append(Object.assign(document.createElement("p"), { className: "dim", textContent }));
      const trade = { opened: row[column.opened], closed: row[column.closed], entry: row[column.entry], exit: row[column.exit_rate],
        stop: row[column.stop], target: row[column.target], long: row[column.long] };
      const element = document.createElement("div");
      element.className = "chart trade";
      if (data.charts[row[0]]) { inside.append(element); tradeChart(element, data.charts[row[0]], trade); return; }
      if (!data.packed.pairs[value.pair(row)]) { note(data.noChart); return; }
      inside.append(element);
      unpackedChart(value.pair(row), row[0], trade.opened, trade.closed).then((chartData) => {
        if (!element.isConnected) return;
        if (chartData) { tradeChart(element, chartData, trade); note(data.noEvidence); } else { element.remove(); note(data.noChart); }
      });
    } else {
      const element = made.nextSibling.querySelector(".chart");
      if (element) { Plotly.purge(element); drawn.delete(element); }
      made.nextSibling.remove();
    }
  }
  let waiting = 0;
  search.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(() => { page = 0; render(); }, 120); });
  document.getElementById("back").addEventListener("click", () => { page -= 1; render(); });
  document.getElementById("next").addEventListener("click", () => { page += 1; render(); });
  for (const button of list.querySelectorAll("th button"))
    button.addEventListener("click", () => { rising = button.dataset.key === sorted ? !rising : false; sorted = button.dataset.key; page = 0; render(); });
  render();
}
document.documentElement.dataset.ready = "yes";
