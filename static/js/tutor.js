// The tutor's panel: what templates/tutoring/_panel.html draws, alive. Without this script its forms post and the page
// comes back with the reply; with it the words go over the socket and the reply grows in place. Everything for that is
// fetched when the panel is first used, so that a lesson that is only read costs one script: exchange.js asks and
// follows, by live.js and reply.js, and tools.js does what stands at each message.

const NEAR_THE_END_PX = 64;
// A version without a neighbour has a link that leads nowhere.
const LINKS = ["edit", "cancel", "earlier", "later"].map((part) => `a[data-part="${part}"][href]`);
const CONTROLS = [...LINKS, '[data-part="copy"]'].join();

class Tutor {
  constructor(panel) {
    this.panel = panel;
    this.log = this.part("log");
    this.words = this.part("words");
    this.fields = this.words.form.elements;
    this.memory = new Memory(`tutor:${panel.dataset.page}`);
    this.wire();
    this.restoreWords();
    // An address that names a message leads there.
    if (this.log.querySelector(":target")) this.showWayToEnd();
    else this.scrollToEnd();
    if (panel.dataset.running) this.resume(panel.dataset.running);
    else if (!this.part("elsewhere").hidden) this.watchElsewhere(this.part("stop").elements.generation.value);
  }

  part(name, within = this.panel) {
    return within.querySelector(`[data-part="${name}"]`);
  }

  wire() {
    this.part("keys").hidden = false;
    this.offerCopying(this.log);
    this.offerCopying(this.part("reply").content);
    this.panel.addEventListener("submit", (event) => this.submitted(event));
    this.panel.addEventListener("click", (event) => this.clicked(event));
    this.words.addEventListener("keydown", (event) => this.keyed(event));
    this.panel.addEventListener("focusin", () => this.load().catch(() => {}), { once: true });
    this.words.addEventListener("input", () => this.memory.keep(this.words.value));
    this.part("latest").addEventListener("click", () => this.scrollToEnd());
    for (const box of [this.log, this.panel, document]) {
      box.addEventListener("scroll", () => this.showWayToEnd(), { passive: true });
    }
    // On a phone the panel is a sheet, and has no height to scroll before it is opened.
    for (const event of ["hashchange", "load"]) {
      window.addEventListener(event, () => location.hash === "#tutor" && this.scrollToEnd());
    }
  }

  // Browsers give pages the clipboard over https and on this machine only.
  offerCopying(root) {
    if (navigator.clipboard) for (const button of root.querySelectorAll('[data-part="copy"]')) button.hidden = false;
  }

  keyed(event) {
    if (event.key === "Escape" && this.fields.edits.value) this.part("cancel").click();
    // While a word is being composed, Enter belongs to the input method; 229 is how older browsers say so.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    if (this.words.value.trim()) this.words.form.requestSubmit();
  }

  submitted(event) {
    const { target: form, submitter } = event;
    const { part } = form.dataset;
    if (this.isNative || !["ask", "stop", "tools"].includes(part)) return;
    event.preventDefault();
    const isRating = submitter?.name === "thumb";
    if (part === "stop") this.use(({ exchange }) => exchange.stop(form), form);
    else if (isRating) this.use(({ tools }) => tools.rate(form, submitter), form, submitter);
    else if (this.exchange?.isBusy || this.isAsking) this.say("busy", "warning");
    else if (part === "tools") this.begin(({ exchange }) => exchange.regenerate(form), form);
    else if (form.elements.text.value.trim()) this.begin(({ exchange }) => exchange.ask(form), form);
  }

  clicked(event) {
    const control = event.target.closest(CONTROLS);
    const isForAnotherTab = event.ctrlKey || event.metaKey || event.shiftKey || event.altKey;
    // While a reply is being made, its page is left for another branch as a page is left: the reply goes on.
    const isLeaving = ["earlier", "later"].includes(control?.dataset.part) && this.exchange?.isBusy;
    if (!control || isForAnotherTab || isLeaving) return;
    event.preventDefault();
    this.use(({ tools }) => tools[control.dataset.part](control)).catch(() => control.href && location.assign(control.href));
  }

  // Does what needs the scripts; where they cannot be fetched the form does it by itself.
  async use(deed, form, submitter) {
    let loaded;
    try {
      loaded = await this.load();
    } catch (error) {
      if (!form) throw error;
      this.natively(form, submitter);
      return;
    }
    await deed(loaded);
  }

  // Enter may come twice before the scripts are here.
  async begin(deed, form) {
    this.isAsking = true;
    if (!this.exchange) this.say("connecting");
    await this.use(deed, form).finally(() => { this.isAsking = false; });
  }

  natively(form, submitter) {
    this.isNative = true;
    form.requestSubmit(submitter);
  }

  async load() {
    const { exchange, live, reply, tools } = this.panel.dataset;
    this.loading ??= Promise.all([exchange, live, reply, tools].map((address) => import(address)));
    try {
      const [{ Exchange }, { Live }, { Reply }, { Tools }] = await this.loading;
      this.tools ??= new Tools(this);
      this.exchange ??= new Exchange(this, { Live, Reply });
    } catch (error) {
      this.loading = null;
      throw error;
    }
    return this;
  }

