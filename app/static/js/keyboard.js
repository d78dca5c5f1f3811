/**
 * The keyboard, driven by attributes:
 *
 *   data-key="m", data-key="g b"   pressed (or, a field, focused) by that key or sequence
 *   data-search                    focused by /
 *   data-rows="name"               a container whose tr[data-row] are walked; the name survives swaps
 *   data-accept, data-reject, data-tick   inside a row: Enter, r, x
 *   data-undo                      the newest one is pressed by u
 *
 * The row that was left last in a container keeps its place: it alone can be reached by Tab, its
 * buttons too.  When a swap takes the current row away, the next one that is left becomes current.
 */

const SEQUENCE_MS = 1_200;
const TEXT_INPUTS = "input:not([type=checkbox], [type=radio], [type=button], [type=submit]), textarea, select";
const CONTROLS = "a[href], button, input, select, summary";

/** @typedef {{ pane: string, id: string, ids: string[] }} Place  where we are, and the rows around it */

/** @type {Place | null} */
let place = null;

/** The row left last, by name of the container. @type {Map<string, string>} */
const left = new Map();

let sequence = "";
let sequenceAt = 0;

/* ---- rows and containers --------------------------------------------------------- */

/** @param {Element} element */
const isShown = (element) => element.checkVisibility();

const panes = () => [...document.querySelectorAll("[data-rows]")].filter((pane) => rowsOf(pane).length > 0);

/** @param {Element} pane @returns {HTMLElement[]} */
function rowsOf(pane) {
  return /** @type {HTMLElement[]} */ ([...pane.querySelectorAll("tr[data-row]")].filter(isShown));
}

/** @param {Element} row @returns {string} */
const paneName = (row) => row.closest("[data-rows]")?.getAttribute("data-rows") ?? "";

/** @returns {HTMLElement | null} */
const currentRow = () => (place ? document.getElementById(place.id) : null);

/** Rows reach into the order of Tab only where we are: a hundred lines are not a hundred stops. */
/** @param {HTMLElement} row @param {boolean} on */
function setTabbable(row, on) {
  row.tabIndex = on ? 0 : -1;
  for (const control of row.querySelectorAll(CONTROLS)) {
    if (on) {
      control.removeAttribute("tabindex");
    } else {
      control.setAttribute("tabindex", "-1");
    }
  }
}

/** @param {HTMLElement} row */
function setCurrent(row) {
  for (const marked of document.querySelectorAll("tr[data-current]")) {
    marked.removeAttribute("data-current");
    marked.removeAttribute("aria-current");
  }
  row.setAttribute("data-current", "");
  row.setAttribute("aria-current", "true");
  const pane = row.closest("[data-rows]");
  const name = paneName(row);
  const before = document.getElementById(left.get(name) ?? "");
  left.set(name, row.id);
  place = { pane: name, id: row.id, ids: pane ? rowsOf(pane).map((each) => each.id) : [] };
  if (before && before !== row) {
    setTabbable(before, false);
  }
  setTabbable(row, true);
}

/** @param {HTMLElement | undefined} row */
function go(row) {
  if (row) {
    setCurrent(row);
    row.focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
  }
}

/** The row of a container where we were, or its first. @param {Element} pane @returns {HTMLElement | undefined} */
function homeOf(pane) {
  const rows = rowsOf(pane);
  return rows.find((row) => row.id === left.get(paneName(row))) ?? rows[0];
}

/** @param {number} step 1 or -1; walks on into the next container */
function moveRow(step) {
  const row = currentRow();
  const all = panes().flatMap(rowsOf);
  if (!row) {
    const first = panes()[0];
    go(first && homeOf(first));
    return;
  }
  go(all[all.indexOf(row) + step]);
}

/** @param {number} step 1 or -1 */
function movePane(step) {
  const all = panes();
  const here = all.findIndex((pane) => pane.getAttribute("data-rows") === place?.pane);
  const pane = all[here === -1 ? 0 : here + step];
  go(pane && homeOf(pane));
}

/* ---- after a swap ---------------------------------------------------------------- */

/** What took the place of the row that is gone. @param {Place} lost @returns {HTMLElement | undefined} */
function successor(lost) {
  const at = lost.ids.indexOf(lost.id);
  const order = [...lost.ids.slice(at + 1), ...lost.ids.slice(0, at).reverse()];
  for (const id of order) {
    const row = document.getElementById(id);
    if (row && paneName(row) === lost.pane && isShown(row)) {
      return row;
    }
  }
  const pane = panes().find((each) => each.getAttribute("data-rows") === lost.pane) ?? panes()[0];
  return pane && homeOf(pane);
}

