"use strict";
(() => {
  // A legend hides and shows what belongs to its entries.
  document.querySelectorAll(".legend button").forEach((button) =>
    button.addEventListener("click", () => {
      const pressed = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", String(pressed));
      button.closest("figure").querySelectorAll(".canvas [data-group]").forEach((drawn) => {
        if (drawn.dataset.group === button.dataset.group) drawn.style.display = pressed ? "" : "none";
      });
    }),
  );

  // A link to something folded unfolds it.
  const unfold = () => {
    const found = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (let one = found; one; one = one.parentElement) if (one.tagName === "DETAILS") one.open = true;
    if (found) found.scrollIntoView();
  };
  unfold();
  window.addEventListener("hashchange", unfold);

  // Wide windows have room for the contents beside the text.
  const wide = window.matchMedia("(min-width: 72rem)");
  const contents = document.querySelector(".contents details");
  const open = () => { contents.open = wide.matches; };
  open();
  wide.addEventListener("change", open);
})();
