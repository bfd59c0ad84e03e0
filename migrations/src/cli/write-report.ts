import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { reportMarkdown } from '../report/markdown.js';
import { reportPage } from '../report/page.js';
import type { Report } from '../report/report.js';

export const REPORT_FORMATS = ['md', 'json', 'html'] as const;
export type ReportFormat = (typeof REPORT_FORMATS)[number];

const RENDERERS: Readonly<Record<ReportFormat, (report: Report) => string>> = {
  md: reportMarkdown,
  json: (report) => `${JSON.stringify(report, null, 2)}\n`,
  html: reportPage,
};

export const renderReport = (report: Report, format: ReportFormat): string => RENDERERS[format](report);

/** Writes report.html, report.md and report.json of one and the same moment; answers their paths. */
export async function writeReport(report: Report, folder: string): Promise<readonly string[]> {
  await mkdir(folder, { recursive: true });
  return Promise.all(
    REPORT_FORMATS.map(async (format) => {
      const file = join(folder, `report.${format}`);
      await writeFile(file, renderReport(report, format));
      return file;
    }),
  );
}
