enum ChatPageScript {
  /// Chats and settings, which the browser keeps.
  static let state = #"""
    const $ = (id) => document.getElementById(id);
    const fields = ["system", "temperature", "top_p", "max_tokens", "seed"];
    const load = (name, other) => {
      try { return JSON.parse(localStorage.getItem("speculate." + name)) ?? other; } catch { return other; }
    };
    const save = (name, value) => {
      try { localStorage.setItem("speculate." + name, JSON.stringify(value)); } catch { /* full, or forbidden */ }
    };
    let chats = load("chats", []);
    let current = null;
    let running = null;
    let model = "";
    let isChat = true;

    function text(message) { return message.parts.map((part) => part[0]).join(""); }

    function keep() { save("chats", chats.slice(0, 50)); }

    function show() {
      const list = $("chats");
      list.replaceChildren();
      for (const chat of chats) {
        const item = document.createElement("li");
        if (chat === current) item.className = "chosen";
        const name = document.createElement("button");
        name.className = "name";
        name.textContent = chat.name || "New chat";
        name.onclick = () => { choose(chat); close(); };
        const remove = document.createElement("button");
        remove.className = "remove";
        remove.textContent = "×";
        remove.setAttribute("aria-label", "Delete this chat");
        remove.onclick = () => {
          if (running?.chat === chat) running.controller.abort();
          chats = chats.filter((other) => other !== chat);
          if (current === chat) current = chats[0] ?? null;
          keep();
          show();
        };
        item.append(name, remove);
        list.append(item);
      }
      const messages = $("messages");
      messages.replaceChildren(...(current?.messages ?? []).map(draw));
      messages.classList.toggle("shaded", $("shade").checked);
      $("empty").hidden = (current?.messages.length ?? 0) > 0;
      messages.scrollTop = messages.scrollHeight;
    }

    function draw(message) {
      const node = document.createElement("div");
      node.className = "message " + message.role + (isChat ? "" : " code");
      message.node = undefined;
      for (const part of message.parts) append(node, part);
      finish(node, message);
      return node;
    }

    function append(node, [content, origin]) {
      const last = node.lastElementChild;
      if (last && last.dataset.origin === origin) {
        last.firstChild.appendData(content);
        return;
      }
      const span = document.createElement("span");
      span.dataset.origin = origin;
      span.className = origin === "drafter" || origin === "target" ? origin : "suffix";
      if (message_is_plain(origin)) span.className = "";
      span.append(document.createTextNode(content));
      node.append(span);
    }

    function message_is_plain(origin) { return origin === ""; }

    function finish(node, message) {
      if (message.error) {
        const error = document.createElement("span");
        error.className = "error";
        error.textContent = (message.parts.length ? "\n" : "") + message.error;
        node.append(error);
      }
      if (message.facts) {
        const facts = document.createElement("span");
        facts.className = "facts soft";
        facts.textContent = message.facts;
        node.append(facts);
      }
    }

    function choose(chat) { current = chat; show(); }
    """#

  /// Asking the server, and reading its events.
  static let stream = #"""
    function request(chat) {
      const number = (id) => ($(id).value === "" ? undefined : Number($(id).value));
      const body = {
        model, stream: true, stream_options: { include_usage: true }, speculate: { origins: true },
        temperature: number("temperature"), top_p: number("top_p"), max_tokens: number("max_tokens"),
        seed: number("seed"),
      };
      const said = chat.messages.filter((message) => message.parts.length || message.role === "user");
      if (!isChat) {
        body.prompt = text(said[said.length - 1]);
        body.max_tokens ??= 256;
        return ["/v1/completions", body];
      }
      const system = $("system").value.trim();
      body.messages = (system ? [{ role: "system", content: system }] : []).concat(
        said.map((message) => ({ role: message.role, content: text(message) })));
      return ["/v1/chat/completions", body];
    }

    function headers() {
      const key = $("key").value;
      return { "Content-Type": "application/json", ...(key ? { Authorization: "Bearer " + key } : {}) };
    }

