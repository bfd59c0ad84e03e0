import type { Finding, Severity } from '@strangler/contracts';
import { count } from '../report/words.js';

const HEADS: Readonly<Record<Severity, string>> = {
  refuses: 'No data flow before this is remedied',
  warns: 'Data flow, and this will cost something',
  tells: 'Worth knowing',
};

/** Findings for a terminal: what is wrong, then what to do, then what can be pasted as it stands. */
export function findingsText(findings: readonly Finding[]): string {
  if (findings.length === 0) return 'nothing found: data can flow\n';
  const of = (severity: Severity) => findings.filter((each) => each.severity === severity);
  const blocks = (Object.keys(HEADS) as Severity[]).flatMap((severity) =>
    of(severity).length === 0 ? [] : [`${HEADS[severity]}:\n\n${of(severity).map(findingText).join('\n')}`],
  );
  const sums = (Object.keys(HEADS) as Severity[]).map(
    (severity) =>
      `${count(of(severity).length)} ${of(severity).length === 1 ? severity : severity.replace(/s$/, '')}`,
  );
  return `${blocks.join('\n')}\n${count(findings.length)} ${findings.length === 1 ? 'finding' : 'findings'}: ${sums.join(', ')}\n`;
}

const findingText = ({ code, path, message, remedy, statements = [] }: Finding): string =>
  [
    `  ${path}  ${code}\n`,
    `    ${message}\n`,
    `    ${remedy}${statements.length > 0 ? ':' : ''}\n`,
    ...statements.map((statement) => `      ${statement.replaceAll('\n', '\n      ')};\n`),
  ].join('');
