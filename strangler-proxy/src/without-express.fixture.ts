import { withoutExpress } from './proxy.fixture.js';

// A module of its own: what a test file imports behind it is evaluated after it.
withoutExpress();
