export { createProxy, type ProxyOptions } from './proxy.js';
