import proxy from '@fastify/http-proxy';
import { fastify } from 'fastify';
import type { AddressInfo } from 'node:net';
import { tellReady } from './serve-peer.js';

const server = fastify({ logger: false });
await server.register(proxy, { upstream: process.argv[2] ?? '', undici: { connections: 64, pipelining: 1 } });
await server.listen({ host: '127.0.0.1', port: 0 });
tellReady((server.server.address() as AddressInfo).port);
