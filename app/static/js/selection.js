/**
 * What is ticked on the two sides, and what is left between them.
 *
 * One [data-selection] element (the form of the two panes; data-digits: decimals of the currency) holds:
 *
 *   [data-tick] data-side="bank|gl" data-minor="-1250"   the checkboxes
 *   [data-tick-all="bank"]               ticks every line of that side that is shown
 *   [data-count="bank"], [data-total="bank"]             filled with how many, and their sum
 *   [data-remainder]                     filled with bank minus ledger; data-state: none, zero, rest
 *   [data-when-remainder]                shown, and its fields sent, only while there is a rest
 *   [data-needs-selection="both|bank|gl|any"]            aria-disabled with a reason until ticked
 *
 * Ticks are remembered by id, so that paging or filtering a pane loses none: those out of sight are
 * sent as hidden fields.  After something was changed (a match, an undo) what has gone is forgotten.
 *
 * @typedef {{ name: string, value: string, side: string, minor: bigint }} Tick
 */

/** @type {Map<string, Tick>} */
const ticked = new Map();

/** Lines that vanish after a write, until the person does the next thing, are done with. */
let forgetsTheGone = false;

const NEEDS = {
  both: "Tick a bank transaction and a ledger entry first.",
  bank: "Tick a bank transaction first.",
  gl: "Tick a ledger entry first.",
  any: "Tick a line first.",
};

/** @returns {HTMLElement | null} */
const root = () => document.querySelector("[data-selection]");

/** @param {Element} scope @returns {HTMLInputElement[]} */
const boxes = (scope) => [...scope.querySelectorAll("input[data-tick]")].filter((box) => box instanceof HTMLInputElement);

/** @param {bigint} minor @param {number} digits @returns {string} grouped, with a real minus sign */
export function formatMinor(minor, digits) {
  const text = (minor < 0n ? -minor : minor).toString().padStart(digits + 1, "0");
  const whole = text.slice(0, text.length - digits).replace(/\B(?=(\d{3})+$)/g, ",");
  const fraction = digits > 0 ? `.${text.slice(-digits)}` : "";
  return `${minor < 0n ? "−" : ""}${whole}${fraction}`;
}

/** @param {HTMLInputElement} box */
function remember(box) {
  if (box.checked) {
    const { side = "", minor = "0" } = box.dataset;
    ticked.set(box.id, { name: box.name, value: box.value, side, minor: BigInt(minor) });
  } else {
    ticked.delete(box.id);
  }
}

/** @param {Element} scope */
function carryOutOfSight(scope) {
  for (const hidden of scope.querySelectorAll("input[data-carried]")) {
    hidden.remove();
  }
  for (const [id, tick] of ticked) {
    if (!document.getElementById(id)) {
      const hidden = document.createElement("input");
      hidden.type = "hidden";
      hidden.name = tick.name;
      hidden.value = tick.value;
      hidden.dataset.carried = "";
      scope.append(hidden);
    }
  }
}

/** @param {Element} scope @param {string} selector @param {string} text */
function fill(scope, selector, text) {
  for (const element of scope.querySelectorAll(selector)) {
    if (element.textContent !== text) {
      element.textContent = text;
    }
  }
}

/** @param {Element} scope @param {boolean} shown */
function showRest(scope, shown) {
  for (const part of scope.querySelectorAll("[data-when-remainder]")) {
    /** @type {HTMLElement} */ (part).hidden = !shown;
    for (const field of part.querySelectorAll("input, select, textarea")) {
      /** @type {HTMLInputElement} */ (field).disabled = !shown;
    }
  }
}

