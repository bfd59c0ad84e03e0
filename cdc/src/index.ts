export * from './change-source.js';
export * from './binlog-source.js';
export * from './check.js';
export * from './connect.js';
export * from './map.js';
export * from './stop-points.js';
export * from './sync.js';
