import { connect } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createRig, parse, rawExchange } from './proxy.fixture.js';
import { RAW_REQUESTS, type RawCase } from './raw-requests.fixture.js';
import { recordingUpstream } from './recording-upstream.fixture.js';

const rig = createRig();
afterAll(rig.clean);

const LONGEST_SILENCE_MS = 60;
const CASES = RAW_REQUESTS.map((each) => [each.name, each] as const);

let url: string;
let upstream: Awaited<ReturnType<typeof recordingUpstream>>;
beforeAll(async () => {
  upstream = await recordingUpstream(rig);
  ({ url } = await rig.proxy({
    plan: parse(`{ version: 1, proxy: { listen: 0, admin: 0 }, upstreams: { legacy: "${upstream.url}" } }`),
  }));
});
beforeEach(() => {
  upstream.seen.requests.length = 0;
  upstream.seen.malformed.length = 0;
  upstream.seen.rests.clear();
});

const statusesIn = (answer: string): readonly number[] =>
  [...answer.matchAll(/HTTP\/1\.1 (\d+)/g)]
    .map(([, status]) => Number(status))
    .filter((status) => status >= 200);

describe('bytes in one piece with', () => {
  it.each(CASES)('%s', async (_, expected) => {
    const answer = await rawExchange(url, expected.bytes, LONGEST_SILENCE_MS);
    expect({
      upstream: upstream.seen.requests.map(({ line }) => line),
      malformed: upstream.seen.malformed,
      rests: [...upstream.seen.rests.values()].join(''),
      statuses: statusesIn(answer),
    }).toEqual({ upstream: expected.upstream, malformed: [], rests: '', statuses: expected.statuses });
  });
});

/** What comes late can find the proxy in the middle: an upstream may then have got a part, but never more requests, nor others. */
describe('bytes in pieces with', () => {
  it.each(CASES)('%s', async (_, expected) => {
    const answer = await inPieces(expected);
    const seen = upstream.seen.requests.map(({ line }) => line);
    expect(seen).toEqual(expected.upstream.slice(0, seen.length));
    expect(upstream.seen.malformed).toEqual([]);
    const refusals = expected.statuses.filter((status) => status !== 200).length;
    expect(statusesIn(answer).filter((status) => status === 200)).toHaveLength(
      refusals === 0 ? expected.upstream.length : seen.length,
    );
  });

  async function inPieces({ bytes }: RawCase): Promise<string> {
    const socket = connect(Number(new URL(url).port), '127.0.0.1').setNoDelay();
    let answer = '';
    socket.on('error', () => {}).on('data', (chunk) => (answer += chunk.toString('latin1')));
    const over = new Promise((done) => socket.once('close', done));
    for (const piece of bytes.split(/(?<=[\r\n])/)) {
      if (socket.destroyed) break;
      await new Promise((done) => socket.write(piece, 'latin1', done));
      await new Promise(setImmediate);
    }
    socket.setTimeout(LONGEST_SILENCE_MS, () => socket.destroy());
    await over;
    return answer;
  }
});
