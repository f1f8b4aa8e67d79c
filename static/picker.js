// The group picker: a text field that offers groups while somebody types, as an ARIA combobox.
// What is offered comes from the server; without this it is a plain text field.
(() => {
  "use strict";

  const GAP = 4; // pixels between the field and its panel
  const isPicker = (element) => element?.matches?.("[data-picker]");
  const panelOf = (input) => input.nextElementSibling;
  const options = (input) => [...panelOf(input).querySelectorAll("[role=option]")];
  const isOpen = (input) => input.getAttribute("aria-expanded") === "true";
  const active = (input) => panelOf(input).querySelector("[aria-selected=true]");

  function prepare(input) {
    if (input.hasAttribute("role")) return;
    const panel = document.createElement("div");
    panel.className = "picker-panel";
    panel.dataset.pickerPanel = "";
    panel.popover = "manual";
    input.after(panel);
    input.setAttribute("role", "combobox");
    input.setAttribute("aria-autocomplete", "list");
    input.setAttribute("aria-haspopup", "listbox");
    input.setAttribute("aria-expanded", "false");
  }

  // The panel lies above everything, also above a dialog, so that nothing cuts it off.
  function place(input) {
    const panel = panelOf(input);
    const field = input.getBoundingClientRect();
    const below = window.innerHeight - field.bottom - 2 * GAP;
    const above = field.top - 2 * GAP;
    const isAbove = below < Math.min(panel.scrollHeight, 160) && above > below;
    panel.style.width = `${field.width}px`;
    panel.style.left = `${field.left}px`;
    panel.style.maxHeight = `${Math.min(isAbove ? above : below, 320)}px`;
    panel.style.top = isAbove ? "auto" : `${field.bottom + GAP}px`;
    panel.style.bottom = isAbove ? `${window.innerHeight - field.top + GAP}px` : "auto";
  }

  function open(input) {
    const list = panelOf(input).querySelector("[role=listbox]");
    options(input).forEach((option, index) => {
      option.id = `${input.id}-option-${index}`;
      option.setAttribute("aria-selected", "false");
    });
    input.removeAttribute("aria-activedescendant");
    if (!panelOf(input).querySelector("li, p")) return close(input);
    if (list) {
      list.id = `${input.id}-listbox`;
      input.setAttribute("aria-controls", list.id);
    }
    input.setAttribute("aria-expanded", "true");
    panelOf(input).showPopover();
    place(input);
    tell(input);
  }

  function close(input) {
    if (!input.hasAttribute("role")) return;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
    input.removeAttribute("aria-controls");
    if (panelOf(input).matches(":popover-open")) panelOf(input).hidePopover();
    panelOf(input).replaceChildren();
  }

  function tell(input) {
    const number = options(input).length;
    const note = panelOf(input).querySelector("p")?.textContent ?? "";
    const announcer = document.getElementById("announcer");
    announcer.textContent = `${number === 1 ? "1 suggestion." : `${number} suggestions.`} ${note}`;
  }

  function move(input, step) {
    const all = options(input);
    if (!all.length) return;
    const at = all.indexOf(active(input));
    // Beyond either end is the text itself again.
    const next = at < 0 ? (step > 0 ? 0 : all.length - 1) : at + step;
    active(input)?.setAttribute("aria-selected", "false");
    const option = all[next];
    if (option) {
      option.setAttribute("aria-selected", "true");
      option.scrollIntoView({ block: "nearest" });
      input.setAttribute("aria-activedescendant", option.id);
    } else {
      input.removeAttribute("aria-activedescendant");
    }
  }

  function choose(input, option) {
    input.value = option.dataset.value;
    close(input);
    input.dispatchEvent(new Event("change", { bubbles: true }));
  }

  const ask = (input) => window.htmx.trigger(input, "pick");

  document.addEventListener("keydown", (event) => {
    const input = event.target;
    if (!isPicker(input) || event.isComposing) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (isOpen(input)) move(input, event.key === "ArrowDown" ? 1 : -1);
      else ask(input);
    } else if (event.key === "Enter" && isOpen(input) && active(input)) {
      event.preventDefault(); // it chooses; the next one sends the form
      choose(input, active(input));
    } else if (event.key === "Enter") {
      close(input);
    } else if (event.key === "Escape" && isOpen(input)) {
      event.preventDefault(); // it closes the list and leaves the dialog around it open
      event.stopPropagation();
      close(input);
    }
  }, true);

  document.addEventListener("focusin", (event) => {
    if (isPicker(event.target)) prepare(event.target);
  });

  document.addEventListener("focusout", (event) => {
    if (isPicker(event.target)) close(event.target);
  });

  // The focus stays in the field while an option is pressed, so that nothing is sent half typed.
  document.addEventListener("pointerdown", (event) => {
    if (event.target.closest("[data-picker-panel]")) event.preventDefault();
  });
  document.addEventListener("mousedown", (event) => {
    if (event.target.closest("[data-picker-panel]")) event.preventDefault();
  });

  document.addEventListener("click", (event) => {
    const option = event.target.closest("[data-picker-panel] [role=option]");
    if (option) choose(option.closest("[data-picker-panel]").previousElementSibling, option);
    else if (isPicker(event.target) && !isOpen(event.target)) ask(event.target);
  });

  document.addEventListener("htmx:configRequest", (event) => {
    const input = event.detail.elt;
    // A form that only looks for things is no place to make new ones.
    if (isPicker(input) && input.form?.method === "get") event.detail.parameters.set("find", "1");
  });

  document.addEventListener("htmx:afterSwap", (event) => {
    const panel = event.detail.target;
    if (!panel?.matches?.("[data-picker-panel]")) return;
    const input = panel.previousElementSibling;
    if (document.activeElement === input) open(input);
  });

  for (const what of ["scroll", "resize"]) {
    window.addEventListener(what, () => {
      const input = document.activeElement;
      if (isPicker(input) && isOpen(input)) place(input);
    }, { capture: true, passive: true });
  }

  const prepareAll = (event) => (event.target.querySelectorAll ? event.target : document)
    .querySelectorAll("[data-picker]").forEach(prepare);
  document.addEventListener("DOMContentLoaded", prepareAll);
  document.addEventListener("htmx:load", prepareAll);
})();
