/** The look of the report: no external assets, readable in print and in the dark. */
export const STYLE = `
:root { color-scheme: light dark; --line: #d7dce2; --soft: #f4f6f8; --text: #1d2730; --dim: #5d6b78; --good: #1a7f4b; --bad: #b3261e; --warn: #8a5a00; --bar: #2f6fb5; --page: #ffffff }
@media (prefers-color-scheme: dark) { :root { --line: #38424d; --soft: #20272e; --text: #e4e9ee; --dim: #9aa7b3; --good: #57c78a; --bad: #ff8a80; --warn: #e5b454; --bar: #6ba6e8; --page: #161b20 } }
* { box-sizing: border-box }
body { margin: 0 auto; max-width: 1080px; padding: 24px 20px 64px; font: 15px/1.5 system-ui, "Segoe UI", Roboto, sans-serif; color: var(--text); background: var(--page) }
h1 { font-size: 26px; margin: 0 } h2 { font-size: 21px; margin: 44px 0 4px; padding-top: 14px; border-top: 2px solid var(--line) } h3 { font-size: 16px; margin: 26px 0 6px }
p { margin: 6px 0 } .dim { color: var(--dim) } .good { color: var(--good) } .bad { color: var(--bad) } .warn { color: var(--warn) }
code { font: 13px ui-monospace, Consolas, monospace; overflow-wrap: anywhere }
.summary { background: var(--soft); border-left: 4px solid var(--bar); padding: 10px 16px; margin: 16px 0 } .summary li { margin: 4px 0 } ul { padding-left: 20px; margin: 6px 0 }
.track { display: flex; margin: 14px 0; padding: 0; list-style: none; border: 1px solid var(--line); border-radius: 6px; overflow: hidden } .track li { flex: 1; padding: 6px 4px; text-align: center; font-size: 13px; color: var(--dim); border-left: 1px solid var(--line) } .track li:first-child { border-left: 0 }
.track .past { background: var(--soft); color: var(--text) } .track .now { background: var(--bar); color: var(--page); font-weight: 600 }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(225px, 1fr)); gap: 10px; margin: 12px 0 } .facts div { border: 1px solid var(--line); border-radius: 6px; padding: 8px 12px } .facts dt { font-size: 12px; color: var(--dim) } .facts dd { margin: 2px 0 0; font-weight: 600 } .facts dd small { font-weight: 400; color: var(--dim); display: block } dl { margin: 0 }
.bar { height: 6px; border-radius: 3px; background: var(--line); margin-top: 6px; position: relative } .bar i { position: absolute; inset: 0 auto 0 0; border-radius: 3px; background: var(--bar) } .bar b { position: absolute; top: -3px; width: 2px; height: 12px; background: var(--text) }
.scroll { overflow-x: auto } table { border-collapse: collapse; width: 100%; font-size: 14px } th { text-align: left; font-size: 12px; color: var(--dim); font-weight: 600 } th, td { padding: 5px 10px 5px 0; border-bottom: 1px solid var(--line); vertical-align: top } .number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums } td.tight, td > code { white-space: nowrap }
.sample { border: 1px solid var(--line); border-radius: 6px; padding: 6px 12px; margin: 8px 0; font-size: 14px } .sample td { padding-right: 14px }
footer { margin-top: 48px; font-size: 13px; color: var(--dim) }
`;
