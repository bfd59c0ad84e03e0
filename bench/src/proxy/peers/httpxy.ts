import { createProxyServer } from 'httpxy';
import { servePeer } from './serve-peer.js';

await servePeer((upstream) => {
  const proxy = createProxyServer({ target: upstream });
  return (request, response) => void proxy.web(request, response).catch(() => response.destroy());
});
