import { PHASES, writesServedBy } from '@strangler/contracts';
import { differenceText } from '../gates/comparisons.js';
import { describeEvent } from '../ledger/describe-event.js';
import { html, type Markup } from './markup.js';
import type { MigrationReport, RouteReport } from './report.js';
import { count, milliseconds, moment, percent } from './words.js';
import { writesText } from './writes.js';

const fact = (name: string, value: string, small: string | null = null, more: Markup | null = null) =>
  html`<div>
    <dt>${name}</dt>
    <dd>${value}${small === null ? null : html`<small>${small}</small>`}${more}</dd>
  </div>`;

const track = (phase: MigrationReport['phase']) =>
  html`<ol class="track">
    ${PHASES.map((one) => {
      const place = PHASES.indexOf(one) - PHASES.indexOf(phase);
      return html`<li
        class="${place < 0 ? 'past' : place === 0 ? 'now' : ''}"
        ${place === 0 ? html` aria-current="step"` : null}
      >
        ${one}
      </li>`;
    })}
  </ol>`;

/** Observed as a bar, configured as a mark in it. */
const shareBar = ({ observedClients, configured }: MigrationReport['share']) =>
  html`<div class="bar">
    <i style="width:${Math.min(100, Math.max(0, observedClients ?? 0))}%"></i>${
      configured === null ? null : html`<b style="left:${Math.min(99.5, Math.max(0, configured))}%"></b>`
    }
  </div>`;

function facts(migration: MigrationReport): Markup {
  const { share, served, sync, verification } = migration;
  const copied = sync?.backfill.tables.reduce((sum, table) => sum + table.copied, 0) ?? 0;
  const total = sync?.backfill.tables.reduce((sum, table) => sum + table.total, 0) ?? 0;
  return html`<dl class="facts">
    ${fact('Owner', migration.owner, migration.group === null ? null : `moves with group ${migration.group}`)}
    ${fact(
      'Clients on the service',
      share.observedClients === null ? 'none seen yet' : percent(share.observedClients),
      `of ${count(share.clients)} clients; configured ${migration.phase === 'canary' ? percent(share.configured) : 'none in this phase'}`,
      shareBar(migration.phase === 'canary' ? share : { ...share, configured: null }),
    )}
    ${fact(
      'Requests answered',
      served === null
        ? 'unknown'
        : `${count(served.legacy)} by legacy, ${count(served.service)} by the service`,
      served === null
        ? 'the proxy did not answer'
        : `${count(served.fallback)} by legacy in place of the service; ${count(migration.serviceFailures ?? 0)} failed answers of the service`,
    )}
    ${fact('Writes', writesServedBy(migration.phase), writesText(migration))}
    ${fact(
      'Comparisons',
      migration.comparisons === null
        ? 'unknown'
        : `${count(migration.comparisons.match)} equal, ${count(migration.comparisons.mismatch)} different`,
      migration.verdict,
    )}
    ${
      migration.movesData
        ? [
            fact(
              'Lag of the copy',
              sync === null ? 'unknown' : milliseconds(sync.lagMs),
              sync === null
                ? 'sync did not answer'
                : `99th percentile ${milliseconds(sync.lagMsP99)}; sync is ${sync.state}`,
            ),
            fact(
              'Backfill',
              sync === null
                ? 'unknown'
                : total === 0
                  ? 'nothing copied'
                  : `${count(copied)} of ${count(total)} rows`,
              sync === null ? null : `${count(sync.applied.rows)} rows applied from the log`,
            ),
            fact(
              'Drift',
              verification === null
                ? 'never verified'
                : verification.clean
                  ? 'none'
                  : `${count(verification.driftRows)} ${verification.driftRows === 1 ? 'row' : 'rows'}`,
              verification === null
                ? null
                : `${count(verification.rowsVerified)} rows compared, ${moment(verification.finishedAt)}`,
            ),
          ]
        : fact('Data', 'none', 'the migration moves no tables')
    }
  </dl>`;
}

const next = ({ next: step }: MigrationReport) =>
  html` <h3>Next step: ${step.to ?? 'none'}</h3>
    ${step.reason === null ? null : html`<p>${step.reason}</p>`}
    ${
      step.gates.length === 0
        ? null
        : html`<p class="${step.ready ? 'good' : 'bad'}">
              ${step.ready ? 'Every gate is met.' : `Missing: ${step.gates.filter(({ met }) => !met).length} of ${step.gates.length} gates.`}
            </p>
            <div class="scroll">
              <table>
                <thead>
                  <tr>
                    <th>Gate</th>
                    <th>Met</th>
                    <th>Measured</th>
                  </tr>
                </thead>
                <tbody>
                  ${step.gates.map(
                    (gate) =>
                      html`<tr>
                        <td class="tight">${gate.gate}</td>
                        <td class="${gate.met ? 'good' : 'bad'}">${gate.met ? 'yes' : 'no'}</td>
                        <td>${gate.detail}</td>
                      </tr>`,
                  )}
                </tbody>
              </table>
            </div>`
    }`;

