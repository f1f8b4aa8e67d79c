/* Starts the page on which the API is read and tried out; everything comes from this server. */

"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const place = document.getElementById("api-docs");
  window.SwaggerUIBundle({
    domNode: place,
    url: place.dataset.document,
    deepLinking: true,
    docExpansion: "list",
    filter: true,
    defaultModelsExpandDepth: 0,
    displayRequestDuration: true,
    // A login is forgotten with the page, and nothing is asked of other servers.
    persistAuthorization: false,
    validatorUrl: null,
    // Who calls is said by Authorize alone. The session of the console would open nothing, and a
    // refused login makes no window of the browser's own come up.
    requestInterceptor(request) {
      request.credentials = "omit";
      return request;
    },
  });
});
