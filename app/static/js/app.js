/**
 * What every page needs: the CSRF token on requests, messages, failures said in words,
 * dialogs, menus and chosen files.  Everything is delegated from the document, so that
 * fragments which arrive later need no set-up.
 *
 * @typedef {{ text: string, tone?: "ok" | "warn" | "bad" | "info", undo_url?: string }} Message
 * @typedef {CustomEvent<{ xhr: XMLHttpRequest, elt: Element }>} HtmxAnswer
 */

const TOAST_MS = 7_000;
const TOAST_WITH_UNDO_MS = 20_000;

/** @returns {{ process(element: Element): void } | undefined} */
const htmx = () => Reflect.get(window, "htmx");

/** @param {Event} event @param {string} selector @returns {HTMLElement | null} */
const closest = (event, selector) =>
  event.target instanceof Element ? event.target.closest(selector) : null;

/* ---- requests -------------------------------------------------------------------- */

document.addEventListener("htmx:configRequest", (event) => {
  const token = document.querySelector('meta[name="csrf-token"]')?.getAttribute("content");
  if (token) {
    /** @type {CustomEvent} */ (event).detail.headers["X-CSRFToken"] = token;
  }
});

/* ---- messages -------------------------------------------------------------------- */

/** Show one passing message; the same text is never shown twice at once. @param {Message} message */
export function toast(message) {
  const region = document.getElementById("toasts");
  const template = document.getElementById("toast-template");
  if (!region || !(template instanceof HTMLTemplateElement)) {
    return;
  }
  const shown = [...region.querySelectorAll("[data-toast-text]")];
  if (shown.some((text) => text.textContent === message.text)) {
    return;
  }
  const node = /** @type {HTMLElement} */ (template.content.cloneNode(true)).querySelector("[data-toast]");
  const text = node?.querySelector("[data-toast-text]");
  if (!node || !text) {
    return;
  }
  node.className = `toast ${message.tone ?? "ok"}`;
  text.textContent = message.text;
  const form = node.querySelector("form");
  if (form && message.undo_url) {
    form.action = message.undo_url;
    form.setAttribute("hx-post", message.undo_url);
  } else {
    form?.remove();
  }
  region.append(node);
  htmx()?.process(node);
}

/** @param {Element} node */
function dismiss(node) {
  const hadFocus = node.contains(document.activeElement);
  node.remove();
  if (hadFocus) {
    document.dispatchEvent(new CustomEvent("tieout:focus-lost"));
  }
}

/** A message goes by itself, unless it reports a failure or somebody is reading it. @param {HTMLElement} node */
function startTimer(node) {
  if (node.classList.contains("bad") || node.dataset.timed !== undefined) {
    return;
  }
  node.dataset.timed = "";
  const delay = node.querySelector("[data-undo]") ? TOAST_WITH_UNDO_MS : TOAST_MS;
  let timer = setTimeout(dismiss, delay, node);
  const pause = () => clearTimeout(timer);
  const resume = () => {
    clearTimeout(timer);
    timer = setTimeout(dismiss, delay, node);
  };
  node.addEventListener("pointerenter", pause);
  node.addEventListener("focusin", pause);
  node.addEventListener("pointerleave", resume);
  node.addEventListener("focusout", resume);
}

function watchToasts() {
  const region = document.getElementById("toasts");
  if (!region) {
    return;
  }
  const startAll = () => {
    for (const node of region.querySelectorAll("[data-toast]")) {
      startTimer(/** @type {HTMLElement} */ (node));
    }
  };
  new MutationObserver(startAll).observe(region, { childList: true, subtree: true });
  startAll();
}

document.addEventListener("toast", (event) => {
  toast(/** @type {CustomEvent<Message>} */ (event).detail);
});

document.addEventListener("htmx:afterRequest", (event) => {
  const { elt, successful } = /** @type {CustomEvent} */ (event).detail;
  const message = elt instanceof Element ? elt.closest("[data-toast]") : null;
  if (message && successful) {
    dismiss(message);
  }
});

/* ---- failures -------------------------------------------------------------------- */

