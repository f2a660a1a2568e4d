// What a script adds to sharing: a link that copies itself, a preview that takes the name as it is typed, and a shared page
// that notices when it may no longer be read.

function copying(section) {
  const [link, copy, said] = ["link", "copy", "said"].map((part) => section.querySelector(`[data-part="${part}"]`));
  link.addEventListener("focus", () => link.select());
  // Browsers give pages the clipboard over https and on this machine only.
  if (!navigator.clipboard) return;
  copy.hidden = false;
  copy.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(link.value);
      said.textContent = said.dataset.copied;
    } catch {
      link.focus();
    }
  });
}

function naming(section) {
  const name = section.querySelector('[data-part="name"]');
  const show = () => {
    for (const shown of document.querySelectorAll('[data-part="student"]')) {
      shown.textContent = name.value.trim() || section.dataset.nobody;
    }
  };
  name.addEventListener("input", show);
  // The browser may have put words there itself, on the way back.
  show();
}

function watching(page) {
  const every = Number(page.dataset.everyMs);
  let timer = setTimeout(ask, every);
  let ended = false;

  async function ask() {
    clearTimeout(timer);
    if (document.hidden || ended) return;
    const asking = { method: "HEAD", cache: "no-store", credentials: "omit" };
    const answer = await fetch(location.pathname, asking).catch(() => null);
    if (answer?.status === 404) end();
    clearTimeout(timer);
    if (!ended) timer = setTimeout(ask, every);
  }

  function end() {
    if (ended) return;
    ended = true;
    const gone = page.querySelector('[data-part="gone"]').content.cloneNode(true);
    document.title = gone.querySelector("h1").textContent;
    page.replaceChildren(gone);
  }

  document.addEventListener("visibilitychange", ask);
  window.addEventListener("pageshow", (event) => event.persisted && ask());
}

const COMPONENTS = { "share-link": copying, "share-form": naming, shared: watching };

for (const [name, enhance] of Object.entries(COMPONENTS)) {
  for (const element of document.querySelectorAll(`[data-component="${name}"]`)) enhance(element);
}
