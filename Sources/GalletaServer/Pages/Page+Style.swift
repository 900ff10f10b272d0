extension Page {
    // --edge outlines what can be used and is at least 3:1 against its surroundings (WCAG 2.2, 1.4.11); --line only
    // divides. Widths give way before words do: nothing scrolls sideways at 320 px.
    static let style = """
        :root { color-scheme: light dark; --ink: #2b2118; --paper: #fbf6ee; --card: #ffffff; --line: #e6dac8;
          --edge: #8a7560; --crust: #9a5a1a; }
        @media (prefers-color-scheme: dark) {
          :root { --ink: #f1e7da; --paper: #1d1712; --card: #28201a; --line: #45382c; --edge: #94806c; --crust: #e0a05a; }
        }
        * { box-sizing: border-box; }
        body { margin: 0; min-height: 100vh; display: grid; grid-template-columns: minmax(0, 34rem); place-content: center;
          background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
        main { margin: clamp(.5rem, 3vw, 2rem); padding: clamp(1rem, 5vw, 2rem); background: var(--card);
          border: 1px solid var(--line); border-radius: 14px; }
        h1 { margin: 0; font-size: 1.8rem; color: var(--crust); }
        h2 { margin: 0 0 .5rem; font-size: 1.1rem; }
        .lead { margin: .2rem 0 1.5rem; }
        .message { padding: .6rem .8rem; border-left: 4px solid var(--crust); background: var(--paper); }
        dl { margin: 0 0 1.5rem; }
        dl div, li { display: flex; flex-wrap: wrap; justify-content: space-between; align-items: center; gap: .2rem 1rem;
          padding: .5rem 0; border-bottom: 1px solid var(--line); }
        dd { margin: 0; font-weight: 600; }
        form { margin: 0 0 .8rem; display: grid; gap: .8rem; }
        dd form, li form { margin: 0; display: inline-grid; }
        dd form { margin-left: .6rem; }
        label { display: grid; gap: .2rem; }
        input, button { font: inherit; padding: .55rem .7rem; border: 1px solid var(--edge); border-radius: 8px;
          background: var(--paper); color: inherit; min-width: 0; }
        button { background: var(--crust); color: var(--card); border-color: var(--crust); font-weight: 600;
          cursor: pointer; }
        button.quiet { background: none; color: var(--crust); border-color: var(--edge); }
        section { margin: 0 0 1rem; }
        ul { list-style: none; margin: 0; padding: 0; }
        li > span { flex: 1 1 14rem; }
        :focus-visible { outline: 3px solid var(--crust); outline-offset: 2px; }
        """
}
