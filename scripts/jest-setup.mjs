// One private database server for all test files; each test makes databases of its own in it.
import { provideMysql } from './mysql-server.mjs';

export default async function setup() {
  const server = await provideMysql({ say: (sentence) => process.stderr.write(`${sentence}\n`) });
  process.env.STRANGLER_MYSQL_URL = server.url;
  globalThis.stopMysqlServer = server.stop;
}
