// Gets Sakila, the sample database of MySQL, into `.strangler/sakila` for a test that copies a database nobody here has written. It is not part of the
// repository. A folder that has its files already is left as it is.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = resolve(dirname(fileURLToPath(import.meta.url)), '..', '.strangler', 'sakila');
const FILES = ['mysql-sakila-schema.sql', 'mysql-sakila-insert-data.sql'];
const REPOSITORY = 'https://github.com/jOOQ/sakila';

if (!FILES.every((file) => existsSync(join(folder, file)))) {
  const clone = mkdtempSync(join(tmpdir(), 'strangler-sakila-'));
  try {
    const { status, stderr } = spawnSync('git', ['clone', '--depth', '1', REPOSITORY, clone], {
      encoding: 'utf8',
    });
    if (status === 0) {
      mkdirSync(folder, { recursive: true });
      for (const file of FILES) copyFileSync(join(clone, 'mysql-sakila-db', file), join(folder, file));
      console.log(folder);
    } else {
      console.error(
        `"${REPOSITORY}" cannot be had (${stderr.trim()}): put its files ${FILES.join(' and ')} into ${folder}`,
      );
      process.exitCode = 2;
    }
  } finally {
    rmSync(clone, { recursive: true, force: true });
  }
}