document.addEventListener("htmx:responseError", (event) => {
  const { xhr } = /** @type {HtmxAnswer} */ (event).detail;
  const page = new DOMParser().parseFromString(xhr.responseText, "text/html");
  const said = page.querySelector("[data-detail]")?.textContent?.trim();
  const request = xhr.getResponseHeader("X-Request-Id");
  const text = said ?? "Something failed on our side, and nothing of this step was saved. Try again.";
  toast({ text: request && xhr.status >= 500 ? `${text} Request ${request}.` : text, tone: "bad" });
});

for (const name of ["htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(name, () => {
    toast({
      text: "Tieout could not be reached, so nothing was saved. Check the network and try again.",
      tone: "bad",
    });
  });
}

/* ---- what cannot be pressed says why --------------------------------------------- */

/** @param {Event} event @param {Element} element */
function refuse(event, element) {
  event.preventDefault();
  event.stopImmediatePropagation();
  const reason = document.getElementById(element.getAttribute("aria-describedby") ?? "");
  if (reason?.textContent) {
    toast({ text: reason.textContent.trim(), tone: "info" });
  }
}

document.addEventListener(
  "click",
  (event) => {
    const element = closest(event, '[aria-disabled="true"]');
    if (element) {
      refuse(event, element);
    }
  },
  { capture: true },
);

/* Enter in a field submits by the first button even when that button is aria-disabled. */
document.addEventListener(
  "submit",
  (event) => {
    const { submitter } = /** @type {SubmitEvent} */ (event);
    if (submitter?.getAttribute("aria-disabled") === "true") {
      refuse(event, submitter);
    }
  },
  { capture: true },
);

/* ---- dialogs, menus, files ------------------------------------------------------- */

document.addEventListener("click", (event) => {
  const opener = closest(event, "[data-dialog]");
  const dialog = opener && document.getElementById(opener.dataset.dialog ?? "");
  if (dialog instanceof HTMLDialogElement && !dialog.open) {
    dialog.showModal();
  }
  if (event.target instanceof HTMLDialogElement) {
    event.target.close(); // a press on the backdrop; what is inside has its own target
  }
  const close = closest(event, "[data-toast-close]")?.closest("[data-toast]");
  if (close) {
    dismiss(close);
  }
  for (const menu of document.querySelectorAll("details[data-menu][open]")) {
    if (!(event.target instanceof Node && menu.contains(event.target))) {
      menu.removeAttribute("open");
    }
  }
});

document.addEventListener("keydown", (event) => {
  const menus = document.querySelectorAll("details[data-menu][open]");
  const inner = [...menus].at(-1);
  if (event.key === "Escape" && inner) {
    inner.removeAttribute("open");
    inner.querySelector("summary")?.focus();
  }
});

/** @param {number} bytes */
function readableSize(bytes) {
  const units = ["bytes", "KB", "MB", "GB"];
  const step = bytes < 1 ? 0 : Math.min(Math.floor(Math.log10(bytes) / 3), units.length - 1);
  return `${(bytes / 1000 ** step).toFixed(step > 1 ? 1 : 0)} ${units[step]}`;
}

document.addEventListener("change", (event) => {
  const input = event.target;
  if (input instanceof HTMLInputElement && input.matches("[data-file]")) {
    const output = input.parentElement?.querySelector("output");
    const files = [...(input.files ?? [])];
    if (output) {
      output.textContent = files.map((file) => `${file.name}, ${readableSize(file.size)}`).join(" · ");
    }
  }
});

/* ---- what looks again by itself --------------------------------------------------- */

/** Tell whether a form holds what somebody is about to send. @param {Element} form */
function isInUse(form) {
  const chosen = [...form.querySelectorAll("option")];
  return form.contains(document.activeElement) || chosen.some((each) => each.selected !== each.defaultSelected);
}

/* A choice that was made and not sent yet outlives the answer that is morphed in around it. */
const idiomorph = Reflect.get(window, "Idiomorph");
if (idiomorph) {
  idiomorph.defaults.callbacks.beforeNodeMorphed = (/** @type {Node} */ before) =>
    !(before instanceof Element && before.matches("form[data-keep]") && isInUse(before));
}

/* A form that came back with errors is announced and read first. */
function focusErrors() {
  const summary = document.querySelector("[data-focus]");
  if (summary instanceof HTMLElement && !summary.dataset.seen) {
    summary.dataset.seen = "true";
    summary.focus();
  }
}

document.addEventListener("htmx:afterSettle", focusErrors);
focusErrors();
watchToasts();
