// Asks for replies and follows them as they are written: the panel at work. What is drawn before the server has taken
// it is taken back when it refuses, and the words and versions that stood there come back.

const NOT_SIGNED_IN = 4401;
const TRIES_FOR_A_SESSION = 4;

export class Exchange {
  constructor(tutor, { Live, Reply }) {
    Object.assign(this, { tutor, Live, Reply });
    this.log = tutor.log;
    // The frame that asks for a reply, from then until the reply has ended, and the form that it came from.
    this.request = this.form = null;
    this.asked = this.reply = this.live = null;
    // What a new version has taken the place of, until the server has taken that.
    this.replaced = [];
  }

  get isBusy() {
    return this.request !== null || ["pending", "streaming"].includes(this.reply?.state);
  }

  get isUnanswered() {
    return this.request !== null && !this.reply?.generation;
  }

  async ask(form) {
    const { tutor } = this;
    const isTyped = form === tutor.words.form;
    const text = form.elements.text.value.trim();
    const edits = (isTyped && tutor.fields.edits.value) || undefined;
    const parent = edits ? undefined : this.lastReply;
    if (isTyped) tutor.tools.emptyBox();
    const key = tutor.memory.question({ text, parent, edits }, tutor.words.value, tutor.newKey);
    this.request = { action: "send", key, text, parent, edits };
    this.draw(edits ? this.log.querySelector(`[data-message="${edits}"]`) : tutor.part("opening"), text);
    tutor.words.focus({ preventScroll: true });
    await this.send(form);
  }

  async regenerate(form) {
    const old = form.closest('[data-part="message"]');
    this.request = { action: "regenerate", key: form.elements.key.value, reply: old.dataset.message };
    this.draw(old);
    // The button that was pressed is gone.
    this.log.focus({ preventScroll: true });
    await this.send(form);
  }

  get lastReply() {
    return [...this.log.querySelectorAll('[data-role="assistant"][data-message]')].at(-1)?.dataset.message;
  }

  // In the place of `first` and of all that follows it, where there is such.
  draw(first, text) {
    const { tutor } = this;
    tutor.part("announcer").replaceChildren();
    const all = [...this.log.children];
    this.replaced = first ? all.slice(all.indexOf(first)) : [];
    // A question that goes is not edited any more; what was written of it stays in the box.
    const { value: edited } = tutor.fields.edits;
    if (edited && this.replaced.some((each) => each.dataset.message === edited)) tutor.tools.stopEditing({ keepsBoth: true });
    tutor.part("elsewhere").hidden = true;
    for (const each of this.replaced) each.remove();
    this.asked = text === undefined ? null : this.drawQuestion(text);
    const element = tutor.blank("reply");
    const { step } = tutor.part("allowance").dataset;
    if (["cheaper", "practice"].includes(step)) element.dataset.step = step;
    this.log.append(element);
    this.reply = new this.Reply(element);
    tutor.scrollToEnd();
  }

  drawQuestion(text) {
    const question = this.tutor.blank("question");
    this.tutor.part("body", question).textContent = text;
    question.dataset.state = "sending";
    question.dataset.length = [...text].length;
    this.log.append(question);
    return question;
  }

  async send(form) {
    this.form = form;
    this.tutor.say("connecting");
    try {
      (await this.connection()).send(this.request);
    } catch {
      if (!this.isSignedOut) this.postInstead();
    }
  }

  // The conversation begins on the server with the first question, and the socket with it.
  async connection() {
    const { tutor } = this;
    const { dataset } = tutor.panel;
    dataset.session ||= await this.newSession();
    this.live ??= new this.Live(`/ws/tutor/${dataset.session}/`, {
      frame: (frame) => this.received(frame),
      connecting: (isAgain) => this.sayConnecting(isAgain),
      offline: () => tutor.say("offline", "warning"),
      unreachable: () => this.postInstead(),
      refused: (code) => this.refused(code === NOT_SIGNED_IN ? "signed-out" : "gone"),
    });
    return this.live;
  }

