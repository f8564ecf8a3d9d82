import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');
const { contributes, capabilities } = JSON.parse(read('package.json'));

test('every setting stands in the README, with its default', () => {
  const readme = read('README.md');
  for (const [name, { default: value }] of Object.entries<{ default: unknown }>(contributes.configuration.properties)) {
    const shown = value === '' ? '' : `\`${value}\` `;
    assert.ok(readme.includes(`| \`${name}\` | ${shown}|`), name);
  }
});

test('every command in the palette, a menu, a view or the walkthrough is one that is registered', () => {
  const source = read('src/commands.ts');
  const manifest = read('package.json');
  for (const name of new Set([...manifest.matchAll(/sageGit\.([a-zA-Z]+)(?=[")])/g)].map((match) => match[1]))) {
    if (['history', 'open', 'plans', 'path', 'sync', 'event', 'openEdit', 'annotationForeground', 'state'].includes(name ?? '')) continue;
    assert.match(source, new RegExp(`\\b${name}\\b[:,]`), name);
  }
});

test('which program is run, and whom it meets, is not for a workspace to say before it is trusted', () => {
  assert.equal(capabilities.untrustedWorkspaces.supported, 'limited');
  assert.deepEqual(capabilities.untrustedWorkspaces.restrictedConfigurations, ['sageGit.path', 'sageGit.sync']);
});

test('a chronicle is known by its name or its first line, and a file of SageMath is not one', () => {
  const { filenamePatterns, firstLine } = contributes.languages[0];
  assert.deepEqual(filenamePatterns, ['*.*.sage', '**/.sage/*.sage', '**/.sage/tree/**/*.sage']);
  assert.match('{"actor":{"id":"Ada"}}', new RegExp(firstLine));
  assert.doesNotMatch('R.<x> = QQ[]', new RegExp(firstLine));
});
