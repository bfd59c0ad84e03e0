import 'reflect-metadata';
import { readEnvironment } from './environment.js';
import { startService } from './service.js';

/** A request that waits for a database that is gone must not keep the process for ever. */
const STOP_DEADLINE_MS = 8_000;

try {
  const service = await startService(readEnvironment());
  console.log(`orders listening on ${service.url}`);

  let stopping = false;
  const stop = (): void => {
    if (stopping) return;
    stopping = true;
    setTimeout(() => {
      console.error(`orders did not end within ${STOP_DEADLINE_MS} ms and is ended now`);
      process.exit(1);
    }, STOP_DEADLINE_MS).unref();
    service.close().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  // A service whose parent is gone would hold its port for ever.
  process.on('disconnect', stop);
  process.send?.({ ready: true, url: service.url });
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
