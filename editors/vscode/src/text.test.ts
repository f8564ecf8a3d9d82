import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ago, counted, plain, shortened } from './text.ts';

const NOW = Date.parse('2026-05-10T12:00:00Z');

test('characters that hide, turn or control are shown as what they are', () => {
  assert.equal(plain('a\u001b[31mb\u202ec\u2028d\u200be'), 'a\\u{1b}[31mb\\u{202e}c\\u{2028}d\\u{200b}e');
});

test('words, emoji and other scripts stay as they are', () => {
  assert.equal(plain('Grüße 🌿 漢字'), 'Grüße 🌿 漢字');
});

test('text cannot draw an icon of the workbench', () => {
  assert.doesNotMatch(plain('$(shield) approved'), /\$\(shield\)/);
});

test('a long text ends in an ellipsis, and no character is cut in two', () => {
  assert.equal(shortened('🌿🌿🌿', 2), '🌿…');
  assert.equal(shortened('abc', 3), 'abc');
});

test('a moment is told from now, at the bounds that git has', () => {
  assert.equal(ago('2026-05-10T11:59:30Z', NOW), 'just now');
  assert.equal(ago('2026-05-10T10:45:00Z', NOW), '75m ago');
  assert.equal(ago('2026-05-10T09:15:00Z', NOW), '3h ago');
  assert.equal(ago('2026-05-02T12:00:00Z', NOW), '8d ago');
  assert.equal(ago('2026-04-20T12:00:00Z', NOW), '3w ago');
  assert.equal(ago('2025-11-10T12:00:00Z', NOW), '6mo ago');
  assert.equal(ago('2024-01-10T12:00:00Z', NOW), '2y ago');
  assert.equal(ago('2026-05-10T15:00:00Z', NOW), 'in 3h');
  assert.equal(ago('yesterday', NOW), 'yesterday');
});

test('one is not many', () => {
  assert.equal(counted(1, 'plan'), '1 plan');
  assert.equal(counted(0, 'plan'), '0 plans');
});
