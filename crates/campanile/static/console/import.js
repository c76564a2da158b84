// The upload of a directory file with a bar of how far it is, and the report put in place.
// @ts-check
import { client } from "../embed/client.js";
import { put } from "../embed/fragment.js";

/** @param {HTMLFormElement} form */
export function start(form) {
  const report = document.getElementById(form.dataset.report ?? "");
  const place = form.querySelector(".sending");
  const button = form.querySelector("button");
  if (!report || !place || !button) return;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const bar = Object.assign(document.createElement("progress"), { max: 1, value: 0 });
    // The bar says it too; of each percent nobody wants to be told.
    const words = document.createElement("span");
    words.setAttribute("aria-hidden", "true");
    bar.setAttribute("aria-label", form.dataset.sending ?? "");
    place.replaceChildren(bar, words);
    button.disabled = true;
    const request = new XMLHttpRequest();
    request.open("POST", `${form.getAttribute("action")}?part=1`);
    request.upload.addEventListener("progress", ({ loaded, total }) => {
      bar.value = total ? loaded / total : 0;
      words.textContent = `${Math.floor(bar.value * 100)} %`;
    });
    // The file is read as it arrives, so that the bar is nearly the whole way.
    request.upload.addEventListener("load", () => bar.removeAttribute("value"));
    const lost = () => {
      place.textContent = form.dataset.lost ?? "";
      button.disabled = false;
    };
    request.addEventListener("error", lost);
    request.addEventListener("load", () => {
      if (request.status === 401 || new URL(request.responseURL).pathname === "/login") {
        client()?.says(false);
        return lost();
      }
      if (request.status !== 200 && request.status !== 422) return lost();
      place.replaceChildren();
      button.disabled = false;
      put(report, request.responseText);
      const title = report.querySelector("h2, [role=alert]");
      if (title instanceof HTMLElement) {
        title.tabIndex = -1;
        title.focus();
      }
    });
    request.send(new FormData(form));
  });
}
