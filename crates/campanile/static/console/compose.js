// Writing a message: who gets it and how it looks while it is typed, and a field that finds recipients. The server
// renders both; without this module the buttons of the form do the same.
// @ts-check
import { client } from "../embed/client.js";
import { fetchPart, fetchPage, fieldsOf, put } from "../embed/fragment.js";

const WAIT_MS = 300;

/** @param {HTMLFormElement} form */
export function start(form) {
  const aside = document.getElementById("aside");
  const send = document.getElementById("send");
  if (!aside || !send) return;
  let timer = 0;
  let turn = 0;

  /** Renders the part beside the form anew; a later answer wins. */
  async function refresh() {
    clearTimeout(timer);
    const mine = ++turn;
    aside.setAttribute("aria-busy", "true");
    try {
      const html = await fetchPart(`${form.getAttribute("action")}/aside`, { method: "POST", body: fieldsOf(form) });
      if (mine !== turn) return;
      put(aside, html);
      const { send: label, told } = /** @type {HTMLElement | null} */ (aside.querySelector("[data-send]"))?.dataset ?? {};
      if (label) send.textContent = label;
      tell(told);
      // What the part says of a field stands beside the field.
      for (const said of /** @type {NodeListOf<HTMLOutputElement>} */ (aside.querySelectorAll("output[data-for]"))) {
        document.getElementById(said.dataset.for ?? "")?.replaceChildren(said.textContent ?? "");
      }
    } catch {
      // The number is that of another audience now: it is not shown as if it were this one's. The next key asks again.
      if (mine === turn) uncounted(client()?.over ? "" : form.dataset.uncounted);
    } finally {
      if (mine === turn) aside.removeAttribute("aria-busy");
    }
  }

  /** Takes back what was counted before. @param {string | undefined} why */
  function uncounted(why = "") {
    const who = aside.querySelector(".who");
    const number = who?.querySelector(".big");
    if (!who || !number) return;
    number.textContent = "–";
    number.nextElementSibling?.replaceChildren(why);
    for (const part of who.querySelectorAll(".pill, .split, .among, .answer")) part.remove();
    send.textContent = form.dataset.send ?? "";
    tell(why);
  }

  /** Tells who does not see it; the same words once. @param {string | undefined} words */
  function tell(words = "") {
    const place = document.getElementById("counted");
    if (place && place.textContent !== words) place.textContent = words;
  }

  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(refresh, WAIT_MS);
  };
  form.addEventListener("input", (event) => {
    forget(form, /** @type {HTMLElement} */ (event.target));
    const name = /** @type {HTMLInputElement} */ (event.target).name;
    if (!["find", "why", "environment"].includes(name)) soon();
  });
  form.addEventListener("submit", (event) => {
    const button = /** @type {HTMLButtonElement | null} */ (event.submitter);
    const asks = button?.hasAttribute("data-aside") || (button?.value === "enter" && document.activeElement?.id === "why");
    if (!asks) return;
    event.preventDefault();
    refresh();
  });
  const where = /** @type {HTMLSelectElement | null} */ (form.querySelector("select[name=environment]"));
  const shown = /** @type {HTMLInputElement} */ (form.elements.namedItem("shown"));
  where?.addEventListener("change", async () => {
    try {
      const page = await fetchPage(`${form.getAttribute("action")}`, { method: "POST", body: fieldsOf(form, null, "show") });
      for (const part of [".for-people > .boxes", "#chips"]) {
        form.querySelector(part)?.replaceChildren(...(page.querySelector(part)?.childNodes ?? []));
      }
      shown.value = where.value;
    } catch {
      // The roles of before still stand there, and the server will not take them for those of this environment.
    }
    refresh();
  });
  // What a browser put back by itself, after "back", has not been counted. Roles it puts back by their place: where they
  // were those of another environment, nobody ticked these.
  const counted = () => {
    if (where && where.value !== shown.value) {
      for (const box of form.querySelectorAll(".for-people > .boxes input")) {
        if (box instanceof HTMLInputElement) box.checked = box.defaultChecked;
      }
      where.dispatchEvent(new Event("change"));
      return;
    }
    const differs = (/** @type {any} */ field) =>
      (field.defaultValue !== undefined && field.value !== field.defaultValue) ||
      (field.defaultChecked !== undefined && field.checked !== field.defaultChecked);
    if ([...form.elements].some(differs)) refresh();
  };
  if (document.readyState === "complete") counted();
  else addEventListener("load", counted);
  const chips = document.getElementById("chips");
  chips?.addEventListener("click", (event) => {
    const button = /** @type {Element} */ (event.target).closest("button");
    if (!button) return;
    event.preventDefault();
    const chip = button.closest(".chip");
    const next = chip?.nextElementSibling ?? chip?.previousElementSibling;
    chip?.remove();
    (next?.querySelector("button") ?? document.getElementById("find"))?.focus();
    refresh();
  });
  if (chips) finder(form, chips, refresh);
}

