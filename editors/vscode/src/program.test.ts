import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findProgram, type Surroundings } from './program.ts';

const around = (over: Partial<Surroundings>, ...programs: string[]): Surroundings => ({
  configured: '',
  interpreter: undefined,
  path: '/usr/local/bin:/usr/bin',
  home: '/home/ada',
  windows: false,
  isProgram: (path) => programs.includes(path),
  ...over,
});

test('the one beside the chosen Python comes before PATH', () => {
  const found = findProgram(around({ interpreter: '/venv/bin/python' }, '/usr/bin/sage-git', '/venv/bin/sage-git'));
  assert.deepEqual(found, { program: '/venv/bin/sage-git' });
});

test('PATH is searched in its order', () => {
  const found = findProgram(around({}, '/usr/bin/sage-git', '/usr/local/bin/sage-git'));
  assert.deepEqual(found, { program: '/usr/local/bin/sage-git' });
});

test('an entry of PATH that depends on where one stands is passed over', () => {
  assert.ok('problem' in findProgram(around({ path: '.::bin:./bin' }, 'sage-git', 'bin/sage-git', './bin/sage-git')));
});

test('the setting may begin with the home folder', () => {
  const found = findProgram(around({ configured: '~/bin/sage-git' }, '/home/ada/bin/sage-git'));
  assert.deepEqual(found, { program: '/home/ada/bin/sage-git' });
});

test('a setting that cannot be met is said, and nothing else is run', () => {
  assert.ok('problem' in findProgram(around({ configured: '/nowhere/sage-git' }, '/usr/bin/sage-git')));
  assert.ok('problem' in findProgram(around({ configured: './sage-git' }, './sage-git', '/usr/bin/sage-git')));
});
