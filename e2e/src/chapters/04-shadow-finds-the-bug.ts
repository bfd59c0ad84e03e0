import { advanceWhenReady, operatorOf } from '../operator.js';
import type { Chapter } from '../story.js';
import { until } from '../until.js';

export const shadowFindsTheBug: Chapter = {
  title: 'The service is asked beside the monolith; a rounding bug shows, and the gate refuses',
  async run({ world, measured, say, claim }) {
    await advanceWhenReady(world, 20_000, '--to', 'shadow');
    const sample = await until('a mismatch', 60_000, async () => {
      const routes = (await world.proxyEvidence()).migrations['catalog']?.routes ?? [];
      measured.mismatchesFound = routes.reduce((sum, route) => sum + route.comparisons.mismatch, 0);
      return routes
        .flatMap((route) => route.samples)
        .find(({ differences }) => differences.some(({ path }) => path.endsWith('gross_price')));
    });
    const difference = sample.differences.find(({ path }) => path.endsWith('gross_price'));
    say(
      `${sample.request}: legacy says ${difference?.control}, the service says ${difference?.candidate} at ${difference?.path}`,
    );
    claim(
      'the difference is a cent',
      Math.abs(
        Math.round(Number(difference?.control) * 100) - Math.round(Number(difference?.candidate) * 100),
      ) === 1,
    );

    const refusal = await operatorOf(world).advance('--to', 'canary');
    measured.gateRefusals += refusal.code === 3 ? 1 : 0;
    const unmet = refusal.gates.filter(({ met }) => !met);
    claim('the gate refuses to advance', refusal.code === 3 && !refusal.ok && unmet.length > 0);
    for (const { gate, detail } of unmet) say(`gate "${gate}" is not met: ${detail}`);
    const [after] = Object.values((await world.proxyEvidence()).migrations);
    claim('the migration stays in shadow', after?.phase === 'shadow');
  },
};