/**
 * A combobox with a list (ARIA Authoring Practices): keys stay in the field, the active option is told by its id.
 * @param {HTMLFormElement} form @param {HTMLElement} chips @param {() => void} changed
 */
function finder(form, chips, changed) {
  const field = /** @type {HTMLInputElement | null} */ (document.getElementById("find"));
  const list = document.getElementById("options");
  if (!field || !list) return;
  field.setAttribute("role", "combobox");
  field.setAttribute("aria-autocomplete", "list");
  field.setAttribute("aria-controls", list.id);
  let timer = 0;
  let turn = 0;
  let active = -1;
  const options = () => /** @type {HTMLElement[]} */ ([...list.querySelectorAll("[role=option]:not([aria-disabled])")]);

  /** @param {boolean} open */
  function toggle(open) {
    list.hidden = !open;
    field.setAttribute("aria-expanded", String(open));
    if (!open) mark(-1);
  }

  /** @param {number} at */
  function mark(at) {
    active = at;
    options().forEach((option, index) => option.setAttribute("aria-selected", String(index === at)));
    const option = options()[at];
    if (option) {
      field.setAttribute("aria-activedescendant", option.id);
      option.scrollIntoView({ block: "nearest" });
    } else field.removeAttribute("aria-activedescendant");
  }

  async function find() {
    clearTimeout(timer);
    const words = field.value.trim();
    const mine = ++turn;
    if (!words) return toggle(false);
    try {
      const where = /** @type {HTMLInputElement | null} */ (form.elements.namedItem("environment"));
      const asked = new URLSearchParams({ q: words, environment: where?.value ?? "" });
      const html = await fetchPart(`${form.dataset.find}&${asked}`);
      if (mine !== turn || document.activeElement !== field) return;
      put(list, html);
      toggle(true);
      mark(options().length ? 0 : -1);
      const told = document.getElementById("counted");
      if (told && !options().length) told.textContent = list.textContent;
    } catch {
      toggle(false);
    }
  }

  /** @param {HTMLElement} option */
  function choose(option) {
    const { value = "", name = "" } = option.dataset;
    const fields = /** @type {HTMLInputElement[]} */ ([...form.querySelectorAll("input[name=to]")]);
    const known = fields.find((one) => one.value === value);
    if (known?.type === "checkbox") known.checked = true;
    else if (!known) chips.append(chip(value, name, form.dataset.remove ?? "{what}"));
    field.value = "";
    turn++;
    toggle(false);
    changed();
  }

  toggle(false);
  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(find, 200);
  });
  field.addEventListener("keydown", (event) => {
    const count = options().length;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (list.hidden) find();
      else if (count) mark((active + (event.key === "ArrowDown" ? 1 : count - 1) + count) % count);
    } else if (event.key === "Enter") {
      const option = list.hidden ? undefined : options()[active];
      if (option) choose(option);
      else if (!field.value.trim()) return;
      else find();
      event.preventDefault();
    } else if (event.key === "Escape" && !list.hidden) {
      event.preventDefault();
      toggle(false);
    }
  });
  field.addEventListener("blur", () => toggle(false));
  // The focus stays in the field while an option is pressed.
  list.addEventListener("pointerdown", (event) => event.preventDefault());
  list.addEventListener("click", (event) => {
    const option = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest("[role=option]:not([aria-disabled])"));
    if (option) choose(option);
  });
  form.addEventListener("submit", (event) => {
    if (/** @type {HTMLButtonElement | null} */ (event.submitter)?.value !== "find") return;
    event.preventDefault();
    field.focus();
    find();
  });
}

/**
 * What was wrong with a field is no longer said once it is another.
 * @param {HTMLFormElement} form @param {HTMLElement} field
 */
function forget(form, field) {
  for (let place = field.closest("[aria-invalid]"); place; place = place.parentElement?.closest("[aria-invalid]") ?? null) {
    const ids = (place.getAttribute("aria-describedby") ?? "").split(" ");
    place.removeAttribute("aria-invalid");
    place.setAttribute("aria-describedby", ids.filter((id) => !id.endsWith("-bad")).join(" "));
    for (const id of ids) if (id.endsWith("-bad")) document.getElementById(id)?.remove();
  }
  // Nothing is marked any more, so nothing is to be looked for.
  const told = form.querySelector(":scope > .say.bad");
  if (told?.childElementCount === 1 && !form.querySelector("[aria-invalid]")) told.remove();
}

/** What was chosen, with a button that takes it away. @param {string} value @param {string} name @param {string} label */
function chip(value, name, label) {
  const out = document.createElement("span");
  out.className = "chip";
  const field = Object.assign(document.createElement("input"), { type: "hidden", name: "to", value });
  const button = Object.assign(document.createElement("button"), { name: "drop", value, textContent: "×" });
  button.setAttribute("aria-label", label.replace("{what}", name));
  out.append(field, name, button);
  return out;
}
