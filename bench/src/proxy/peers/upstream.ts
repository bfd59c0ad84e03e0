import { LARGE_BYTES } from '../bench-plan.js';
import { smallJson } from '../nginx.js';
import { servePeer } from './serve-peer.js';

const small = smallJson();
const large = Buffer.alloc(LARGE_BYTES, 'large ');

await servePeer(() => (request, response) => {
  const answer = () => response.end(request.url?.startsWith('/large/') ? large : small);
  request.resume().once('end', answer);
});
