// The theme that was chosen holds for all pages, and is there before the first of them is drawn.
"use strict";

(function () {
  const root = document.documentElement;
  const chosen = localStorage.getItem("theme");
  if (chosen === "light" || chosen === "dark") root.dataset.theme = chosen;
  document.addEventListener("themechange", function () {
    if (root.dataset.theme) localStorage.setItem("theme", root.dataset.theme);
  });
})();