  // A reply that was running when the page was made.
  resume(generation) {
    this.load().then(({ exchange }) => exchange.resume(generation)).catch(() => this.say("unreachable", "warning"));
  }

  watchElsewhere(generation) {
    this.load().then(({ exchange }) => exchange.watchElsewhere(generation)).catch(() => {});
  }

  restoreWords() {
    const { text, key, draft, aside } = this.memory.kept;
    const asked = this.log.querySelectorAll('[data-role="user"] [data-part="body"]');
    if (key && [...asked].at(-1)?.textContent.trim() === text) this.memory.confirm();
    const kept = [draft?.includes(text) ? "" : this.memory.kept.text, aside, draft].filter(Boolean).join("\n\n");
    // A page that came with a question to edit, or with words that were refused, has those in its box.
    if (this.fields.edits.value) this.memory.setAside(kept);
    else if (kept) this.memory.keep((this.words.value ||= kept), "");
  }

  // The branch shown is another one, or longer: what leads to it elsewhere on the page, and the address, follow.
  moved() {
    const last = [...this.log.querySelectorAll("[data-message]")].at(-1)?.dataset.message;
    for (const link of document.querySelectorAll('[data-link="branch"]')) {
      const url = new URL(link.href);
      if (last) url.searchParams.set("branch", last);
      link.href = url;
    }
  }

  // `branch` is what the address is to say of it; without one a reload shows the newest.
  readdress(branch) {
    const { page } = this.panel.dataset;
    const url = new URL(location.pathname === page ? location : page, location);
    for (const name of ["branch", "edit"]) url.searchParams.delete(name);
    if (branch) url.searchParams.set("branch", branch);
    // The message that it named may be of another branch; on a phone the panel stays open all the same.
    url.hash = location.hash.startsWith("#m-") ? "#tutor" : location.hash;
    history.replaceState(history.state, "", url);
  }

  // `randomUUID` exists only where the page came over https or from this machine.
  newKey() {
    if (crypto.randomUUID) return crypto.randomUUID();
    return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  blank(name) {
    return this.part(name).content.firstElementChild.cloneNode(true);
  }

  text(kind, name) {
    return this.part("sayings").content.querySelector(`[data-${kind}="${name}"]`)?.textContent.trim();
  }

  say(name, kind = "") {
    this.tell(name && this.text("say", name), kind);
  }

  tell(sentence, kind) {
    this.part("status").dataset.kind = kind;
    this.part("said").textContent = sentence;
  }

  get isWarning() {
    return this.part("status").dataset.kind === "warning";
  }

  // For those who listen: block by block, never word by word.
  announce(blocks) {
    for (const words of blocks.filter(Boolean)) {
      const line = document.createElement("p");
      line.textContent = words;
      this.part("announcer").append(line);
    }
  }

  // The conversation scrolls within its column, in a low window with the panel, on its own page with the window.
  get scroller() {
    const scrolls = (box) => getComputedStyle(box).overflowY === "auto";
    return [this.log, this.panel].find(scrolls) ?? document.documentElement;
  }

  get isAtEnd() {
    const box = this.scroller;
    return box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_THE_END_PX;
  }

  scrollToEnd() {
    if (this.part("message")) this.scroller.scrollTop = this.scroller.scrollHeight;
    this.showWayToEnd();
  }

  showWayToEnd() {
    this.part("latest").hidden = this.isAtEnd;
  }
}

// Words that no server has confirmed yet, kept for this tab: `text` as sent, with its key and its place in the
// conversation, `draft` in the box, and `aside` what stood there before a question was to be edited.
class Memory {
  constructor(name) {
    this.name = name;
    this.kept = JSON.parse(sessionStorage.getItem(name) ?? "{}");
  }

  keep(draft, aside = this.kept.aside) {
    this.store({ ...this.kept, draft, aside });
  }

  setAside(words) {
    this.store({ ...this.kept, aside: words });
  }

  // The key under which the words are sent. The same at the same place keep theirs, so that sending them again after a
  // break is the same send.
  question({ text, parent, edits }, draft, newKey) {
    const { kept } = this;
    const isSame = kept.text === text && kept.parent === parent && kept.edits === edits;
    this.store({ draft, aside: kept.aside, text, parent, edits, key: (isSame && kept.key) || newKey() });
    return this.kept.key;
  }

  // What was sent is on the server, or is not to be sent again under its key.
  confirm() {
    this.store({ draft: this.kept.draft, aside: this.kept.aside });
  }

  store(kept) {
    this.kept = kept;
    if (Object.values(kept).some(Boolean)) sessionStorage.setItem(this.name, JSON.stringify(kept));
    else sessionStorage.removeItem(this.name);
  }
}

for (const panel of document.querySelectorAll('[data-component="tutor"]')) new Tutor(panel);
