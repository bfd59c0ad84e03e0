import { createProxyMiddleware } from 'http-proxy-middleware';
import { servePeer } from './serve-peer.js';

await servePeer((upstream) => {
  const middleware = createProxyMiddleware({ target: upstream });
  return (request, response) => void middleware(request, response);
});