const samples = (route: RouteReport) =>
  route.samples.length === 0
    ? null
    : html`<details${route.cleanSinceMismatch < 10 ? html` open` : null}><summary><code>${route.route}</code>: ${route.samples.length} of ${count(route.comparisons.mismatch)} mismatches kept</summary>${route.samples.map(
        (sample) =>
          html`<div class="sample">
            <span class="dim">${moment(sample.at)}</span> <code>${sample.request}</code>
            <ul>
              ${sample.differences.map((difference) => html`<li>${differenceText(difference)}</li>`)}
            </ul>
          </div>`,
      )}</details>`;

const routes = (migration: MigrationReport) =>
  html` <h3>Routes</h3>
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th>Route</th>
            <th class="number">Legacy</th>
            <th class="number">Service</th>
            <th class="number">Fallback</th>
            <th class="number">Equal</th>
            <th class="number">Different</th>
            <th>Verdict</th>
          </tr>
        </thead>
        <tbody>
          ${migration.routes.map(
            (route) =>
              html`<tr>
                <td><code>${route.route}</code></td>
                <td class="number">${count(route.served.legacy)}</td>
                <td class="number">${count(route.served.service)}</td>
                <td class="number">${count(route.served.fallback)}</td>
                <td class="number">${count(route.comparisons.match)}</td>
                <td class="number ${route.comparisons.mismatch > 0 ? 'bad' : ''}">
                  ${count(route.comparisons.mismatch)}
                </td>
                <td>${route.verdict}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
    ${migration.routes.map(samples)}
    ${
      Object.keys(migration.notCompared).length === 0
        ? null
        : html`<p class="dim">
            Not compared:
            ${Object.entries(migration.notCompared)
              .map(([reason, times]) => `${reason} ${count(times)}`)
              .join(', ')}.
          </p>`
    }`;

const drift = ({ verification }: MigrationReport) =>
  verification?.tables === undefined || verification.tables.length === 0
    ? null
    : html`<h3>Last verification, ${moment(verification.finishedAt)}</h3>
        <div class="scroll">
          <table>
            <thead>
              <tr>
                <th>From</th>
                <th>To</th>
                <th class="number">Source rows</th>
                <th class="number">Target rows</th>
                <th class="number">Compared</th>
                <th class="number">Different</th>
                <th class="number">Missing</th>
                <th class="number">Extra</th>
              </tr>
            </thead>
            <tbody>
              ${verification.tables.map(
                (table) =>
                  html`<tr>
                      <td><code>${table.from}</code></td>
                      <td><code>${table.to}</code></td>
                      <td class="number">${count(table.sourceRows)}</td>
                      <td class="number">${count(table.targetRows)}</td>
                      <td class="number">${count(table.compared)}</td>
                      <td class="number">${count(table.different)}</td>
                      <td class="number">${count(table.missing)}</td>
                      <td class="number">${count(table.extra)}</td>
                    </tr>
                    ${table.samples.map(
                      (sample) =>
                        html`<tr>
                          <td></td>
                          <td colspan="7"><code>${sample.key}</code> ${sample.difference}</td>
                        </tr>`,
                    )}`,
              )}
            </tbody>
          </table>
        </div>`;

const history = (migration: MigrationReport) =>
  html` <h3>History</h3>
    ${
      migration.history.length === 0
        ? html`<p class="dim">Nothing yet.</p>`
        : html`<div class="scroll">
            <table>
              <thead>
                <tr>
                  <th>When</th>
                  <th>What</th>
                  <th>Why</th>
                </tr>
              </thead>
              <tbody>
                ${migration.history.toReversed().map(
                  (event) =>
                    html`<tr>
                      <td class="tight">${moment(event.at)}</td>
                      <td class="${event.kind === 'forced' || event.kind === 'refused' ? 'warn' : ''}">
                        ${describeEvent(event)}
                      </td>
                      <td>${event.why ?? ''}</td>
                    </tr>`,
                )}
              </tbody>
            </table>
          </div>`
    }`;

/** One migration as a section of the page. */
export const migrationSection = (migration: MigrationReport) =>
  html`<section id="${migration.name}">
    <h2>${migration.title}</h2>
    <p class="dim">
      ${migration.phase}${migration.since === null ? '' : ` since ${moment(migration.since)}`}, flag
      <code>${migration.flag}</code>, service <code>${migration.upstream}</code>
    </p>
    ${track(migration.phase)}
    ${migration.warnings.map((warning) => html`<p class="warn"><strong>Warning:</strong> ${warning}</p>`)}
    ${facts(migration)}${next(migration)}${routes(migration)}${drift(migration)}${history(migration)}
  </section>`;
