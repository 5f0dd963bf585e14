
"use strict";
(() => {
  const form = document.getElementById("filter");
  const all = Array.from(document.querySelectorAll(".finding"));
  const groups = Array.from(document.querySelectorAll(".findings"));
  const texts = new Map();
  const chosen = (name) => new Set(Array.from(form.elements[name] instanceof RadioNodeList ? form.elements[name] : [form.elements[name]])
    .filter((box) => box.checked).map((box) => box.value));

  const apply = () => {
    const severities = chosen("severity");
    const themes = chosen("theme");
    const words = form.elements.words.value.trim().toLowerCase();
    let shown = 0;
    for (const one of all) {
      let fits = severities.has(one.dataset.severity) && themes.has(one.dataset.theme);
      if (fits && words) {
        if (!texts.has(one)) texts.set(one, one.textContent.toLowerCase());
        fits = texts.get(one).includes(words);
      }
      one.hidden = !fits;
      if (fits) shown += 1;
    }
    for (const group of groups) {
      group.querySelector(".none").hidden = group.querySelector(".finding:not([hidden])") !== null;
    }
    document.getElementById("shown").value =
      shown === all.length ? `${all.length} findings` : `${shown} of ${all.length} findings`;
  };

  // A link leads to its finding even when the filter hides it or it is folded away.
  const reveal = () => {
    let target = null;
    try {
      target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    } catch {
      return;
    }
    if (!target) return;
    if (form && target.closest(".finding[hidden]")) {
      form.reset();
      apply();
    }
    for (let at = target; at; at = at.parentElement) if (at instanceof HTMLDetailsElement) at.open = true;
    target.scrollIntoView();
  };

  if (form) {
    form.hidden = false;
    form.addEventListener("input", apply);
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("reset", () => setTimeout(apply));
    // A browser may keep the boxes of an earlier visit.
    apply();
  }
  addEventListener("hashchange", reveal);
  reveal();

  if (matchMedia("(max-width: 70rem)").matches) {
    for (const one of document.querySelectorAll(".side details")) one.open = false;
  }

  // Paper cannot be unfolded. Patches stay folded: a command shows them, and they would be most of the pages.
  let folded = [];
  addEventListener("beforeprint", () => {
    folded = Array.from(document.querySelectorAll("main details:not([open], .patch)"));
    for (const one of folded) one.open = true;
  });
  addEventListener("afterprint", () => {
    for (const one of folded) one.open = false;
  });
})();
