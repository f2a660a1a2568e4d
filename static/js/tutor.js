// The tutor's panel: what templates/tutoring/_panel.html draws, alive. Without this script its forms post and the page
// comes back with the reply; with it the words go over the socket (live.js) and the reply grows in place (reply.js).
// Those two are fetched when the panel is first used, so that a lesson that is only read costs one script.

const NOT_SIGNED_IN = 4401;
const NEAR_THE_END_PX = 64;
const TRIES_FOR_A_SESSION = 4;

class Tutor {
  constructor(panel) {
    this.panel = panel;
    this.log = this.part("log");
    this.words = this.part("words");
    this.memory = new Memory(`tutor:${location.pathname}`);
    this.question = this.asked = this.reply = this.live = null;
    this.wire();
    this.restoreWords();
    this.scrollToEnd();
    if (panel.dataset.running) this.resume(panel.dataset.running);
  }

  part(name, within = this.panel) {
    return within.querySelector(`[data-part="${name}"]`);
  }

  wire() {
    this.part("keys").hidden = false;
    this.panel.addEventListener("submit", (event) => this.submitted(event));
    this.words.addEventListener("keydown", (event) => this.keyed(event));
    this.panel.addEventListener("focusin", () => this.load().catch(() => {}), { once: true });
    this.words.addEventListener("input", () => this.memory.keep(this.words.value));
    this.part("latest").addEventListener("click", () => this.scrollToEnd());
    for (const box of [this.log, this.panel, document]) box.addEventListener("scroll", () => this.showWayToEnd(), { passive: true });
    // On a phone the panel is a sheet, and has no height to scroll before it is opened.
    window.addEventListener("hashchange", () => location.hash === "#tutor" && this.scrollToEnd());
  }

  keyed(event) {
    // While a word is being composed, Enter belongs to the input method; 229 is how older browsers say so.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    if (this.words.value.trim()) this.words.form.requestSubmit();
  }

  submitted(event) {
    const form = event.target;
    if (form.dataset.part !== "ask" && form.dataset.part !== "stop") return;
    event.preventDefault();
    if (form.dataset.part === "stop") this.stop();
    else if (this.isBusy) this.say("busy", "warning");
    else if (form.elements.text.value.trim()) this.ask(form.elements.text.value.trim(), form === this.words.form);
  }

  get isBusy() {
    return this.question !== null || ["pending", "streaming"].includes(this.reply?.state);
  }

  async ask(text, isTyped) {
    this.question = this.memory.question(text);
    if (isTyped) this.words.value = "";
    this.words.focus({ preventScroll: true });
    this.say("connecting");
    try {
      await this.load();
      this.draw(text);
      (await this.connection()).send(this.question);
    } catch {
      this.postInstead();
    }
  }

  async load() {
    const { live, replies } = this.panel.dataset;
    [{ Live: this.Live }, { Reply: this.Reply }] = await Promise.all([import(live), import(replies)]);
  }

  draw(text) {
    this.part("opening")?.remove();
    this.part("announcer").replaceChildren();
    this.asked = this.blank("question");
    this.part("body", this.asked).textContent = text;
    this.asked.dataset.state = "sending";
    const element = this.blank("reply");
    element.querySelector("[name=text]").value = text;
    this.log.append(this.asked, element);
    this.reply = new this.Reply(element);
    this.scrollToEnd();
  }

  blank(name) {
    return this.part(name).content.firstElementChild.cloneNode(true);
  }

  // The conversation begins on the server with the first question, and the socket with it.
  async connection() {
    this.panel.dataset.session ||= await this.newSession();
    if (!this.live) {
      this.live = new this.Live(`/ws/tutor/${this.panel.dataset.session}/`, {
        frame: (frame) => this.received(frame),
        connecting: (isAgain) => this.say(isAgain ? "reconnecting" : "connecting"),
        offline: () => this.say("offline", "warning"),
        unreachable: () => this.postInstead(),
        refused: (code) => this.refused(code === NOT_SIGNED_IN ? "signed-out" : "gone"),
      });
    }
    return this.live;
  }

  async newSession(triesLeft = TRIES_FOR_A_SESSION) {
    if (!navigator.onLine) {
      this.say("offline", "warning");
      await new Promise((resolve) => window.addEventListener("online", resolve, { once: true }));
    }
    const body = new URLSearchParams({ csrfmiddlewaretoken: this.words.form.elements.csrfmiddlewaretoken.value });
    const request = { method: "POST", body, headers: { Accept: "application/json" }, redirect: "error" };
    const answer = await fetch(this.panel.dataset.sessionUrl, request).catch(() => null);
    if (answer?.ok) return (await answer.json()).session;
    if (answer || triesLeft === 1) throw new Error("no conversation could be opened");
    await new Promise((resolve) => setTimeout(resolve, 1000));
    return this.newSession(triesLeft - 1);
  }

  // A reply that was running when the page was made, or that was asked for in another tab.
  async resume(generation) {
    const drawn = this.log.querySelector(`[data-generation="${generation}"]`);
    try {
      await this.load();
      this.reply = new this.Reply(drawn ?? this.blank("reply"));
      if (!drawn) this.log.append(this.reply.element);
      this.reply.generation = generation;
      this.markRunning();
      (await this.connection()).attach(generation, () => this.reply.length);
    } catch {
      this.say("unreachable", "warning");
    }
  }

