import { describe, expect, it } from '@jest/globals';
import { Registry } from 'prom-client';
import { createTally } from './tally.js';

describe('the tally', () => {
  it('is what Prometheus reads from a counter and a histogram', async () => {
    const registry = new Registry();
    const tally = createTally(registry);
    tally.served('GET /a', 'legacy', 200, 0.001);
    tally.served('GET /a', 'legacy', 204, 0.002);
    tally.served('GET /a', 'legacy', null, 99);
    tally.served('other', 'legacy', 503, 0.3);
    const lines = (await registry.metrics()).split('\n');
    expect(lines).toEqual(
      expect.arrayContaining([
        '# TYPE strangler_proxy_requests_total counter',
        'strangler_proxy_requests_total{route="GET /a",upstream="legacy",status="2xx"} 2',
        'strangler_proxy_requests_total{route="GET /a",upstream="legacy",status="none"} 1',
        'strangler_proxy_requests_total{route="other",upstream="legacy",status="5xx"} 1',
        '# TYPE strangler_proxy_request_seconds histogram',
        'strangler_proxy_request_seconds_bucket{le="0.002",route="GET /a",upstream="legacy"} 2',
        'strangler_proxy_request_seconds_bucket{le="10",route="GET /a",upstream="legacy"} 2',
        'strangler_proxy_request_seconds_bucket{le="+Inf",route="GET /a",upstream="legacy"} 3',
        'strangler_proxy_request_seconds_count{route="GET /a",upstream="legacy"} 3',
        'strangler_proxy_request_seconds_sum{route="other",upstream="legacy"} 0.3',
      ]),
    );
  });
});
