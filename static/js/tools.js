// What stands at each message: its versions, editing a question, copying a reply and saying what one thinks of it; and
// how much of the allowance is used. The templates have drawn all of it; here it is filled and changed in place.

const COPIED_FOR_MS = 2000;

export class Tools {
  constructor(tutor) {
    this.tutor = tutor;
    // The Markdown of replies, by message.
    this.sources = new Map();
  }

  // Gives a message that was drawn here what a page gives it: its id, and with it its addresses.
  identify(article, id, siblings) {
    const { tutor } = this;
    article.dataset.message = id;
    article.id = `m-${id}`;
    const { page } = tutor.panel.dataset;
    tutor.part("edit", article)?.setAttribute("href", `${page}?edit=${id}#composer-words`);
    tutor.part("stop").action = this.address("stop/");
    const form = tutor.part("tools", article);
    if (form) this.identifyForms(form, tutor.part("ask", article), id);
    this.number(article, id, siblings);
  }

  identifyForms(form, goOn, id) {
    form.action = this.address("regenerate/");
    form.elements.reply.value = id;
    form.elements.key.value ||= this.tutor.newKey();
    for (const button of form.querySelectorAll("[formaction]")) button.formAction = this.address("feedback/");
    goOn.action = this.address("ask/");
    goOn.elements.parent.value = id;
    goOn.elements.key.value = this.tutor.newKey();
  }

  // Forms come back to the page that they were sent from.
  address(deed) {
    const { conversations, session, sessionUrl } = this.tutor.panel.dataset;
    return `${conversations}${session}/${deed}${sessionUrl ? "?page=lesson" : ""}#tutor`;
  }

  number(article, id, siblings) {
    const { tutor } = this;
    const versions = tutor.part("versions", article);
    const at = siblings.indexOf(id);
    versions.hidden = siblings.length < 2;
    const sentence = tutor.text("say", "place").replace("{number}", at + 1).replace("{total}", siblings.length);
    tutor.part("place", versions).textContent = sentence;
    for (const [name, other] of [["earlier", siblings[at - 1]], ["later", siblings[at + 1]]]) {
      const link = tutor.part(name, versions);
      link.toggleAttribute("href", Boolean(other));
      if (other) link.href = `${tutor.panel.dataset.page}?branch=${other}#m-${other}`;
      link.ariaDisabled = other ? null : "true";
    }
  }

  // There is a conversation now, which can be left for a new one and has a page of its own.
  offerWaysOn() {
    const { tutor } = this;
    const { conversations, session } = tutor.panel.dataset;
    for (const name of ["anew", "widen"]) tutor.part(name)?.removeAttribute("hidden");
    if (tutor.part("widen")) tutor.part("widen").href = `${conversations}${session}/`;
    tutor.part("history")?.setAttribute("hidden", "");
    tutor.moved();
  }

  earlier(link) {
    return this.travel(link, "later");
  }

  later(link) {
    return this.travel(link, "earlier");
  }

  // The other branch in the place of this one; focus stays where it is pressed again.
  async travel(link, back) {
    const { tutor } = this;
    const branch = new URL(link.href).searchParams.get("branch");
    const { running } = await this.refresh(link.href);
    tutor.readdress(branch);
    const versions = tutor.part("versions", tutor.log.querySelector(`[data-message="${branch}"]`));
    const [onward, backward] = [link.dataset.part, back].map((name) => tutor.part(name, versions));
    (onward.href ? onward : backward).focus({ preventScroll: true });
    tutor.say("");
    if (running) await tutor.exchange.resume(running);
  }

  // The log as the server draws it at `address`; gives what the new page's panel says of itself.
  async refresh(address) {
    const { tutor } = this;
    const answer = await fetch(address, { headers: { Accept: "text/html" }, redirect: "error" });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.querySelector('[data-component="tutor"]');
    if (!answer.ok || !fresh) throw new Error("the conversation could not be read");
    if (tutor.fields.edits.value) this.stopEditing({ keepsBoth: true });
    const place = tutor.scroller.scrollTop;
    tutor.log.replaceChildren(...tutor.part("log", fresh).childNodes);
    tutor.scroller.scrollTop = place;
    tutor.offerCopying(tutor.log);
    for (const name of ["elsewhere", "widen"]) this.replace(name, fresh);
    tutor.moved();
    tutor.showWayToEnd();
    return fresh.dataset;
  }

  replace(name, fresh) {
    const link = this.tutor.part(name, fresh);
    if (link) this.tutor.part(name)?.replaceWith(link);
  }

  edit(link) {
    const { tutor } = this;
    const question = link.closest('[data-part="message"]');
    this.beginEditing(question, tutor.part("body", question).textContent);
    tutor.words.focus();
    tutor.words.setSelectionRange(tutor.words.value.length, tutor.words.value.length);
    tutor.say("");
    tutor.announce([tutor.text("say", "editing")]);
  }

  beginEditing(question, text) {
    const { words, fields, memory, log } = this.tutor;
    if (!fields.edits.value) memory.setAside(words.value);
    delete log.querySelector("[data-editing]")?.dataset.editing;
    question.dataset.editing = "";
    fields.edits.value = question.dataset.message;
    words.value = text;
    memory.keep(text);
    this.tutor.part("editing").hidden = false;
  }

