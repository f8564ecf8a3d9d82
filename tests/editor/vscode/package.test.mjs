/** The package: the same bytes each time, and nothing in it that is not needed to run. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, utimesSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const EXTENSION = resolve(dirname(fileURLToPath(import.meta.url)), '../../../editors/vscode');

function built() {
  const environment = { ...process.env, SOURCE_DATE_EPOCH: '1700000000', npm_config_offline: 'true' };
  execFileSync('npm', ['run', '--silent', 'package'], { cwd: EXTENSION, env: environment, stdio: 'pipe' });
  return readFileSync(join(EXTENSION, 'dist/sage-git.vsix'));
}

test('two builds of one source are the same bytes, whatever the clock says', () => {
  const first = built();
  utimesSync(join(EXTENSION, 'README.md'), new Date(), new Date());
  const digest = (bytes) => createHash('sha256').update(bytes).digest('hex');
  assert.equal(digest(built()), digest(first));
  assert.ok(first.length < 300_000, `${first.length} bytes`);
});
