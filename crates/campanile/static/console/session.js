// When the session is over: a word on it with a way to log in elsewhere. The page stays, with all that was typed on it.
// @ts-check
const place = document.getElementById("notices");
/** @type {HTMLElement | undefined} */
let said;
let back = () => {};

/** Says that the session is over, once. */
export function isOver() {
  if (!place || said) return;
  const words = Object.assign(document.createElement("span"), { textContent: place.dataset.over ?? "" });
  const link = Object.assign(document.createElement("a"), {
    href: "/login",
    target: "_blank",
    rel: "noopener",
    className: "btn quiet",
    textContent: place.dataset.logIn ?? "",
  });
  said = Object.assign(document.createElement("div"), { className: "notice over" });
  said.append(words, link);
  place.append(said);
}

/** Whether it is. */
export const over = () => said !== undefined;

/** What is done once it is there again. @param {() => void} work */
export const whenBack = (work) => (back = work);

/** The session is there (again). */
export function isOpen() {
  if (!said) return;
  said.remove();
  said = undefined;
  back();
}
