extension Page {
    static let style = """
        :root { color-scheme: light dark; --ink: #2b2118; --paper: #fbf6ee; --card: #fff; --line: #e6dac8; --crust: #a8641f; }
        @media (prefers-color-scheme: dark) {
          :root { --ink: #f1e7da; --paper: #1d1712; --card: #28201a; --line: #45382c; --crust: #e0a05a; }
        }
        * { box-sizing: border-box; }
        body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: var(--paper); color: var(--ink);
          font: 16px/1.5 system-ui, sans-serif; }
        main { width: min(30rem, 100% - 2rem); margin: 2rem 0; padding: 2rem; background: var(--card);
          border: 1px solid var(--line); border-radius: 14px; }
        h1 { margin: 0; font-size: 1.8rem; color: var(--crust); }
        h2 { margin: 0 0 .5rem; font-size: 1.1rem; }
        .lead { margin: .2rem 0 1.5rem; }
        .message { padding: .6rem .8rem; border-left: 4px solid var(--crust); background: var(--paper); }
        dl { margin: 0 0 1.5rem; }
        dl div { display: flex; justify-content: space-between; gap: 1rem; padding: .45rem 0;
          border-bottom: 1px solid var(--line); }
        dd { margin: 0; font-weight: 600; text-align: right; overflow-wrap: anywhere; }
        form { display: grid; gap: .8rem; }
        label { display: grid; gap: .2rem; }
        input, button { font: inherit; padding: .55rem .7rem; border: 1px solid var(--line); border-radius: 8px;
          background: var(--paper); color: inherit; }
        button { background: var(--crust); color: var(--card); border: 0; font-weight: 600; cursor: pointer;
          white-space: nowrap; }
        section { margin: 0 0 1rem; }
        ul { list-style: none; margin: 0; padding: 0; }
        li { display: flex; justify-content: space-between; align-items: center; gap: 1rem; padding: .6rem 0;
          border-bottom: 1px solid var(--line); }
        main > form + form { margin-top: .8rem; }
        button.quiet { background: none; color: var(--crust); border: 1px solid var(--line); }
        :focus-visible { outline: 3px solid var(--crust); outline-offset: 2px; }
        """
}
