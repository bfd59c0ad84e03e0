import type { Admission } from './admission.js';
import type { Comparisons } from './record.js';
import type { Shadow } from './shadow.js';

/** Shadows that are left out, and counted, while the proxy has too much to do for its clients. */
export const spareShadows = (
  shadow: Shadow,
  { sparesShadows }: Pick<Admission, 'sparesShadows'>,
  record: Pick<Comparisons, 'notCompared'>,
): Shadow => ({
  ...shadow,
  reserve(route) {
    if (!sparesShadows()) return shadow.reserve(route);
    record.notCompared(route, 'overload');
    return undefined;
  },
});