  sayConnecting(isAgain) {
    // Who only waits for the end of a reply elsewhere is told of that already.
    if (this.elsewhere && !this.request && !this.reply) return;
    this.tutor.say(isAgain ? (this.isUnanswered ? "resending" : "reconnecting") : "connecting");
  }

  async newSession(triesLeft = TRIES_FOR_A_SESSION) {
    if (!navigator.onLine) {
      this.tutor.say("offline", "warning");
      await new Promise((resolve) => window.addEventListener("online", resolve, { once: true }));
    }
    const body = new URLSearchParams({ csrfmiddlewaretoken: this.tutor.fields.csrfmiddlewaretoken.value });
    const request = { method: "POST", body, headers: { Accept: "application/json" }, redirect: "manual" };
    const answer = await fetch(this.tutor.panel.dataset.sessionUrl, request).catch(() => null);
    // To the sign-in page: the form would be led there too, and lose the words on the way.
    this.isSignedOut = answer?.type === "opaqueredirect";
    if (this.isSignedOut) this.refused("signed-out");
    if (answer?.ok) return (await answer.json()).session;
    if (answer || triesLeft === 1) throw new Error("no conversation could be opened");
    await new Promise((resolve) => setTimeout(resolve, 1000));
    return this.newSession(triesLeft - 1);
  }

  // A reply that is being made already: since before the page was made, or asked for in another tab.
  async resume(generation) {
    const drawn = this.log.querySelector(`[data-generation="${generation}"]`);
    this.reply = new this.Reply(drawn ?? this.tutor.blank("reply"));
    if (!drawn) this.log.append(this.reply.element);
    this.reply.generation = generation;
    this.markRunning();
    (await this.connection()).attach(generation, () => this.reply.length);
  }

  received(frame) {
    const { tutor } = this;
    if (frame.event === "done" && frame.generation === this.elsewhere) this.endElsewhere();
    const isOfReply = ["attached", "delta", "markup", "done"].includes(frame.event);
    if (isOfReply && frame.generation !== this.reply?.generation) return;
    const isFollowing = tutor.isAtEnd;
    this[`on_${frame.event}`]?.(frame);
    if (isFollowing) tutor.scrollToEnd();
    else tutor.showWayToEnd();
  }

  on_started(frame) {
    const { tutor } = this;
    if (frame.key !== this.request?.key) return;
    if (this.request.action === "send") tutor.memory.confirm();
    this.replaced = [];
    this.dropDouble(frame);
    if (this.asked) {
      this.asked.dataset.state = "complete";
      tutor.tools.identify(this.asked, frame.message, frame.message_siblings);
    }
    tutor.tools.identify(this.reply.element, frame.reply, frame.reply_siblings);
    this.reply.generation = frame.generation;
    this.live.watch(frame.generation, () => this.reply.length);
    this.markRunning();
    tutor.readdress();
    tutor.moved();
    tutor.tools.offerWaysOn();
  }

  // The words may have reached the server before the page was loaded again; then they stand in it already.
  dropDouble(frame) {
    const drawn = this.log.querySelector(`[data-message="${frame.reply}"]`);
    if (!drawn || drawn === this.reply.element) return;
    this.asked?.remove();
    this.reply.element.remove();
    this.asked &&= this.log.querySelector(`[data-message="${frame.message}"]`);
    this.reply = new this.Reply(drawn);
  }

  // Nothing else may come for a while: the page has all that there is, and the tutor thinks.
  on_attached() {
    if (!this.tutor.isWarning) this.tutor.say(this.reply.length ? "streaming" : "thinking");
  }

  on_delta(frame) {
    if (frame.from > this.reply.length) this.live.attach(this.reply.generation, () => this.reply.length);
    else if (this.reply.add(frame.from, frame.text) && !this.tutor.isWarning) this.tutor.say("streaming");
  }

