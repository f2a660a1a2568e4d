// One reply on the page: its finished blocks as HTML, then the text that is not finished as plain words.
// Positions count code points, as the server does. The HTML comes from the server alone, which has cleaned it.

export class Reply {
  constructor(element) {
    this.element = element;
    this.body = element.querySelector('[data-part="body"]');
    this.tail = element.querySelector('[data-part="tail"]');
    // A reply that was finished when the page was made has no tail, and takes nothing more but its end.
    this.points = [...(this.tail?.textContent ?? "")];
    // Should the browser have read the text differently from the server, it is asked for from its beginning.
    if (this.points.length !== Number(element.dataset.length)) this.points = [];
    this.covered = this.announced = 0;
  }

  get state() {
    return this.element.dataset.state;
  }

  get generation() {
    return this.element.dataset.generation ?? "";
  }

  set generation(id) {
    this.element.dataset.generation = id;
  }

  get length() {
    return this.tail ? this.points.length : Number(this.element.dataset.length);
  }

  // The Markdown that was written, where all of it came to this page; else null.
  get source() {
    return this.tail && this.points.length === Number(this.element.dataset.length) ? this.points.join("") : null;
  }

  // Adds what `text`, which begins at `from`, has beyond what is here. True when it is the first of the reply.
  add(from, text) {
    if (!this.tail) return false;
    const isFirst = this.state !== "streaming";
    for (const point of [...text].slice(this.length - from)) this.points.push(point);
    this.element.dataset.state = "streaming";
    this.drawTail();
    return isFirst;
  }

  // Puts finished blocks in from number `from` on; gives the words of those that were not announced yet.
  setBlocks(from, html, length) {
    if (!this.tail) return [];
    const drawn = document.createElement("template");
    drawn.innerHTML = html;
    const blocks = [...drawn.content.children];
    for (const old of [...this.body.children].slice(from)) if (old !== this.tail) old.remove();
    this.tail.before(...blocks);
    this.covered = length;
    this.drawTail();
    const fresh = blocks.slice(Math.max(0, this.announced - from));
    this.announced = Math.max(this.announced, from + blocks.length);
    return fresh.map((block) => block.textContent);
  }

  drawTail() {
    const text = this.points.slice(this.covered).join("");
    this.tail.textContent = text;
    // A listing that is still being written looks like one.
    this.tail.dataset.kind = /^\s*(```|~~~)/.test(text) ? "code" : "";
  }

  // Gives the words that no finished block had.
  finish(frame, reason) {
    const rest = this.tail?.textContent ?? "";
    this.element.dataset.state = frame.state;
    this.element.dataset.length = frame.length;
    this.element.querySelector('[data-part="reason"]').textContent = reason;
    this.body.innerHTML = frame.html;
    return [rest];
  }
}
