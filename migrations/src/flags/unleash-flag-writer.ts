import type { UnleashServer } from '@strangler/contracts';
import { flagServerNotAsked, shareSetInUnleash } from '../errors.js';
import { requestJson } from '../evidence/request-json.js';
import { featuresSchema, shareIn } from './features.js';
import type { FlagWriter } from './flag-writer.js';

const TIMEOUT_MS = 5_000;

/**
 * Flags of an Unleash server. Its backend token only reads, and who turns a flag there has roles and a history of their own:
 * a share is set in Unleash, and from here only agreed to when it is there already.
 */
export function unleashFlagWriter({ url, token, appName }: UnleashServer): FlagWriter {
  const share = async (flag: string): Promise<number | null> => {
    try {
      const answer = await requestJson('GET', `${url}/client/features`, {
        timeoutMs: TIMEOUT_MS,
        headers: { authorization: token, 'unleash-appname': appName },
      });
      if (answer.status !== 200) throw new Error(`status ${answer.status}`);
      return shareIn(featuresSchema.parse(answer.body), flag);
    } catch (cause) {
      throw flagServerNotAsked(url, cause);
    }
  };
  const maySet = async (flag: string, wanted: number): Promise<void> => {
    const now = await share(flag);
    if (now !== wanted) throw shareSetInUnleash(flag, now, wanted);
  };
  return { share, maySet, setShare: maySet, ensure: async () => {}, remove: async () => false };
}
