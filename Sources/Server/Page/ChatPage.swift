/// The page at `/`: a chat in the browser that needs nothing beside it.
enum ChatPage {
  /// The page; its style and script carry the nonce that the answer's security policy names.
  static func html(nonce: String) -> String {
    """
    <!doctype html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Speculate</title>
    <link rel="icon" href="data:,">
    <style nonce="\(nonce)">
    \(ChatPageStyle.text)
    </style>
    </head>
    <body>
    \(markup)
    <script nonce="\(nonce)">
    "use strict";
    \(ChatPageScript.state)
    \(ChatPageScript.stream)
    \(ChatPageScript.actions)
    </script>
    </body>
    </html>

    """
  }

  /// What the page may load: its own style and script, and this server's answers.
  static func policy(nonce: String) -> String {
    "default-src 'none'; style-src 'nonce-\(nonce)'; script-src 'nonce-\(nonce)'; connect-src 'self'; "
      + "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
  }

  private static let markup = """
    <header>
    <button id="open-history" class="plain" aria-label="Chats" aria-expanded="false">☰</button>
    <h1>Speculate</h1>
    <span id="model" class="soft"></span>
    <button id="open-settings" class="plain" aria-expanded="false">Settings</button>
    </header>
    <div id="columns">
    <nav id="history" aria-label="Chats">
    <button id="new-chat">New chat</button>
    <ul id="chats"></ul>
    </nav>
    <main>
    <div id="messages" role="log" aria-live="off"></div>
    <div id="empty" class="soft"></div>
    <form id="composer">
    <textarea id="input" rows="1" placeholder="Write a message" aria-label="Message"></textarea>
    <button id="send" type="submit">Send</button>
    <button id="stop" type="button" hidden>Stop</button>
    </form>
    <div id="legend" class="soft">
    <span><i class="from drafter"></i>drafter</span>
    <span><i class="from suffix"></i>earlier text</span>
    <span><i class="from target"></i>target</span>
    <span id="figures" aria-live="polite"></span>
    </div>
    </main>
    <aside id="settings" aria-label="Settings" hidden>
    <label>System message<textarea id="system" rows="3"></textarea></label>
    <label>Temperature<input id="temperature" type="number" min="0" max="5" step="0.1"></label>
    <label>Top p<input id="top_p" type="number" min="0.01" max="1" step="0.01"></label>
    <label>Most tokens<input id="max_tokens" type="number" min="1" step="1"></label>
    <label>Seed<input id="seed" type="number" step="1" placeholder="random"></label>
    <label>API key<input id="key" type="password" autocomplete="off"></label>
    <label class="row"><input id="shade" type="checkbox" checked>Shade where tokens came from</label>
    <p class="soft">Empty fields leave the choice to the server. Chats are kept in this browser only.</p>
    </aside>
    </div>
    """
}
