// What is shown once is to be kept: copied by one press, or printed.
// Without JavaScript the buttons are not there, and the text can be selected by hand.
(() => {
  "use strict";

  const TOLD_FOR = 2500; // milliseconds the button says what became of it

  const textOf = (source) =>
    source.matches("input, textarea") ? source.value : [...source.querySelectorAll("code")].map((each) => each.textContent).join("\n");

  async function copy(text, beside) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      return copyBySelection(text, beside);
    }
  }

  // Browsers keep the clipboard from pages that came by plain HTTP, save for this old way.
  function copyBySelection(text, beside) {
    const field = document.createElement("textarea");
    field.value = text;
    field.className = "visually-hidden";
    beside.after(field); // inside the dialog: what is outside cannot be selected
    field.select();
    try {
      return document.execCommand("copy");
    } catch {
      return false;
    } finally {
      field.remove();
      beside.focus();
    }
  }

  function tell(button, said) {
    const label = button.querySelector("[data-copy-label]");
    const before = (label.dataset.copyLabel ||= label.textContent);
    label.textContent = said;
    document.getElementById("announcer").textContent = said;
    setTimeout(() => { label.textContent = before; }, TOLD_FOR);
  }

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (button) {
      const source = document.querySelector(button.dataset.copy);
      tell(button, (await copy(textOf(source), button)) ? "Copied" : "Select it and press Ctrl+C");
    }
    if (event.target.closest("[data-print]")) window.print();
  });

  // One click into the field marks all of it.
  document.addEventListener("focusin", (event) => {
    if (event.target.matches(".copy-field input")) event.target.select();
  });
})();
