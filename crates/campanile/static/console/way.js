// A card that follows a message on its way: asks every two seconds while something moves and the page is looked at.
// @ts-check
import { client } from "../embed/client.js";
import { fetchPart, put } from "../embed/fragment.js";

const EVERY_MS = 2_000;

/** @param {HTMLElement} card */
export function start(card) {
  const { address = "", ended = "" } = card.dataset;
  const moves = () => card.querySelector("[data-moves]") !== null;
  let last = "";
  let waits = false;
  const next = () => {
    if (waits || !moves() || client()?.over || document.visibilityState !== "visible") return;
    waits = true;
    setTimeout(step, EVERY_MS);
  };
  const step = async () => {
    waits = false;
    if (document.visibilityState !== "visible") return;
    try {
      const html = await fetchPart(address);
      if (html !== last) put(card, html);
      last = html;
      const told = document.getElementById("told");
      if (told && !moves()) told.textContent = ended;
    } catch {
      // Away for a moment: the next turn asks again.
    }
    next();
  };
  document.addEventListener("visibilitychange", next);
  next();
}
