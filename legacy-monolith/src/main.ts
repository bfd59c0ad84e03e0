import 'reflect-metadata';
import { readEnvironment } from './environment.js';
import { startShop } from './shop.js';

try {
  const shop = await startShop(readEnvironment());
  console.log(`shop listening on ${shop.url}`);

  let stopping = false;
  const stop = (): void => {
    if (stopping) return;
    stopping = true;
    // A client that never ends its request must not hold the process.
    setTimeout(() => process.exit(0), 5_000).unref();
    shop.close().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  // A shop whose parent is gone would hold its port for ever.
  process.on('disconnect', stop);
  process.send?.({ ready: true, url: shop.url });
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