/** Keep the order of Tab, the mark and the focus right, whatever was swapped. */
function restore() {
  for (const pane of panes()) {
    const home = homeOf(pane);
    for (const row of rowsOf(pane)) {
      setTabbable(row, row === home);
    }
  }
  if (!place) {
    return;
  }
  const row = currentRow() ?? successor(place);
  const focusIsFree = document.activeElement === null || document.activeElement === document.body;
  if (!row) {
    place = null;
    if (focusIsFree) {
      document.getElementById("main")?.focus({ preventScroll: true });
    }
  } else if (focusIsFree && !document.querySelector("dialog[open]")) {
    go(row);
  } else {
    setCurrent(row);
  }
}

document.addEventListener("focusin", (event) => {
  const row = event.target instanceof Element ? event.target.closest("tr[data-row]") : null;
  if (row instanceof HTMLElement && row.closest("[data-rows]")) {
    setCurrent(row);
  }
});
for (const name of ["htmx:afterSettle", "htmx:oobAfterSwap", "tieout:focus-lost"]) {
  document.addEventListener(name, restore);
}

/* ---- keys ------------------------------------------------------------------------ */

/** Press what is in the current row. @param {string} selector @returns {boolean} whether there was such a thing */
function pressInRow(selector) {
  const control = currentRow()?.querySelector(selector);
  if (!(control instanceof HTMLElement)) {
    return false;
  }
  control.click();
  return true;
}

/** @param {string} keys @returns {HTMLElement | undefined} */
function boundTo(keys) {
  const bound = [...document.querySelectorAll(`[data-key="${CSS.escape(keys)}"]`)].filter(
    (element) => !element.closest("[hidden]"),
  );
  const element = bound.find((each) => currentRow()?.contains(each)) ?? bound.find(isShown) ?? bound[0];
  return element instanceof HTMLElement ? element : undefined;
}

/** @param {HTMLElement} element */
function press(element) {
  if (element.matches(TEXT_INPUTS)) {
    element.focus();
  } else {
    element.click();
  }
}

/** @param {string} key @returns {boolean} */
function pressBound(key) {
  const now = Date.now();
  const keys = sequence && now - sequenceAt < SEQUENCE_MS ? `${sequence} ${key}` : key;
  sequence = "";
  const element = boundTo(keys) ?? boundTo(key);
  if (element) {
    press(element);
    return true;
  }
  if (document.querySelector(`[data-key^="${CSS.escape(key)} "]`)) {
    sequence = key;
    sequenceAt = now;
    return true;
  }
  return false;
}

/** @returns {boolean} */
function search() {
  const field = [...document.querySelectorAll("[data-search]")].find(isShown);
  if (!(field instanceof HTMLInputElement)) {
    return false;
  }
  field.focus();
  field.select();
  return true;
}

/** @returns {boolean} */
function undo() {
  const newest = [...document.querySelectorAll("#toasts [data-undo]")].at(-1);
  if (!(newest instanceof HTMLElement)) {
    return false;
  }
  newest.click();
  return true;
}

/** @param {() => void} action @returns {() => boolean} */
const always = (action) => () => {
  action();
  return panes().length > 0;
};

/** What each key does; false hands it on to data-key. @type {Record<string, () => boolean>} */
const KEYS = {
  j: always(() => moveRow(1)),
  k: always(() => moveRow(-1)),
  h: always(() => movePane(-1)),
  l: always(() => movePane(1)),
  r: () => pressInRow("[data-reject]"),
  x: () => pressInRow("[data-tick]"),
  u: undo,
  "/": search,
};

/** Keys that mean something only while a row, not a control in it, has the focus. @type {Record<string, () => boolean>} */
const ROW_KEYS = {
  ArrowDown: KEYS.j,
  ArrowUp: KEYS.k,
  ArrowLeft: KEYS.h,
  ArrowRight: KEYS.l,
  " ": KEYS.x,
};

/** @param {KeyboardEvent} event @param {Element} target @returns {boolean} */
function handled(event, target) {
  const onRow = target.matches("tr[data-row]");
  if (event.key === "Enter") {
    // A ticked box would send the whole form; on a row, Enter is the answer to that row.
    const onTick = target.matches("[data-tick]");
    return (onRow || onTick || (target === document.body && place !== null)) && (pressInRow("[data-accept]") || onTick);
  }
  if (onRow && ROW_KEYS[event.key]?.()) {
    return true;
  }
  const inSequence = sequence !== "" && Date.now() - sequenceAt < SEQUENCE_MS;
  return (!inSequence && KEYS[event.key]?.()) || pressBound(event.key);
}

document.addEventListener("keydown", (event) => {
  const target = event.target instanceof Element ? event.target : document.body;
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented) {
    return;
  }
  if (document.querySelector("dialog[open]")) {
    return;
  }
  if (target.matches(TEXT_INPUTS) || target.closest("[contenteditable]")) {
    if (event.key === "Escape" && target.matches("[data-search]")) {
      /** @type {HTMLElement} */ (target).blur();
      go(currentRow() ?? undefined);
    }
    return;
  }
  if (handled(event, target)) {
    event.preventDefault();
  }
});

restore();
