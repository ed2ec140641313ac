// Browsers start no worker from the file system: there the search runs in a hidden frame instead. Material asks a parent
// with IFrameWorker for nothing but its name.
if (location.protocol === "file:") {
  window.IFrameWorker = class extends EventTarget {
    constructor(url) {
      super();
      this.waiting = [];
      this.frame = document.createElement("iframe");
      this.frame.hidden = true;
      this.frame.title = "search";
      this.frame.srcdoc = `<script>postMessage = (data) => parent.postMessage({ search: data }, "*")<\/script>` +
        `<script src="${url}"><\/script>`;
      this.frame.addEventListener("load", () => this.ready());
      window.addEventListener("message", (event) => this.receive(event));
      document.documentElement.append(this.frame);
    }

    ready() {
      const waiting = this.waiting;
      this.waiting = null;
      waiting.forEach((data) => this.postMessage(data));
    }

    receive(event) {
      if (event.source !== this.frame.contentWindow || !event.data.search) return;
      this.dispatchEvent(new MessageEvent("message", { data: event.data.search }));
    }

    postMessage(data) {
      if (this.waiting) this.waiting.push(data);
      else this.frame.contentWindow.dispatchEvent(new MessageEvent("message", { data }));
    }

    terminate() {
      this.frame.remove();
    }
  };
  window.Worker = window.IFrameWorker;
}