  received(frame) {
    const isOfReply = ["delta", "markup", "done"].includes(frame.event);
    if (isOfReply && frame.generation !== this.reply?.generation) return;
    const isFollowing = this.isAtEnd;
    this[`on_${frame.event}`]?.(frame);
    if (isFollowing) this.scrollToEnd();
    else this.showWayToEnd();
  }

  on_started(frame) {
    if (frame.key !== this.question?.key) return;
    this.memory.forget();
    this.dropDouble(frame);
    this.asked.dataset.state = "complete";
    this.asked.dataset.message = frame.message;
    this.reply.element.dataset.message = frame.reply;
    this.reply.generation = frame.generation;
    this.live.watch(frame.generation, () => this.reply.length);
    this.markRunning();
  }

  // The words may have reached the server before the page was loaded again; then they stand in it already.
  dropDouble(frame) {
    const drawn = this.log.querySelector(`[data-message="${frame.reply}"]`);
    if (!drawn || drawn === this.reply.element) return;
    this.asked.remove();
    this.reply.element.remove();
    this.asked = this.log.querySelector(`[data-message="${frame.message}"]`);
    this.reply = new this.Reply(drawn);
  }

  on_delta(frame) {
    if (frame.from > this.reply.length) this.live.attach(this.reply.generation, () => this.reply.length);
    else if (this.reply.add(frame.from, frame.text) && !this.isWarning) this.say("streaming");
  }

  on_markup(frame) {
    this.announce(this.reply.setBlocks(frame.from_block, frame.html, frame.length));
  }

  on_done(frame) {
    const reason = frame.state === "failed" ? (this.text("reason", frame.code) ?? this.text("reason", "other")) : "";
    this.announce([...this.reply.finish(frame, reason), reason]);
    this.say(frame.state === "failed" ? "" : frame.state);
    this.part("stop").hidden = true;
    this.question = null;
  }

  on_restart() {
    this.say("reconnecting");
  }

  async on_error(frame) {
    const isAboutQuestion = frame.key && frame.key === this.question?.key;
    // Spent in another conversation: the same words may go out here, under a key of their own.
    if (frame.code === "idempotency_key_reused") this.memory.forget();
    if (isAboutQuestion) this.takeBack();
    if (isAboutQuestion && frame.generation) await this.resume(frame.generation);
    this.tell(frame.generation ? this.text("say", "elsewhere") : frame.detail, "warning");
  }

  markRunning() {
    this.say(this.reply.length ? "streaming" : "thinking");
    this.part("stop").hidden = false;
    this.part("stop").elements.generation.value = this.reply.generation;
  }

  stop() {
    this.say("stopping");
    this.live?.stop(this.reply.generation);
  }

  refused(sentence) {
    if (this.question && !this.reply?.generation) this.takeBack();
    this.say(sentence, "warning");
    this.part("stop").hidden = true;
  }

  // What was refused goes back into the box, before anything written there since.
  takeBack() {
    this.words.value = [this.question.text, this.words.value].filter(Boolean).join("\n\n");
    this.memory.keep(this.words.value);
    this.asked?.remove();
    this.reply?.element.remove();
    this.question = this.reply = this.asked = null;
  }

  // Where sockets do not get through: the form itself, with the same key, so that nothing is asked twice.
  postInstead() {
    if (!this.question || this.reply?.generation) {
      this.say("unreachable", "warning");
      return;
    }
    if (!navigator.onLine) {
      this.takeBack();
      this.say("offline-kept", "warning");
      return;
    }
    const form = this.words.form;
    form.elements.text.value = this.question.text;
    form.elements.key.value = this.question.key;
    form.submit();
  }

  restoreWords() {
    const { text, key } = this.memory.kept;
    const asked = this.log.querySelectorAll('[data-role="user"] [data-part="body"]');
    if (key && [...asked].at(-1)?.textContent.trim() === text) this.memory.forget();
    else if (text) this.words.value ||= text;
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

// Words that no server has confirmed yet, kept for this tab, with the key under which they were sent.
class Memory {
  constructor(name) {
    this.name = name;
    this.kept = JSON.parse(sessionStorage.getItem(name) ?? "{}");
  }

  // The same words keep their key, so that sending them again after a break is the same send.
  keep(text) {
    this.store({ text, key: this.kept.text === text ? this.kept.key : undefined });
  }

  question(text) {
    this.keep(text);
    this.store({ text, key: this.kept.key ?? newKey() });
    return { ...this.kept };
  }

  store(kept) {
    this.kept = kept;
    sessionStorage.setItem(this.name, JSON.stringify(kept));
  }

  forget() {
    this.kept = {};
    sessionStorage.removeItem(this.name);
  }
}

// `randomUUID` exists only where the page came over https or from this machine.
function newKey() {
  if (crypto.randomUUID) return crypto.randomUUID();
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

for (const panel of document.querySelectorAll('[data-component="tutor"]')) new Tutor(panel);
