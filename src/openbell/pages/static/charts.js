// Charts drawn with lightweight-charts: what all of them share, and the equity of a run.
"use strict";

(function () {
  const L = LightweightCharts;
  const data = JSON.parse(document.getElementById("data").textContent);
  const equityPlace = document.getElementById("equity-chart");
  const LINES = ["#4f86d9", "#c98a1b", "#9a63c9", "#2f9c95", "#c9578f", "#7d8f2b"];
  const charts = [], drawers = [];

  function colour(name) {
    return getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
  }

  function format(options) {
    try {
      return new Intl.DateTimeFormat("en-GB", { timeZone: data.zone, ...options });
    } catch {
      return new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", ...options });
    }
  }

  const clock = format({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const seconds = format({ hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
  const day = format({ day: "numeric", month: "short" });
  const month = format({ month: "short", year: "numeric" });
  const whole = format({ day: "numeric", month: "short", year: "numeric" });
  const days = {
    day: new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", day: "numeric", month: "short" }),
    month: new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", month: "short", year: "numeric" }),
    whole: new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", weekday: "short", day: "numeric", month: "short", year: "numeric" }),
  };

  function moment(time, daily) {
    const date = new Date(time * 1000);
    return daily ? days.whole.format(date) : whole.format(date) + " " + clock.format(date);
  }

  function tick(daily) {
    return function (time, kind) {
      const date = new Date(time * 1000);
      if (kind <= 1) return (daily ? days.month : month).format(date);
      if (kind === 2) return (daily ? days.day : day).format(date);
      return (kind === 4 ? seconds : clock).format(date);
    };
  }

  function make(place, daily) {
    const chart = L.createChart(place, {
      autoSize: true,
      layout: {
        background: { type: "solid", color: colour("paper") }, textColor: colour("faint"), attributionLogo: false,
        fontFamily: "system-ui, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif",
        panes: { separatorColor: colour("line"), enableResize: true },
      },
      grid: { vertLines: { color: colour("line") }, horzLines: { color: colour("line") } },
      crosshair: { mode: 0 },
      handleScroll: { mouseWheel: false, vertTouchDrag: false },
      handleScale: { mouseWheel: false },
      rightPriceScale: { borderColor: colour("line") },
      timeScale: { borderColor: colour("line"), timeVisible: !daily, tickMarkFormatter: tick(daily), minBarSpacing: 0.005, enableConflation: true },
      localization: { timeFormatter: function (time) { return moment(time, daily); } },
    });
    charts.push({ place: place, chart: chart });
    return chart;
  }

  function remove(place) {
    for (const one of charts.filter(function (c) { return c.place === place; })) {
      one.chart.remove();
      charts.splice(charts.indexOf(one), 1);
    }
  }

  function money(value) {
    return value.toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  }

  function write(place, parts) {
    place.replaceChildren(...parts.map(function (part) {
      const span = document.createElement(part.address ? "a" : "span");
      span.textContent = part.text;
      if (part.address) {
        span.href = part.address;
        span.title = "Who asked for it?";
      }
      if (part.colour) span.style.color = part.colour;
      if (part.swatch) {
        const dot = document.createElement("i");
        dot.textContent = "■ ";
        dot.style.color = part.swatch;
        span.prepend(dot);
      }
      return span;
    }));
  }

  // Equity

  function drawEquity() {
    const equity = data.equity;
    remove(equityPlace);
    const daily = Boolean(equity.daily), chart = make(equityPlace, daily);
    const line = chart.addSeries(L.BaselineSeries, {
      baseValue: { type: "price", price: equity.start }, lineWidth: 2, priceLineVisible: false,
      topLineColor: colour("up"), topFillColor1: colour("up") + "55", topFillColor2: colour("up") + "08",
      bottomLineColor: colour("down"), bottomFillColor1: colour("down") + "08", bottomFillColor2: colour("down") + "55",
      priceFormat: { type: "custom", formatter: money, minMove: 0.01 },
    });
    const fall = chart.addSeries(L.AreaSeries, {
      lineColor: colour("down"), topColor: colour("down") + "11", bottomColor: colour("down") + "44", invertFilledArea: true,
      lineWidth: 1, priceLineVisible: false,
      priceFormat: { type: "custom", formatter: function (value) { return value.toFixed(2) + " %"; }, minMove: 0.01 },
    }, 1);
    line.setData(equity.time.map(function (t, i) { return { time: t, value: equity.equity[i] }; }));
    fall.setData(equity.time.map(function (t, i) { return { time: t, value: equity.drawdown[i] }; }));
    chart.panes()[0].setStretchFactor(3);
    chart.timeScale().fitContent();
    const legend = document.getElementById("equity-legend");
    function tell(i) {
      write(legend, [
        { text: moment(equity.time[i], daily) }, { text: "equity " + money(equity.equity[i]) },
        { text: "drawdown " + equity.drawdown[i].toFixed(2) + " %" },
      ]);
    }
    tell(equity.time.length - 1);
    chart.subscribeCrosshairMove(function (at) {
      const i = at.logical === undefined ? equity.time.length - 1 : Math.round(at.logical);
      if (i >= 0 && i < equity.time.length) tell(i);
    });
  }

  function draw() {
    for (const drawer of drawers) drawer();
  }

  document.addEventListener("themechange", draw);
  if (equityPlace && data.equity) {
    drawers.push(drawEquity);
    drawEquity();
  }
  // For the scripts that draw other charts.
  window.openbell = {
    data: data, make: make, remove: remove, drawers: drawers, colour: colour, moment: moment, write: write, lineColours: LINES,
    clock: clock, day: day, whole: whole,
  };

  // Printed: a picture of each chart in light colours

  let before;
  addEventListener("beforeprint", function () {
    const root = document.documentElement;
    before = root.dataset.theme;
    root.dataset.theme = "light";
    draw();
    for (const one of charts) {
      const picture = document.createElement("img");
      picture.src = one.chart.takeScreenshot(true).toDataURL(); // with trades, stops and targets, which lie on top
      picture.alt = "";
      one.place.append(picture);
    }
  });
  addEventListener("afterprint", function () {
    for (const picture of document.querySelectorAll(".chart img")) picture.remove();
    if (before === undefined) delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = before;
    draw();
  });
})();
