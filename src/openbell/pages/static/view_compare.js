// Equity of several runs on one chart, each since its own start.
"use strict";

(function () {
  const place = document.getElementById("compare-chart");
  if (!place) return;
  const data = window.openbell.data;
  const legend = document.getElementById("compare-legend");
  const ob = window.openbell;

  function draw() {
    ob.remove(place);
    const chart = ob.make(place, false);
    const lines = data.runs.map(function (run, n) {
      const line = chart.addSeries(LightweightCharts.LineSeries, {
        color: ob.lineColours[n % ob.lineColours.length], lineWidth: 2, priceLineVisible: false,
        priceFormat: { type: "custom", formatter: function (v) { return v.toFixed(2) + " %"; }, minMove: 0.01 },
      });
      line.setData(run.time.map(function (t, i) { return { time: t, value: (run.equity[i] / run.start - 1) * 100 }; }));
      return line;
    });
    chart.timeScale().fitContent();
    function tell(at) {
      ob.write(legend, data.runs.map(function (run, n) {
        const point = at && at.seriesData.get(lines[n]);
        const value = point && point.value !== undefined ? point.value : (run.equity[run.equity.length - 1] / run.start - 1) * 100;
        return { text: run.name + " " + value.toFixed(2) + " %" };
      }));
    }
    tell(null);
    chart.subscribeCrosshairMove(function (at) { tell(at.time === undefined ? null : at); });
  }

  ob.drawers.push(draw);
  draw();
})();