    async function* events(response) {
      const reader = response.body.getReader();
      const decoder = new TextDecoder();
      let rest = "";
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        rest += decoder.decode(value, { stream: true });
        const parts = rest.split("\n\n");
        rest = parts.pop();
        for (const part of parts) {
          if (!part.startsWith("data: ")) continue;
          const data = part.slice(6);
          if (data === "[DONE]") return;
          yield JSON.parse(data);
        }
      }
    }

    async function answer(chat) {
      const message = { role: "assistant", parts: [] };
      const [path, body] = request(chat);
      const controller = new AbortController();
      running = { chat, controller };
      chat.messages.push(message);
      show();
      const node = $("messages").lastElementChild;
      buttons();
      let first = 0, tokens = 0, rounds = 0, firstTokens = 0;
      const figures = (isEnd) => {
        const seconds = (performance.now() - first) / 1000;
        const parts = [tokens + " tokens"];
        if (rounds) parts.push("τ " + (tokens / rounds).toFixed(2));
        if (first && seconds > 0.05 && tokens > firstTokens) {
          parts.push(((tokens - firstTokens) / seconds).toFixed(1) + " tokens/s");
        }
        $("figures").textContent = isEnd ? "" : parts.join(" · ");
        return parts.join(" · ");
      };
      try {
        const response = await fetch(path, {
          method: "POST", headers: headers(), body: JSON.stringify(body), signal: controller.signal });
        if (!response.ok) {
          const said = await response.json().catch(() => null);
          throw new Error(said?.error?.message ?? "The server answered " + response.status);
        }
        for await (const event of events(response)) {
          if (event.error) throw new Error(event.error.message);
          const facts = event.speculate;
          const choice = event.choices?.[0];
          const content = choice?.delta?.content ?? choice?.text ?? "";
          const parts = facts?.origins?.map((part) => [part.text, part.origin])
            ?? (content ? [[content, "target"]] : []);
          const scroller = $("messages");
          const follows = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 60;
          for (const part of parts) {
            append(node, part);
            const last = message.parts[message.parts.length - 1];
            if (last && last[1] === part[1]) last[0] += part[0]; else message.parts.push(part);
          }
          if (facts?.tokens) { tokens = facts.tokens; rounds = facts.rounds; }
          if (!first && tokens) { first = performance.now(); firstTokens = tokens; }
          if (event.usage) tokens = event.usage.completion_tokens;
          if (choice?.finish_reason === "length") message.cut = true;
          if (tokens) figures(false);
          if (follows && current === chat) scroller.scrollTop = scroller.scrollHeight;
        }
      } catch (error) {
        if (error.name !== "AbortError") message.error = error.message;
      }
      running = null;
      message.facts = figures(true) + (message.cut ? " · ended at the limit" : "");
      if (!tokens) message.facts = "";
      keep();
      buttons();
      show();
    }
    """#

  /// What buttons and keys do.
  static let actions = #"""
    function buttons() {
      $("send").hidden = !!running;
      $("stop").hidden = !running;
    }

    function submit() {
      const content = $("input").value;
      if (running || content.trim() === "") return;
      if (!current) {
        current = { name: content.trim().slice(0, 60), messages: [] };
        chats.unshift(current);
      }
      if (!current.name) current.name = content.trim().slice(0, 60);
      current.messages.push({ role: "user", parts: [[content, ""]] });
      $("input").value = "";
      grow();
      keep();
      answer(current);
    }

    function grow() {
      const input = $("input");
      input.style.height = "auto";
      input.style.height = input.scrollHeight + 2 + "px";
    }

    function close() {
      $("history").classList.remove("open");
      $("open-history").setAttribute("aria-expanded", "false");
    }

    $("composer").onsubmit = (event) => { event.preventDefault(); submit(); };
    $("input").oninput = grow;
    $("input").onkeydown = (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        submit();
      }
    };
    $("stop").onclick = () => running?.controller.abort();
    $("new-chat").onclick = () => { current = null; show(); close(); $("input").focus(); };
    $("open-history").onclick = () => {
      const isOpen = $("history").classList.toggle("open");
      $("open-history").setAttribute("aria-expanded", String(isOpen));
    };
    $("open-settings").onclick = () => {
      $("settings").hidden = !$("settings").hidden;
      $("open-settings").setAttribute("aria-expanded", String(!$("settings").hidden));
    };
    const kept = load("settings", {});
    for (const id of fields) {
      $(id).value = kept[id] ?? "";
      $(id).onchange = () => save("settings", Object.fromEntries(fields.map((id) => [id, $(id).value])));
    }
    $("shade").checked = load("shade", true);
    $("shade").onchange = () => { save("shade", $("shade").checked); show(); };
    $("key").onchange = describe;

    async function describe() {
      try {
        const response = await fetch("/v1/models", { headers: headers() });
        const said = await response.json();
        // The model may be loading.
        if (response.status === 503) setTimeout(describe, 2000);
        if (!response.ok) throw new Error(said.error?.message);
        model = said.data[0].id;
        isChat = said.data[0].speculate?.chat ?? true;
        $("model").textContent = model;
        document.title = model + " – Speculate";
      } catch (error) {
        $("model").textContent = error.message ?? "";
      }
      $("system").disabled = !isChat;
      $("input").placeholder = isChat ? "Write a message" : "Write a text to go on from";
      $("empty").textContent = isChat
        ? "Ask something. Each part of the answer is shaded by where it came from: the drafter's guesses, "
          + "repeats of earlier text, or the model itself. The text is the model's either way."
        : "This model has no chat template, so it goes on from your text. Each part is shaded by where it came "
          + "from: the drafter's guesses, repeats of earlier text, or the model itself.";
      show();
    }

    current = chats[0] ?? null;
    describe();
    """#
}
