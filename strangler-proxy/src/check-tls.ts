import { checkPort, type Plan, type Problem, StranglerError } from '@strangler/contracts';
import { readTlsPair } from './tls-files.js';

/** What would keep the TLS listener from starting. */
export async function checkTls(
  { folder }: Pick<Plan, 'folder'>,
  tls: NonNullable<Plan['proxy']['tls']>,
): Promise<readonly Problem[]> {
  const pair = await readTlsPair(folder, tls);
  const problem = (message: string, remedy: string): Problem => ({
    code: 'TLS_FILES_UNUSABLE',
    path: 'proxy.tls',
    message,
    remedy,
  });
  return [
    ...(await checkPort('proxy.tls.listen', tls.listen)),
    ...(pair instanceof StranglerError
      ? [problem(pair.message, 'correct the files or their paths in the plan')]
      : []),
    ...(!(pair instanceof StranglerError) && pair.notAfter <= Date.now()
      ? [problem(`has a certificate that ended at ${new Date(pair.notAfter).toISOString()}`, 'renew it')]
      : []),
  ];
}
