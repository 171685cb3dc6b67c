enum ChatPageStyle {
  static let text = """
    :root { color-scheme: light dark; --page: #ffffff; --panel: #f5f7f9; --ink: #1b1f24;
      --soft: #57606a; --line: #d5dae0; --accent: #0068a8; --onaccent: #ffffff; --bad: #b3261e;
      --drafter: #cfe6f7; --suffix: #fbe0c8; --target: transparent; --user: #e9eef3; }
    @media (prefers-color-scheme: dark) {
      :root { --page: #12161b; --panel: #1a2027; --ink: #e8ecf0; --soft: #a3adb8; --line: #3a434d;
        --accent: #5cb3ec; --onaccent: #0b1116; --bad: #ff8a80; --drafter: #17415e;
        --suffix: #5a3413; --user: #242b33; }
    }
    * { box-sizing: border-box; }
    [hidden] { display: none !important; }
    html, body { height: 100%; }
    body { margin: 0; display: flex; flex-direction: column; background: var(--page);
      color: var(--ink); height: 100dvh;
      font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
    header { display: flex; align-items: center; gap: 12px; padding: 8px 14px;
      border-bottom: 1px solid var(--line); }
    h1 { font-size: 17px; margin: 0; }
    #model { flex: 1; min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
    .soft { color: var(--soft); font-size: 13px; }
    button { font: inherit; padding: 7px 14px; border-radius: 8px; border: 1px solid var(--accent);
      background: var(--accent); color: var(--onaccent); cursor: pointer; }
    button.plain { background: transparent; color: var(--ink); border-color: var(--line);
      padding: 5px 10px; }
    button:focus-visible, textarea:focus-visible, input:focus-visible { outline: 2px solid var(--accent);
      outline-offset: 1px; }
    #columns { flex: 1; min-height: 0; display: flex; position: relative; }
    nav, aside { width: 250px; padding: 12px; overflow-y: auto; background: var(--panel);
      border-right: 1px solid var(--line); flex: none; }
    aside { border-right: 0; border-left: 1px solid var(--line); }
    nav ul { list-style: none; margin: 12px 0 0; padding: 0; }
    nav li { display: flex; gap: 4px; margin-bottom: 2px; }
    nav li button { background: transparent; border: 0; color: var(--ink); text-align: left;
      padding: 6px 8px; border-radius: 6px; }
    nav li .name { flex: 1; min-width: 0; overflow: hidden; text-overflow: ellipsis;
      white-space: nowrap; }
    nav li.chosen .name { background: var(--user); font-weight: 600; }
    nav li .remove { color: var(--soft); }
    nav > button { width: 100%; }
    main { flex: 1; min-width: 0; display: flex; flex-direction: column; }
    #messages { flex: 1; overflow-y: auto; padding: 16px max(16px, calc(50% - 380px)); }
    #messages:empty { display: none; }
    #empty { flex: 1; display: grid; place-content: center; text-align: center; padding: 24px;
      max-width: 46ch; margin: 0 auto; }
    .message { margin: 0 0 14px; white-space: pre-wrap; overflow-wrap: anywhere; }
    .message.user { background: var(--user); padding: 9px 13px; border-radius: 12px;
      margin-left: auto; width: fit-content; max-width: 85%; }
    .message.code { font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace;
      font-size: 13px; }
    .message .error { color: var(--bad); }
    .message .facts { display: block; margin-top: 6px; white-space: normal;
      font-family: system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
    .shaded .drafter, i.drafter { background: var(--drafter); }
    .shaded .suffix, i.suffix { background: var(--suffix); }
    .message span { border-radius: 3px; }
    i.from { display: inline-block; width: 14px; height: 14px; border-radius: 4px; margin-right: 6px;
      vertical-align: -2px; border: 1px solid var(--line); }
    #composer { display: flex; gap: 8px; align-items: flex-end;
      padding: 10px max(16px, calc(50% - 380px)) 6px; }
    #composer button { min-height: 42px; }
    #input { flex: 1; resize: none; max-height: 40dvh; }
    textarea, input { font: inherit; color: var(--ink); background: var(--page); width: 100%;
      border: 1px solid var(--line); border-radius: 8px; padding: 7px 10px; }
    #composer textarea { padding: 8px 12px; }
    #legend { display: flex; flex-wrap: wrap; gap: 4px 16px;
      padding: 2px max(16px, calc(50% - 380px)) 12px; }
    #figures { margin-left: auto; font-variant-numeric: tabular-nums; }
    aside label { display: block; margin-bottom: 10px; font-size: 13px; color: var(--soft); }
    aside label.row { display: flex; gap: 8px; align-items: center; }
    aside label.row input { width: auto; }
    @media (max-width: 800px) {
      nav { display: none; }
      nav.open { display: block; }
      nav, aside { position: absolute; z-index: 2; top: 0; bottom: 0; left: 0; width: min(84%, 320px);
        box-shadow: 0 0 24px #0006; }
      aside { left: auto; right: 0; }
      #messages { padding: 14px; }
      #composer, #legend { padding-left: 14px; padding-right: 14px; }
      textarea, input { font-size: 16px; }
    }
    @media (min-width: 801px) { #open-history { display: none; } }
    """
}
