// The promises of these suites hold in both lanes: by themselves they run through the express lane, from here through node:http.
import './without-express.fixture.js';
import './accept.http.test.js';
import './canary.http.test.js';
import './fallback.http.test.js';
import './forward.http.test.js';
import './one-way.http.test.js';
import './paths.http.test.js';
import './proxy.http.test.js';
import './shadow.http.test.js';
import './testers.http.test.js';
import './whole-bodies.http.test.js';
