// Bulk registration: choosing or dropping a file, and how far its upload is.
// Without this the file is chosen and sent as any form does it.
(() => {
  "use strict";

  const MAX_NAME = 255; // characters, as on the server
  const MAX_PASTED = 500000; // characters that go as text; more goes as a file
  const UNITS = ["bytes", "kB", "MB", "GB", "TB"];
  const $ = (selector, root = document) => root.querySelector(selector);
  const form = () => $("[data-upload]");
  const field = () => $("input[type=file]", form());
  const pasted = () => $("[data-pasted]", form()); // only where a list can be pasted

  let began = 0; // when the upload under way began; 0 without one

  function sized(bytes) {
    let unit = 0;
    let number = bytes;
    while (number >= 1000 && unit < UNITS.length - 1) {
      number /= 1000;
      unit += 1;
    }
    return `${number.toLocaleString("en", { maximumFractionDigits: unit && number < 10 ? 1 : 0 })} ${UNITS[unit]}`;
  }

  function complain(text) {
    $("[data-file-problem]").textContent = text;
    $("[data-drop-area]").classList.toggle("is-invalid", Boolean(text));
  }

  function wrong(files) {
    if (files.length > 1) return "Too many files selected.";
    if (files.length && !files[0].size) return "File must not be empty, select another one.";
    if (files.length && files[0].name.length > MAX_NAME) return "The filename is too long.";
    return "";
  }

  function isReady() {
    return Boolean(field().files.length || pasted()?.value.trim());
  }

  // What is chosen is shown, and only then it can be uploaded.
  function show() {
    const file = field().files[0];
    const problem = wrong(field().files);
    if (problem) field().value = "";
    const chosen = problem ? undefined : file;
    $("[data-chosen]").hidden = !chosen;
    $("[data-chosen-name]").textContent = chosen?.name ?? "";
    $("[data-chosen-size]").textContent = chosen ? sized(chosen.size) : "";
    $("[data-drop-area]").classList.toggle("has-file", Boolean(chosen));
    $("[data-upload-button]").disabled = !isReady();
    complain(problem);
  }

  // A form takes little text; files may be as long as they are.
  function sendAsFile() {
    const files = new DataTransfer();
    files.items.add(new File([pasted().value], "Pasted list", { type: "text/plain" }));
    pasted().value = "";
    field().files = files.files;
    show();
  }

  function prepare() {
    if (form()) show();
  }

  function take(files) {
    if (began || !files.length) return;
    const problem = wrong(files);
    if (problem) {
      field().value = "";
      show();
      complain(problem);
      return;
    }
    field().files = files;
    show();
    $("[data-upload-button]").focus();
  }

  // --- While it is on its way -------------------------------------------------------------------

  function tell(text) {
    $("[data-upload-said]").textContent = text;
  }

  function begin() {
    began = Date.now();
    $("[data-upload-progress]").hidden = false;
    $("[data-upload-cancel]").hidden = false;
    $("[data-upload-button]").disabled = true;
    $("[data-remove-file]").hidden = true;
    tell("Uploading…");
  }

  function end() {
    began = 0;
    if (!form()) return;
    $("[data-upload-progress]").hidden = true;
    $("[data-upload-cancel]").hidden = true;
    $("[data-remove-file]").hidden = false;
    $("[data-upload-button]").disabled = !isReady();
  }

  // What has arrived already cannot be taken back.
  function cancel() {
    if (began && form() && !$("[data-upload-cancel]").hidden) window.htmx.trigger(form(), "htmx:abort");
  }

  function progress({ lengthComputable, loaded, total }) {
    if (!began || !lengthComputable) return;
    const bar = $("progress", form());
    if (loaded >= total) {
      bar.removeAttribute("value"); // nobody knows how long the server looks at it
      tell($("[data-upload-said]").dataset.then);
      $("[data-upload-cancel]").hidden = true;
      return;
    }
    const percent = Math.floor((loaded / total) * 100);
    const rate = loaded / Math.max(1, Date.now() - began); // bytes in a millisecond
    const left = Math.ceil((total - loaded) / rate / 1000);
    bar.value = percent;
    tell(`${percent}% · ${sized(loaded)} of ${sized(total)}${left > 2 ? ` · ${left < 90 ? `${left} s` : `${Math.round(left / 60)} min`} left` : ""}`);
  }

  // --- Events -----------------------------------------------------------------------------------

  const area = (event) => event.target.closest?.("[data-drop-area]");
  const carries = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");

  for (const name of ["dragenter", "dragover"]) {
    document.addEventListener(name, (event) => {
      if (!form() || !carries(event)) return;
      event.preventDefault(); // else a file that misses would be opened instead of this page
      $("[data-drop-area]").classList.toggle("is-over", Boolean(area(event)));
    });
  }
  document.addEventListener("dragleave", (event) => {
    if (form() && !area(event)?.contains(event.relatedTarget)) $("[data-drop-area]").classList.remove("is-over");
  });
  document.addEventListener("drop", (event) => {
    if (!form() || !carries(event)) return;
    event.preventDefault();
    $("[data-drop-area]").classList.remove("is-over");
    if (area(event)) take(event.dataTransfer.files);
  });

  document.addEventListener("change", (event) => {
    if (event.target === (form() && field())) show();
  });
  document.addEventListener("input", (event) => {
    if (form() && event.target === pasted()) $("[data-upload-button]").disabled = !isReady();
  });
  document.addEventListener("submit", (event) => {
    if (event.target === form() && pasted()?.value.length > MAX_PASTED && !field().files.length) sendAsFile();
  }, true);
  // Secrets stay in no page that somebody may come back to.
  window.addEventListener("pagehide", () => {
    if (form() && pasted()) pasted().value = "";
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-remove-file]")) {
      field().value = "";
      show();
      field().focus();
    }
    if (event.target.closest("[data-upload-cancel], [data-dialog-close]")) cancel();
  });
  document.addEventListener("cancel", (event) => event.target.matches("dialog") && cancel(), true); // by Escape

  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.elt === form()) begin();
  });
  document.addEventListener("htmx:xhr:progress", (event) => {
    if (event.target === form()) progress(event.detail);
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    // The form may have made way for the answer; then the event is its parent's.
    if (event.detail.requestConfig?.elt?.matches("[data-upload]")) end();
  });
  document.addEventListener("htmx:afterSwap", prepare);
  window.addEventListener("beforeunload", (event) => {
    if (began && form() && !$("progress", form()).matches(":indeterminate")) event.preventDefault();
  });
  document.addEventListener("DOMContentLoaded", prepare);
})();
