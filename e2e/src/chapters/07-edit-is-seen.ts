import { createClient } from '../client.js';
import { logIn } from '../shop-visits.js';
import { isFromService } from '../served-by.js';
import type { Chapter } from '../story.js';
import { until } from '../until.js';

export const editIsSeen: Chapter = {
  title: 'A product edited in the monolith shows in the service within a second',
  async run({ world, traffic, atOnceMs, say, claim }) {
    const admin = createClient(world.urls.proxy);
    const csrf = await logIn(admin, traffic.send, 'admin@shop.test', 'admin');
    const items = (await traffic.send(admin, 'GET', '/api/products?per_page=1&sort=name')).json() as {
      items: { id: number }[];
    };
    const id = items.items[0]?.id;
    const name = `Edited at ${new Date().toISOString()}`;
    await traffic.send(admin, 'PATCH', `/api/admin/products/${id}`, {
      json: { name },
      headers: { 'x-csrf-token': csrf },
    });
    const edited = performance.now();
    const own = (await traffic.send(admin, 'GET', `/api/products/${id}`)).json() as { name: string };
    claim('whoever edited it reads the edit at once', own.name === name, own.name);
    // Somebody else: whoever has just written is not sent to the service before the service has it.
    const reader = createClient(world.urls.proxy);
    await until(
      'the edit in the service',
      10_000,
      async () => {
        const answer = await traffic.send(reader, 'GET', `/api/products/${id}`);
        return isFromService(answer) && (answer.json() as { name: string }).name === name;
      },
      10,
    );
    const milliseconds = performance.now() - edited;
    claim('the edit was seen within a second', milliseconds < atOnceMs, `${milliseconds.toFixed(0)} ms`);
    say(
      `the new name was served by the service ${milliseconds.toFixed(0)} ms after the monolith had answered the edit`,
    );
  },
};
