// The bar's menus: one open at a time, closed by Escape, by a click elsewhere, and when the focus leaves.
"use strict";

(() => {
  const menus = [...document.querySelectorAll("[data-menu]")];
  const closeAll = (but) => menus.forEach((menu) => menu !== but && menu.removeAttribute("open"));

  menus.forEach((menu) => {
    menu.addEventListener("toggle", () => menu.open && closeAll(menu));
    menu.addEventListener("focusout", (event) => {
      if (event.relatedTarget && !menu.contains(event.relatedTarget)) menu.removeAttribute("open");
    });
    menu.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !menu.open) return;
      menu.removeAttribute("open");
      menu.querySelector("summary").focus();
    });
  });
  document.addEventListener("click", (event) => closeAll(event.target.closest("[data-menu]")));
})();
