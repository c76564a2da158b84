// When the session is over: a word on it with a way to log in elsewhere. The page stays, with all that was typed on it.
// @ts-check

/** @param {import("../embed/client.js").Campanile} client */
export function start(client) {
  const place = document.getElementById("notices");
  /** @type {HTMLElement | undefined} */
  let said;
  client.listen(({ name }) => {
    if (name === "open") said?.remove();
    if (name !== "over" || !place) return;
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
  });
}