/** @param {Element} scope @param {Record<string, number>} counts */
function enableButtons(scope, counts) {
  const met = {
    both: counts.bank > 0 && counts.gl > 0,
    bank: counts.bank > 0,
    gl: counts.gl > 0,
    any: counts.bank + counts.gl > 0,
  };
  for (const button of scope.querySelectorAll("[data-needs-selection]")) {
    const needs = /** @type {keyof typeof NEEDS} */ (button.getAttribute("data-needs-selection"));
    button.setAttribute("aria-disabled", String(!met[needs]));
    const reason = document.getElementById(`${button.id}-reason`);
    if (reason) {
      reason.textContent = met[needs] ? "" : NEEDS[needs];
    }
  }
}

/** @param {Element} scope */
function markAllBoxes(scope) {
  for (const all of scope.querySelectorAll("input[data-tick-all]")) {
    const side = boxes(scope).filter((box) => box.dataset.side === all.getAttribute("data-tick-all"));
    const on = side.filter((box) => box.checked).length;
    const box = /** @type {HTMLInputElement} */ (all);
    box.checked = on > 0 && on === side.length;
    box.indeterminate = on > 0 && on < side.length;
  }
}

function update() {
  const scope = root();
  if (!scope) {
    return;
  }
  const digits = Number(scope.dataset.digits ?? "2");
  /** @type {Record<string, number>} */
  const counts = { bank: 0, gl: 0 };
  /** @type {Record<string, bigint>} */
  const totals = { bank: 0n, gl: 0n };
  for (const { side, minor } of ticked.values()) {
    counts[side] += 1;
    totals[side] += minor;
  }
  for (const side of ["bank", "gl"]) {
    fill(scope, `[data-count="${side}"]`, String(counts[side]));
    fill(scope, `[data-total="${side}"]`, formatMinor(totals[side], digits));
  }
  const remainder = totals.bank - totals.gl;
  const unbalanced = counts.bank > 0 ? "rest" : "none"; // ledger entries alone can only cancel out
  const state = counts.bank + counts.gl > 0 && remainder === 0n ? "zero" : unbalanced;
  fill(scope, "[data-remainder]", state === "none" ? "–" : formatMinor(remainder, digits));
  for (const element of scope.querySelectorAll("[data-remainder]")) {
    const holder = element.closest("[data-state]") ?? element;
    holder.setAttribute("data-state", state);
  }
  showRest(scope, state === "rest");
  enableButtons(scope, counts);
  markAllBoxes(scope);
  carryOutOfSight(scope);
}

/** After a swap: tick again what comes back, and forget what a write has taken away. */
function restore() {
  const scope = root();
  if (!scope) {
    ticked.clear();
    return;
  }
  for (const id of [...ticked.keys()]) {
    const box = document.getElementById(id);
    if (box instanceof HTMLInputElement) {
      box.checked = true;
      remember(box);
    } else if (forgetsTheGone) {
      ticked.delete(id);
    }
  }
  update();
}

document.addEventListener("change", (event) => {
  const box = event.target;
  const scope = root();
  if (!(box instanceof HTMLInputElement) || !scope?.contains(box)) {
    return;
  }
  if (box.dataset.tickAll !== undefined) {
    for (const each of boxes(scope).filter((one) => one.dataset.side === box.dataset.tickAll)) {
      each.checked = box.checked;
      remember(each);
    }
  } else if (box.dataset.tick !== undefined) {
    remember(box);
  } else {
    return;
  }
  update();
});

document.addEventListener("htmx:beforeOnLoad", (event) => {
  const { xhr, requestConfig } = /** @type {CustomEvent} */ (event).detail;
  if (requestConfig.verb !== "get" && xhr.status < 400) {
    forgetsTheGone = true;
  }
});
for (const name of ["pointerdown", "keydown"]) {
  document.addEventListener(name, () => {
    forgetsTheGone = false;
  }, { capture: true });
}
document.addEventListener("htmx:afterSettle", restore);
document.addEventListener("htmx:oobAfterSwap", restore);

for (const box of root() ? boxes(document.body) : []) {
  remember(box); // ticked by the server, or kept by the browser over a reload
}
update();
