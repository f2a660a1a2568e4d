// The connection to one conversation: opened when first needed, opened again when lost, nothing sent twice or forgotten.
// No page here: `on` gets frames and the names of states, in words of the protocol.

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 15_000;
// So many failures before the first success mean that sockets do not get through here at all.
const TRIES_BEFORE_GIVING_UP = 4;
// A line can die without a word. Asking again from the position held costs little, so silence is not trusted for long.
const SILENCE_MS = 30_000;
// Before a question goes out again that the server could not take.
const REFUSED_PAUSE_MS = 2000;

export class Live {
  #address;
  #on;
  #socket = null;
  #timer = 0;
  #watch = 0;
  #tries = 0;
  #wasOpen = false;
  #ended = false;
  #pauseAsked = 0;
  #unanswered = null;
  #following = null;
  #stopping = "";

  // Nothing was stored, and the same question is taken a moment later.
  static isOnlyForNow(code) {
    return code === "restarting" || code === "unavailable";
  }

  // `address` is the socket's path. `on`: frame(frame), connecting(isAgain), offline(), unreachable(), refused(code).
  constructor(address, on) {
    this.#address = address;
    this.#on = on;
    window.addEventListener("online", () => this.#openAfresh());
    window.addEventListener("offline", () => this.#needed() && this.#on.offline());
    window.addEventListener("pagehide", () => this.#socket?.close());
    window.addEventListener("pageshow", (event) => event.persisted && this.#open());
  }

  // Sends a frame that asks for a reply until `started` answers its key; the server stores one key once.
  send(request) {
    this.#unanswered = request;
    this.#sayOrOpen(request);
  }

  // Asks for a reply from where it is held: `held` tells how many code points of it are here.
  attach(generation, held) {
    this.watch(generation, held);
    this.#sayOrOpen(this.#attachFrame());
  }

  // Notes a reply that the server sends already, to be asked for again when the line breaks before its end.
  watch(generation, held) {
    this.#following = { generation, held };
  }

  stop(generation) {
    this.#stopping = generation;
    this.#sayOrOpen({ action: "stop", generation });
  }

  #needed() {
    return Boolean(this.#unanswered || this.#following || this.#stopping);
  }

  #attachFrame() {
    return { action: "attach", generation: this.#following.generation, after: this.#following.held() };
  }

  #sayOrOpen(frame) {
    if (this.#ended) throw new Error("the connection was refused for good");
    if (!navigator.onLine) this.#on.offline();
    else if (this.#socket?.readyState === WebSocket.OPEN) this.#say(frame);
    else this.#open();
  }

  #say(frame) {
    this.#socket.send(JSON.stringify(frame));
    this.#expectNews();
  }

  #open() {
    if (!this.#needed() || this.#ended || (this.#socket && this.#socket.readyState < WebSocket.CLOSING)) return;
    clearTimeout(this.#timer);
    if (!navigator.onLine) {
      this.#on.offline();
      return;
    }
    this.#on.connecting(this.#wasOpen);
    const socket = new WebSocket(new URL(this.#address, location.href.replace(/^http/, "ws")));
    this.#socket = socket;
    socket.addEventListener("open", () => this.#opened());
    socket.addEventListener("message", (event) => this.#received(JSON.parse(event.data)));
    socket.addEventListener("close", (event) => socket === this.#socket && this.#closed(event.code));
  }

  // A line from before a break may be dead without a word. What is still wanted is said again on the new one.
  #openAfresh() {
    const old = this.#socket;
    this.#socket = null;
    old?.close();
    this.#open();
  }

  #opened() {
    this.#wasOpen = true;
    if (this.#unanswered) this.#say(this.#unanswered);
    if (this.#following) this.#say(this.#attachFrame());
    if (this.#stopping) this.#say({ action: "stop", generation: this.#stopping });
  }

  #received(frame) {
    const isGoingAway = frame.event === "restart" || (frame.event === "error" && Live.isOnlyForNow(frame.code));
    if (isGoingAway) this.#pauseAsked = frame.retry_ms ?? REFUSED_PAUSE_MS;
    else this.#tries = 0;
    this.#expectNews();
    if (!isGoingAway && frame.key && frame.key === this.#unanswered?.key) this.#unanswered = null;
    if (frame.event === "done" && frame.generation === this.#following?.generation) this.#following = null;
    if (frame.event === "done" && frame.generation === this.#stopping) this.#stopping = "";
    this.#on.frame(frame);
    // What is wanted still is asked for on another line, which another process may answer.
    if (isGoingAway) this.#socket.close();
  }

  #closed(code) {
    clearTimeout(this.#watch);
    this.#socket = null;
    // The server's own codes are refusals, and asking again would only be refused again.
    if (code >= 4000) this.#end(() => this.#on.refused(code));
    else if (!this.#needed()) return;
    else if (!navigator.onLine) this.#on.offline();
    else if (!this.#wasOpen && ++this.#tries >= TRIES_BEFORE_GIVING_UP) this.#end(() => this.#on.unreachable());
    else this.#openLater();
  }

  #openLater() {
    this.#on.connecting(this.#wasOpen);
    const pause = Math.max(this.#pauseAsked, Math.min(FIRST_PAUSE_MS * 2 ** this.#tries, LONGEST_PAUSE_MS));
    if (this.#wasOpen) this.#tries += 1;
    this.#pauseAsked = 0;
    // Part of the pause is chance, so that many pages do not come back at the same moment.
    this.#timer = setTimeout(() => this.#open(), pause * (0.75 + Math.random() / 2));
  }

  #end(tell) {
    this.#ended = true;
    tell();
  }

  #expectNews() {
    clearTimeout(this.#watch);
    if (this.#needed()) this.#watch = setTimeout(() => this.#abandon(), SILENCE_MS);
  }

  // Closing a dead line can itself take long, so it is left to itself and not waited for.
  #abandon() {
    const dead = this.#socket;
    this.#closed(0);
    dead?.close();
  }
}
