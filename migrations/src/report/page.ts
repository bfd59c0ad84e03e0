import { html, Markup } from './markup.js';
import { migrationSection } from './migration-section.js';
import type { Report } from './report.js';
import { STYLE } from './style.js';
import { count, moment } from './words.js';

/** The report as one HTML page that needs nothing else. */
export const reportPage = (report: Report): string =>
  html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta http-equiv="content-security-policy" content="default-src 'none'; style-src 'unsafe-inline'" />
        <title>Migration report</title>
        <style>
          ${new Markup(STYLE)}
        </style>
      </head>
      <body>
        <h1>Migration report</h1>
        <p class="dim">
          ${moment(report.at)}, plan <code>${report.plan.file}</code>, revision
          <code>${report.plan.revision}</code>${
            report.requests === null
              ? ''
              : `, ${count(report.requests.total)} requests through the proxy since its start, ${count(report.requests.failed)} failed`
          }
        </p>
        <div class="summary">
          <ul>
            ${report.summary.map((sentence) => html`<li>${sentence}</li>`)}
          </ul>
        </div>
        ${report.warnings.map((warning) => html`<p class="warn"><strong>Warning:</strong> ${warning}</p>`)}
        ${report.programs.filter(({ ok }) => !ok).map((program) => html`<p class="bad"><strong>No evidence from ${program.name}:</strong> ${program.detail}</p>`)}
        ${report.migrations.map(migrationSection)}
        <footer>
          Observed numbers count from the last start of each proxy, shares from the last change of flag or
          phase. "0 mismatches in n comparisons" bounds the true rate by 3/n at 95 % (rule of three).
        </footer>
      </body>
    </html> `.text;