  on_markup(frame) {
    this.tutor.announce(this.reply.setBlocks(frame.from_block, frame.html, frame.length));
  }

  on_done(frame) {
    const { tutor, reply } = this;
    const reason = frame.state === "failed" ? (tutor.text("reason", frame.code) ?? tutor.text("reason", "other")) : "";
    tutor.announce([...reply.finish(frame, reason), reason]);
    tutor.tools.keepSource(reply);
    if (frame.meter !== undefined) tutor.tools.showAllowance(frame.meter);
    tutor.say(frame.state === "failed" ? "" : frame.state);
    tutor.part("stop").hidden = true;
    this.request = null;
  }

  on_restart() {
    this.tutor.say("reconnecting");
  }

  async on_error(frame) {
    const { tutor } = this;
    // Nothing was stored, and the connection sends it again by itself.
    if (this.Live.isOnlyForNow(frame.code)) return;
    const isAboutRequest = frame.key && frame.key === this.request?.key;
    // Spent in another conversation: the same words may go out here, under a key of their own.
    if (frame.code === "idempotency_key_reused") tutor.memory.confirm();
    if (isAboutRequest) this.takeBack();
    if (frame.meter !== undefined) tutor.tools.showAllowance(frame.meter);
    if (frame.code === "not_found") {
      tutor.say("gone", "warning");
      return;
    }
    if (isAboutRequest && frame.generation) await this.join(frame.generation);
    tutor.tell(frame.generation ? tutor.text("say", "elsewhere") : frame.detail, "warning");
  }

  // A reply that is being made in another version: only its end matters here.
  async watchElsewhere(generation) {
    this.elsewhere = generation;
    (await this.connection()).attach(generation, () => 0);
  }

  endElsewhere() {
    const { tutor } = this;
    this.elsewhere = null;
    if (tutor.part("elsewhere").hidden) return;
    tutor.part("elsewhere").hidden = true;
    tutor.part("stop").hidden = true;
    tutor.say("complete-elsewhere");
  }

  // Shows the branch in which a reply is being made, with its question, and follows it.
  async join(generation) {
    await this.tutor.tools.refresh(this.tutor.panel.dataset.page).catch(() => {});
    this.tutor.readdress();
    await this.resume(generation);
    this.tutor.scrollToEnd();
  }

  markRunning() {
    const stop = this.tutor.part("stop");
    this.tutor.say(this.reply.length ? "streaming" : "thinking");
    stop.hidden = false;
    stop.elements.generation.value = this.reply.generation;
  }

  stop(form) {
    if (!this.live || form.elements.generation.value !== this.reply?.generation) {
      this.tutor.natively(form);
      return;
    }
    this.tutor.say("stopping");
    this.live.stop(this.reply.generation);
  }

  refused(sentence) {
    if (this.isUnanswered) this.takeBack();
    this.tutor.say(sentence, "warning");
    this.tutor.part("stop").hidden = true;
  }

  takeBack() {
    const { request, form, tutor } = this;
    this.putBack();
    this.request = this.reply = this.asked = null;
    // What came from a button can be had from it again.
    if (form === tutor.words.form) tutor.tools.refillBox(request);
  }

  putBack() {
    this.asked?.remove();
    this.reply?.element.remove();
    this.log.append(...this.replaced);
    this.replaced = [];
  }

  // Where sockets do not get through: the form itself, with the same key, so that nothing is asked twice.
  postInstead() {
    const { request, form, tutor } = this;
    if (!this.isUnanswered) {
      tutor.say("unreachable", "warning");
    } else if (!navigator.onLine) {
      this.takeBack();
      tutor.say("offline-kept", "warning");
    } else if (request.action === "send") {
      const { text, key, parent = "", edits = "" } = request;
      for (const [name, value] of Object.entries({ text, key, parent, edits })) tutor.fields[name].value = value;
      tutor.words.form.submit();
    } else {
      // A form that is not in the page cannot be sent.
      this.putBack();
      form.submit();
    }
  }
}
