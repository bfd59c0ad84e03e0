import { randomBytes } from 'node:crypto';
import { kafkaLog } from './kafka-log.js';
import { recordLogConformance } from './record-log.conformance.js';
import { KafkaMachine } from './testing/kafka.js';

recordLogConformance('a topic of Kafka', async () => {
  const machine = new KafkaMachine();
  const { kafka, brokers } = machine;
  const topic = `log-${randomBytes(4).toString('hex')}`;
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: 1, replicationFactor: 1 }] });
  const producer = kafka.producer({ idempotent: true, transactionalId: topic, maxInFlightRequests: 1 });
  await producer.connect();
  return {
    log: kafkaLog({ brokers, topic, group: topic }),
    // As Connect writes: in transactions, whose markers take offsets, and some of which are taken back.
    async append(...values) {
      const never = await producer.transaction();
      await never.send({ topic, messages: [{ value: 'taken back' }] });
      await never.abort();
      const transaction = await producer.transaction();
      await transaction.send({ topic, messages: values.map((value) => ({ value })) });
      await transaction.commit();
    },
    purge: (before) => machine.purge(topic, before),
    async close() {
      await producer.disconnect();
      await admin.deleteTopics({ topics: [topic] });
      await admin.disconnect();
    },
  };
});
