/* Shows the lesson as it stands in the form beside the form, and keeps up with it. Without it the preview is a tab. */

const PAUSE_MS = 600;

function start(bar) {
  const button = bar.querySelector(".authoring__button");
  const state = bar.querySelector('[role="status"]');
  const form = button.form;
  const frame = form.querySelector("iframe");
  let latest = 0;
  let timer;

  async function refresh() {
    latest += 1;
    const asked = latest;
    const response = await fetch(button.formAction, { method: "POST", body: new FormData(form) }).catch(() => null);
    if (asked !== latest) return;
    // 400 is a page too: it names what is not as it must be.
    const isPage = response && (response.ok || response.status === 400);
    state.textContent = isPage ? "" : bar.dataset.failed;
    if (isPage) show(await response.text());
  }

  function show(page) {
    const scrolled = frame.contentWindow?.scrollY ?? 0;
    frame.addEventListener("load", () => frame.contentWindow.scrollTo(0, scrolled), { once: true });
    frame.srcdoc = page;
  }

  button.addEventListener("click", (event) => {
    event.preventDefault();
    const isOpen = frame.hidden;
    frame.hidden = !isOpen;
    form.dataset.preview = isOpen ? "open" : "closed";
    button.setAttribute("aria-expanded", String(isOpen));
    if (!isOpen) return;
    frame.scrollIntoView({ block: "nearest" });
    refresh();
  });

  form.addEventListener("input", () => {
    if (frame.hidden) return;
    clearTimeout(timer);
    timer = setTimeout(refresh, PAUSE_MS);
  });
}

document.querySelectorAll('[data-component="preview"]').forEach(start);
