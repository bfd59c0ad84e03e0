import { parts, type Parts } from './plan-parts.js';

type Path = readonly (string | number)[];

const originOf = (url: unknown): string =>
  typeof url === 'string' && URL.canParse(url) ? new URL(url).origin : String(url);

/** What the keys of an upstream say of each other. */
export function checkUpstreams(
  upstreams: Parts,
  complain: (path: Path, message: string, remedy: string) => void,
): void {
  for (const [name, value] of Object.entries(upstreams)) {
    const at = ['upstreams', name];
    const upstream = parts(value);
    const urls = Array.isArray(upstream['urls']) ? upstream['urls'].map(originOf) : [];
    for (const [index, url] of urls.entries())
      if (urls.indexOf(url) < index)
        complain([...at, 'urls', index], `"${url}" is there twice`, 'leave one of the two out');
    if (upstream['timeoutMs'] !== undefined && parts(upstream['timeouts'])['headMs'] !== undefined)
      complain([...at, 'timeoutMs'], 'is also in "timeouts.headMs"', 'leave one of the two out');
    if (upstream['tls'] === undefined) continue;
    const tls = parts(upstream['tls']);
    if (![...urls, originOf(upstream['url'])].some((url) => url.startsWith('https:')))
      complain(
        [...at, 'tls'],
        'is for upstreams with "https:"',
        'write the url with "https://", or leave it out',
      );
    if ((tls['cert'] === undefined) !== (tls['key'] === undefined))
      complain(
        [...at, 'tls'],
        tls['cert'] === undefined ? 'has a "key" and no "cert"' : 'has a "cert" and no "key"',
        'name both, or none',
      );
  }
}
