import kafkajs, { type KafkaConfig } from 'kafkajs';

/** `kafkajs` is a CommonJS package: Node finds not all of its names as imports. */
export const { ConfigResourceTypes } = kafkajs;

/** A client of brokers. What goes wrong is thrown to the caller, who has the log. */
export const kafkaClient = (
  brokers: readonly string[],
  options: Omit<KafkaConfig, 'brokers' | 'logLevel'> = {},
) => new kafkajs.Kafka({ ...options, brokers: [...brokers], logLevel: kafkajs.logLevel.NOTHING });
