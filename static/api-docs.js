/* Starts the page on which the API is read and tried out; everything comes from this server. */

"use strict";

const dark = window.matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
follow();
dark.addEventListener("change", follow);

// What the library leaves without a name for screen readers.
const NAMES = {
  ".body-param__text": "Request body",
  ".examples-select-element": "Example",
  ".close-modal": "Close",
};
const name = (place) => {
  for (const [selector, text] of Object.entries(NAMES)) {
    for (const each of place.querySelectorAll(`${selector}:not([aria-label])`)) {
      each.setAttribute("aria-label", text);
    }
  }
};

// The library gives the focus to the last way to log in, and scrolls the first one out of sight.
const begin = (place) => {
  const dialog = place.querySelector(".modal-ux-content:not([data-begun])");
  if (dialog) {
    dialog.dataset.begun = "";
    dialog.querySelector("input")?.focus();
  }
};

document.addEventListener("DOMContentLoaded", () => {
  const place = document.getElementById("api-docs");
  new MutationObserver(() => {
    name(place);
    begin(place);
  }).observe(place, { childList: true, subtree: true });
  window.SwaggerUIBundle({
    domNode: place,
    url: place.dataset.document,
    // With it, each endpoint is a link within a button, which few screen readers can tell apart.
    deepLinking: false,
    docExpansion: "list",
    filter: true,
    defaultModelsExpandDepth: -1,
    defaultModelExpandDepth: 3,
    displayRequestDuration: true,
    // A login is forgotten with the page, and nothing is asked of other servers.
    persistAuthorization: false,
    validatorUrl: null,
    // Who calls is said by Authorize alone: the session of the console would open nothing, and a
    // refused login makes no window of the browser's own come up.
    requestInterceptor(request) {
      request.credentials = "omit";
      return request;
    },
  });
});
