// The console's own behaviour: dialogs, the living list, small conveniences.
// Everything here only makes smoother what works without it.
(() => {
  "use strict";

  const CHECK_EVERY = 1500; // milliseconds between two looks at whether anything changed
  const REFRESH_EVERY = 60000; // milliseconds; last contacts are no change, but they grow old
  const DISMISS_AFTER = 8000; // milliseconds a good message stays
  const MAX_MESSAGES = 3; // shown at once; the oldest makes room
  const NAMED_CHANGES = 3; // changes announced by name; more are only counted

  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const dialog = () => $("#dialog");

  // --- Times: the server writes UTC, the reader sees their own words ------------------------

  const toTheSecond = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long" });
  const toTheMinute = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
  const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "short" });
  const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60]];

  function spoken(when, isExact) {
    const seconds = (when - Date.now()) / 1000;
    if (isExact || Math.abs(seconds) > 7 * 86400) return toTheMinute.format(when);
    for (const [unit, size] of UNITS) {
      if (Math.abs(seconds) >= size) return relative.format(Math.trunc(seconds / size), unit);
    }
    return "just now";
  }

  function tellTimes(root = document) {
    for (const element of $$("time[datetime]", root)) {
      const when = new Date(element.dateTime);
      const text = spoken(when, "exact" in element.dataset);
      if (element.textContent !== text) element.textContent = text;
      if (!element.title) element.title = toTheSecond.format(when);
    }
  }

  // --- Messages -------------------------------------------------------------------------------

  function tendMessages() {
    for (const message of $$("[data-message]:not([data-tended])")) {
      message.dataset.tended = "";
      if (!message.matches(".message-error, .message-warning")) {
        setTimeout(() => message.remove(), DISMISS_AFTER);
      }
    }
    $$("[data-message]").slice(0, -MAX_MESSAGES).forEach((message) => message.remove());
  }

  // The server's own messages come as HTML; this is one for when it has none to give.
  function complain(text) {
    const message = document.createElement("div");
    message.className = "message message-error";
    message.dataset.message = "";
    const icon = document.createElement("span");
    const sentence = document.createElement("p");
    const dismiss = document.createElement("button");
    sentence.textContent = text;
    dismiss.type = "button";
    dismiss.className = "icon-button";
    dismiss.dataset.dismiss = "";
    dismiss.setAttribute("aria-label", "Dismiss");
    dismiss.textContent = "×";
    message.append(icon, sentence, dismiss);
    $("#messages").append(message);
    tendMessages();
  }

  function announce(text) {
    const region = $("#announcer");
    region.textContent = "";
    setTimeout(() => { region.textContent = text; }, 50);
  }

  // --- Dialogs --------------------------------------------------------------------------------

  let opener = null;

  function openDialog() {
    const box = dialog();
    if (!box.open) {
      opener = document.activeElement;
      box.showModal();
    }
    const first = $("[aria-invalid=true]", box) || $("[autofocus]", box) || $("input:not([type=hidden]), textarea, select", box) || $("#dialog-title", box);
    first?.focus();
    tendRows(box);
  }

  // A dialog that has a page to itself leads on: to where the server says, or back.
  function closeDialog(next = "") {
    const box = dialog();
    if (box.open) {
      box.close();
    } else {
      const page = $(".dialog-as-page");
      if (page) location.assign(next || page.dataset.back);
    }
  }

  function afterDialog() {
    dialog().replaceChildren();
    dialog().classList.remove("drawer");
    if (opener?.isConnected) opener.focus();
    else $("h1")?.focus();
    opener = null;
  }

  // --- The register dialog: rows ----------------------------------------------------------------

  const total = (form) => $("[name$='-TOTAL_FORMS']", form);

  function addRow(form, value = "") {
    const rows = $("[data-device-rows]", form);
    const index = Number(total(form).value);
    const html = $("[data-row-template]", form).innerHTML.replaceAll("__prefix__", String(index));
    rows.insertAdjacentHTML("beforeend", html);
    total(form).value = String(index + 1);
    const row = rows.lastElementChild;
    const previous = row.previousElementSibling;
    for (const name of ["tenant", "group"]) {
      const from = previous && $(`[name$='-${name}']`, previous);
      const to = $(`[name$='-${name}']`, row);
      if (from && to) to.value = from.value;
    }
    idField(row).value = value;
    window.htmx.process(row);
    tendRows(form);
    return row;
  }

  const idField = (row) => $("[name$='-device_id']", row);

  function spread(form, text, into) {
    const ids = text.split(/[\r\n]+/).map((line) => line.trim()).filter(Boolean);
    let target = into;
    for (const id of ids) {
      if (target) {
        idField(target).value = id;
        target = null;
      } else {
        addRow(form, id);
      }
    }
    checkIds(form);
    announce(`${ids.length} rows`);
  }

  function removeRow(row) {
    const form = row.closest("form");
    const rows = $$("[data-device-row]", form);
    const next = rows[rows.indexOf(row) + 1] || rows[rows.indexOf(row) - 1];
    if (next) {
      row.remove();
      idField(next).focus();
    } else {
      $$("input:not([type=hidden])", row).forEach((input) => { input.value = ""; });
      idField(row).focus();
    }
    checkIds(form);
  }

  // Says beside the field what the server would say; the rule comes with the form.
  function checkIds(form) {
    const seen = new Set();
    for (const row of $$("[data-device-row]", form)) {
      const field = idField(row);
      const id = field.value.trim().normalize("NFC");
      say(field, !id ? "" : broken(form, field, id) || (seen.has(id) ? "Device ID duplicates are not allowed" : ""));
      seen.add(id);
    }
  }

  const bytes = new TextEncoder();

  function broken(form, field, id) {
    const allowed = compiled(field.pattern);
    if (!allowed.test(id)) return `Not allowed in a device ID: ${spelt([...id].find((one) => !allowed.test(one)) ?? id)}`;
    if (form.dataset.reserved.split(" ").includes(id)) return `Not allowed as a device ID: ${id} means something else in addresses`;
    const length = bytes.encode(id).length;
    const limit = Number(form.dataset.maxBytes);
    return length > limit ? `Too long for a device ID: ${length} bytes, and at most ${limit} are allowed` : "";
  }

  // All rows have one pattern, read as a browser reads it.
  let rule = { pattern: null, regex: null };

  function compiled(pattern) {
    if (rule.pattern !== pattern) rule = { pattern, regex: new RegExp(`^(?:${pattern})$`, "v") };
    return rule.regex;
  }

  function spelt(character) {
    if (character === " ") return "a space";
    if (/[\p{Cc}\p{Cf}\p{Z}]/u.test(character)) return "an invisible character";
    return character;
  }

  function say(field, problem) {
    const id = `${field.id}-live`;
    let note = document.getElementById(id);
    if (!problem) {
      if (note) {
        note.remove();
        field.classList.remove("is-invalid");
        field.removeAttribute("aria-invalid");
      }
      return;
    }
    if (!note) {
      field.parentElement.querySelectorAll(".invalid-feedback").forEach((old) => old.remove());
      note = document.createElement("span");
      note.id = id;
      note.className = "invalid-feedback";
      note.setAttribute("role", "alert");
      field.after(note);
      field.setAttribute("aria-describedby", id);
    }
    note.textContent = problem;
    field.classList.add("is-invalid");
    field.setAttribute("aria-invalid", "true");
  }

  function tendRows(root) {
    for (const row of $$("[data-device-row]", root)) {
      const group = $("[name$='-group']", row);
      const tenant = $("[name$='-tenant']", row);
      if (!tenant || !group) continue;
      // A tenant that is still being typed must not cost the group: it is put aside.
      const elsewhere = !["", "management"].includes(tenant.value.trim());
      if (elsewhere !== group.disabled) {
        if (elsewhere) group.dataset.aside = group.value;
        group.value = elsewhere ? "" : group.dataset.aside ?? "";
      }
      group.disabled = elsewhere;
      group.placeholder = elsewhere ? "Chosen by that tenant" : "Start typing to search";
    }
  }

  // --- The living list --------------------------------------------------------------------------

  // htmx asks for the list again and hands the answer here. Rows that did not change are left
  // alone; one that did keeps what is being typed into it, and the focus.
  function defineMerge() {
    window.htmx.defineExtension("merge", {
      isInlineSwap: (style) => style === "merge",
      handleSwap: (style, target, fragment) => {
        if (style !== "merge") return false;
        const fresh = fragment.firstElementChild ?? fragment;
        tellTimes(fresh); // as they are shown, so that a part which did not change is seen not to
        const changes = target.querySelector("[data-rows]") ? mergeRows(target, fresh) : [];
        changes.push(...mergeParts(target, fresh));
        for (const name of ["liveKey", "liveVersion", "count"]) target.dataset[name] = fresh.dataset[name];
        tellTimes(target);
        tellChanges(changes);
        tellCount();
        showSelection();
        return [];
      },
    });
  }

  let askedFor = new Set(); // rows whose fate the answer tells; of others it says nothing

  function mergeRows(target, fresh) {
    const body = $("[data-rows]", target);
    const changes = [];
    const wanted = $$("[data-rows] > tr", fresh);
    const elsewhere = $$("[data-elsewhere] > tr", fresh);
    const alive = new Set([...wanted, ...elsewhere].map((row) => row.id));
    for (const row of $$(":scope > tr", body)) {
      if (alive.has(row.id)) continue;
      if (!askedFor.has(row.id)) {
        if (!isInHand(row)) row.remove(); // too far down to be looked after
        continue;
      }
      changes.push(`${row.dataset.device}: registration cancelled`);
      if (row.contains(document.activeElement)) focusNear(row);
      row.remove();
    }
    let place = body.firstElementChild;
    for (const row of wanted) {
      const shown = document.getElementById(row.id);
      if (shown) {
        place = mergeRow(shown, row, changes).nextElementSibling;
      } else {
        body.insertBefore(row, place);
        row.classList.add("row-new");
        window.htmx.process(row);
        changes.push(`${row.dataset.device}: ${row.dataset.stage}`);
      }
    }
    for (const row of elsewhere) {
      const shown = document.getElementById(row.id);
      if (shown) mergeRow(shown, row, changes);
    }
    $("table", target).hidden = body.childElementCount === 0;
    return changes;
  }

  const isInHand = (row) =>
    row.contains(document.activeElement) || $("input[name=selected]:checked", row) || $("input[name=token]", row)?.value;

  // The focus of a row that goes: on to the next one, or to the title if it was the last.
  function focusNear(row) {
    const next = row.nextElementSibling || row.previousElementSibling;
    (next ? $("a", next) : $("h1")).focus({ preventScroll: true });
  }

  function mergeRow(shown, row, changes) {
    if (shown.dataset.rev === row.dataset.rev) return shown;
    if (shown.dataset.stage !== row.dataset.stage) {
      changes.push(`${row.dataset.device}: ${row.dataset.stage}`);
      row.classList.add("row-changed");
    }
    const focused = shown.contains(document.activeElement) ? document.activeElement : null;
    const typed = $("input[name=token]", shown);
    const token = $("input[name=token]", row);
    const ticked = $("input[name=selected]", shown)?.checked;
    if (typed && token) {
      token.value = typed.value;
      token.type = typed.type;
    }
    if (ticked) $("input[name=selected]", row).checked = true;
    const selection = focused === typed && typed ? [typed.selectionStart, typed.selectionEnd] : null;
    const like = focused && alike(focused, shown, row);
    shown.replaceWith(row);
    window.htmx.process(row);
    if (like) {
      like.focus({ preventScroll: true });
      if (selection) like.setSelectionRange(...selection);
    }
    return row;
  }

  // The element of the new row that stands where the focused one stood.
  function alike(focused, shown, row) {
    if (focused.name) {
      const same = $(`[name="${focused.name}"]`, row);
      if (same) return same;
    }
    const kind = focused.tagName.toLowerCase();
    return $$(kind, row)[$$(kind, shown).indexOf(focused)] ?? $("a", row);
  }

  // The token of a form is masked anew in every answer, which is no change.
  const looks = (part) => part.innerHTML.replace(/(name="csrfmiddlewaretoken" value=")[^"]*/g, "$1");

  function mergeParts(target, fresh) {
    const changes = [];
    for (const part of $$("[data-live-part]", fresh)) {
      const shown = document.getElementById(part.id);
      if (!shown || looks(shown) === looks(part)) continue;
      // Never under somebody's hands: a form that is being filled in stays as it is.
      const busy = shown.contains(document.activeElement) && document.activeElement.matches("input, textarea, select");
      const filled = $$("input[type=password]", shown).some((input) => input.value);
      const moved = part.dataset.stage && part.dataset.stage !== shown.dataset.stage;
      if ((busy || filled) && !moved) continue;
      if (moved) changes.push(`${part.dataset.device}: ${part.dataset.stage}`);
      const focused = shown.contains(document.activeElement) ? document.activeElement : null;
      const like = focused && alike(focused, shown, part);
      shown.replaceWith(part);
      window.htmx.process(part);
      like?.focus({ preventScroll: true });
    }
    return changes;
  }

  // The count beside the title stands outside the list and follows it.
  function tellCount() {
    const shown = $("[data-count-shown]");
    const count = $("[data-count]")?.dataset.count;
    if (shown && count && shown.textContent !== count) shown.textContent = count;
  }

  function tellChanges(changes) {
    if (!changes.length) return;
    announce(changes.length <= NAMED_CHANGES ? changes.join(". ") : `${changes.length} registrations changed`);
  }

  // One look into an index on the server, as long as nothing changes and the page is seen.
  let refreshed = Date.now();

  async function look() {
    const list = $("[data-live]");
    if (!list || document.hidden) return;
    const note = $("[data-live-state]");
    try {
      const answer = await fetch(`${list.dataset.liveUrl}?key=${encodeURIComponent(list.dataset.liveKey)}`, { cache: "no-store" });
      if (note) note.hidden = true;
      const stale = Date.now() - refreshed > REFRESH_EVERY;
      if (!answer.ok || stale || (await answer.text()) !== list.dataset.liveVersion) {
        refreshed = Date.now();
        window.htmx.trigger(document.body, "registrationsChanged");
      }
    } catch {
      if (note) note.hidden = false;
    }
  }

  function keepLooking() {
    let running = false;
    const turn = async () => {
      if (running) return;
      running = true;
      await look();
      running = false;
    };
    setInterval(turn, CHECK_EVERY);
    setInterval(tellTimes, 30000);
    document.addEventListener("visibilitychange", turn);
  }

  // --- The focus stays where it was when a part of the page is drawn anew -----------------------

  let left = null; // where the focus stood in the part that goes

  function noteFocus(part) {
    const focused = document.activeElement;
    // A row that answers looks after itself, and so does a dialog.
    const isPart = part?.id && part !== dialog() && !part.matches("tr");
    left = isPart && part.contains(focused) && focused !== part
      ? { part, focused }
      : null;
  }

  function regainFocus() {
    if (!left || left.part.isConnected || document.activeElement !== document.body) return;
    const fresh = document.getElementById(left.part.id);
    if (!fresh) return;
    const href = left.focused.getAttribute("href");
    const same = href && $$("a", fresh).find((link) => link.getAttribute("href") === href);
    (same || $("h1")).focus({ preventScroll: true });
    left = null;
  }

  let pressed = null; // a button that waits for an answer, disabled, which takes the focus from it

  function notePressed({ detail: { elt } }) {
    const focused = document.activeElement;
    if (focused.matches("button") && elt.contains(focused)) pressed = focused;
  }

  function regainPressed({ detail: { elt } }) {
    if (!pressed || !elt.contains(pressed)) return;
    if (pressed.isConnected && document.activeElement === document.body) pressed.focus({ preventScroll: true });
    pressed = null;
  }

  // --- Selecting rows ---------------------------------------------------------------------------

  function showSelection() {
    const bar = $("[data-selection]");
    const all = $("[data-select-all]");
    if (all) all.hidden = false;
    if (!bar) return;
    const boxes = $$("input[name=selected]");
    const ticked = boxes.filter((box) => box.checked).length;
    bar.hidden = ticked === 0;
    $("[data-selection-count]", bar).textContent = ticked ? `${ticked} selected` : "";
    if (all) {
      all.checked = ticked > 0 && ticked === boxes.length;
      all.indeterminate = ticked > 0 && ticked < boxes.length;
    }
  }

  // --- Events -----------------------------------------------------------------------------------

  document.addEventListener("click", (event) => {
    const at = (selector) => event.target.closest(selector);
    if (at("[data-dismiss]")) at("[data-message]").remove();
    if (at("[data-dialog-close]") && dialog().open) {
      event.preventDefault();
      closeDialog();
    }
    if (at("[data-reveal]")) {
      const button = at("[data-reveal]");
      const input = button.previousElementSibling;
      const show = input.type === "password";
      input.type = show ? "text" : "password";
      button.setAttribute("aria-pressed", String(show));
    }
    if (at("[data-add-row]")) {
      event.preventDefault();
      idField(addRow(at("form"))).focus();
    }
    if (at("[data-remove-row]")) {
      event.preventDefault();
      removeRow(at("[data-device-row]"));
    }
    if (at("[data-spread]")) {
      event.preventDefault();
      const form = at("form");
      const source = $("[name=pasted]", form);
      const empty = $$("[data-device-row]", form).find((row) => !idField(row).value.trim());
      spread(form, source.value, empty);
      source.value = "";
      source.closest("details").open = false;
    }
    if (at("[data-reload]")) {
      event.preventDefault();
      window.htmx.trigger(document.body, "registrationsChanged");
      at("[data-reload]").classList.add("is-turning");
      setTimeout(() => $("[data-reload]")?.classList.remove("is-turning"), 600);
    }
    for (const menu of $$("[data-menu][open]")) {
      if (menu.contains(event.target) && !at(".menu-items a")) continue;
      // What stands in a closed menu cannot have the focus back when a dialog closes.
      if (at(".menu-items a")) $("summary", menu).focus();
      menu.open = false;
    }
  });

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      for (const menu of $$("[data-menu][open]")) {
        menu.open = false;
        $("summary", menu).focus();
      }
    }
    const typing = event.target.closest("input, textarea, select, [contenteditable]");
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && $("#search")) {
      event.preventDefault();
      $("#search").focus();
    }
  });

  document.addEventListener("paste", (event) => {
    const field = event.target.closest?.("[data-device-row] [name$='-device_id']");
    const text = event.clipboardData?.getData("text") ?? "";
    if (!field || !/[\r\n]/.test(text.trim())) return;
    event.preventDefault();
    spread(field.closest("form"), text, field.closest("[data-device-row]"));
  });

  document.addEventListener("input", (event) => {
    if (event.target.matches?.("[data-device-row] [name$='-device_id']")) checkIds(event.target.form);
    if (event.target.matches?.("[data-device-row] [name$='-tenant']")) tendRows(event.target.form);
  });

  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-select-all]")) {
      $$("input[name=selected]").forEach((box) => { box.checked = event.target.checked; });
    }
    if (event.target.matches("[data-select-all], input[name=selected]")) showSelection();
    if (event.target.matches("[data-device-row] [name$='-tenant']")) tendRows(event.target.form);
  });

  document.addEventListener("htmx:configRequest", (event) => {
    const list = event.detail.elt;
    if (list.matches("[data-live]") && $("[data-rows]", list)) {
      const shown = $$("[data-rows] > tr", list).slice(0, Number(list.dataset.maxShown)).map((row) => row.id);
      askedFor = new Set(shown);
      event.detail.parameters.set("shown", shown.map((id) => id.replace("registration-", "")).join(","));
    }
  });

  document.addEventListener("htmx:beforeRequest", notePressed);
  document.addEventListener("htmx:afterRequest", regainPressed);

  document.addEventListener("htmx:beforeSwap", (event) => {
    const { requestConfig, target } = event.detail;
    // Whoever closed the dialog while it was loading does not want it back.
    if (requestConfig?.verb === "get" && target === dialog() && !requestConfig.elt.isConnected) event.detail.shouldSwap = false;
    noteFocus(target);
  });

  document.addEventListener("htmx:afterSwap", (event) => {
    regainFocus();
    if (event.detail.target?.id === "dialog" && dialog().childElementCount) {
      const source = event.detail.requestConfig?.elt;
      dialog().classList.toggle("drawer", Boolean(source?.matches?.("[data-drawer]")));
      openDialog();
    }
    // A row that answers takes the place of the button that asked; the focus stays with it.
    const asked = event.detail.requestConfig?.elt?.closest?.("tr");
    const row = asked && document.getElementById(asked.id);
    if (row && row !== asked && document.activeElement === document.body) {
      ($("input[name=token]", row) || $("a", row)).focus({ preventScroll: true });
    }
  });

  document.addEventListener("htmx:afterSettle", () => {
    tellTimes();
    tendMessages();
    tellCount();
    showSelection();
  });

  // What was refused without an answer that could be shown in place.
  document.addEventListener("htmx:responseError", (event) => {
    const status = event.detail.xhr.status;
    if (status === 404) {
      if (dialog().open) closeDialog();
      complain("That is no longer there: somebody else was faster.");
      window.htmx.trigger(document.body, "registrationsChanged");
    } else if (status === 403) {
      complain("This was refused. Load the page again; if it stays, your account may not do this.");
    } else {
      complain("Something went wrong on the server. Try again in a moment.");
    }
  });

  document.addEventListener("dialogClosed", (event) => closeDialog(event.detail.next));

  document.addEventListener("DOMContentLoaded", () => {
    document.documentElement.classList.add("has-script");
    defineMerge();
    dialog()?.addEventListener("close", afterDialog);
    const navigator = $("[data-navigator]");
    if (navigator && matchMedia("(min-width: 60rem)").matches) navigator.open = true;
    tellTimes();
    tendMessages();
    tendRows(document);
    showSelection();
    keepLooking();
  });
})();
