// The broker and the worker of a place that `withKafka` has made, for whoever hurts them.
import { readFileSync, writeFileSync } from 'node:fs';
import { endProcess, startBroker, startWorker } from './connect-server.mjs';

export function kafkaPlace(file) {
  const place = JSON.parse(readFileSync(file, 'utf8'));
  return {
    brokers: [`127.0.0.1:${place.broker}`],
    connect: `http://127.0.0.1:${place.connect}`,
    /** kill -9, and started again on what it has written. */
    async restart(which) {
      process.kill(place.pids[which], 'SIGKILL');
      await endProcess(place.pids[which]);
      place.pids[which] = await (which === 'broker' ? startBroker : startWorker)({ ...place, isTied: true });
      writeFileSync(file, JSON.stringify(place));
    },
  };
}