  cancel() {
    this.stopEditing();
    this.tutor.words.focus();
    this.tutor.say("");
  }

  // What was set aside comes back into the box.
  stopEditing({ keepsBoth = false } = {}) {
    const { words, fields, memory, log } = this.tutor;
    delete log.querySelector("[data-editing]")?.dataset.editing;
    fields.edits.value = "";
    words.value = [memory.kept.aside, keepsBoth && words.value].filter(Boolean).join("\n\n");
    memory.keep(words.value, "");
    this.tutor.part("editing").hidden = true;
    const edited = new URL(location).searchParams.get("edit");
    if (edited) this.tutor.readdress(edited);
  }

  // Its words are under way.
  emptyBox() {
    if (this.tutor.fields.edits.value) this.stopEditing();
    else this.tutor.words.value = "";
  }

  // What was refused goes back into the box, before anything written there since.
  refillBox({ text, edits }) {
    const { words, memory, log } = this.tutor;
    const question = edits && log.querySelector(`[data-message="${edits}"]`);
    if (question) {
      this.beginEditing(question, text);
      return;
    }
    words.value = [text, words.value].filter(Boolean).join("\n\n");
    memory.keep(words.value);
  }

  keepSource(reply) {
    if (reply.source !== null) this.sources.set(reply.element.dataset.message, reply.source);
  }

  async copy(button) {
    const { message } = button.closest('[data-part="message"]').dataset;
    try {
      await write(this.sources.get(message) ?? this.fetchSource(message));
    } catch {
      this.tutor.say("not-copied", "warning");
      return;
    }
    this.tutor.say("copied");
    button.dataset.done = "";
    setTimeout(() => delete button.dataset.done, COPIED_FOR_MS);
  }

  async fetchSource(message) {
    const answer = await fetch(this.address("export.json"), { redirect: "error" });
    for (const { id, body } of (await answer.json()).messages) this.sources.set(id, body);
    return this.sources.get(message);
  }

  async rate(form, button) {
    const body = new URLSearchParams(new FormData(form, button));
    const request = { method: "POST", body, headers: { Accept: "application/json" }, redirect: "error" };
    const answer = await fetch(button.formAction, request).catch(() => null);
    const said = await answer?.json().catch(() => null);
    if (answer?.ok) this.showThumb(form, said, button);
    else this.tutor.tell(said?.detail ?? this.tutor.text("say", "not-kept"), "warning");
  }

  showThumb(form, { thumb, comment }, pressed) {
    const { tutor } = this;
    const remark = tutor.part("remark", form);
    form.dataset.thumb = thumb;
    for (const name of ["up", "down"]) {
      const button = tutor.part(name, form);
      button.setAttribute("aria-pressed", name === thumb);
      button.value = name === thumb ? "" : name;
    }
    tutor.part("remark-send", form).value = thumb;
    tutor.part("comment", form).value = comment;
    remark.querySelector("summary").textContent = tutor.text("say", comment ? "your-comment" : "add-comment");
    const isRemark = pressed === tutor.part("remark-send", form);
    if (isRemark) remark.querySelector("summary").focus();
    remark.open = Boolean(thumb) && !isRemark;
    if (remark.open) remark.scrollIntoView({ block: "nearest" });
    tutor.say(thumb ? "thanks" : "taken-back");
  }

  // `meter` as the socket tells it at the end of a reply: null where nothing is limited.
  showAllowance(meter) {
    const { tutor } = this;
    const allowance = tutor.part("allowance");
    allowance.dataset.step = meter?.step ?? "";
    allowance.hidden = !meter?.step;
    if (allowance.hidden) return;
    const isUsedUp = ["practice", "stop"].includes(meter.step);
    const used = tutor.text("allowance", `${meter.scope}${isUsedUp ? "_used_up" : ""}`);
    tutor.part("bar", allowance).value = meter.used_percent;
    const sentence = used.replace("{percent}", meter.used_percent).replace("{renews}", renewal(meter));
    tutor.part("used", allowance).textContent = sentence;
    tutor.part("next", allowance).textContent = tutor.text("allowance", meter.step) ?? "";
  }
}

// As the page writes it: the time at which a day ends, the day with which a month begins, at the university.
function renewal({ scope, renews_at: moment }) {
  if (scope === "user") return moment.slice(11, 16);
  const language = document.documentElement.lang === "en" ? "en-GB" : document.documentElement.lang;
  const format = new Intl.DateTimeFormat(language, { day: "numeric", month: "long", timeZone: "UTC" });
  return format.format(new Date(moment.slice(0, 10)));
}

// Some browsers give the clipboard only at once, so they are given a promise.
async function write(text) {
  if (!window.ClipboardItem) {
    await navigator.clipboard.writeText(await text);
    return;
  }
  const blob = Promise.resolve(text).then((words) => new Blob([words], { type: "text/plain" }));
  await navigator.clipboard.write([new ClipboardItem({ "text/plain": blob })]);
}
