import type { Problem } from './problem.js';

/** How much a finding matters: `refuses` keeps the data flow from starting, `warns` costs something later, `tells` is worth knowing. */
export const SEVERITIES = ['refuses', 'warns', 'tells'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** Something that `strangler doctor` has found. */
export type Finding = Problem & { readonly severity: Severity };

/** The most severe first, then by path. */
export const bySeverity = (a: Finding, b: Finding): number =>
  SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) ||
  a.path.localeCompare(b.path, 'en', { numeric: true }) ||
  a.code.localeCompare(b.code, 'en');
